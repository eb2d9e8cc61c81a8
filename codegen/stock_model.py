"""What the templates of the stock wire print."""

from dataclasses import dataclass

from codegen.stock_types import GoType


@dataclass(frozen=True, slots=True)
class StockField:
    """How one field of a Go struct and one of a message become each other."""

    go: str
    """Name in the struct."""
    field: str
    """Name in the message; "" if the whole struct belongs to the same message."""
    conversion: str
    detail: str = ""
    """What the conversion needs to know: the name of a struct map, or of a registered type."""


@dataclass(frozen=True, slots=True)
class StockStruct:
    """How a Go struct and a message become each other."""

    name: str
    """What other maps call this one: the struct's name, with the message's if one of another name stands for it."""
    go: str
    """The struct's full name."""
    message: str
    """Where the message's class is: module and name."""
    fields: tuple[StockField, ...]


@dataclass(frozen=True, slots=True)
class StockMethod:
    """A hook or an API method: its argument and result structs."""

    name: str
    arguments: str
    """Name of a struct map; "" if there is none."""
    returns: str


@dataclass(frozen=True, slots=True)
class StockWire:
    """Everything that the templates of the stock wire need."""

    structs: tuple[StockStruct, ...]
    hooks: tuple[StockMethod, ...]
    api: tuple[StockMethod, ...]
    types: tuple[GoType, ...]
    """The types that structs and methods reach, in the order of their names."""
    json_types: tuple[GoType, ...]
    """The types that travel as JSON in messages, in the order of their names."""
    registered: tuple[tuple[str, str], ...]
    """Names of types inside interfaces, with the types."""
    enums: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """Enums of the contract whose values are texts in Go."""
