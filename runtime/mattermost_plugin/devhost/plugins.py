"""The plugins that the host knows, and their states."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from google.protobuf.message import Message

from mattermost_pluginapi.v1.command_pb2 import Command
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequestInit, ServeHTTPResponse
from mattermost_pluginapi.v1.plugin_pb2 import Manifest, PluginStatus

__all__ = ["InstalledPlugin", "PluginLink", "PluginRegistry", "PluginState"]


class PluginState(IntEnum):
    """States of a plugin, with the server's numbers."""

    NOT_RUNNING = 0
    STARTING = 1
    RUNNING = 2
    FAILED_TO_START = 3
    FAILED_TO_STAY_RUNNING = 4
    STOPPING = 5


class PluginLink(Protocol):
    """The connection to a plugin that runs."""

    async def call(self, hook: str, request: Message) -> Message:
        """Call a hook.

        Raises:
            HookFailedError: there is no answer.
        """
        ...

    def serve_http(
        self, init: ServeHTTPRequestInit, body: AsyncIterable[bytes]
    ) -> AsyncGenerator[ServeHTTPResponse, None]:
        """Have the plugin answer an HTTP request, both piece by piece; closing the generator ends the call.

        Args:
            init: the request without its body.
            body: its body; BodyCutError says that the client broke off.

        Raises:
            HookFailedError: there is no answer, or it breaks off.
        """
        ...


@dataclass(slots=True)
class InstalledPlugin:
    """A plugin and how it is."""

    manifest: Manifest
    """What it says about itself."""
    folder: Path
    """Where it is unpacked."""
    api_target: str = ""
    """Where it reaches the API."""
    state: PluginState = PluginState.NOT_RUNNING
    """How it is."""
    error: str = ""
    """Why it does not run; "" if nothing is wrong."""
    handshake: str = ""
    """The line with which it said last where it listens; "" if it never did."""
    exit_code: int | None = None
    """With which code its process ended last, negative for a signal; None while it runs or if it has none."""
    link: PluginLink | None = None
    """How its hooks are called; None if it does not run."""
    hooks: frozenset[str] = frozenset()
    """Hooks that it has."""
    commands: dict[tuple[str, str], Command] = field(default_factory=dict)
    """Slash commands that it has declared, by team ("" for all) and trigger."""

    @property
    def plugin_id(self) -> str:
        """Its id."""
        return self.manifest.id

    @property
    def status(self) -> PluginStatus:
        """Its state as the API tells it."""
        return PluginStatus(
            plugin_id=self.plugin_id,
            plugin_path=str(self.folder),
            state=self.state,
            name=self.manifest.name,
            description=self.manifest.description,
            version=self.manifest.version,
            error=self.error,
        )


class PluginRegistry:
    """All plugins, in the order in which they came: that of hook rounds. (A server has no fixed order.)"""

    def __init__(self) -> None:
        self._plugins: dict[str, InstalledPlugin] = {}

    def __iter__(self) -> Iterator[InstalledPlugin]:
        return iter(tuple(self._plugins.values()))

    def add(self, plugin: InstalledPlugin) -> InstalledPlugin:
        """Add a plugin, or replace the one of its id at its place."""
        self._plugins[plugin.plugin_id] = plugin
        return plugin

    def remove(self, plugin_id: str) -> None:
        """Forget a plugin."""
        self._plugins.pop(plugin_id, None)

    def get(self, plugin_id: str) -> InstalledPlugin | None:
        """The plugin of an id."""
        return self._plugins.get(plugin_id)

    def running(self) -> list[InstalledPlugin]:
        """The plugins that run."""
        return [plugin for plugin in self if plugin.state is PluginState.RUNNING and plugin.link is not None]

    def with_hook(self, hook: str) -> list[InstalledPlugin]:
        """The running plugins that have a hook."""
        return [plugin for plugin in self.running() if hook in plugin.hooks]
