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
_WRAPPERS = {
    ".google.protobuf.BoolValue": "bool",
    ".google.protobuf.Int32Value": "integer",
    ".google.protobuf.Int64Value": "integer",
    ".google.protobuf.StringValue": "text",
}
"""Protobuf's wrappers, and what they hold in the words of `_DECLARED`."""
_STRUCT, _VALUE = ".google.protobuf.Struct", ".google.protobuf.Value"

# By the numbers of GoConversion in options.proto: the name, and what it converts: the Go type and the field's.
_DECLARED = (
    ("", "", ""),
    ("decimal", "integer", "text"),
    ("true_text", "bool", "text"),
    ("first", "text", "texts"),
    ("joined", "texts", "text"),
    ("keys", "flags", "texts"),
    ("id", "struct with Id", "text"),
    ("level", "struct with Name", "text"),
    ("pairs", "list of anything", "messages"),
    ("descending", "bool", "text"),
    ("only", "texts", "text"),
    ("not_zero", "integer", "bool"),
    ("index", "text", "integer"),
)


class NoConversionError(Exception):
    """There is no rule for the two types."""


def declared_conversion(number: int) -> str:
    """The name of a conversion that a proto file asks for; "" if it asks for none."""
    return _DECLARED[number][0]


def check_declared(stock: StockRpc, go: GoType, field: Field, number: int) -> None:
    """Check that a conversion that a proto file asks for is one between the two types.

    Raises:
        NoConversionError: it is not.
    """
    _, wanted, wanted_field = _DECLARED[number]
    if wanted not in _go_forms(stock, stock.base(go.name)) or wanted_field != _field_form(field):
        raise NoConversionError


def _go_forms(stock: StockRpc, base: GoType) -> list[str]:
    """What a Go type is, in the words of `_DECLARED`."""
    if base.kind == "struct":
        return [f"struct with {field.name}" for field in base.fields]
    if base.kind == "slice":
        element = stock.base(base.element).kind
        return {"string": ["texts"], "interface": ["list of anything"]}.get(element, [])
    if base.kind == "map":
        is_flags = stock.base(base.key).kind == "string" and stock.base(base.element).kind == "bool"
        return ["flags"] if is_flags else []
    if base.is_integer:
        return ["integer"]
    return {"string": ["text"], "bool": ["bool"]}.get(base.kind, [])


def _field_form(field: Field) -> str:
    repeated = field.label == Field.LABEL_REPEATED
    if field.type == Field.TYPE_STRING:
        return "texts" if repeated else "text"
    if field.type == Field.TYPE_MESSAGE:
        return "messages" if repeated else "message"
    if repeated:
        return ""
    return "bool" if field.type == Field.TYPE_BOOL else "integer" if field.type in INTEGERS else ""


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
    if base.codec == "GobEncoder" and field.type == Field.TYPE_INT64:
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
    if _WRAPPERS.get(field.type_name) in _go_forms(stock, base):
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
