"""Protobuf's Value and Struct as what Go's interfaces hold."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Struct, Value

__all__ = ["go_object", "go_value"]


def go_value(value: Value) -> object:
    """What an `any` of Go's JSON would hold. All numbers are floats: servers look for float64."""
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return go_object(value.struct_value)
        case "list_value":
            return [go_value(item) for item in value.list_value.values]
    return None


def go_object(struct: Struct) -> dict[str, object]:
    """The same for a map[string]any."""
    fields = struct.fields
    return {key: go_value(fields[key]) for key in fields}
