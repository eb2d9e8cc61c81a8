"""Which Go types the stock wire needs at run time: those that travel, and those that become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codegen.stock_model import StockStruct
from codegen.stock_types import GoMethod, GoType, StockRpc

_JSON = ("json", "json_message")


def reached_types(
    stock: StockRpc, structs: Sequence[StockStruct], methods: Sequence[GoMethod]
) -> tuple[tuple[GoType, ...], tuple[GoType, ...]]:
    """The types that travel, and those of them that become JSON inside a message; each in the order of their names."""
    json_roots = [field.detail for struct in structs for field in struct.fields if field.conversion in _JSON]
    # What stands in an interface becomes a JSON value.
    json_types = _closure(stock, [*json_roots, *stock.registered.values()], ())
    roots = [name for method in methods for name in (method.arguments, method.returns) if name]
    types = _closure(stock, [*roots, *stock.registered.values()], json_roots)
    return types, json_types


def _closure(stock: StockRpc, roots: Iterable[str], barred: Iterable[str]) -> tuple[GoType, ...]:
    """All types that the roots are made of; what is barred is left out with all that only it is made of."""
    found: set[str] = set()
    waiting = list(roots)
    stop = set(barred)
    while waiting:
        name = waiting.pop()
        if name in found or name in stop or name not in stock.types:
            continue
        found.add(name)
        go_type = stock.types[name]
        waiting += [go_type.element, go_type.key, *(field.type for field in go_type.fields)]
    return tuple(stock.types[name] for name in sorted(found))
