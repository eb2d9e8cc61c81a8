"""Go structs that come become messages: a gob target for each struct map, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._gob import GobMismatchError, GoTime, Kind, RecordTarget, Shape
from mattermost_plugin._gob.puts import AddEach, Fill, FillEach, Put, Skip, Unmarshal, Update
from mattermost_plugin._gob.targets import AnyTarget, GenericTarget
from mattermost_plugin._gob.values import ZERO_TIME
from mattermost_plugin._stock.go_errors import ERROR_TARGET, fill_error
from mattermost_plugin._stock.go_types import by_go_field, message_class, only_field
from mattermost_plugin._stock.json_structs import json_target
from mattermost_plugin._stock.json_text import read_json, write_json
from mattermost_plugin._stock.puts import (
    AddObjects,
    AppendEach,
    Convert,
    FillSame,
    SetAny,
    SetObject,
    SetPlain,
    SetWrapped,
)
from mattermost_plugin._stock.value_bytes import value_bytes
from mattermost_pluginapi.stock.shapes import FieldMap, StructMap, struct_map
from mattermost_pluginapi.stock.structs import ENUMS

__all__ = ["struct_target"]


@cache
def struct_target(name: str) -> RecordTarget[Message]:
    """Where a Go struct goes to become its message.

    Args:
        name: of the struct map, such as "model.Post".

    Raises:
        KeyError: there is no such map.
    """
    mapping = struct_map(name)
    make = message_class(mapping.message)
    return RecordTarget(make, lambda: _puts(mapping, make))


def _puts(mapping: StructMap, make: type[Message]) -> Mapping[str, Put]:
    return {
        go: _put(same[0], make) if len(same) == 1 else _put_to_each(same) for go, same in by_go_field(mapping).items()
    }


def _put(field: FieldMap, make: type[Message]) -> Put:
    name = field.field
    match field.conversion:
        case "scalar":
            return SetPlain(name)
        case "list":
            return AppendEach(name)
        case "map":
            return Update(name)
        case "message":
            return Fill(name, struct_target(field.detail))
        case "messages":
            return AddEach(name, struct_target(field.detail))
        case "message_map":
            return FillEach(name, struct_target(field.detail))
        case "flat":
            return FillSame(struct_target(field.detail))
        case "wrapped":
            return SetWrapped(name)
        case "object":
            return SetObject(name)
        case "objects":
            return AddObjects(name)
        case "value":
            return SetAny(name)
        case "variant":
            return _put_variant([field])
        case "milliseconds":
            return Unmarshal(_milliseconds(field))
        case "pairs":
            # Plugins send these; servers do not.
            return Skip()
        case "error":
            return Convert(lambda out, held: fill_error(out, name, held), _is_interface, "an error", ERROR_TARGET)
        case "json":
            return Convert(_json(name), _is_struct, "a struct", json_target(field.detail))
        case "json_message":
            put = _json_message(name, only_field(make, name))
            return Convert(put, _is_struct, "a struct", json_target(field.detail))
        case _:
            return _convert([field])


def _put_to_each(fields: list[FieldMap]) -> Put:
    """Several fields of the message for one of the struct."""
    return _put_variant(fields) if fields[0].conversion == "variant" else _convert(fields)


def _convert(fields: list[FieldMap]) -> Put:
    accepts, wanted, _ = _CONVERSIONS[fields[0].conversion]
    functions = [_CONVERSIONS[field.conversion][2](field) for field in fields]
    if len(functions) == 1:
        return Convert(functions[0], accepts, wanted)

    def put(out: Any, value: Any) -> None:
        for function in functions:
            function(out, value)

    return Convert(put, accepts, wanted)


def _put_variant(fields: list[FieldMap]) -> Put:
    """What an interface holds under one of some registered names, to the field for that name."""
    places: dict[str, str] = {}
    targets: dict[str, AnyTarget] = {}
    for field in fields:
        registered, _, name = field.detail.partition(" ")
        places[registered] = field.field
        targets[registered] = struct_target(name)

    def put(out: Any, held: Any) -> None:
        if held is not None:
            getattr(out, places[held.name]).CopyFrom(held.value)

    return Convert(put, _is_interface, "an interface", _VariantTarget(targets))


class _VariantTarget(GenericTarget):
    """What an interface holds, as the message of its registered name.

    Args:
        targets: by name; others do not belong there.
    """

    def __init__(self, targets: Mapping[str, AnyTarget]) -> None:
        super().__init__(keep_names=True, text_errors="replace")
        self._targets = targets

    def held(self, name: str) -> AnyTarget:
        try:
            return self._targets[name]
        except KeyError:
            raise GobMismatchError("a value of a type that does not belong there") from None


# What types of the sender a conversion takes


def _is_struct(shape: Shape) -> bool:
    return shape.is_struct


def _is_interface(shape: Shape) -> bool:
    return shape.kind is Kind.INTERFACE


def _is_text(shape: Shape) -> bool:
    return shape.kind is Kind.STRING


def _is_integer(shape: Shape) -> bool:
    return shape.kind in (Kind.INT, Kind.UINT)


def _is_bool(shape: Shape) -> bool:
    return shape.kind is Kind.BOOL


def _is_bytes(shape: Shape) -> bool:
    return shape.kind is Kind.BYTES


def _is_texts(shape: Shape) -> bool:
    return shape.kind is Kind.SLICE and _is_text(shape.elem)


def _is_text_lists(shape: Shape) -> bool:
    return shape.kind is Kind.MAP and _is_text(shape.key) and _is_texts(shape.elem)


def _is_flags(shape: Shape) -> bool:
    return shape.kind is Kind.MAP and _is_text(shape.key) and _is_bool(shape.elem)


# Functions that put a value into a field

_Put = Callable[[Any, Any], object]


def _milliseconds(field: FieldMap) -> Callable[[Any, bytes], None]:
    def put(out: Any, data: bytes) -> None:
        time = GoTime.from_bytes(data)
        if time != ZERO_TIME:
            setattr(out, field.field, time.seconds * 1000 + time.nanoseconds // 1_000_000)

    return put


def _json(name: str) -> _Put:
    def put(out: Any, value: object) -> None:
        setattr(out, name, _written(value))

    return put


def _json_message(name: str, inner: str) -> _Put:
    def put(out: Any, value: object) -> None:
        setattr(getattr(out, name), inner, _written(value))

    return put


def _written(value: object) -> bytes:
    try:
        return write_json(value)
    except ValueError as error:
        raise GobMismatchError(str(error)) from None


def _json_value(field: FieldMap) -> _Put:
    def put(out: Any, data: bytes) -> None:
        try:
            value = read_json(data)
        except ValueError as error:
            raise GobMismatchError(str(error)) from None
        getattr(out, field.field).MergeFromString(value_bytes(value))

    return put


def _list_map(field: FieldMap) -> _Put:
    def put(out: Any, value: Mapping[str, list[str]]) -> None:
        lists = getattr(out, field.field)
        for key, texts in value.items():
            lists[key].values.extend(texts)

    return put


def _enum(field: FieldMap) -> _Put:
    numbers = ENUMS[field.detail]
    # A text that the contract has no value for, such as one of a newer server, is the unspecified one.
    return lambda out, value: setattr(out, field.field, numbers.get(value, 0))


def _index(field: FieldMap) -> _Put:
    texts = field.detail.split(",")
    return lambda out, value: setattr(out, field.field, texts.index(value) if value in texts else 0)


def _set(convert: Callable[[Any], object]) -> Callable[[FieldMap], _Put]:
    """The field is set to what a function makes of the value."""
    return lambda field: lambda out, value: setattr(out, field.field, convert(value))


def _extend(convert: Callable[[Any], object]) -> Callable[[FieldMap], _Put]:
    """The list in the field gets the items that a function makes of the value."""
    return lambda field: lambda out, value: getattr(out, field.field).extend(convert(value))


def _only(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else ""


_CONVERSIONS: Final[Mapping[str, tuple[Callable[[Shape], bool], str, Callable[[FieldMap], _Put]]]] = {
    "decimal": (_is_integer, "a number", _set(lambda value: str(value) if value else "")),
    "descending": (_is_bool, "a boolean", _set(lambda value: "desc" if value else "")),
    "enum": (_is_text, "a text", _enum),
    "first": (_is_text, "a text", _extend(lambda value: [value] if value else [])),
    "id": (_is_struct, "a struct", _set(lambda value: value.get("Id", ""))),
    "index": (_is_text, "a text", _index),
    "joined": (_is_texts, "a list of texts", _set(",".join)),
    "json_value": (_is_bytes, "a byte string", _json_value),
    "keys": (_is_flags, "a map of texts to booleans", _extend(lambda value: sorted(k for k, v in value.items() if v))),
    "level": (_is_struct, "a struct", _set(lambda value: value.get("Name", ""))),
    "list": (_is_texts, "a list of texts", _extend(lambda value: value)),
    "list_map": (_is_text_lists, "a map of texts to lists of texts", _list_map),
    "not_zero": (_is_integer, "a number", _set(bool)),
    "only": (_is_texts, "a list of texts", _set(_only)),
    "scalar": (_is_integer, "a number", _set(lambda value: value)),
    "true_text": (_is_bool, "a boolean", _set(lambda value: "true" if value else "")),
}
"""What is accepted, what that is called, and the function for a field.

"list" and "scalar" are here for fields of a struct that become several fields of the message.
"""
