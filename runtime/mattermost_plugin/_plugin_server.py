"""One plugin, served on one wire."""

import asyncio
import logging
from collections.abc import Mapping
from types import CodeType

from mattermost_plugin._api_link import ApiLink
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._db_link import DatabaseLink
from mattermost_plugin._handshake import format_handshake_line
from mattermost_plugin._hook_wire import HookWire, WireName, make_wire
from mattermost_plugin._listener import Listener
from mattermost_plugin.config import RuntimeConfig, load_runtime_config
from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)


class PluginServer:
    """Serves a plugin on one wire, without touching the process: no signals, no output, no exit.

    Use `run_plugin` to be started by a server. This class is for tests and for hosts that embed plugins.

    Args:
        plugin: the plugin, or its class, which is then made with the settings.
        config: the runtime's settings; default is what the environment says.
        socket_folder: where to put the socket; "" for the temporary folder.
        socket_group: name or number of a group that may connect to the socket too; "" for none.
        wire: "grpc", or "netrpc" for what released servers speak; `config.wire` comes before it, unless it is "auto".
    """

    def __init__(
        self,
        plugin: Plugin | type[Plugin],
        config: RuntimeConfig | None = None,
        *,
        socket_folder: str = "",
        socket_group: str = "",
        wire: WireName = "grpc",
    ) -> None:
        self._config = config or load_runtime_config()
        self._bound = BoundPlugin(plugin if isinstance(plugin, Plugin) else plugin.create(self._config), self._config)
        self._socket_folder = socket_folder
        self._socket_group = socket_group
        self._stop_requested = asyncio.Event()
        self._failure = ""
        self._listener: Listener | None = None
        self._wire_name: WireName = wire if self._config.wire == "auto" else self._config.wire
        self._wire: HookWire | None = None
        self._api_link: ApiLink | None = None

    @property
    def plugin(self) -> Plugin:
        """The plugin that is served."""
        return self._bound.plugin

    @property
    def is_active(self) -> bool:
        """Whether OnActivate has succeeded and OnDeactivate has not been called."""
        return self._bound.lifecycle.is_active

    @property
    def failure(self) -> str:
        """Why the plugin asks to be stopped though its host has not asked for it; "" if that is not so."""
        return self._failure

    @property
    def async_handler_labels(self) -> Mapping[CodeType, str]:
        """The code of async handlers with the names to call them by."""
        return {
            spec.function.__code__: f"{spec.hook} handler {spec.label}"
            for spec in self.plugin.hook_handlers.values()
            if spec.is_async and hasattr(spec.function, "__code__")
        }

    async def start(self) -> str:
        """Listen and serve.

        Returns:
            The handshake line, without line break.

        Raises:
            HandshakeError: no socket can be had where the host wants it.
        """
        self._bound.background.open()
        self._listener = Listener(self._config.listen, self._socket_folder, self._socket_group)
        try:
            wire = self._wire = make_wire(self._wire_name, self._bound, self._config, self.request_stop, self._give_up)
            self._api_link = ApiLink(self._config, wire.connect_api)
            self.plugin._api_link = self._api_link
            self.plugin._db_link = DatabaseLink(wire.connect_database)
            address = await wire.start(self._listener)
        except BaseException:
            await self.stop()
            raise
        return format_handshake_line(address, network=self._listener.network, protocol=self._wire_name)

    def request_stop(self) -> None:
        """Let `wait_stop_requested` return. Called when the host asks the plugin to end."""
        self._stop_requested.set()

    async def wait_stop_requested(self) -> None:
        """Return when the host has asked the plugin to end, the plugin must give up, or `request_stop` was called."""
        await self._stop_requested.wait()

    async def stop(self) -> None:
        """Stop serving; legal before `start` and more than once.

        The order: jobs end, OnDeactivate runs and the database's connections are closed, if the host has not called it;
        no more calls; running handlers get `drain_s` seconds, then hooks are answered as failed ones and HTTP requests
        are cut off; mutexes that are still held are freed; the connection to the server's plugin API is closed, then
        the host's; the socket is removed.
        """
        self._stop_requested.set()
        await self._deactivate()
        self._bound.background.stop_waiting()
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.stop(self._config.drain_s)
        self._bound.close()
        await self._bound.background.close()
        if self._api_link is not None:
            # Last: OnDeactivate and handlers that were still running may have called the server.
            await self._api_link.close()
        if wire is not None:
            await wire.close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _give_up(self, reason: str) -> None:
        if self._stop_requested.is_set():
            return
        _log.error("The plugin ends as a failed one, for its server to start it again: %s", reason)
        self._failure = reason
        self.request_stop()

    async def _deactivate(self) -> None:
        try:
            async with asyncio.timeout(self._config.deactivate_s):
                await self._bound.lifecycle.deactivate(None)
        except TimeoutError:
            _log.warning("OnDeactivate did not finish within %g s", self._config.deactivate_s)
        except asyncio.CancelledError:
            raise
        except BaseException:  # noqa: BLE001 - author's code may raise anything; the plugin ends all the same
            _log.exception("OnDeactivate failed")
