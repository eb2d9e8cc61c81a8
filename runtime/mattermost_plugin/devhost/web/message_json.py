"""Protobuf messages as JSON to look at: without what the contract marks as secret, and cut to a size for the eye."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value

from mattermost_pluginapi import options_pb2

__all__ = ["HIDDEN", "Json", "plain", "shown", "struct_fields"]

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | bool | None

HIDDEN: Final = "<redacted>"
"""Stands for a secret, as in plugins' logs."""

SECRET_NAMES: Final = frozenset(
    {
        "access_token",
        "auth_data",
        "authorization",
        "client_secret",
        "cookie",
        "mfa_secret",
        "password",
        "refresh_token",
        "token",
        "trigger_id",
    }
)
"""What is hidden where no contract says what is secret: in JSON, in the values of log lines, in data of events."""

_SECRET_IN_FORM: Final = re.compile(rf"((?:^|&)(?:{'|'.join(sorted(SECRET_NAMES))})=)[^&]*")
_BREAKS: Final = re.compile(r"[\n\r\t]")

LONGEST_TEXT: Final = 4_000
"""In characters."""
MOST_ITEMS: Final = 50
DEEPEST: Final = 12
LARGEST_EXACT: Final = 2**53
"""Integers up to here are what JavaScript takes them for."""


def shown(message: Message) -> Json:
    """A message: the fields that are set, in their order."""
    return _message(message, 0)


def plain(value: object, depth: int = 0) -> Json:
    """Any value: of the log, of an event, or of a message's field."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON has no infinity
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT else str(value)
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, bytes):
        return _bytes(value, depth + 1)
    if depth >= DEEPEST:
        return "..."
    if isinstance(value, Message):
        return _message(value, depth)
    if isinstance(value, Mapping):
        items = {
            str(key): HIDDEN if str(key).lower() in SECRET_NAMES else plain(value[key], depth + 1)
            for key in list(value)[:MOST_ITEMS]
        }
        return items | ({"...": f"{len(value) - MOST_ITEMS} more"} if len(value) > MOST_ITEMS else {})
    if isinstance(value, Sequence):
        cut: list[Json] = [plain(item, depth + 1) for item in value[:MOST_ITEMS]]
        return [*cut, f"... {len(value) - MOST_ITEMS} more"] if len(value) > MOST_ITEMS else cut
    return _cut(str(value))


def struct_fields(struct: Struct) -> dict[str, Json]:
    """The whole content of a Struct, uncut. Whole numbers are such again: a Struct knows none."""
    return {name: _of_struct(value) for name, value in struct.fields.items()}


def _of_struct(value: Struct | Value | ListValue) -> Json:
    if isinstance(value, Struct):
        return struct_fields(value)
    if isinstance(value, ListValue):
        return [_of_struct(item) for item in value.values]
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            whole = number.is_integer() and abs(number) <= LARGEST_EXACT
            return int(number) if whole else number if math.isfinite(number) else str(number)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return struct_fields(value.struct_value)
        case "list_value":
            return _of_struct(value.list_value)
    return None


def _message(message: Message, depth: int) -> Json:
    if isinstance(message, Struct | Value | ListValue):
        return plain(_of_struct(message), depth)
    if depth >= DEEPEST:
        return "..."
    secret = _secret_fields(message.DESCRIPTOR)
    fields: dict[str, Json] = {}
    for field, value in message.ListFields():
        fields[field.name] = HIDDEN if field.name in secret else _field(field, value, depth + 1)
    return fields


def _field(field: FieldDescriptor, value: object, depth: int) -> Json:
    if field.enum_type is not None and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return plain(value, depth)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}... {len(text) - LONGEST_TEXT} more"


def _bytes(value: bytes, depth: int) -> Json:
    """Bytes that are JSON or a text as such: keys' values, bodies of HTTP. Of others their number."""
    size = f"<{len(value)} bytes>"
    try:
        text = value[:LONGEST_TEXT].decode()
    except UnicodeDecodeError:
        return size
    if text.lstrip().startswith(("{", "[")):
        try:
            return plain(json.loads(value), depth)
        except (ValueError, RecursionError):
            return size  # no names tell what in it is secret
    if not _BREAKS.sub("", text).isprintable():
        return size
    text = _SECRET_IN_FORM.sub(rf"\1{HIDDEN}", text)
    return text if len(value) <= LONGEST_TEXT else f"{text}... of {len(value)} bytes"


@cache
def _secret_fields(descriptor: Descriptor) -> frozenset[str]:
    return frozenset(
        field.name for field in descriptor.fields if field.GetOptions().Extensions[options_pb2.field].secret
    )
