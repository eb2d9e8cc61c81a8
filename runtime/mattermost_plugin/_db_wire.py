"""What lies between the connections of `self.db` and the protocol that carries their statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from mattermost_plugin._db_statements import Manner

__all__ = ["Batch", "Column", "DatabaseWire", "DbValue", "Outcome", "Row", "SessionWire"]

DbValue: TypeAlias = int | float | bool | bytes | str | None
"""What travels, in both directions: integers of 64 bits, and bytes of any length."""

Row: TypeAlias = tuple[DbValue, ...]


class Column(NamedTuple):
    """A column of a result."""

    name: str
    type_name: str
    """PostgreSQL's name of its type, such as "INT8" or "_TEXT" for text[]; "" for types that are not built in."""


class Outcome(NamedTuple):
    """What came of a statement."""

    columns: tuple[Column, ...] = ()
    """Empty if it gives no rows."""
    rows_affected: int = -1
    """-1: not known."""
    result: int = 0
    """Number by which `fetch` knows the rows; 0 if there are none. Never that of the server."""


class Batch(NamedTuple):
    """The next rows of a result."""

    rows: list[Row]
    is_end: bool
    """Whether these are the last ones; the result is closed then."""


class SessionWire(Protocol):
    """One connection, for threads, which it blocks. One call at a time; others wait for their turn.

    All but `abandon` raise ConnectionLostError if the connection is over or no answer comes in time; it is closed then.
    """

    def check_place(self, doing: str) -> None:
        """Refuse to block where that must not be.

        Args:
            doing: what was called, after "self.db.".

        Raises:
            RuntimeError: this is the event loop's thread, or another process than the plugin's.
        """
        ...

    def set_autocommit(self, is_on: bool) -> None:
        """Whether later statements run without a transaction around them."""
        ...

    def execute(self, statement: str, manner: Manner, rows: Sequence[Row]) -> Outcome:
        """Run a statement, once for each row of parameters, in a transaction if there is none and autocommit is off.

        An open result is closed before. The outcome is the last one's, with the sum of the rows affected.

        Raises:
            DatabaseError: it fails; of several, those before have been run.
        """
        ...

    def fetch(self, result: int, count: int) -> Batch:
        """The next rows of the open result, at most `count`. They may be fewer, without being the last.

        Raises:
            ProgrammingError: the result is closed.
            DatabaseError: the statement fails here; the result is closed then.
        """
        ...

    def close_result(self, result: int) -> None:
        """Give up what is left of a result, if it is still open."""
        ...

    def end_transaction(self, *, is_kept: bool) -> None:
        """Commit or roll back, and close an open result. Nothing if there is no transaction.

        Raises:
            DatabaseError: it fails. The transaction is over all the same.
        """
        ...

    def close(self) -> None:
        """Roll back and give the connection back to the server. Nothing if that was done."""
        ...

    def abandon(self) -> None:
        """The same as soon as may be, without waiting for it. From any thread."""
        ...


class DatabaseWire(Protocol):
    """A way to the database."""

    def open(self, *, read_only: bool, replica: bool, timeout_s: float | None) -> SessionWire:
        """Get a connection. Blocks.

        Args:
            read_only: whether transactions are.
            replica: whether a replica will do.
            timeout_s: seconds for each call, this one included; None for the plugin's own.

        Raises:
            NotSupportedError: the server offers no database.
            ConnectionLostError: there is no way to the server, or no answer in time.
            OperationalError: the plugin has too many connections, or the database gives none.
            RuntimeError: as `SessionWire.check_place`.
        """
        ...

    async def give_back(self) -> None:
        """Roll back and close all connections, within a short while; there are no others until the next activation.

        On the event loop.
        """
        ...
