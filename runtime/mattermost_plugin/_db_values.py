"""Parameters of statements: checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import UnionType
from typing import Final
from uuid import UUID

from mattermost_plugin._db_errors import DataError, NotSupportedError, ProgrammingError
from mattermost_plugin._db_wire import DbValue, Row

__all__ = ["checked_row", "checked_rows"]

_MAX_PARAMETERS: Final = 65_535
"""PostgreSQL's protocol counts them with 16 bits."""
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1

_INSTEAD: Final[tuple[tuple[type | UnionType, str], ...]] = (
    (datetime, "pass milliseconds since 1970 as int, as Mattermost's tables have them, or its isoformat()"),
    (date | time | timedelta, "pass its text and let PostgreSQL read it: $1::date, $1::time, $1::interval"),
    (Decimal, "pass str(value) and write $1::numeric"),
    (UUID, "pass str(value)"),
    (dict, "pass json.dumps(value)"),
    (list | tuple | set | frozenset, "pass one parameter for each element, or the text of an array: $1::bigint[]"),
)
"""What to do with values of common types that do not travel."""


def checked_row(parameters: Sequence[object], where: str = "") -> Row:
    """The parameters of one run of a statement as they travel.

    Args:
        parameters: the values for $1, $2 and so on.
        where: which run it is, for errors.

    Raises:
        ProgrammingError: they are no sequence, or too many.
        NotSupportedError: one is of a type that does not travel.
        DataError: an integer does not fit in 64 bits.
    """
    # mypy and pyright believe the annotation; callers without them do not.
    given: object = parameters
    if isinstance(given, Mapping | str | bytes | bytearray) or not isinstance(given, Iterable):
        raise ProgrammingError(
            f"parameters{where} must be a list or tuple, not a {type(given).__name__}: they are written $1, $2, ... "
            "and go by their position"
        )
    values = tuple(given)
    if len(values) > _MAX_PARAMETERS:
        raise ProgrammingError(f"{len(values)} parameters{where}: PostgreSQL takes {_MAX_PARAMETERS}")
    return tuple([_checked(value, position, where) for position, value in enumerate(values, 1)])


def checked_rows(rows: Iterable[Sequence[object]]) -> list[Row]:
    """The parameters of several runs; see `checked_row`."""
    return [checked_row(row, f" of run {number}") for number, row in enumerate(rows, 1)]


def _checked(value: object, position: int, where: str) -> DbValue:
    if value is None or isinstance(value, bool):
        return value
    # Of the basic types themselves, for a subclass may say anything of itself.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise DataError(f"parameter {position}{where} does not fit in 64 bits: pass str(value) and cast it")
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(memoryview(value))
    instead = next(
        (text for kind, text in _INSTEAD if isinstance(value, kind)), "pass an int, float, bool, str or bytes"
    )
    raise NotSupportedError(
        f"parameter {position}{where} is a {type(value).__name__}, which the server's protocol cannot carry: {instead}"
    )
