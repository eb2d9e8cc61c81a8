"""Type objects and constructors of PEP 249."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "TypeObject",
]


class TypeObject:
    """Equal to the names of some types: `cursor.description[0][1] == NUMBER`.

    Args:
        name: its own name.
        type_names: PostgreSQL's.
    """

    def __init__(self, name: str, *type_names: str) -> None:
        self._name = name
        self._type_names = frozenset(type_names)

    def __eq__(self, other: object) -> bool:
        return self is other or other in self._type_names

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return self._name


STRING: Final = TypeObject("STRING", "TEXT", "VARCHAR", "BPCHAR", "CHAR", "NAME", "JSON", "JSONB", "UUID", "XML", "")
BINARY: Final = TypeObject("BINARY", "BYTEA")
NUMBER: Final = TypeObject("NUMBER", "INT2", "INT4", "INT8", "FLOAT4", "FLOAT8", "NUMERIC", "BOOL", "MONEY")
DATETIME: Final = TypeObject("DATETIME", "DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL")
ROWID: Final = TypeObject("ROWID", "OID")

Binary: Final = bytes
"""Makes the value for a bytea."""


# Times travel as the texts that these give.


def Date(year: int, month: int, day: int) -> str:  # noqa: N802 - PEP 249's name
    """The text of a date."""
    return datetime(year, month, day, tzinfo=UTC).date().isoformat()


def Time(hour: int, minute: int, second: int) -> str:  # noqa: N802 - PEP 249's name
    """The text of a time of day."""
    return datetime(1970, 1, 1, hour, minute, second, tzinfo=UTC).time().isoformat()


def Timestamp(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:  # noqa: N802 - the same
    """The text of a date and time, without a zone."""
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).replace(tzinfo=None).isoformat(" ")


def DateFromTicks(ticks: float) -> str:  # noqa: N802 - PEP 249's name
    """The text of a date, in UTC.

    Args:
        ticks: seconds since 1970.
    """
    return datetime.fromtimestamp(ticks, UTC).date().isoformat()


def TimeFromTicks(ticks: float) -> str:  # noqa: N802 - PEP 249's name
    """The text of a time of day, in UTC; see `DateFromTicks`."""
    return datetime.fromtimestamp(ticks, UTC).time().isoformat()


def TimestampFromTicks(ticks: float) -> str:  # noqa: N802 - PEP 249's name
    """The text of a date and time with its zone, which is UTC; see `DateFromTicks`."""
    return datetime.fromtimestamp(ticks, UTC).isoformat(" ")
