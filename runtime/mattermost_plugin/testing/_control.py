"""Starts and ends the plugins of a host, those of its own process among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHost, StartError
from mattermost_plugin.devhost.app.config import save_plugin_settings
from mattermost_plugin.devhost.manifest import read_manifest
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.testing._manifest import ManifestLike, Script, manifest_of
from mattermost_plugin.testing._resident import TEST_CONFIG, Resident
from mattermost_plugin.testing.errors import LoadError, MisuseError

__all__ = ["Control", "save_config", "serving"]

__tracebackhide__ = True  # pytest shows the line of the test

PluginT = TypeVar("PluginT", bound=Plugin)
Settings = Mapping[str, object]


class Control:
    """Takes the host's place where plugins are started and ended, also when a plugin asks for it over the API.

    Args:
        host: the host.
    """

    def __init__(self, host: DevHost) -> None:
        self._host = host
        # Any: each has a plugin of its own class.
        self._residents: dict[str, Resident[Any]] = {}
        self._scripts: dict[str, Script] = {}
        self._order: list[str] = []
        host.world.control = self

    @classmethod
    def of(cls, host: DevHost) -> Control:
        """The host's, which is made at the first call."""
        present = host.world.control
        return present if isinstance(present, cls) else cls(host)

    @property
    def loaded(self) -> list[str]:
        """Ids of the plugins, in the order in which they came."""
        return list(self._order)

    def resident(self, plugin_id: str) -> Resident[Any] | None:
        """The plugin of an id, if it is in this process."""
        return self._residents.get(plugin_id)

    def id_of(self, plugin: Plugin) -> str:
        """The id of a plugin's object.

        Raises:
            MisuseError: it is not loaded.
        """
        for plugin_id, resident in self._residents.items():
            if resident.plugin is plugin:
                return plugin_id
        raise MisuseError(f"this {type(plugin).__name__} is not loaded here; a restart makes a new object")

    async def load(
        self,
        plugin: type[PluginT] | PluginT,
        *,
        manifest: ManifestLike | None = None,
        config: Settings | None = None,
        runtime: RuntimeConfig = TEST_CONFIG,
    ) -> PluginT:
        """Serve a plugin in this process and activate it.

        Raises:
            LoadError: it cannot be made or does not activate.
        """
        kind: type[PluginT] = plugin if isinstance(plugin, type) else type(plugin)
        made_of, folder = manifest_of(kind, manifest)
        self._check_new(made_of.id)
        make: Callable[[RuntimeConfig], PluginT] = kind.create if isinstance(plugin, type) else lambda _: plugin
        resident = Resident(self._host, make, made_of, folder, runtime)
        started = await self._begin(resident, config)
        resident.renew_by(kind.create)
        return started

    async def load_script(
        self,
        script: Script,
        *,
        manifest: ManifestLike | None = None,
        config: Settings | None = None,
        runtime: RuntimeConfig = TEST_CONFIG,
    ) -> Plugin:
        """Serve the plugin of an imported script in this process and activate it.

        Raises:
            LoadError: it does not activate; the script is dropped.
        """
        try:
            made_of = script.manifest if manifest is None else manifest_of(script.plugin_class, manifest)[0]
            self._check_new(made_of.id)
            resident = Resident(self._host, script.plugin_class.create, made_of, script.folder, runtime)
            started = await self._begin(resident, config)
        except BaseException:
            script.drop()
            raise
        self._scripts[made_of.id] = script
        return started

    async def launch(self, folder: Path, *, config: Settings | None = None) -> str:
        """Start the plugin in a folder as a process. Returns its id.

        Raises:
            LoadError: it does not start.
        """
        try:
            plugin_id = read_manifest(folder).id
            self._check_new(plugin_id)
            await save_config(self._host, plugin_id, config)
            await self._host.launch(folder)
        except StartError as error:
            raise LoadError(str(error)) from error
        self._order.append(plugin_id)
        return plugin_id

    async def _begin(self, resident: Resident[PluginT], config: Settings | None) -> PluginT:
        await save_config(self._host, resident.plugin_id, config)
        started = await resident.start()
        self._residents[resident.plugin_id] = resident
        self._order.append(resident.plugin_id)
        return started

    def _check_new(self, plugin_id: str) -> None:
        if plugin_id in self._order:
            raise LoadError(f"{plugin_id} is loaded already: give one of them another id with manifest={{'id': ...}}")

    async def enable(self, plugin_id: str) -> None:
        """Start a plugin that does not run."""
        resident = self._residents.get(plugin_id)
        if resident is None:
            await self._host.enable(plugin_id)
        elif not resident.is_served:
            await resident.start()

    async def disable(self, plugin_id: str) -> None:
        """Deactivate a plugin and end it."""
        resident = self._residents.get(plugin_id)
        if resident is None:
            await self._host.disable(plugin_id)
        else:
            await resident.stop()

    async def restart(self, plugin_id: str) -> None:
        """End a plugin and start it anew; what it has stored stays."""
        resident = self._residents.get(plugin_id)
        if resident is None:
            await self._host.restart(plugin_id)
        else:
            await resident.stop()
            await resident.start()

    async def install(self, folder: Path) -> InstalledPlugin:
        """Take in the plugin in a folder without starting it; one of its id that runs gives way to it.

        Raises:
            StartError: the manifest cannot be used, or the plugin is one of this process.
        """
        plugin_id = read_manifest(folder).id
        if plugin_id in self._residents:
            raise StartError(f"{plugin_id} is served in the test's process: no bundle takes its place")
        installed = await self._host.install(folder)
        if plugin_id not in self._order:
            self._order.append(plugin_id)
        return installed

    async def remove(self, plugin_id: str) -> None:
        """End a plugin and forget it; what it has stored stays."""
        await self.disable(plugin_id)
        self._residents.pop(plugin_id, None)
        if plugin_id in self._order:
            self._order.remove(plugin_id)
        if (script := self._scripts.pop(plugin_id, None)) is not None:
            script.drop()
        await self._host.remove(plugin_id)


async def save_config(host: DevHost, plugin_id: str, config: Settings | None) -> None:
    """Store a plugin's settings; None leaves them as they are.

    Raises:
        MisuseError: a value is none that JSON has.
        ApiError: a plugin refuses.
    """
    if config is None:
        return
    try:
        values = ParseDict(dict(config), Struct())
    except ParseError as error:
        raise MisuseError(f"settings must be what JSON can hold: {error}") from error
    await save_plugin_settings(host.world, plugin_id, values)


@asynccontextmanager
async def serving(
    host: DevHost,
    plugin: type[PluginT] | PluginT,
    *,
    manifest: ManifestLike | None = None,
    config: Settings | None = None,
    runtime: RuntimeConfig = TEST_CONFIG,
) -> AsyncIterator[PluginT]:
    """Serve a plugin in this process, on the host's event loop, for as long as the block goes on.

    The plugin is served on its real wire and gets the API of this host. Its log lines are in `host.events`.

    Args:
        host: the host.
        plugin: the plugin, or its class.
        manifest: what it says about itself; default is the plugin.json beside its module, or else an id.
        config: its settings, as an administrator has set them.
        runtime: the runtime's settings.

    Raises:
        LoadError: it cannot be made or does not activate.
    """
    control = Control.of(host)
    started = await control.load(plugin, manifest=manifest, config=config, runtime=runtime)
    plugin_id = control.id_of(started)
    try:
        yield started
    finally:
        await control.remove(plugin_id)
