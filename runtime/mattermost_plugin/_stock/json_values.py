"""Go values as JSON, as encoding/json writes them: structs that messages carry as JSON, and what interfaces hold.

gob leaves out zeros and JSON does not, so a record begins with the zero of every key that Go would write.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from mattermost_plugin._gob import GobMismatchError, GoTime, Shape, Source, Target
from mattermost_plugin._gob.go_types import GoStruct
from mattermost_plugin._gob.puts import Call, Put, SetItem, Skip
from mattermost_plugin._gob.sources import DICTS, Absent, Computed, Get
from mattermost_plugin._gob.targets import AnyTarget, GenericTarget, StructPlan
from mattermost_pluginapi.stock.go_types import REGISTERED
from mattermost_pluginapi.stock.json_types import JSON_TYPES

__all__ = ["FREE", "json_key", "json_source", "json_target", "plain_json"]

_RAW: Final = "json.RawMessage"
_BYTES: Final = frozenset({"[]uint8", _RAW})


class _JsonField(NamedTuple):
    name: str
    type: str
    key: str
    omits_empty: bool

    @property
    def is_embedded(self) -> bool:
        """Whether the fields of the struct in it stand in its place."""
        return not self.key and self.name == self.type.rpartition(".")[2].lstrip("*")


@cache
def _fields(type_name: str) -> tuple[_JsonField, ...]:
    return tuple(_JsonField(*field) for field in JSON_TYPES[type_name][3])


def _base(type_name: str) -> str:
    """The type behind pointers."""
    while JSON_TYPES[type_name][0] == "ptr":
        type_name = JSON_TYPES[type_name][1]
    return type_name


class _FreeTarget(GenericTarget):
    """What interfaces hold, as JSON values."""

    def __init__(self) -> None:
        super().__init__(keep_names=False, text_errors="replace")

    def held(self, name: str) -> AnyTarget:
        registered = REGISTERED.get(name)
        return json_target(registered) if registered in JSON_TYPES else self

    def unmarshaler(self, shape: Shape) -> Callable[[bytes], object]:
        generic = super().unmarshaler(shape)
        return lambda data: _marshaled(generic(data))


def _marshaled(value: object) -> object:
    return value.isoformat() if isinstance(value, GoTime) else value


class _TypedTarget(_FreeTarget):
    """Values of a known type, with the keys that JSON has for their fields.

    Args:
        type_name: the type.
    """

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self._type = _base(type_name)

    def plan(self, shape: Shape) -> StructPlan:
        if JSON_TYPES[self._type][0] in ("slice", "map"):
            # The struct is an element of this type.
            return json_target(JSON_TYPES[self._type][1]).plan(shape)
        fields = {field.name: field for field in _fields(self._type)}
        puts = [self._put(fields.get(name)) for name, _ in shape.fields]
        zeros = _zeros(self._type)
        return StructPlan(lambda: json.loads(zeros), puts)

    @staticmethod
    def _put(field: _JsonField | None) -> Put:
        if field is None:
            return _SKIP
        if field.is_embedded:
            return Call(_merge, json_target(field.type))
        if not field.key:
            return _SKIP
        base = _base(field.type)
        if base == _RAW:
            return Call(_raw_setter(field.key), FREE)
        return SetItem(field.key, json_target(field.type))


_SKIP: Final = Skip()

FREE: Final[Target[object]] = _FreeTarget()
"""Whatever an interface holds, as JSON values; byte strings stay bytes until `plain_json`."""


@cache
def json_target(type_name: str) -> Target[object]:
    """Where values of a type go to become JSON values; `plain_json` finishes them."""
    return _TypedTarget(type_name)


def _merge(out: dict[str, object], value: object) -> None:
    if isinstance(value, dict):
        out.update(value)


def _raw_setter(key: str) -> Callable[[dict[str, object], object], None]:
    def put(out: dict[str, object], value: object) -> None:
        if not isinstance(value, bytes):
            raise TypeError("JSON text is no byte string")
        out[key] = json.loads(value)

    return put


@cache
def _zeros(type_name: str) -> str:
    """JSON of the keys that Go writes for a value without any field."""
    return json.dumps(dict(_zero_items(type_name)))


def _zero_items(type_name: str) -> list[tuple[str, object]]:
    items: list[tuple[str, object]] = []
    for field in _fields(type_name):
        if field.is_embedded:
            if JSON_TYPES[field.type][0] != "ptr":
                items += _zero_items(_base(field.type))
        elif field.key and not field.omits_empty:
            items.append((field.key, _zero(field.type)))
    return items


def _zero(type_name: str) -> object:
    kind = JSON_TYPES[type_name][0]
    if kind == "struct":
        return dict(_zero_items(type_name))
    if kind == "GobEncoder":
        return "0001-01-01T00:00:00Z"
    return {"bool": False, "string": ""}.get(kind, None if kind in ("ptr", "slice", "map", "interface") else 0)


def plain_json(value: object) -> object:
    """A value that JSON can hold: byte strings in base64, keys of maps as texts, as Go's encoding/json has them."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json_key(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, complex):
        raise GobMismatchError("a complex number, which JSON cannot hold")
    return value


def json_key(key: object) -> str:
    """The key of an object for the key of a map."""
    return str(key).lower() if isinstance(key, bool) else str(key)


# The way back


class _JsonSource(Source):
    """JSON objects with the keys of a type.

    Args:
        type_name: the type.
    """

    def __init__(self, type_name: str) -> None:
        self._type = type_name

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        fields = {field.name: field for field in _fields(self._type)}
        return [self._get(fields[field.name]) if field.name in fields else _ABSENT for field in struct.fields]

    @staticmethod
    def _get(field: _JsonField) -> Get:
        if field.is_embedded:
            return Computed(lambda value: value, json_source(field.type))
        if not field.key:
            return _ABSENT
        return Computed(_getter(field), json_source(field.type))


_ABSENT: Final = Absent()


@cache
def json_source(type_name: str) -> Source:
    """Where values of a type come from that are JSON values."""
    base = _base(type_name)
    while JSON_TYPES[base][0] in ("slice", "map"):
        base = _base(JSON_TYPES[base][1])
    return _JsonSource(base) if JSON_TYPES[base][0] == "struct" else DICTS


def _getter(field: _JsonField) -> Callable[[Mapping[str, object]], object]:
    key, base = field.key, _base(field.type)
    if base == _RAW:
        return lambda value: json.dumps(value[key]).encode() if key in value else None
    if base in _BYTES:
        return lambda value: _from_base64(value.get(key))
    if JSON_TYPES[base][0] == "GobEncoder":
        return lambda value: _time(value.get(key))
    if JSON_TYPES[base][0] in _WHOLE:
        return lambda value: _whole(value.get(key))
    return lambda value: value.get(key)


_WHOLE: Final = frozenset({"int", "int64", "uint", "uint8", "uint32"})


def _whole(value: object) -> object:
    """JSON that has come through a Struct has whole numbers as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_base64(value: object) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("bytes that are no base64 text")
    return base64.b64decode(value, validate=True)


def _time(value: object) -> GoTime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("a time that is no text")
    from datetime import datetime

    return GoTime.from_datetime(datetime.fromisoformat(value))
