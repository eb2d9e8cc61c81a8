"""Go structs that come become messages: a gob target for each struct map, made when it is first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._gob import PLAIN, GobMismatchError, GoTime, RecordTarget
from mattermost_plugin._gob.puts import AddEach, Call, Extend, Fill, FillEach, Put, SetAttr, Update
from mattermost_plugin._gob.targets import AnyTarget, GenericTarget
from mattermost_plugin._gob.values import ZERO_TIME
from mattermost_plugin._stock.go_errors import ERROR_TARGET, fill_error
from mattermost_plugin._stock.go_types import message_class, only_field
from mattermost_plugin._stock.json_values import FREE, json_target, plain_json
from mattermost_plugin._stock.puts import FillSame, SetWrapped
from mattermost_plugin._stock.struct_values import fill_struct
from mattermost_pluginapi.api.values import set_value, to_struct
from mattermost_pluginapi.stock.shapes import FieldMap, struct_map
from mattermost_pluginapi.stock.structs import ENUMS

__all__ = ["struct_target"]

_LOSSLESS_TEXT: Final = "replace"


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
    return RecordTarget(make, lambda: _puts(mapping.fields, make))


def _puts(fields: tuple[FieldMap, ...], make: type[Message]) -> Mapping[str, Put]:
    by_go: dict[str, list[FieldMap]] = {}
    for field in fields:
        by_go.setdefault(field.go, []).append(field)
    return {go: _put(same[0], make) if len(same) == 1 else _put_each(same) for go, same in by_go.items()}


def _put(field: FieldMap, make: type[Message]) -> Put:
    match field.conversion:
        case "scalar":
            return SetAttr(field.field)
        case "list":
            return Extend(field.field)
        case "map":
            return Update(field.field)
        case "message":
            return Fill(field.field, struct_target(field.detail))
        case "messages":
            return AddEach(field.field, struct_target(field.detail))
        case "message_map":
            return FillEach(field.field, struct_target(field.detail))
        case "flat":
            return FillSame(struct_target(field.detail))
        case "wrapped":
            return SetWrapped(field.field)
        case "variant":
            return _put_each([field])
        case "error":
            return Call(lambda out, value: fill_error(getattr(out, field.field), value), ERROR_TARGET)
        case "json":
            return Call(_set_json(field.field), json_target(field.detail))
        case "json_message":
            inner = only_field(make, field.field)
            return Call(_set_json_message(field.field, inner), json_target(field.detail))
        case conversion:
            function, target = _CONVERSIONS[conversion]
            return Call(function(field), target)


def _put_each(fields: list[FieldMap]) -> Put:
    """Several fields of the message for one of the struct."""
    if fields[0].conversion == "variant":
        variants = {registered: (field.field, name) for field in fields for registered, name in [_variant(field)]}
        targets = {registered: struct_target(name) for registered, (_, name) in variants.items()}
        return Call(_set_variant({each: field for each, (field, _) in variants.items()}), _Variants(targets))
    functions = [_set_plainly(field) for field in fields]

    def put(out: Any, value: Any) -> None:
        for function in functions:
            function(out, value)

    return Call(put, PLAIN)


def _variant(field: FieldMap) -> tuple[str, str]:
    registered, _, name = field.detail.partition(" ")
    return registered, name


class _Variants(GenericTarget):
    """What an interface holds under one of some names, as its message with the name."""

    def __init__(self, targets: Mapping[str, AnyTarget]) -> None:
        super().__init__(keep_names=True, text_errors=_LOSSLESS_TEXT)
        self._targets = targets

    def held(self, name: str) -> AnyTarget:
        try:
            return self._targets[name]
        except KeyError:
            raise GobMismatchError("a value of a type that does not belong there") from None


def _set_variant(fields: Mapping[str, str]) -> Callable[[Any, Any], None]:
    def put(out: Any, value: Any) -> None:
        if value is not None:
            getattr(out, fields[value.name]).CopyFrom(value.value)

    return put


def _set_json(name: str) -> Callable[[Any, object], None]:
    def put(out: Any, value: object) -> None:
        setattr(out, name, _dumps(value))

    return put


def _set_json_message(name: str, inner: str) -> Callable[[Any, object], None]:
    def put(out: Any, value: object) -> None:
        setattr(getattr(out, name), inner, _dumps(value))

    return put


def _dumps(value: object) -> bytes:
    return json.dumps(plain_json(value), ensure_ascii=False, separators=(",", ":")).encode()


# Functions that put a value into a field, by conversion

_Put = Callable[[Any, Any], None]


def _set_plainly(field: FieldMap) -> _Put:
    if field.conversion == "scalar":
        return lambda out, value: setattr(out, field.field, value)
    if field.conversion == "list":
        return lambda out, value: getattr(out, field.field).extend(value)
    return _CONVERSIONS[field.conversion][0](field)


def _enum(field: FieldMap) -> _Put:
    numbers = ENUMS[field.detail]
    # A text that the contract has no value for, such as one of a newer server, is the unspecified one.
    return lambda out, value: setattr(out, field.field, numbers.get(value, 0))


def _object(field: FieldMap) -> _Put:
    def put(out: Any, value: object) -> None:
        if isinstance(value, dict):
            struct = getattr(out, field.field)
            struct.SetInParent()
            fill_struct(struct, value)

    return put


def _objects(field: FieldMap) -> _Put:
    def put(out: Any, value: list[object]) -> None:
        getattr(out, field.field).extend(to_struct(field.go, _finite(plain_json(item or {}))) for item in value)

    return put


def _value(field: FieldMap) -> _Put:
    def put(out: Any, value: object) -> None:
        set_value(field.go, getattr(out, field.field), _finite(plain_json(value)))

    return put


def _json_value(field: FieldMap) -> _Put:
    def put(out: Any, value: bytes) -> None:
        set_value(field.go, getattr(out, field.field), json.loads(value))

    return put


def _finite(value: Any) -> Any:
    """The value with texts in the place of numbers that JSON has none for."""
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _milliseconds(field: FieldMap) -> _Put:
    def put(out: Any, value: GoTime) -> None:
        if value != ZERO_TIME:
            setattr(out, field.field, value.seconds * 1000 + value.nanoseconds // 1_000_000)

    return put


def _list_map(field: FieldMap) -> _Put:
    def put(out: Any, value: Mapping[str, list[str]]) -> None:
        lists = getattr(out, field.field)
        for key, texts in value.items():
            lists[key].values.extend(texts)

    return put


def _index(field: FieldMap) -> _Put:
    texts = field.detail.split(",")
    return lambda out, value: setattr(out, field.field, texts.index(value) if value in texts else 0)


def _first(field: FieldMap) -> _Put:
    return lambda out, value: getattr(out, field.field).append(value) if value else None


def _only(field: FieldMap) -> _Put:
    return lambda out, value: setattr(out, field.field, value[0]) if len(value) == 1 else None


def _nothing(field: FieldMap) -> _Put:
    """Plugins send these; servers do not."""
    return lambda out, value: None


_CONVERSIONS: Final[Mapping[str, tuple[Callable[[FieldMap], _Put], AnyTarget]]] = {
    "enum": (_enum, PLAIN),
    "object": (_object, FREE),
    "objects": (_objects, FREE),
    "value": (_value, FREE),
    "json_value": (_json_value, PLAIN),
    "milliseconds": (_milliseconds, PLAIN),
    "list_map": (_list_map, PLAIN),
    "index": (_index, PLAIN),
    "first": (_first, PLAIN),
    "only": (_only, PLAIN),
    "decimal": (lambda field: lambda out, value: setattr(out, field.field, str(value) if value else ""), PLAIN),
    "true_text": (lambda field: lambda out, value: setattr(out, field.field, "true" if value else ""), PLAIN),
    "joined": (lambda field: lambda out, value: setattr(out, field.field, ",".join(value)), PLAIN),
    "keys": (
        lambda field: lambda out, value: getattr(out, field.field).extend(sorted(k for k, v in value.items() if v)),
        PLAIN,
    ),
    "descending": (lambda field: lambda out, value: setattr(out, field.field, "desc" if value else ""), PLAIN),
    "not_zero": (lambda field: lambda out, value: setattr(out, field.field, bool(value)), PLAIN),
    "id": (lambda field: lambda out, value: setattr(out, field.field, value.get("Id", "")), PLAIN),
    "level": (lambda field: lambda out, value: setattr(out, field.field, value.get("Name", "")), PLAIN),
    "pairs": (_nothing, PLAIN),
}
