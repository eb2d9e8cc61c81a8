"""One connection to the database: which ids the server has given for it, and in which order they may be used.

    connection [transaction [statement [rows]]]

What is inside of another thing is ended before it, always: a connection that goes back to the server's pool with a
transaction or rows on it would break whatever of the server's own uses it next. Calls take turns, and none is ever cut
short: who does not wait for the answer any more leaves it to `close`, whose turn comes after it. An id is given up
before the server is asked to end it. When the stream is gone, all are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from mattermost_plugin._db_errors import (
    ConnectionLostError,
    DatabaseError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)
from mattermost_plugin._db_statements import Manner
from mattermost_plugin._db_wire import Batch, Column, DbValue, Outcome, Row
from mattermost_plugin._stock.driver import MAX_COLUMNS, Driver, Values
from mattermost_plugin._stock.driver_errors import StreamGoneError

__all__ = ["DriverSession"]

_log = logging.getLogger(__name__)

_TIMES: Final = frozenset({"DATE", "DATETIME", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ"})
"""Types whose values the server holds as time.Time, which it cannot send: it closes the stream instead."""

_BINARY: Final = frozenset({"BYTEA", "BINARY", "BLOB", "VARBINARY"})
"""Types whose values are bytes. All others are texts where they are no numbers, though the server sends those that it
does not know (enums, json, numeric, arrays) as bytes, too."""

_BATCH_BYTES: Final = 1 << 20
"""When this much is there, a batch of rows ends."""


@dataclass(slots=True)
class _Result:
    """Rows that are open on the server."""

    number: int
    rows: str
    prepared: str | None
    """The statement that they come from, if it was prepared: it must outlive them."""
    columns: tuple[Column, ...] = ()


class DriverSession:
    """One connection. On the plugin's event loop.

    Args:
        driver: makes the calls.
        connection: the server's id.
        read_only: whether transactions are.
    """

    def __init__(self, driver: Driver, connection: str, *, read_only: bool) -> None:
        self._driver = driver
        self._read_only = read_only
        self._connection: str | None = connection
        self._transaction: str | None = None
        self._result: _Result | None = None
        self._numbers = 0
        self._turns = asyncio.Lock()
        self.autocommit = False
        """Whether statements run without a transaction around them."""

    @property
    def is_over(self) -> bool:
        """Whether the server has nothing of it any more, or cannot be told."""
        return self._connection is None

    async def execute(self, statement: str, manner: Manner, rows: Sequence[Row]) -> Outcome:
        """See SessionWire."""
        async with self._turn() as connection:
            await self._close_result()
            if self._transaction is None and not self.autocommit:
                self._transaction = await self._driver.begin(connection, read_only=self._read_only)
            affected = 0
            for values in rows:
                outcome = await self._run(connection, statement, manner, values)
                if outcome.result:
                    return outcome
                affected = affected + outcome.rows_affected if affected >= 0 <= outcome.rows_affected else -1
            return Outcome(rows_affected=affected)

    async def fetch(self, number: int, count: int) -> Batch:
        """See SessionWire."""
        async with self._turn():
            result = self._result
            if result is None or result.number != number:
                raise ProgrammingError("the rows are gone: the transaction has ended, or the statement has failed")
            found: list[Row] = []
            size = 0
            while len(found) < count and size < _BATCH_BYTES:
                row = await self._next_row(result)
                if row is None:
                    await self._close_result()
                    return Batch(found, is_end=True)
                found.append(row)
                size += sum([len(value) for value in row if isinstance(value, str | bytes)])
            return Batch(found, is_end=False)

    async def close_result(self, number: int) -> None:
        """See SessionWire."""
        async with self._turn():
            if self._result is not None and self._result.number == number:
                await self._close_result()

    async def end_transaction(self, *, is_kept: bool) -> None:
        """See SessionWire."""
        async with self._turn():
            # A statement that fails at its end has failed its transaction, which the commit will say.
            await self._attempt(self._close_result)
            transaction, self._transaction = self._transaction, None
            if transaction is not None:
                await (self._driver.commit if is_kept else self._driver.roll_back)(transaction)

    async def close(self) -> None:
        """Roll back and give the connection back, after what runs. Nothing if that was done."""
        async with self._turns:
            await self._leave()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[str]:
        """One caller's use of the connection."""
        async with self._turns:
            if self._connection is None:
                raise InterfaceError("the connection is closed")
            try:
                yield self._connection
            except StreamGoneError as error:
                self._forget()
                raise ConnectionLostError(str(error)) from None
            except asyncio.CancelledError:
                # The event loop ends, and what the server has done is never known.
                self._forget()
                raise
            except ConnectionLostError:
                await self._leave()
                raise

    async def _run(self, connection: str, statement: str, manner: Manner, values: Values) -> Outcome:
        driver = self._driver
        if values or not manner.may_be_several:
            if manner.is_counted:
                return Outcome(rows_affected=await driver.execute(connection, statement, values))
            return await self._opened(await driver.query(connection, statement, values), None)
        prepared = await driver.prepare(connection, statement)
        close = partial(driver.close_prepared, prepared)
        affected, rows = -1, ""
        try:
            if manner.is_counted:
                affected = await driver.execute_prepared(prepared, values)
            else:
                rows = await driver.query_prepared(prepared, values)
        except StreamGoneError:
            raise
        except DatabaseError:
            await self._attempt(close)
            raise
        if rows:
            return await self._opened(rows, prepared)
        await close()
        return Outcome(rows_affected=affected)

    async def _opened(self, rows: str, prepared: str | None) -> Outcome:
        """What a result is like; it is closed at once if it has no columns or cannot be fetched."""
        self._numbers += 1
        result = self._result = _Result(self._numbers, rows, prepared)
        try:
            result.columns = await self._columns(rows)
        except StreamGoneError:
            raise
        except DatabaseError:
            await self._attempt(self._close_result)
            raise
        if not result.columns:
            # Errors of the statement may come only now.
            await self._close_result()
            return Outcome()
        return Outcome(result.columns, result=result.number)

    async def _columns(self, rows: str) -> tuple[Column, ...]:
        names = await self._driver.columns(rows)
        if len(names) > MAX_COLUMNS:
            raise NotSupportedError(f"a result of {len(names)} columns")
        columns = tuple(map(Column, names, await self._types(rows, len(names))))
        for position, column in enumerate(columns, 1):
            if column.type_name in _TIMES:
                raise NotSupportedError(_no_time(position, column))
        return columns

    async def _types(self, rows: str, width: int) -> list[str]:
        calls = [self._driver.column_type(rows, index) for index in range(width)]
        # All, also if one fails: the server may come to the others only after it has come to what is sent next.
        answers = await asyncio.gather(*calls, return_exceptions=True)
        types: list[str] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            types.append(answer)
        return types

    async def _next_row(self, result: _Result) -> Row | None:
        try:
            values = await self._driver.next_row(result.rows, len(result.columns))
            if values is None:
                return None
            return tuple([_taken(value, column) for value, column in zip(values, result.columns, strict=True)])
        except StreamGoneError:
            raise
        except DatabaseError:
            await self._attempt(self._close_result)
            raise

    async def _close_result(self) -> None:
        result, self._result = self._result, None
        if result is None:
            return
        try:
            await self._driver.close_rows(result.rows)
        except (StreamGoneError, asyncio.CancelledError):
            raise
        except DatabaseError:
            if result.prepared is not None:
                await self._attempt(partial(self._driver.close_prepared, result.prepared))
            raise
        if result.prepared is not None:
            await self._driver.close_prepared(result.prepared)

    async def _leave(self) -> None:
        """End everything, inside out. What of it fails is of no interest to whoever leaves."""
        connection, transaction = self._connection, self._transaction
        if connection is None:
            return
        try:
            await self._attempt(self._close_result)
            self._transaction = None
            if transaction is not None:
                await self._attempt(partial(self._driver.roll_back, transaction))
            self._connection = None
            await self._attempt(partial(self._driver.close_connection, connection))
        except StreamGoneError:
            pass
        finally:
            self._forget()

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do what may fail.

        Raises:
            StreamGoneError: the stream has ended.
        """
        try:
            await step()
        except StreamGoneError:
            raise
        except DatabaseError as error:
            _log.debug("a step at the end of a database connection failed: %s", error)

    def _forget(self) -> None:
        self._connection = self._transaction = self._result = None


def _taken(value: object, column: Column) -> DbValue:
    if isinstance(value, bytes):
        if column.type_name in _BINARY:
            return value
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if value is None or isinstance(value, int | float | str):
        return value
    raise NotSupportedError(
        f"column {column.name!r}: a {type(value).__name__} of the database cannot be taken: select it as text"
    )


def _no_time(position: int, column: Column) -> str:
    return (
        f"column {position} ({column.name!r}) is a {column.type_name}, and times cannot travel from the server to a "
        "plugin: ask for its text, with ::text, or for its milliseconds since 1970, with "
        "(extract(epoch from ...) * 1000)::bigint"
    )
