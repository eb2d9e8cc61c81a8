"""What interfaces held as Structs, in one pass: every post has properties."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from google.protobuf.struct_pb2 import NullValue, Struct, Value

from mattermost_plugin._gob import GobMismatchError
from mattermost_plugin._stock.json_values import json_key, plain_json

__all__ = ["fill_struct", "fill_value"]

_MAX_DEPTH: Final = 30
"""Levels of nesting: each is three messages deep, and protobuf reads back 100 of those."""

_NULL: Final = NullValue.NULL_VALUE


def fill_struct(struct: Struct, entries: Mapping[object, object], depth: int = 0) -> None:
    """Fill a Struct from what `json_values.FREE` makes of a map.

    Raises:
        GobMismatchError: it is nested too deep, or has what JSON cannot hold.
    """
    fields = struct.fields
    for key, item in entries.items():
        fill_value(fields[key if type(key) is str else json_key(key)], item, depth + 1)


def fill_value(value: Value, item: object, depth: int = 0) -> None:
    """Set a Value likewise. Numbers that JSON has none for become texts."""
    kind = type(item)
    if kind is str:
        value.string_value = item  # type: ignore[assignment]  # a str
    elif kind is bool:
        value.bool_value = item  # type: ignore[assignment]  # a bool
    elif isinstance(item, (int, float)):
        if math.isfinite(item):
            value.number_value = item
        else:
            value.string_value = str(item)
    elif item is None:
        value.null_value = _NULL
    elif depth >= _MAX_DEPTH:
        raise GobMismatchError(f"values nested deeper than {_MAX_DEPTH} levels")
    elif isinstance(item, dict):
        inner = value.struct_value
        inner.SetInParent()
        fill_struct(inner, item, depth)
    elif isinstance(item, (list, tuple)):
        elements = value.list_value
        elements.SetInParent()
        add = elements.values.add
        for element in item:
            fill_value(add(), element, depth + 1)
    else:
        plain = plain_json(item)
        if type(plain) is kind:
            raise GobMismatchError(f"a {kind.__name__}, which JSON cannot hold")
        fill_value(value, plain, depth)
