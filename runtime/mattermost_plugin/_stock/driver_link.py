"""The database stream, and the connections that the plugin has on it."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mattermost_plugin._db_errors import ConnectionLostError, DatabaseError, OperationalError
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin._start_task import start_task
from mattermost_plugin._stock.api_grant import ApiGrant
from mattermost_plugin._stock.driver import Driver
from mattermost_plugin._stock.driver_errors import StreamGoneError
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

_NOT_THERE: Final = "the server's database is there from on_activate on, until on_deactivate has returned"


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
        self._last_stream: MuxStream | None = None
        """The stream on which nothing new is begun, because the plugin was deactivated."""

    async def open(self, *, read_only: bool, replica: bool) -> DriverSession:
        """Take a connection. See DatabaseWire."""
        driver = self._attached()
        self._sessions = {session for session in self._sessions if not session.is_over}
        if len(self._sessions) + self._opening >= _MAX_CONNECTIONS:
            raise OperationalError(f"{_MAX_CONNECTIONS} connections are open: close them, with `with` for example")
        self._opening += 1
        try:
            connection = await driver.open(is_master=not replica)
        except StreamGoneError as error:
            raise ConnectionLostError(str(error)) from None
        except DatabaseError as error:
            if type(error) is not DatabaseError:
                raise
            # Without a code: the server's pool is used up, or the database out of its reach.
            raise OperationalError(f"the server gives no connection: {error}") from None
        finally:
            self._opening -= 1
        session = DriverSession(driver, connection, read_only=read_only)
        self._sessions.add(session)
        if self._grant.database is self._last_stream:
            await session.close()
            raise ConnectionLostError(_NOT_THERE)
        return session

    def retire(self, session: DriverSession) -> None:
        """Close a connection that nobody uses any more, as soon as what runs on it has its answer."""
        task = start_task(session.close(), self.place.loop, "closing a database connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def give_back(self) -> None:
        """Roll back what is open and give the connections back. There will be others after another activation.

        What still runs a statement then is left behind: the host closes it when the plugin's process is gone.
        """
        self._last_stream = self._grant.database
        left = [session for session in self._sessions if not session.is_over]
        if not left:
            return
        _log.warning("%d database connections were not closed", len(left))
        for session in left:
            self.retire(session)
        await asyncio.wait(self._tasks, timeout=_CLOSING_S)

    def close(self) -> None:
        """End the stream, and what still waits for something on it."""
        if self._driver is not None:
            self._driver.close()

    def _attached(self) -> Driver:
        """The calls on the stream of the last activation."""
        stream = self._grant.database
        if stream is None or stream is self._last_stream:
            raise ConnectionLostError(_NOT_THERE)
        if self._driver is None or stream is not self._stream:
            self.close()
            self._stream, self._driver = stream, Driver(RpcClient(stream, None, self._gob_limits))
        return self._driver
