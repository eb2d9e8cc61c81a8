"""The database for threads: there is one stream, and it lives on the event loop. See `_db_wire`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, ParamSpec, TypeVar

from mattermost_plugin._db_errors import ConnectionLostError
from mattermost_plugin._db_statements import Manner
from mattermost_plugin._db_wire import Batch, Outcome, Row
from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin._stock.driver_link import DriverLink
from mattermost_plugin._stock.driver_session import DriverSession

__all__ = ["StockDatabaseWire", "StockSessionWire"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_STOPPED: Final = "the plugin has stopped"


class StockDatabaseWire:
    """Opens connections.

    Args:
        link: the stream.
        timeout_s: seconds for each step, unless a connection says otherwise.
    """

    def __init__(self, link: DriverLink, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s

    def open(self, *, read_only: bool, replica: bool, timeout_s: float | None) -> StockSessionWire:
        """See DatabaseWire."""
        check_place(self._link.place, "connect(...)")
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        future = start(self._link.place, self._link.open, read_only=read_only, replica=replica)
        try:
            session = outcome(future, timeout_s)
        except BaseException:
            # Nobody will have the connection that comes now, or has come since.
            future.add_done_callback(self._retire)
            raise
        return StockSessionWire(self._link, session, timeout_s)

    async def give_back(self) -> None:
        """See DatabaseWire."""
        await self._link.give_back()

    def _retire(self, future: concurrent.futures.Future[DriverSession]) -> None:
        if not future.cancelled() and future.exception() is None:
            retire(self._link, future.result())


class StockSessionWire:
    """One connection.

    Args:
        link: the stream.
        session: the connection.
        timeout_s: seconds for each step.
    """

    def __init__(self, link: DriverLink, session: DriverSession, timeout_s: float) -> None:
        self._link = link
        self._session = session
        self._timeout_s = timeout_s

    def check_place(self, doing: str) -> None:
        """See SessionWire."""
        check_place(self._link.place, doing)

    def set_autocommit(self, is_on: bool) -> None:
        """See SessionWire."""
        self._session.autocommit = is_on

    def execute(self, statement: str, manner: Manner, rows: Sequence[Row]) -> Outcome:
        """See SessionWire."""
        return self._wait(self._session.execute, statement, manner, rows)

    def fetch(self, result: int, count: int) -> Batch:
        """See SessionWire."""
        return self._wait(self._session.fetch, result, count)

    def close_result(self, result: int) -> None:
        """See SessionWire."""
        self._wait(self._session.close_result, result)

    def end_transaction(self, *, is_kept: bool) -> None:
        """See SessionWire."""
        self._wait(self._session.end_transaction, is_kept=is_kept)

    def close(self) -> None:
        """See SessionWire."""
        # Lost: it will be closed, or is gone.
        with contextlib.suppress(ConnectionLostError):
            self._wait(self._session.close)

    def abandon(self) -> None:
        """See SessionWire."""
        retire(self._link, self._session)

    def _wait(self, function: Callable[_P, Coroutine[Any, Any, _T]], *arguments: _P.args, **named: _P.kwargs) -> _T:
        future = start(self._link.place, function, *arguments, **named)
        try:
            return outcome(future, self._timeout_s)
        except BaseException as error:
            # What runs goes on, and then the connection is closed: only its answer tells what there is to close. It may
            # have come in this moment, and nobody uses a lost connection any more.
            if isinstance(error, ConnectionLostError) or not future.done():
                self.abandon()
            raise


def retire(link: DriverLink, session: DriverSession) -> None:
    """Have a connection closed that nobody uses any more. From any thread, and also while Python frees objects."""
    if os.getpid() != link.place.process:
        return
    # The loop may have ended, and the stream with it.
    with contextlib.suppress(RuntimeError):
        link.place.loop.call_soon_threadsafe(link.retire, session)


def check_place(place: LoopPlace, doing: str) -> None:
    """See `SessionWire.check_place`."""
    if os.getpid() != place.process:
        raise RuntimeError(
            f"self.db.{doing} was called in a process that was forked off the plugin's: a connection does not survive "
            "that; call it in the plugin's own process"
        )
    if threading.get_ident() == place.thread:
        raise RuntimeError(
            f"self.db.{doing} would block the event loop: use `await asyncio.to_thread(...)` in async handlers, for a "
            "function that does all of it"
        )


def start(
    place: LoopPlace, function: Callable[_P, Coroutine[Any, Any, _T]], *arguments: _P.args, **named: _P.kwargs
) -> concurrent.futures.Future[_T]:
    """Start a coroutine function on the event loop.

    Raises:
        ConnectionLostError: the loop has ended.
    """
    coroutine = function(*arguments, **named)
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, place.loop)
    except RuntimeError:
        coroutine.close()
        raise ConnectionLostError(_STOPPED) from None


def outcome(future: concurrent.futures.Future[_T], timeout_s: float) -> _T:
    """Wait for an outcome.

    Raises:
        ConnectionLostError: it does not come in time, or not at all.
    """
    try:
        return future.result(timeout_s)
    except TimeoutError:
        raise ConnectionLostError(
            f"no answer within {timeout_s:g} s, and the connection is given up: the database may go on with it"
        ) from None
    except concurrent.futures.CancelledError:
        raise ConnectionLostError(_STOPPED) from None
