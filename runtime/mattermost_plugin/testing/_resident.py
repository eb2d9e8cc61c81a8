"""A plugin in the host's own process: served on its real wire, started and ended as the host does it with processes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Generic, TypeVar

from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHost, DevHostError, ManualClock, StartError
from mattermost_plugin.devhost.clock import ManualPluginClock
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.server import PluginServer
from mattermost_plugin.testing._log_bridge import LogBridge
from mattermost_plugin.testing.errors import LoadError
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["TEST_CONFIG", "Resident"]

__tracebackhide__ = True  # pytest shows the line of the test

PluginT = TypeVar("PluginT", bound=Plugin)

TEST_CONFIG: Final = RuntimeConfig(drain_s=0.1, deactivate_s=0.9)
"""As in a plugin's process, but the end waits less for handlers that hang."""


class Resident(Generic[PluginT]):
    """One plugin, from its start to its end and to the next start.

    Args:
        host: the host.
        make: makes the plugin.
        manifest: what it says about itself.
        folder: where it is.
        config: the runtime's settings; where the plugin is and how it reaches the API is filled in.
    """

    def __init__(
        self,
        host: DevHost,
        make: Callable[[RuntimeConfig], PluginT],
        manifest: Manifest,
        folder: Path,
        config: RuntimeConfig,
    ) -> None:
        self._host = host
        self._make = make
        self._manifest = manifest
        self._folder = folder
        self._config = config
        self._plugin: PluginT | None = None
        self._bridge: LogBridge | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self._manifest.id

    @property
    def plugin(self) -> PluginT:
        """The plugin's present object, or its last one.

        Raises:
            LoadError: it has not been made yet.
        """
        if self._plugin is None:
            raise LoadError(f"{self.plugin_id} has not been started")
        return self._plugin

    @property
    def is_served(self) -> bool:
        """Whether the plugin is there to be called."""
        return self._serving is not None and not self._serving.done()

    def renew_by(self, make: Callable[[RuntimeConfig], PluginT]) -> None:
        """Say how the next start makes the plugin."""
        self._make = make

    async def start(self) -> PluginT:
        """Make the plugin, serve it, and let the host activate it.

        Raises:
            LoadError: it cannot be made or does not activate.
        """
        if self.is_served:
            raise LoadError(f"{self.plugin_id} is loaded already")
        target = await self._host.open_api(self.plugin_id, manifest=self._manifest, folder=self._folder)
        config = replace(
            self._config, plugin_id=self.plugin_id, plugin_path=self._folder, api_target=target, listen="unix"
        )
        self._bridge = LogBridge(self._host.world, self.plugin_id, config.log_level_number).open()
        context = contextvars.copy_context()
        context.run(self._bridge.enter)
        try:
            # In the plugin's context, which everything that the server starts inherits.
            server, line = await asyncio.get_running_loop().create_task(self._serve(config), context=context)
        except BaseException:
            self._bridge.close()
            raise
        self._serving = asyncio.create_task(self._until_stopped(server, self._bridge), name=f"serve {self.plugin_id}")
        try:
            await self._host.attach(self.plugin_id, line)
        except BaseException as error:
            reason = self._bridge.last_failure
            server.request_stop()
            await self.wait_ended()
            if isinstance(error, StartError):
                raise LoadError(f"{self.plugin_id} does not activate: {error}") from reason or error
            raise
        return self.plugin

    async def _serve(self, config: RuntimeConfig) -> tuple[PluginServer, str]:
        try:
            plugin = self._plugin = self._make(config)
        except Exception as error:
            raise LoadError(f"{self.plugin_id} cannot be made: {error!r}") from error
        if plugin._config is None:
            plugin._config = config
        if isinstance(self._host.clock, ManualClock):
            # Unless the author's own object has come with another one.
            vars(plugin).setdefault("_clock", ManualPluginClock(self._host.clock))
        server = PluginServer(plugin, config)
        return server, await server.start()

    async def _until_stopped(self, server: PluginServer, bridge: LogBridge) -> None:
        """What a plugin's process does: the host asks, and the plugin ends."""
        try:
            await server.wait_stop_requested()
        finally:
            try:
                await server.stop()
            finally:
                bridge.close()

    async def stop(self) -> None:
        """Have the host end the plugin, if it runs, and wait until it has ended."""
        # The host may know of no such plugin any more.
        with contextlib.suppress(DevHostError):
            await self._host.disable(self.plugin_id)
        await self.wait_ended()

    async def wait_ended(self) -> None:
        """Return when the plugin is not served any more."""
        serving = self._serving
        if serving is not None:
            await asyncio.wait((serving,))
            self._serving = None
