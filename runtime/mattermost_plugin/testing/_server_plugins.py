"""The part of the server under test that has plugins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

from google.protobuf.message import Message

from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost.app.commands import register_command
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.testing._control import save_config
from mattermost_plugin.testing._core import START_TIMEOUT_S
from mattermost_plugin.testing._kv import KeyValues
from mattermost_plugin.testing._manifest import ManifestLike, Script
from mattermost_plugin.testing._plugin import PluginRef, TestPlugin
from mattermost_plugin.testing._resident import TEST_CONFIG
from mattermost_plugin.testing._server_waiting import ServerWithWaiting
from mattermost_plugin.testing.errors import LoadError, MisuseError
from mattermost_pluginapi.v1.command_pb2 import Command

__all__ = ["ServerWithPlugins"]

__tracebackhide__ = True  # pytest shows the line of the test

PluginT = TypeVar("PluginT", bound=Plugin)
ResponseT = TypeVar("ResponseT", bound=Message)
T = TypeVar("T")


class ServerWithPlugins(ServerWithWaiting):
    """Loads plugins and ends them, and sets them up."""

    @overload
    def load(
        self,
        plugin: type[PluginT] | PluginT,
        *,
        config: Mapping[str, object] | None = None,
        manifest: ManifestLike | None = None,
        runtime: RuntimeConfig = TEST_CONFIG,
    ) -> PluginT: ...
    @overload
    def load(
        self,
        plugin: str | Path,
        *,
        config: Mapping[str, object] | None = None,
        manifest: ManifestLike | None = None,
        runtime: RuntimeConfig = TEST_CONFIG,
    ) -> Plugin: ...
    def load(
        self,
        plugin: type[PluginT] | PluginT | str | Path,
        *,
        config: Mapping[str, object] | None = None,
        manifest: ManifestLike | None = None,
        runtime: RuntimeConfig = TEST_CONFIG,
    ) -> PluginT | Plugin:
        """Load a plugin into this process: serve it on its real wire, and activate it.

        Args:
            plugin: the plugin's class, an object of it, or the folder with its plugin.json.
            config: the plugin's settings, as an administrator has set them; keys that are not there have the manifest's
                defaults.
            manifest: what it says about itself, as a message or as the fields of plugin.json. Default is the
                plugin.json beside the class's module; without one it gets an id that is made of the class's name.
            runtime: the runtime's settings, such as `hook_timeout_s`.

        Returns:
            The plugin's object, the very one that handles hooks.

        Raises:
            LoadError: it cannot be made or does not activate. `__cause__` is the plugin's own exception.
        """
        name = getattr(plugin, "__name__", str(plugin) if isinstance(plugin, str | Path) else type(plugin).__name__)
        what = f"load({name})"
        self._check_usable(what)
        if isinstance(plugin, str | Path):
            # On the caller's thread, as a plugin's process imports on its main thread: not on the loop.
            script = Script(Path(plugin))
            return self._begin(
                what, lambda: self._control.load_script(script, manifest=manifest, config=config, runtime=runtime)
            )
        return self._begin(what, lambda: self._control.load(plugin, manifest=manifest, config=config, runtime=runtime))

    def launch(self, folder: str | Path, *, config: Mapping[str, object] | None = None) -> TestPlugin:
        """Start the plugin in a folder as a process of its own, as a server does.

        Args:
            folder: the folder with its plugin.json.
            config: the plugin's settings, as an administrator has set them.

        Raises:
            LoadError: it does not start. The text has the end of its log.
        """
        started = self._begin(f"launch({folder})", lambda: self._control.launch(Path(folder), config=config))
        return TestPlugin(self, started)

    def _begin(self, what: str, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def begin() -> T:
            mark = self._watch.mark
            try:
                return await start()
            except LoadError:
                # The exception tells what the plugin has logged about it.
                self._watch.forget_since(mark)
                raise

        return self._act(what, lambda _: begin(), at_least_s=START_TIMEOUT_S)

    # Which one

    @property
    def plugins(self) -> dict[str, TestPlugin]:
        """The loaded plugins by id, in the order in which they came."""
        return {plugin_id: TestPlugin(self, plugin_id) for plugin_id in self._control.loaded}

    @property
    def plugin(self) -> TestPlugin:
        """The loaded plugin.

        Raises:
            MisuseError: there is none, or more than one.
        """
        return TestPlugin(self, self._only_plugin("plugin"))

    def find_plugin(self, plugin: PluginRef) -> TestPlugin:
        """The handle of a plugin.

        Raises:
            MisuseError: it is not loaded.
        """
        return TestPlugin(self, self._id(plugin))

    def _id(self, plugin: PluginRef) -> str:
        if isinstance(plugin, Plugin):
            return self._control.id_of(plugin)
        plugin_id = self._only_plugin("this") if plugin is None else plugin if isinstance(plugin, str) else plugin.id
        if plugin_id not in self._control.loaded:
            raise MisuseError(f"no plugin {plugin_id!r} is loaded, but {', '.join(self._control.loaded) or 'none'}")
        return plugin_id

    # Life

    @overload
    def restart(self, plugin: PluginT) -> PluginT: ...
    @overload
    def restart(self, plugin: TestPlugin | str | None = None) -> TestPlugin: ...
    def restart(self, plugin: PluginT | TestPlugin | str | None = None) -> PluginT | TestPlugin:
        """End a plugin and start it anew, with what it has stored. A plugin in this process gets a new object.

        Args:
            plugin: the plugin; None for the only one.

        Returns:
            The new object if an object was given, and else the handle.

        Raises:
            LoadError: it does not start.
        """
        plugin_id = self._id(plugin)
        self._begin(f"restart({plugin_id})", lambda: self._control.restart(plugin_id))
        if isinstance(plugin, Plugin):
            resident = self._control.resident(plugin_id)
            if resident is not None and isinstance(resident.plugin, type(plugin)):
                return resident.plugin
        return TestPlugin(self, plugin_id)

    def disable(self, plugin: PluginRef = None) -> None:
        """Deactivate a plugin and end it, as an administrator does; None for the only one."""
        plugin_id = self._id(plugin)
        self._act(f"disable({plugin_id})", lambda _: self._control.disable(plugin_id), at_least_s=START_TIMEOUT_S)

    def enable(self, plugin: PluginRef = None) -> None:
        """Start a plugin that was disabled or has ended; None for the only one.

        Raises:
            LoadError: it does not start.
        """
        plugin_id = self._id(plugin)
        self._begin(f"enable({plugin_id})", lambda: self._control.enable(plugin_id))

    def unload(self, plugin: PluginRef = None) -> None:
        """End a plugin and forget it; None for the only one. What it has stored stays."""
        plugin_id = self._id(plugin)
        self._act(f"unload({plugin_id})", lambda _: self._control.remove(plugin_id), at_least_s=START_TIMEOUT_S)

    # Setting up

    @property
    def kv(self) -> KeyValues:
        """The keys and values of the only plugin."""
        return self.plugin.kv

    def set_plugin_config(self, config: Mapping[str, object], plugin: PluginRef = None) -> None:
        """Replace a plugin's settings, as an administrator does. The plugins get OnConfigurationChange.

        Args:
            config: the settings; keys that are not there have the manifest's defaults.
            plugin: the plugin; None for the only one.

        Raises:
            RejectedByPlugin: a plugin does not allow it.
        """
        plugin_id = self._id(plugin)
        self._act(f"set_plugin_config({plugin_id})", lambda host: save_config(host, plugin_id, config))

    def configure(self, section: str, **settings: object) -> None:
        """Change settings of the server, such as `configure("ServiceSettings", SiteURL="https://example.com")`.

        Raises:
            RejectedByPlugin: a plugin does not allow it.
        """
        self._act(f"configure({section})", lambda host: host.act.configure(section, **settings))

    def register_command(self, trigger: str, plugin: PluginRef = None) -> None:
        """Declare a slash command for a plugin, as its own `register_command` does.

        Args:
            trigger: the command without its slash.
            plugin: the plugin; None for the only one.
        """
        plugin_id = self._id(plugin)
        self._call(
            f"register_command({trigger})",
            lambda host: register_command(host.plugin(plugin_id), Command(trigger=trigger, auto_complete=True)),
        )

    def call_hook(self, request: Message, response: type[ResponseT], plugin: PluginRef = None) -> ResponseT:
        """Call a hook of a plugin directly: one that nothing here causes.

        Args:
            request: its arguments (of `mattermost_plugin.testing.messages`); their class says which hook.
            response: the class of its answer.
            plugin: the plugin; None for the only one.
        """
        plugin_id = self._id(plugin)
        name = type(request).__name__.removesuffix("Request")
        answer = self._act(f"call_hook({name})", lambda host: host.hook(plugin_id, request))
        if not isinstance(answer, response):
            raise MisuseError(f"{name} answers {type(answer).__name__}, not {response.__name__}")
        return answer
