"""The stock wire: go-plugin's net/rpc, as every released server speaks it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._listener import Listener
from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin._stock.api_grant import ApiGrant
from mattermost_plugin._stock.host_connection import HostConnection
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin.config import RuntimeConfig

if TYPE_CHECKING:
    from mattermost_plugin._api_wire import CoroutineWire, ThreadWire
    from mattermost_plugin._db_wire import DatabaseWire
    from mattermost_plugin._stock.driver_link import DriverLink

__all__ = ["StockServer"]

_log = logging.getLogger(__name__)

_CLOSING_S = 0.2
"""How long the last bytes may take to leave."""


class StockServer:
    """Serves a plugin over net/rpc. See `HookWire`.

    Args:
        plugin: the plugin.
        config: the runtime's settings.
        shutdown: called when the host asks the plugin to end.
        give_up: called with the reason when the host has gone without asking, or when a stream has failed without which
            the plugin is of no use. The host does not look at streams: it takes failed hooks for consent, and a plugin
            that answers pings for one that is well.
    """

    def __init__(
        self,
        plugin: BoundPlugin,
        config: RuntimeConfig,
        shutdown: Callable[[], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._plugin = plugin
        self._shutdown = shutdown
        self._give_up = give_up
        self._gob_limits = GobLimits(
            max_message_bytes=config.max_message_bytes, max_string_bytes=config.max_message_bytes
        )
        self._api_timeout_s = config.api_timeout_s
        self._place = LoopPlace.here()
        self._grant = ApiGrant()
        self._driver: DriverLink | None = None
        self._connections: set[HostConnection] = set()
        self._host: HostConnection | None = None
        self._server: asyncio.Server | None = None
        self._all_lost = asyncio.Event()
        self._all_lost.set()

    async def start(self, listener: Listener) -> str:
        """Listen and serve. Returns the address as the handshake line has it."""
        loop = asyncio.get_running_loop()
        port = 0
        if listener.path is not None:
            self._server = await loop.create_unix_server(self._connection, listener.path)
        else:
            self._server = await loop.create_server(self._connection, "127.0.0.1", 0)
            port = self._server.sockets[0].getsockname()[1]
        return listener.address(port)

    def connect_api(self) -> tuple[CoroutineWire, ThreadWire]:
        """See HookWire."""
        # Not at the top: most of the messages and all methods of the plugin API come with them.
        from mattermost_plugin._stock.api_link import StockApi
        from mattermost_plugin._stock.api_wire import StockCoroutineWire, StockThreadWire

        api = StockApi(self._place, self._grant, self._gob_limits, self._stream_failed)
        return StockCoroutineWire(api), StockThreadWire(api)

    def connect_database(self) -> DatabaseWire:
        """See HookWire."""
        # Not at the top: most plugins never ask for it.
        from mattermost_plugin._stock.driver_link import DriverLink
        from mattermost_plugin._stock.driver_threads import StockDatabaseWire

        self._driver = DriverLink(self._place, self._grant, self._gob_limits)
        return StockDatabaseWire(self._driver, self._api_timeout_s)

    async def stop(self, drain_s: float) -> None:
        """Give what runs `drain_s` seconds. The connection stays, for calls of the plugin API."""
        if self._host is not None:
            await self._host.hooks.stop(drain_s)

    async def close(self) -> None:
        """End the connection."""
        if self._driver is not None:
            self._driver.close()
        self._grant.close()
        server, self._server = self._server, None
        if server is not None:
            for listening in server.sockets:
                self._place.loop.remove_reader(listening.fileno())
            # What was accepted in this turn of the loop becomes a connection in the next, for which asyncio still needs
            # the server.
            await asyncio.sleep(0)
            server.close()
        for connection in tuple(self._connections):
            connection.close()
        try:
            async with asyncio.timeout(_CLOSING_S):
                await self._all_lost.wait()
        except TimeoutError:
            _log.warning("the host does not read what is left of the plugin's answers")

    def _connection(self) -> asyncio.Protocol:
        connection = HostConnection(
            self._plugin,
            self._gob_limits,
            begun=self._begin,
            attach_api=self._attach_api,
            quit_asked=self._shutdown,
            failed=self._stream_failed,
            lost=self._lose,
        )
        self._connections.add(connection)
        self._all_lost.clear()
        return connection.mux

    def _begin(self, connection: HostConnection) -> bool:
        if self._host is not None:
            _log.warning("a second connection was refused: the plugin has its host")
            return False
        self._host = connection
        return True

    def _attach_api(self, api: MuxStream, database: MuxStream) -> None:
        host = self._host
        if host is not None:
            self._grant.give(api, database, host.broker)

    def _stream_failed(self, reason: str) -> None:
        # A connection that ends takes its streams with it, and is told of by itself.
        if self._host is not None and not self._host.mux.is_over:
            self._give_up(reason)

    def _lose(self, connection: HostConnection, reason: Exception | None) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_lost.set()
        if connection is self._host:
            # A connection on which nothing was opened is a host's look whether somebody is there.
            self._give_up(f"the connection to the host has ended: {reason or 'the host has closed it'}")
