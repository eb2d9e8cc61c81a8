"""Messages that go become Go structs: a gob source for each struct map, made when it is first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._gob import GoTime, Interface, RecordSource, Registered
from mattermost_plugin._gob.sources import DICTS, Attr, Computed, Get, Present
from mattermost_plugin._stock.go_errors import error_interface
from mattermost_plugin._stock.go_types import go_type, message_class, only_field
from mattermost_plugin._stock.json_values import json_source
from mattermost_plugin._stock.puts import SameRecord, Wrapped
from mattermost_pluginapi.api.values import plain_value, to_dict
from mattermost_pluginapi.stock.shapes import FieldMap, StructMap, struct_map
from mattermost_pluginapi.stock.structs import ENUMS

__all__ = ["registry", "struct_source"]

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
    by_go: dict[str, list[FieldMap]] = {}
    for field in mapping.fields:
        by_go.setdefault(field.go, []).append(field)
    make = message_class(mapping.message)
    return {go: _get(same[0], make) if len(same) == 1 else _get_one_of(same) for go, same in by_go.items()}


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
        case "wrapped":
            return Wrapped(name)
        case "variant":
            return _get_one_of([field])
        case "error":
            return Computed(lambda v: error_interface(getattr(v, name)) if v.HasField(name) else None)
        case "json":
            return Computed(lambda v: _loads(field, getattr(v, name)), json_source(field.detail))
        case "json_message":
            inner = only_field(make, name)
            return Computed(_message_json(field, inner), json_source(field.detail))
        case conversion:
            return Computed(_CONVERSIONS[conversion](field), DICTS)


def _get_one_of(fields: list[FieldMap]) -> Get:
    """One field of the struct for several of the message: the first that is set."""
    if fields[0].conversion == "variant":
        variants = [(field.field, field.detail.partition(" ")[0]) for field in fields]
        return Computed(lambda v: next((Interface(n, getattr(v, f)) for f, n in variants if v.HasField(f)), None))
    functions = [_plainly(field) for field in fields if field.conversion != "not_zero"]
    return Computed(lambda v: next((value for function in functions if (value := function(v))), None), DICTS)


def _plainly(field: FieldMap) -> Callable[[Any], Any]:
    if field.conversion in ("scalar", "list"):
        return lambda v: getattr(v, field.field)
    return _CONVERSIONS[field.conversion](field)


def _message_json(field: FieldMap, inner: str) -> Callable[[Any], object]:
    def get(message: Any) -> object:
        return _loads(field, getattr(getattr(message, field.field), inner)) if message.HasField(field.field) else None

    return get


def _loads(field: FieldMap, data: bytes) -> object:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        # Not chained: the text is quoted in that error, and may hold secrets.
        problem = ValueError(f"{field.field} is no JSON")
    raise problem


# Functions that get the Go value of a field, by conversion

_Get = Callable[[Any], Any]


def _enum(field: FieldMap) -> _Get:
    texts = {number: text for text, number in ENUMS[field.detail].items()}
    return lambda v: texts.get(getattr(v, field.field), "")


def _object(field: FieldMap) -> _Get:
    return lambda v: to_dict(getattr(v, field.field)) if v.HasField(field.field) else None


def _value(field: FieldMap) -> _Get:
    return lambda v: plain_value(getattr(v, field.field)) if v.HasField(field.field) else None


def _json_value(field: FieldMap) -> _Get:
    value = _value(field)
    return lambda v: json.dumps(value(v)).encode() if v.HasField(field.field) else None


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
            raise ValueError(f"{field.field} must be from 0 to {len(texts) - 1}")
        return str(texts[number])

    return get


def _first(field: FieldMap) -> _Get:
    def get(message: Any) -> str:
        texts = getattr(message, field.field)
        if len(texts) > 1:
            raise ValueError(f"stock servers take one text in {field.field}, not {len(texts)}")
        return str(texts[0]) if texts else ""

    return get


def _decimal(field: FieldMap) -> _Get:
    def get(message: Any) -> int:
        text = getattr(message, field.field)
        try:
            return int(text or 0)
        except ValueError:
            raise ValueError(f"{field.field} must be decimal digits") from None

    return get


def _level(field: FieldMap) -> _Get:
    def get(message: Any) -> dict[str, object]:
        name = getattr(message, field.field)
        if name not in _AUDIT_LEVELS:
            raise ValueError(f"{field.field} must be one of {', '.join(_AUDIT_LEVELS)}")
        return {"ID": _AUDIT_LEVELS[name], "Name": name}

    return get


def _pairs(field: FieldMap) -> _Get:
    def get(message: Any) -> list[str]:
        """Names and values in turn. Texts only: the server panics at some other kinds."""
        return [part for pair in getattr(message, field.field) for part in (pair.key, _text(plain_value(pair.value)))]

    return get


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


_CONVERSIONS: Final[Mapping[str, Callable[[FieldMap], _Get]]] = {
    "enum": _enum,
    "object": _object,
    "objects": lambda field: lambda v: [to_dict(each) for each in getattr(v, field.field)],
    "value": _value,
    "json_value": _json_value,
    "milliseconds": _milliseconds,
    "list_map": _list_map,
    "index": _index,
    "first": _first,
    "only": lambda field: lambda v: [text] if (text := getattr(v, field.field)) else None,
    "decimal": _decimal,
    "true_text": lambda field: lambda v: getattr(v, field.field) == "true",
    "joined": lambda field: lambda v: [text for text in getattr(v, field.field).split(",") if text],
    "keys": lambda field: lambda v: dict.fromkeys(getattr(v, field.field), True) or None,
    "descending": lambda field: lambda v: getattr(v, field.field) == "desc",
    "id": lambda field: lambda v: {"Id": getattr(v, field.field)},
    "level": _level,
    "pairs": _pairs,
}
