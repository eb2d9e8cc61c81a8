"""The development host: plays the server to plugins."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.message import Message

from mattermost_plugin.devhost._grpc_api_server import Network
from mattermost_plugin.devhost.actions import Actions
from mattermost_plugin.devhost.app.installed_plugins import forget_bundles
from mattermost_plugin.devhost.clock import Clock, SystemClock
from mattermost_plugin.devhost.errors import DevHostError, StartError
from mattermost_plugin.devhost.events import EventBus
from mattermost_plugin.devhost.manifest import read_manifest
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.runner import PluginRunner
from mattermost_plugin.devhost.store import Store
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["DevHost"]


class DevHost:
    """A server for plugins under development: state, the plugin API, and the hooks in the server's order.

    Use it as an async context manager, and on one event loop.

    - `act` does what users do; the hooks of the plugins are called for it.
    - `events` tells everything that happens.
    - `store` is the state.

    Hooks that tell what has happened run beside what caused them; `settle` waits for them. A post that a plugin
    creates goes through the same hooks as a user's, those of that plugin included. A server does nothing against
    plugins that answer their own posts for ever. This host refuses an API call when `hook_rounds.DEPTH_LIMIT` hooks
    have caused each other, as far as API calls say (in the metadata "x-request-id", as this SDK's client does) in
    which hook's request they are made.

    Args:
        path: the SQLite file to keep; None for one that goes away with the host.
        clock: the time; default is the machine's.
        network: where plugins reach the API: "unix" for a socket each, "tcp" for a port on 127.0.0.1 each.

    Raises:
        DevHostError: the file cannot be used.
    """

    def __init__(self, path: Path | None = None, *, clock: Clock | None = None, network: Network = "unix") -> None:
        self.clock = clock or SystemClock()
        self.events = EventBus()
        self.store = Store(self.clock, path)
        self.world = World(self.store, self.clock, self.events)
        self.world.control = self
        self.act = Actions(self.world)
        # Those of a host that was killed.
        forget_bundles(self.world)
        self._network: Network = network
        self._runners: dict[str, PluginRunner] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all plugins and close the file."""
        for runner in tuple(self._runners.values()):
            await runner.close()
        self._runners.clear()
        await self.settle()
        forget_bundles(self.world)
        self.store.close()

    def abandon(self) -> None:
        """Close the file and leave no others behind, for a process that ends at once; plugins are not ended."""
        for runner in tuple(self._runners.values()):
            runner.abandon()
        self.store.close()

    async def settle(self) -> None:
        """Wait until all hooks that run beside other things have ended, also those that they cause."""
        await self.world.hooks.settle()

    async def launch(self, folder: Path) -> InstalledPlugin:
        """Start the plugin in a folder as a process of its own.

        Raises:
            StartError: it does not start. It stays installed, so that `restart` can try again.
        """
        runner = self._install(read_manifest(folder), folder)
        await runner.launch()
        return runner.plugin

    async def open_api(self, plugin_id: str, *, manifest: Manifest | None = None, folder: Path | None = None) -> str:
        """Serve the API to a plugin that is about to be served in this process.

        Args:
            plugin_id: its id.
            manifest: what it says about itself; default is the id alone.
            folder: where it is; default is the current one.

        Returns:
            The address for the plugin's `api_target`.
        """
        runner = self._install(manifest or Manifest(id=plugin_id, name=plugin_id), folder or Path.cwd())
        await runner.open_api()
        return runner.plugin.api_target

    async def attach(self, plugin_id: str, handshake_line: str) -> InstalledPlugin:
        """Take a plugin that is served already, such as by a `PluginServer` in this process, and activate it.

        Args:
            plugin_id: its id.
            handshake_line: what the start of its server returned.

        Raises:
            StartError: it cannot be reached or does not activate.
        """
        runner = self._runners.get(plugin_id) or self._install(Manifest(id=plugin_id, name=plugin_id), Path.cwd())
        await runner.attach(handshake_line)
        return runner.plugin

    async def restart(self, plugin_id: str) -> None:
        """End a plugin, if it runs, and start its process anew with the manifest as it is now.

        Raises:
            StartError: it does not start.
        """
        runner = self._runner(plugin_id)
        await runner.stop()
        manifest = read_manifest(runner.plugin.folder)
        if manifest.id != plugin_id:
            raise StartError(f"plugin.json of {plugin_id} now has the id {manifest.id!r}: launch it as a new plugin")
        runner.plugin.manifest = manifest
        await runner.launch()

    async def enable(self, plugin_id: str) -> None:
        """Start an installed plugin that does not run.

        Raises:
            StartError: it does not start.
        """
        runner = self._runner(plugin_id)
        if runner.plugin.link is None:
            await runner.launch()

    async def disable(self, plugin_id: str) -> None:
        """Deactivate a plugin and end its process."""
        await self._runner(plugin_id).stop()

    async def remove(self, plugin_id: str) -> None:
        """End a plugin and forget it. Its files and its state stay."""
        await self._runner(plugin_id).close()
        self._runners.pop(plugin_id, None)
        self.world.plugins.remove(plugin_id)

    async def install(self, folder: Path) -> InstalledPlugin:
        """Take in the plugin in a folder without starting it; one of its id that runs is ended, and started from there.

        Raises:
            StartError: the manifest cannot be used, or the plugin that ran does not start again.
        """
        manifest = read_manifest(folder)
        known = self._runners.get(manifest.id)
        runs = known is not None and known.plugin.link is not None
        if known is not None:
            await known.stop()
        runner = self._install(manifest, folder)
        if runs:
            await runner.launch()
        return runner.plugin

    async def is_healthy(self, plugin_id: str) -> bool:
        """Ping a plugin, as the server does every 30 s."""
        return await self._runner(plugin_id).is_healthy()

    def pid(self, plugin_id: str) -> int | None:
        """Id of a plugin's process; None if it does not run or has none."""
        return self._runner(plugin_id).pid

    def plugin(self, plugin_id: str) -> InstalledPlugin:
        """An installed plugin.

        Raises:
            DevHostError: there is none of that id.
        """
        return self._runner(plugin_id).plugin

    async def hook(self, plugin_id: str, request: Message) -> Message:
        """Call one hook of one plugin, whatever a server would do around it.

        Args:
            plugin_id: the plugin.
            request: the arguments; their kind says which hook.

        Raises:
            HookFailedError: there is no answer.
        """
        return await self.world.hooks.ask(self.plugin(plugin_id), request)

    def _runner(self, plugin_id: str) -> PluginRunner:
        try:
            return self._runners[plugin_id]
        except KeyError:
            raise DevHostError(f"there is no plugin {plugin_id}") from None

    def _install(self, manifest: Manifest, folder: Path) -> PluginRunner:
        known = self._runners.get(manifest.id)
        if known is not None:
            if known.plugin.link is None:
                known.plugin.manifest, known.plugin.folder = manifest, folder
            return known
        plugin = self.world.plugins.add(InstalledPlugin(manifest, folder))
        runner = self._runners[manifest.id] = PluginRunner(self.world, plugin, self._network)
        return runner
