"""Cursors of `self.db`, as PEP 249 has them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from mattermost_plugin._db_errors import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from mattermost_plugin._db_statements import manner_of
from mattermost_plugin._db_values import checked_row, checked_rows

if TYPE_CHECKING:
    from mattermost_plugin._db_connection import Connection
    from mattermost_plugin._db_wire import Column, Row

__all__ = ["MAX_FETCHED_ROWS", "MAX_KEPT_ROWS", "Cursor"]

_Description: TypeAlias = tuple[tuple[str, str, None, None, None, None, None], ...]

_BATCH: Final = 100
"""Rows that are read at once by whoever reads more than one."""

_RUNS: Final = 100
"""Runs of a statement that `executemany` has the server do within one timeout."""

MAX_FETCHED_ROWS: Final = 1_000_000
"""Rows that `fetchall` takes: more than fit in memory should be gone through one by one."""

MAX_KEPT_ROWS: Final = 10_000
"""Rows of a cursor that are read so that another one can run a statement on the same connection."""


class Cursor:
    """Runs statements and gives their rows. Made by `Connection.cursor`.

    A connection has the rows of one statement under way at a time. If another cursor runs one, the rest of these rows
    is read and kept here, up to 10,000.

    Attributes:
        arraysize: rows that `fetchmany` gives if it is not told how many.
    """

    arraysize: int = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._columns: tuple[Column, ...] = ()
        self._rowcount = -1
        self._result = 0
        """The result's number while rows are left on the server; 0 else."""
        self._rows: deque[Row] = deque()
        self._is_closed = False

    @property
    def connection(self) -> Connection:
        """The connection."""
        return self._connection

    @property
    def description(self) -> _Description | None:
        """A tuple for each column: its name, PostgreSQL's name of its type, and five times None.

        None if the statement gives no rows. The name of the type is "" if the type is not built in, such as an enum.
        """
        if not self._columns:
            return None
        return tuple([(column.name, column.type_name, None, None, None, None, None) for column in self._columns])

    @property
    def rowcount(self) -> int:
        """Rows that INSERT, UPDATE, DELETE or MERGE have affected; -1 after others, and where they are RETURNING."""
        return self._rowcount

    def execute(self, operation: str, parameters: Sequence[object] = ()) -> Self:
        """Run one statement, as PostgreSQL reads it: nothing in its text is replaced.

        Args:
            operation: the statement, with $1, $2, ... for its parameters. One only; a semicolon may end it.
            parameters: a value for each: int (64 bits), float, bool, str, bytes or None.

        Returns:
            This cursor.

        Raises:
            ProgrammingError: the statement or the parameters are wrong, or it would end the transaction or change the
                server's connection; or another cursor has more than 10,000 rows left.
            NotSupportedError: a parameter's or a column's type cannot travel. The text says what to do.
            DataError, IntegrityError, InternalError, OperationalError: the database says so. In a transaction it takes
                nothing but `rollback` then.
            ConnectionLostError: the connection is lost, or no answer came in time.
            InterfaceError: cursor or connection are closed.
        """
        self._run(operation, [checked_row(parameters)], "execute(...)")
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Sequence[object]]) -> Self:
        """Run a statement that gives no rows, once for each of several lists of parameters.

        They are sent in portions of 100, for each of which the connection's `timeout` begins anew.

        Raises:
            ProgrammingError: the statement gives rows. Others: see `execute`; no statement is run if a parameter is at
                fault. Without autocommit, roll back after the others.
        """
        rows = checked_rows(seq_of_parameters)
        self._check_open()
        self._forget_result()
        affected = 0
        for start in range(0, len(rows), _RUNS):
            self._run(operation, rows[start : start + _RUNS], "executemany(...)")
            if self._columns:
                self._forget_result()
                raise ProgrammingError("executemany is for statements that give no rows: use execute")
            affected = affected + self._rowcount if affected >= 0 <= self._rowcount else -1
        self._rowcount = affected
        return self

    def fetchone(self) -> Row | None:
        """The next row; None after the last.

        Raises:
            ProgrammingError: there is no result, or it was given up: by commit, by rollback.
            DatabaseError: see `execute`.
            InterfaceError: cursor or connection are closed.
        """
        self._fill(1)
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next rows, an empty list after the last.

        Args:
            size: how many; `arraysize` by default. Fewer only at the end.

        Raises:
            ProgrammingError: see `fetchone`.
        """
        wanted = self.arraysize if size is None else size
        self._fill(wanted)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    def fetchall(self) -> list[Row]:
        """All rows that are left.

        Raises:
            OperationalError: they are more than a million. Go through the cursor instead; it begins with the first of
                those that were left.
            ProgrammingError: see `fetchone`.
        """
        self._fill(MAX_FETCHED_ROWS + 1)
        if len(self._rows) > MAX_FETCHED_ROWS:
            raise OperationalError(f"more than {MAX_FETCHED_ROWS} rows: go through the cursor, or use fetchmany")
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        if not self._rows:
            self._fill(_BATCH, is_enough=1)
        if not self._rows:
            raise StopIteration
        return self._rows.popleft()

    def close(self) -> None:
        """Give up what is left of the result; the cursor is of no more use. Nothing if it is closed."""
        if not self._is_closed:
            self._forget_result()
            self._is_closed = True

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Does nothing; PEP 249 asks for it."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing; PEP 249 asks for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, operation: str, rows: Sequence[Row], doing: str) -> None:
        self._check_open()
        manner = manner_of(operation)
        with self._connection._use(doing):
            self._columns, self._rowcount, self._result = (), -1, 0
            self._rows.clear()
            outcome = self._connection._execute(self, operation, manner, rows)
            self._columns, self._rowcount, self._result = outcome.columns, outcome.rows_affected, outcome.result

    def _fill(self, wanted: int, *, is_enough: int | None = None) -> None:
        """Read rows until as many are there, or all.

        Args:
            wanted: how many.
            is_enough: how many are enough, if the others would take another turn.
        """
        self._check_open()
        enough = wanted if is_enough is None else is_enough
        while len(self._rows) < enough and self._result:
            with self._connection._use("fetch"):
                self._read(min(wanted - len(self._rows), _BATCH))
        # At the end, for another thread may have failed to have the rest kept.
        if not self._columns:
            raise ProgrammingError(
                "there are no rows to fetch: the last statement gave none or failed, or none was run"
            )

    def _read(self, count: int) -> None:
        if not self._result:
            # Another thread has had the rest kept while this one waited for the connection.
            return
        try:
            batch = self._connection._fetch(self._result, count)
        except DatabaseError:
            self._result = 0
            # What comes after must not look like the end.
            self._columns = ()
            raise
        self._rows.extend(batch.rows)
        if batch.is_end:
            self._result = 0

    def _keep_rest(self) -> None:
        """Read what is left, so that the connection is free. The connection is in use."""
        while self._result:
            if len(self._rows) >= MAX_KEPT_ROWS:
                raise ProgrammingError(
                    f"another cursor of this connection has more than {MAX_KEPT_ROWS} rows left: read or close it "
                    "first, or use a connection for each"
                )
            self._read(_BATCH)

    def _forget_result(self) -> None:
        result, self._result, self._columns = self._result, 0, ()
        self._rows.clear()
        if result and not self._connection.closed:
            with self._connection._use("cursor.close()"):
                self._connection._close_result(result)

    def _check_open(self) -> None:
        if self._is_closed:
            raise InterfaceError("the cursor is closed")
