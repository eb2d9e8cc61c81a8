"""The structs that Go wrote, as those that have a message.

Two things are changed in them, for no server sends what they have there: whole numbers that the contract's 32 bits
cannot hold, and texts where Go has JSON.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.message import Message

from mattermost_plugin._gob import Encoder, Interface
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.gob.streams import read, stock_encoder, stock_table, vectors
from tests.stock.go_json import TYPES, field_types

BY_HAND = re.compile(r"ErrorString|HTTPRequestSubset|Z_(Db|PluginHTTP|Serve)\w+")
"""Structs that the runtime builds and reads itself."""

INT = range(-(2**31), 2**31)
"""What the contract holds of Go's int, for which it has 32 bits in most places."""

RAW = "json.RawMessage"


def read_message(name: str, data: bytes) -> Any:
    """The message of a struct that stands alone in a stream."""
    (message,) = read(data, struct_target(name))
    return message


def write_struct(name: str, message: Message) -> bytes:
    """A stream with the struct of a message alone."""
    return Encoder(registry()).encode(message, go_type(STRUCTS[name][0]), struct_source(name))


class StructVector(NamedTuple):
    """A struct that Go wrote."""

    name: str
    """Of its struct map, and of its Go type."""
    case: str
    data: bytes
    value: Any
    """As JSON by Go's field names."""

    def __str__(self) -> str:
        return f"{self.name}-{self.case}"


@cache
def struct_vectors() -> tuple[StructVector, ...]:
    return tuple(_found())


def _found() -> Iterator[StructVector]:
    for vector in vectors():
        name = f"plugin.{vector.type}"
        if name not in STRUCTS:
            assert BY_HAND.fullmatch(vector.type), vector.type
            continue
        (value,) = read(vector.data)
        sound = _sound(name, value)
        if sound == value:
            yield StructVector(name, vector.case, vector.data, vector.value)
        else:
            data = stock_encoder().encode(sound, stock_table().struct(name))
            yield StructVector(name, vector.case, data, json_form(sound))


def _sound(type_name: str, value: Any) -> Any:
    """The value without what no server sends."""
    if isinstance(value, Interface):
        return value
    if type_name == RAW:
        return b'{"text":"a","list":[1,2.5,true,null]}' if value else value
    entry = TYPES[type_name]
    match entry["kind"]:
        case "int" if value not in INT:
            return 7
        case "ptr":
            return _sound(entry["elem"], value)
        case "slice" if isinstance(value, list):
            return [_sound(entry["elem"], item) for item in value]
        case "map":
            return {key: _sound(entry["elem"], item) for key, item in value.items()}
        case "struct" if isinstance(value, dict):
            types = field_types(type_name)
            return {field: _sound(types[field], item) for field, item in value.items()}
    return value
