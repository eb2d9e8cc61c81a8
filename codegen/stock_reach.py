"""Which Go types the stock wire needs at run time: those that travel, and those that become JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codegen.stock_model import StockStruct
from codegen.stock_types import GoMethod, GoType, StockRpc

_JSON = ("json", "json_message")


def reached_types(
    stock: StockRpc, structs: Sequence[StockStruct], methods: Sequence[GoMethod]
) -> tuple[tuple[GoType, ...], tuple[GoType, ...]]:
    """The types that travel, and those of them that become JSON inside a message; each in the order of their names.

    What does nothing else but become JSON is not among the first.
    """
    json_roots = [field.detail for struct in structs for field in struct.fields if field.conversion in _JSON]
    # What stands in an interface becomes a JSON value.
    json_types = _closure(stock, [*json_roots, *stock.registered.values()], ())
    roots = [name for method in methods for name in (method.arguments, method.returns) if name]
    mapped = {struct.go for struct in structs}
    types = _closure(stock, [*roots, *stock.registered.values()], [root for root in json_roots if root not in mapped])
    return types, json_types


def reached_from(stock: StockRpc, roots: Iterable[str]) -> tuple[GoType, ...]:
    """The types that the roots are made of, the roots included."""
    return _closure(stock, roots, ())


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
