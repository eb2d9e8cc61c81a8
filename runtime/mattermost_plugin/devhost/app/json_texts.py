"""Messages as JSON the way the server's clients get them: proto names, and whole numbers as numbers."""

import json
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

__all__ = ["integral", "json_object", "json_text"]

_64_BITS: Final = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64)


def json_text(message: Message) -> str:
    """A message as a JSON object on one line.

    Args:
        message: the message; fields with their default value are left out.
    """
    return json.dumps(_typed(MessageToDict(message, preserving_proto_field_name=True), message.DESCRIPTOR))


def json_object(text: bytes | str) -> dict[str, object]:
    """The JSON object that a text is.

    Raises:
        ValueError: it is none.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if isinstance(value, dict):
        return value
    raise ValueError("not a JSON object")


def integral(value: object) -> object:
    """A JSON value with whole numbers as such: a Struct has floating-point numbers only."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: integral(each) for key, each in value.items()}
    if isinstance(value, list):
        return [integral(each) for each in value]
    return value


def _typed(values: object, kind: Any) -> object:
    """Protobuf writes numbers of 64 bits as texts, since JavaScript has none; the server does not."""
    if kind.file.package == "google.protobuf" or not isinstance(values, dict):
        return integral(values)
    return {name: _typed_field(value, kind.fields_by_name[name]) for name, value in values.items()}


def _typed_field(value: object, field: FieldDescriptor) -> object:
    if isinstance(value, dict) and field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        return {key: _typed_field(each, inner) for key, each in value.items()}
    if isinstance(value, list) and field.is_repeated:
        return [_typed_one(each, field) for each in value]
    return _typed_one(value, field)


def _typed_one(value: object, field: FieldDescriptor) -> object:
    if field.message_type is not None:
        return _typed(value, field.message_type)
    return int(value) if field.type in _64_BITS and isinstance(value, str) else value
