"""Go structs that messages carry as JSON, with the keys that encoding/json gives them.

gob leaves out zeros and JSON does not, so an object begins with the zero of every key that Go would write. What stands
behind pointers is left out, too, if it is zero: in structs whose pointers servers always set, a missing one is zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from mattermost_plugin._gob import GobMismatchError, GoTime, Kind, Shape, Source, Target
from mattermost_plugin._gob.code_writer import CodeWriter
from mattermost_plugin._gob.go_types import GoStruct
from mattermost_plugin._gob.puts import Call, Put, Skip
from mattermost_plugin._gob.sources import DICTS, Absent, Computed, Get
from mattermost_plugin._gob.targets import AnyTarget, GenericTarget, StructPlan
from mattermost_plugin._stock.json_text import RawJSON, go_bytes, go_time, raw_json
from mattermost_pluginapi.stock.go_types import REGISTERED

__all__ = ["FREE", "json_source", "json_target"]

_RAW: Final = "json.RawMessage"
_INTEGERS: Final = frozenset({"int", "int64", "uint", "uint8", "uint32"})


class _JSONType(NamedTuple):
    kind: str
    element: str
    key: str
    fields: tuple[tuple[str, str, str, str], ...]


@cache
def _table() -> Mapping[str, tuple[str, str, str, tuple[tuple[str, str, str, str], ...]]]:
    # Late: most plugins never meet a struct that is JSON, and the table is long.
    from mattermost_pluginapi.stock.json_types import JSON_TYPES

    return JSON_TYPES


@cache
def _type(name: str) -> _JSONType:
    return _JSONType(*_table()[name])


class _JSONField(NamedTuple):
    name: str
    type: str
    key: str
    mode: str
    """"" for a key that is always there, "omitempty" for one that is left out if empty, "set" for a pointer that is
    never nil, "embedded" for a struct whose fields stand in its place, "-" for what JSON leaves out."""


@cache
def _fields(type_name: str) -> tuple[_JSONField, ...]:
    return tuple(_JSONField(*field) for field in _type(type_name).fields)


def _base(type_name: str) -> str:
    """The type behind pointers."""
    while _type(type_name).kind == "ptr":
        type_name = _type(type_name).element
    return type_name


def _innermost(type_name: str) -> str:
    """The type of what lists and maps of it hold."""
    base = _base(type_name)
    while _type(base).kind in ("slice", "map"):
        base = _base(_type(base).element)
    return base


# From structs to JSON


class _FreeTarget(GenericTarget):
    """What interfaces hold, as JSON values."""

    def __init__(self) -> None:
        super().__init__(keep_names=False, text_errors="replace")

    def held(self, name: str) -> AnyTarget:
        registered = REGISTERED.get(name)
        return json_target(registered) if registered in _table() else self

    def unmarshaler(self, shape: Shape) -> Callable[[bytes], object]:
        generic = super().unmarshaler(shape)
        return lambda data: _marshaled(generic(data))


def _marshaled(value: object) -> object:
    return value.isoformat() if isinstance(value, GoTime) else value


class _TypedTarget(_FreeTarget):
    """Values of a known type, with the keys that JSON has for their fields.

    Args:
        type_name: the type; structs in lists and maps are those of this type.
    """

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self._struct = _innermost(type_name)

    def plan(self, shape: Shape) -> StructPlan:
        if _type(self._struct).kind != "struct":
            raise GobMismatchError(f"a struct {shape.label} where JSON has none")
        fields = {field.name: field for field in _fields(self._struct)}
        zeros = _zeros(self._struct)
        return StructPlan(lambda: json.loads(zeros), [_put(fields.get(name)) for name, _ in shape.fields])


FREE: Final[Target[object]] = _FreeTarget()
"""Whatever an interface holds, in the types that `json_text` takes."""


@cache
def json_target(type_name: str) -> Target[object]:
    """Where values of a type go to become what `json_text.write_json` takes."""
    return _TypedTarget(type_name)


class _SetKey(Put):
    """`out[key] = value`.

    Args:
        key: in JSON.
        target: what the value becomes. Interfaces and maps of them become JSON values however deep they are.
    """

    __slots__ = ("_key", "_target")

    def __init__(self, key: str, target: AnyTarget) -> None:
        self._key = key
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        # Late: what interfaces hold may be one of the structs of this module.
        from mattermost_plugin._stock.any_reader import is_object, read_plain_any, read_plain_object

        if shape.kind is Kind.INTERFACE or is_object(shape):
            read = read_plain_any if shape.kind is Kind.INTERFACE else read_plain_object
            code.line(f"v, pos = {code.bind(read)}(buf, pos, st)")
            value, end = "v", "pos"
        else:
            value, end = code.value(shape, self._target)
        code.line(f"out[{self._key!r}] = {value}")
        return end


_SKIP: Final = Skip()


def _put(field: _JSONField | None) -> Put:
    if field is None or field.mode == "-":
        return _SKIP
    if field.mode == "embedded":
        return Call(_merge, json_target(field.type))
    if _base(field.type) == _RAW:
        return Call(_raw_setter(field.key), FREE)
    return _SetKey(field.key, json_target(field.type))


def _merge(out: dict[str, object], value: object) -> None:
    if not isinstance(value, dict):
        raise TypeError("an embedded struct that is none")
    out.update(value)


def _raw_setter(key: str) -> Callable[[dict[str, object], object], None]:
    def put(out: dict[str, object], value: object) -> None:
        if not isinstance(value, bytes):
            raise TypeError("raw JSON that is no byte string")
        out[key] = RawJSON(value)

    return put


@cache
def _zeros(type_name: str) -> str:
    """JSON of the keys that Go writes for a value without any field."""
    return json.dumps(dict(_zero_items(type_name)))


def _zero_items(type_name: str) -> list[tuple[str, object]]:
    items: list[tuple[str, object]] = []
    for field in _fields(type_name):
        if field.mode == "embedded":
            if _type(field.type).kind != "ptr":
                items += _zero_items(field.type)
        elif field.mode == "set":
            items.append((field.key, _zero(_base(field.type))))
        elif field.mode == "":
            items.append((field.key, _zero(field.type)))
    return items


def _zero(type_name: str) -> object:
    match _type(type_name).kind:
        case "struct":
            return dict(_zero_items(type_name))
        case "GobEncoder":
            return "0001-01-01T00:00:00Z"
        case "bool":
            return False
        case "string":
            return ""
        case kind:
            return 0 if kind in _INTEGERS else None


# From JSON to structs


class _JSONSource(Source):
    """JSON objects with the keys of a type.

    Args:
        type_name: the type.
    """

    def __init__(self, type_name: str) -> None:
        self._type = type_name

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        fields = {field.name: field for field in _fields(self._type)}
        return [_get(fields[field.name]) for field in struct.fields]


_ABSENT: Final = Absent()


@cache
def json_source(type_name: str) -> Source:
    """Where values of a type come from that `json_text.read_json` has read."""
    base = _innermost(type_name)
    return _JSONSource(base) if _type(base).kind == "struct" else DICTS


def _get(field: _JSONField) -> Get:
    if field.mode == "-":
        return _ABSENT
    if field.mode == "embedded":
        return Computed(lambda value: value, json_source(field.type))
    return Computed(_getter(field.key, _base(field.type)), json_source(field.type))


def _getter(key: str, base: str) -> Callable[[Mapping[str, object]], object]:
    if base == _RAW:
        return lambda value: raw_json(value[key]) if key in value else None
    if base == "[]uint8":
        return lambda value: go_bytes(value.get(key))
    if _type(base).kind == "GobEncoder":
        return lambda value: go_time(value.get(key))
    if _type(_innermost(base)).kind == "interface":
        return lambda value: _floats(value.get(key))
    return lambda value: value.get(key)


def _floats(value: object) -> object:
    """The value with the numbers that Go's JSON gives to interfaces."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    return [_floats(item) for item in value] if isinstance(value, list) else value
