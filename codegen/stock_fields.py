"""How one Go field and one proto field become each other: the rule for each pair of types."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.python_types import CONTRACT_PACKAGE
from codegen.stock_types import GoType, StockRpc

_PREFIX = f".{CONTRACT_PACKAGE}."

INTEGERS = frozenset(
    {
        Field.TYPE_INT32,
        Field.TYPE_INT64,
        Field.TYPE_UINT32,
        Field.TYPE_UINT64,
    }
)
_WRAPPERS = frozenset(
    f".google.protobuf.{name}" for name in ("BoolValue", "Int32Value", "Int64Value", "StringValue", "DoubleValue")
)
_STRUCT, _VALUE = ".google.protobuf.Struct", ".google.protobuf.Value"

# By the numbers of GoConversion in options.proto.
_DECLARED = (
    "",
    "decimal",
    "true_text",
    "first",
    "joined",
    "keys",
    "id",
    "level",
    "pairs",
    "descending",
    "only",
    "not_zero",
    "index",
)


class NoConversionError(Exception):
    """There is no rule for the two types."""


def declared_conversion(number: int) -> str:
    """The name of a conversion that a proto file asks for; "" if it asks for none."""
    return _DECLARED[number]


def scalar_conversion(stock: StockRpc, go: GoType, field: Field) -> str:
    """The conversion between a Go value and a field that is no message.

    Raises:
        NoConversionError: the types do not fit.
    """
    base = stock.base(go.name)
    repeated = field.label == Field.LABEL_REPEATED
    if repeated:
        if base.kind == "slice" and not base.is_bytes and _is_same(stock.base(base.element), field):
            return "list"
        raise NoConversionError
    if go.codec == "GobEncoder" and field.type == Field.TYPE_INT64:
        return "milliseconds"
    if base.kind == "struct" and field.type == Field.TYPE_BYTES:
        return "json"
    if base.kind == "string" and field.type == Field.TYPE_ENUM:
        return "enum"
    if base.kind == "interface" and base.name == "error":
        raise NoConversionError
    if _is_same(base, field):
        return "scalar"
    raise NoConversionError


def _is_same(base: GoType, field: Field) -> bool:
    return (
        (base.kind == "string" and field.type == Field.TYPE_STRING)
        or (base.kind == "bool" and field.type == Field.TYPE_BOOL)
        or (base.is_integer and field.type in INTEGERS)
        or (base.is_bytes and field.type == Field.TYPE_BYTES)
    )


def free_conversion(stock: StockRpc, go: GoType, field: Field) -> str:
    """The conversion between a Go value and a message that is not of the contract, such as a JSON object.

    Raises:
        NoConversionError: the types do not fit.
    """
    base = stock.base(go.name)
    if field.label == Field.LABEL_REPEATED:
        if base.kind == "slice" and field.type_name == _STRUCT and _is_object(stock.base(base.element)):
            return "objects"
        raise NoConversionError
    if field.type_name in _WRAPPERS and base.kind in ("bool", "int", "int64", "string"):
        return "wrapped"
    if field.type_name == _STRUCT and (_is_object(base) or base.kind == "interface"):
        return "object"
    if field.type_name == _VALUE and base.kind == "interface":
        return "value"
    if field.type_name == _VALUE and base.is_bytes:
        return "json_value"
    raise NoConversionError


def _is_object(base: GoType) -> bool:
    return base.kind == "map" and base.element == "interface {}"
