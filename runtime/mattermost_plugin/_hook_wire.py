"""What lies between a served plugin and the protocol that its host speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._listener import Listener
from mattermost_plugin.config import RuntimeConfig

if TYPE_CHECKING:
    from mattermost_plugin._api_wire import CoroutineWire, ThreadWire
    from mattermost_plugin._db_wire import DatabaseWire

WireName: TypeAlias = Literal["grpc", "netrpc"]
"""The protocols, as the handshake line calls them."""


class HookWire(Protocol):
    """One protocol, serving one plugin."""

    async def start(self, listener: Listener) -> str:
        """Listen and serve. Returns the address as the handshake line has it."""
        ...

    def connect_api(self) -> tuple[CoroutineWire, ThreadWire]:
        """The two ways to the server's plugin API.

        Raises:
            ConfigError: the host gave no way to it.
        """
        ...

    def connect_database(self) -> DatabaseWire:
        """The way to the server's database. Called once at most, from any thread.

        Raises:
            NotSupportedError: the host offers none.
        """
        ...

    async def stop(self, drain_s: float) -> None:
        """Take no more calls and give running ones `drain_s` seconds. The plugin API can still be called.

        Hooks that still run then are answered as failed ones; HTTP requests are cut off.
        """
        ...

    async def close(self) -> None:
        """Send what is left and end the connection."""
        ...


def make_wire(
    name: WireName,
    plugin: BoundPlugin,
    config: RuntimeConfig,
    shutdown: Callable[[], None],
    give_up: Callable[[str], None],
) -> HookWire:
    """The wire of that name. A plugin never pays for the import of the other one.

    Args:
        name: the protocol.
        plugin: what is served.
        config: the runtime's settings.
        shutdown: called when the host asks the plugin to end.
        give_up: called with the reason when the plugin is of no more use to its host, which may not know that. It is
            ignored once the plugin is to end.
    """
    if name == "netrpc":
        from mattermost_plugin._stock.server import StockServer

        return StockServer(plugin, config, shutdown, give_up)
    from mattermost_plugin._grpc_server import GrpcServer

    return GrpcServer(plugin, config, shutdown)
