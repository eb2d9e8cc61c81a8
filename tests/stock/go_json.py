"""What Go's encoding/json makes of a value, worked out slowly from the list of Go types.

Values are in the form of `json_form`: by Go's field names, without zeros, bytes as {"$bytes": ...}, what interfaces
hold as {"$type": ..., "value": ...}.
"""

import base64
import json
from typing import Any

from tests.gob.go_source import stock

RPC = stock()
TYPES = RPC["types"]
REGISTERED = RPC["gob_registered"]

ZERO_TIME = "0001-01-01T00:00:00Z"
ALWAYS_SET = ("model.Config", "model.Features")
"""Structs in which a pointer that is missing stands for zero, and all that is in them."""

FLAT = {"bool": False, "string": "", "int": 0, "int64": 0, "uint": 0, "uint8": 0, "uint32": 0}


def field_types(type_name: str) -> dict[str, str]:
    """Types of a struct's fields, by the names that gob sends."""
    return {name.removeprefix("(embedded) "): field_type for name, field_type, _ in TYPES[type_name]["fields"]}


def go_json(type_name: str, value: Any, *, always_set: bool = False) -> Any:
    """The JSON of a value.

    Args:
        type_name: its Go type.
        value: None: it is zero, or nil.
        always_set: whether a pointer to a plain value that is missing stands for zero.
    """
    entry = TYPES[type_name]
    always_set = always_set or type_name in ALWAYS_SET
    if "codec" in entry:
        return ZERO_TIME if value is None else value
    match entry["kind"]:
        case "ptr":
            behind = TYPES[entry["elem"]]["kind"]
            if value is None and not (always_set and behind in FLAT):
                return None
            return go_json(entry["elem"], value, always_set=always_set)
        case "struct":
            return _struct(type_name, value or {}, always_set)
        case "interface":
            return any_json(value)
        case "slice" if type_name == "json.RawMessage":
            return None if value is None else json.loads(base64.b64decode(value["$bytes"]))
        case "slice" if entry["elem"] == "uint8":
            return None if value is None else value["$bytes"]
        case "slice":
            return None if value is None else [go_json(entry["elem"], item, always_set=always_set) for item in value]
        case "map":
            if value is None:
                return None
            return {key: go_json(entry["elem"], item, always_set=always_set) for key, item in value.items()}
        case kind:
            return FLAT[kind] if value is None else value


def _struct(type_name: str, value: dict[str, Any], always_set: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, field_type, tag in TYPES[type_name]["fields"]:
        plain_name = name.removeprefix("(embedded) ")
        key, *options = tag.split(",")
        field = value.get(plain_name)
        found = go_json(field_type, field, always_set=always_set)
        if key == "-":
            continue
        if plain_name != name and not key:
            made |= found
            continue
        # Structs and times are never empty.
        is_empty = found in (None, False, 0, "", [], {}) and not isinstance(field, dict)
        is_pointer = TYPES[field_type]["kind"] == "ptr"
        if "omitempty" in options and is_empty and not (is_pointer and found is not None):
            continue
        made[key or plain_name] = found
    return made


def any_json(held: Any) -> Any:
    """The JSON of what an interface holds."""
    if held is None:
        return None
    name, value = held["$type"], held["value"]
    if name in ("[]interface {}", "[]string"):
        return [any_json(item) if isinstance(item, dict) else item for item in value or []]
    if name == "map[string]interface {}":
        return {key: any_json(item) for key, item in value.items()}
    if name in REGISTERED:
        return go_json(REGISTERED[name], value)
    return value["$bytes"] if isinstance(value, dict) else value
