"""How Go structs stand in JSON where a message carries them so: the keys of their fields, and when they are there."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.stock_model import JSONField, JSONType
from codegen.stock_types import GoField, GoType, StockRpc

_BASIC = frozenset({"bool", "string", "int", "int64", "uint", "uint8", "uint32"})


def json_types(stock: StockRpc, types: Sequence[GoType], always_set: Sequence[GoType]) -> tuple[JSONType, ...]:
    """The types with their keys.

    Args:
        stock: all types.
        types: those that become JSON.
        always_set: the structs whose pointers to plain values servers never leave nil.
    """
    names = {each.name for each in always_set}
    return tuple(
        JSONType(
            each.name,
            each.codec or each.kind,
            each.element,
            each.key,
            tuple(_field(stock, field, is_set=each.name in names) for field in each.fields),
        )
        for each in types
    )


def _field(stock: StockRpc, field: GoField, *, is_set: bool) -> JSONField:
    if field.is_embedded and not field.json_tag:
        return JSONField(field.name, field.type, "", "embedded")
    if not field.json_name:
        return JSONField(field.name, field.type, "", "-")
    go_type = stock.types[field.type]
    # Before "omitempty", which leaves out nil alone of pointers.
    if is_set and go_type.kind == "ptr" and stock.types[go_type.element].kind in _BASIC:
        return JSONField(field.name, field.type, field.json_name, "set")
    return JSONField(field.name, field.type, field.json_name, "omitempty" if field.is_omitted_when_empty else "")
