"""Connections of `self.db`, as PEP 249 has them."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mattermost_plugin import _db_errors as errors
from mattermost_plugin._db_cursor import Cursor
from mattermost_plugin._db_errors import ConnectionLostError, InterfaceError, ProgrammingError

if TYPE_CHECKING:
    from mattermost_plugin._db_statements import Manner
    from mattermost_plugin._db_wire import Batch, DatabaseWire, Outcome, Row, SessionWire

__all__ = ["Connection", "Database"]


class Database:
    """The server's database, for threads. Given as `self.db`.

    Args:
        wire: the way to it.
    """

    def __init__(self, wire: DatabaseWire) -> None:
        self._wire = wire

    def connect(
        self,
        *,
        read_only: bool = True,
        replica: bool = False,
        autocommit: bool = False,
        timeout: float | None = None,
    ) -> Connection:
        """Take a connection out of the server's own pool. Close it soon, best with `with`.

        Args:
            read_only: True: the database refuses to change anything. The tables are the server's, and nothing checks
                what a plugin does to them.
            replica: True: of a read replica, if the server has one; what was written a moment ago may be missing.
            autocommit: True: each statement is a transaction of its own, which cannot be read-only.
            timeout: seconds for the connection and for each step on it. When they are over the connection is lost,
                though the database may go on with the statement. Default is `RuntimeConfig.api_timeout_s`, 30.

        Raises:
            ProgrammingError: the arguments contradict each other, or `timeout` is not above 0.
            NotSupportedError: the server offers no database to plugins.
            ConnectionLostError: the plugin is not active yet, has stopped, or there was no answer in time.
            OperationalError: this plugin has 50 connections already, or the database gives none.
            RuntimeError: called on the event loop's thread, or in a process forked off the plugin's.
        """
        if timeout is not None and not 0 < timeout <= threading.TIMEOUT_MAX:
            raise ProgrammingError(f"timeout={timeout} is no number of seconds above 0")
        if replica and not read_only:
            raise ProgrammingError("replica=True needs read_only=True: nothing can be written to a replica")
        if autocommit and read_only:
            raise ProgrammingError("autocommit=True needs read_only=False: only transactions can be read-only")
        session = self._wire.open(read_only=read_only, replica=replica, timeout_s=timeout)
        if autocommit:
            session.set_autocommit(True)
        return Connection(session, read_only=read_only, autocommit=autocommit)


class Connection:
    """A connection. Made by `self.db.connect`. Threads may share it: they take turns.

    The first statement begins a transaction. `with` commits it at the end of its body, or rolls it back if that raises,
    and closes the connection.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, session: SessionWire, *, read_only: bool, autocommit: bool) -> None:
        self._session = session
        self._read_only = read_only
        self._autocommit = autocommit
        self._lock = threading.RLock()
        self._end = ""
        """Why the connection is closed; "" while it is open."""
        self._has_transaction = False
        self._reader: weakref.ref[Cursor] | None = None
        """The cursor that has rows left on the server."""

    @property
    def closed(self) -> bool:
        """Whether the connection was closed or is lost."""
        return bool(self._end)

    @property
    def read_only(self) -> bool:
        """Whether the database refuses to change anything."""
        return self._read_only

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own. May be set between transactions."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, is_on: bool) -> None:
        with self._use("autocommit"):
            if is_on and self._read_only:
                raise ProgrammingError("autocommit needs connect(read_only=False): only transactions can be read-only")
            if self._has_transaction:
                raise ProgrammingError("autocommit cannot change within a transaction: commit or roll back first")
            self._autocommit = is_on
            self._session.set_autocommit(is_on)

    def cursor(self) -> Cursor:
        """A new cursor.

        Raises:
            InterfaceError: the connection is closed.
        """
        self._check_open()
        return Cursor(self)

    def execute(self, operation: str, parameters: Sequence[object] = ()) -> Cursor:
        """Run a statement on a new cursor. See `Cursor.execute`."""
        return self.cursor().execute(operation, parameters)

    def commit(self) -> None:
        """Keep what the transaction has changed. Rows that no cursor has fetched yet are given up.

        Raises:
            DatabaseError: nothing was kept: the transaction had failed, or fails now.
            ConnectionLostError: no answer came, and the changes may have been kept or not.
            InterfaceError: the connection is closed.
        """
        self._end_transaction("commit()", is_kept=True)

    def rollback(self) -> None:
        """Take back what the transaction has changed. Rows that no cursor has fetched yet are given up.

        Raises:
            DatabaseError: the database fails.
            InterfaceError: the connection is closed.
        """
        self._end_transaction("rollback()", is_kept=False)

    def close(self) -> None:
        """Roll back and give the connection back to the server. Nothing if that was done or the connection is lost."""
        self._session.check_place("close()")
        with self._lock:
            if not self._end:
                self._end = "it was closed"
                self._session.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # A body that has closed the connection itself has decided about its transaction.
            if error is None and not self._end:
                self.commit()
        finally:
            self.close()

    def __del__(self) -> None:
        if not getattr(self, "_end", "not made"):
            self._session.abandon()
            warnings.warn(
                f"{self!r} was not closed: use `with self.db.connect() as ...`", ResourceWarning, stacklevel=1
            )

    def __repr__(self) -> str:
        kind = "read-only" if self._read_only else "read-write"
        return f"<{kind} database connection{', closed' if self._end else ''}>"

    # For cursors, under their own `_use`

    def _execute(self, cursor: Cursor, statement: str, manner: Manner, rows: Sequence[Row]) -> Outcome:
        reader = None if self._reader is None else self._reader()
        if reader is not None and reader is not cursor:
            reader._keep_rest()
        self._reader = None
        self._has_transaction = not self._autocommit
        outcome = self._session.execute(statement, manner, rows)
        if outcome.result:
            self._reader = weakref.ref(cursor)
        return outcome

    def _fetch(self, result: int, count: int) -> Batch:
        return self._session.fetch(result, count)

    def _close_result(self, result: int) -> None:
        if not self._end:
            self._session.close_result(result)

    @contextmanager
    def _use(self, doing: str) -> Iterator[None]:
        """The connection for one thread, which must not be the event loop's."""
        self._session.check_place(doing)
        with self._lock:
            self._check_open()
            try:
                yield
            except ConnectionLostError as error:
                self._end = str(error)
                raise

    def _check_open(self) -> None:
        if self._end:
            raise InterfaceError(f"the connection is closed: {self._end}")

    def _end_transaction(self, doing: str, *, is_kept: bool) -> None:
        with self._use(doing):
            self._reader = None
            self._has_transaction = False
            self._session.end_transaction(is_kept=is_kept)
