"""Messages that go become Go structs: a gob source for each struct map, made when it is first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._gob import GobEncodeError, GoTime, Interface, RecordSource, Registered
from mattermost_plugin._gob.sources import DICTS, Attr, Computed, Get, Present
from mattermost_plugin._stock.gets import SameRecord
from mattermost_plugin._stock.go_errors import error_interface
from mattermost_plugin._stock.go_types import by_go_field, go_type, message_class, only_field
from mattermost_plugin._stock.go_values import go_object, go_value
from mattermost_plugin._stock.json_structs import json_source
from mattermost_plugin._stock.json_text import raw_json, read_json
from mattermost_pluginapi.api.values import plain_value
from mattermost_pluginapi.stock.shapes import FieldMap, StructMap, struct_map
from mattermost_pluginapi.stock.structs import ENUMS

__all__ = ["fields_getter", "registry", "struct_source"]

_AUTOCOMPLETE: Final = ("AutocompleteTextArg", "AutocompleteStaticListArg", "AutocompleteDynamicListArg")

_AUDIT_LEVELS: Final = {"audit-api": 100, "audit-content": 101, "audit-permissions": 102, "audit-cli": 103}
"""Numbers of the server's levels for audit records, by which it knows them."""


@cache
def struct_source(name: str) -> RecordSource:
    """How a message becomes its Go struct.

    Args:
        name: of the struct map, such as "model.Post".

    Raises:
        KeyError: there is no such map.
    """
    mapping = struct_map(name)
    return RecordSource(lambda: _gets(mapping))


@cache
def registry() -> Mapping[str, Registered]:
    """What interfaces may hold that plugins send."""
    return {
        "*plugin.ErrorString": Registered(go_type("*plugin.ErrorString")),
        "*model.AppError": Registered(go_type("*model.AppError"), struct_source("model.AppError")),
        **{
            f"*model.{name}": Registered(go_type(f"*model.{name}"), struct_source(f"model.{name}"))
            for name in _AUTOCOMPLETE
        },
    }


def _gets(mapping: StructMap) -> Mapping[str, Get]:
    make = message_class(mapping.message)
    return {
        go: _get(same[0], make) if len(same) == 1 else _get_one_of(same) for go, same in by_go_field(mapping).items()
    }


def _get(field: FieldMap, make: type[Message]) -> Get:
    name = field.field
    match field.conversion:
        case "scalar":
            has_presence = make.DESCRIPTOR.fields_by_name[name].has_presence
            return Present(name) if has_presence else Attr(name)
        case "list" | "map":
            return Attr(name)
        case "message":
            return Present(name, struct_source(field.detail))
        case "messages" | "message_map":
            return Attr(name, struct_source(field.detail))
        case "flat":
            return SameRecord(struct_source(field.detail))
        case "error":
            return Computed(lambda v: error_interface(getattr(v, name)) if v.HasField(name) else None)
        case "json":
            return Computed(lambda v: _loads(field, getattr(v, name)), json_source(field.detail))
        case "json_message":
            return Computed(_message_json(field, only_field(make, name)), json_source(field.detail))
        case _:
            return Computed(fields_getter([field]), DICTS)


def _get_one_of(fields: list[FieldMap]) -> Get:
    """One field of the struct for several of the message."""
    return Computed(fields_getter(fields), DICTS)


def _message_json(field: FieldMap, inner: str) -> Callable[[Any], object]:
    def get(message: Any) -> object:
        return _loads(field, getattr(getattr(message, field.field), inner)) if message.HasField(field.field) else None

    return get


def _loads(field: FieldMap, data: bytes) -> object:
    if not data:
        return None
    try:
        value = read_json(data)
    except ValueError as error:
        raise _refused(field, f"is {error}") from None
    if not isinstance(value, dict | None):
        raise _refused(field, "is no JSON object")
    return value


def _refused(field: FieldMap, what: str) -> GobEncodeError:
    return GobEncodeError(f"{field.field} {what}", path=field.go)


# Functions that get the Go value of a field, by conversion

_Get = Callable[[Any], Any]


def fields_getter(fields: list[FieldMap]) -> _Get:
    """What gets the Go value for fields of a message whose conversions are functions: of several, the first that is
    set.

    Raises:
        KeyError: a conversion is no function.
    """
    functions = [_CONVERSIONS[field.conversion](field) for field in fields if field.conversion != "not_zero"]
    if len(functions) == 1:
        return functions[0]
    return lambda v: next((value for function in functions if (value := function(v))), None)


def _plain(field: FieldMap) -> _Get:
    return lambda v: getattr(v, field.field)


def _variant(field: FieldMap) -> _Get:
    name = field.detail.partition(" ")[0]
    return lambda v: Interface(name, getattr(v, field.field)) if v.HasField(field.field) else None


def _enum(field: FieldMap) -> _Get:
    texts = {number: text for text, number in ENUMS[field.detail].items()}
    return lambda v: texts.get(getattr(v, field.field), "")


def _object(field: FieldMap) -> _Get:
    return lambda v: go_object(getattr(v, field.field)) if v.HasField(field.field) else None


def _value(field: FieldMap) -> _Get:
    return lambda v: go_value(getattr(v, field.field)) if v.HasField(field.field) else None


def _json_value(field: FieldMap) -> _Get:
    def get(message: Any) -> bytes | None:
        if not message.HasField(field.field):
            return None
        try:
            return raw_json(plain_value(getattr(message, field.field)))
        except ValueError:
            raise _refused(field, "has a number that is not finite") from None

    return get


def _milliseconds(field: FieldMap) -> _Get:
    def get(message: Any) -> GoTime | None:
        number = getattr(message, field.field)
        return GoTime(number // 1000, number % 1000 * 1_000_000) if number else None

    return get


def _list_map(field: FieldMap) -> _Get:
    return lambda v: {key: list(texts.values) for key, texts in getattr(v, field.field).items()} or None


def _index(field: FieldMap) -> _Get:
    texts = field.detail.split(",")

    def get(message: Any) -> str:
        number = getattr(message, field.field)
        if not 0 <= number < len(texts):
            raise _refused(field, f"must be from 0 to {len(texts) - 1}")
        return str(texts[number])

    return get


def _first(field: FieldMap) -> _Get:
    def get(message: Any) -> str:
        texts = getattr(message, field.field)
        if len(texts) > 1:
            raise _refused(field, f"may have one text on stock servers, not {len(texts)}")
        return str(texts[0]) if texts else ""

    return get


def _decimal(field: FieldMap) -> _Get:
    def get(message: Any) -> int:
        text = getattr(message, field.field)
        if not text:
            return 0
        if not (text.removeprefix("-").isdecimal() and text.isascii()):
            raise _refused(field, "must be decimal digits")
        return int(text)

    return get


def _level(field: FieldMap) -> _Get:
    def get(message: Any) -> dict[str, object]:
        name = getattr(message, field.field)
        if name not in _AUDIT_LEVELS:
            raise _refused(field, f"must be one of {', '.join(_AUDIT_LEVELS)}")
        return {"ID": _AUDIT_LEVELS[name], "Name": name}

    return get


def _pairs(field: FieldMap) -> _Get:
    def get(message: Any) -> list[str]:
        """Names and values in turn. Texts only: the server panics at some other kinds."""
        return [part for pair in getattr(message, field.field) for part in (pair.key, _text(plain_value(pair.value)))]

    return get


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_CONVERSIONS: Final[Mapping[str, Callable[[FieldMap], _Get]]] = {
    "decimal": _decimal,
    "descending": lambda field: lambda v: getattr(v, field.field) == "desc",
    "enum": _enum,
    "first": _first,
    "id": lambda field: lambda v: {"Id": getattr(v, field.field)},
    "index": _index,
    "joined": lambda field: lambda v: [text for text in getattr(v, field.field).split(",") if text],
    "json_value": _json_value,
    "keys": lambda field: lambda v: dict.fromkeys(getattr(v, field.field), True) or None,
    "level": _level,
    "list": _plain,
    "list_map": _list_map,
    "milliseconds": _milliseconds,
    "object": _object,
    "objects": lambda field: lambda v: [go_object(each) for each in getattr(v, field.field)],
    "only": lambda field: lambda v: [text] if (text := getattr(v, field.field)) else None,
    "pairs": _pairs,
    "scalar": _plain,
    "true_text": lambda field: lambda v: getattr(v, field.field) == "true",
    "value": _value,
    "variant": _variant,
    "wrapped": lambda field: lambda v: getattr(v, field.field).value if v.HasField(field.field) else None,
}
