"""The database stream, and the connections that the plugin has on it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mattermost_plugin._db_errors import ConnectionLostError, OperationalError
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin._start_task import start_task
from mattermost_plugin._stock.api_grant import ApiGrant
from mattermost_plugin._stock.driver import Driver
from mattermost_plugin._stock.driver_session import DriverSession
from mattermost_plugin._stock.rpc_streams import RpcClient
from mattermost_plugin._stock.stream import MuxStream

__all__ = ["DriverLink"]

_log = logging.getLogger(__name__)

_MAX_CONNECTIONS: Final = 50
"""Connections of a plugin at a time: one for each of its threads. They are the server's own, which has 300 by default
for everybody."""

_CLOSING_S: Final = 0.3
"""For rolling back and giving back what is still open at the end."""


class DriverLink:
    """Opens connections, and closes those that nobody closes. On the plugin's event loop.

    Args:
        place: where that runs.
        grant: the streams that the host has given.
        gob_limits: the bounds of what the host sends.
    """

    def __init__(self, place: LoopPlace, grant: ApiGrant, gob_limits: GobLimits) -> None:
        self.place = place
        self._grant = grant
        self._gob_limits = gob_limits
        self._stream: MuxStream | None = None
        self._driver: Driver | None = None
        self._sessions: set[DriverSession] = set()
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def open(self, *, read_only: bool, replica: bool) -> DriverSession:
        """Take a connection. See DatabaseWire."""
        driver = self._attached()
        self._sessions = {session for session in self._sessions if not session.is_over}
        if len(self._sessions) + self._opening >= _MAX_CONNECTIONS:
            raise OperationalError(f"{_MAX_CONNECTIONS} connections are open: close them, with `with` for example")
        self._opening += 1
        try:
            connection = await driver.open(is_master=not replica)
        finally:
            self._opening -= 1
        session = DriverSession(driver, connection, read_only=read_only)
        self._sessions.add(session)
        if self._is_closed:
            await session.close()
            raise _stopped()
        return session

    def retire(self, session: DriverSession) -> None:
        """Close a connection that nobody uses any more, as soon as what runs on it has its answer."""
        task = start_task(session.close(), self.place.loop, "closing a database connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Roll back what is open, give the connections back, and end the stream. There will be no others."""
        self._is_closed = True
        left = [session for session in self._sessions if not session.is_over]
        if left:
            _log.warning("%d database connections were not closed", len(left))
            closing = [asyncio.ensure_future(session.close()) for session in left]
            await asyncio.wait([*closing, *self._tasks], timeout=_CLOSING_S)
        if self._driver is not None:
            # Ends what still waits: nothing of it is waited for by the server.
            self._driver.close()

    def _attached(self) -> Driver:
        """The calls on the stream of the last activation."""
        if self._is_closed:
            raise _stopped()
        stream = self._grant.database
        if stream is None:
            raise ConnectionLostError(
                "the server's database is there from on_activate on, until the plugin has stopped"
            )
        if self._driver is None or stream is not self._stream:
            if self._driver is not None:
                self._driver.close()
            self._stream, self._driver = stream, Driver(RpcClient(stream, None, self._gob_limits))
        return self._driver


def _stopped() -> ConnectionLostError:
    return ConnectionLostError("the plugin has stopped")
