"""What the parts of the host share: state, time, events, plugins and their hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from google.protobuf.message import Message

from mattermost_plugin.devhost.clock import Clock
from mattermost_plugin.devhost.events import EventBus, LogWritten, WebSocketEvent
from mattermost_plugin.devhost.hook_rounds import HookRounds
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.plugins import InstalledPlugin, PluginRegistry
from mattermost_plugin.devhost.store import Store
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["INSTALL_DATE", "ApiGate", "PluginControl", "Triggers", "World"]

TRIGGER_MS: Final = 30_000
"""How long what a user has done lets a plugin open dialogs, by a server's default."""

INSTALL_DATE: Final = "install_date"
"""Name of the setting that says when the state came to be."""


class PluginControl(Protocol):
    """Starts and ends plugins."""

    async def enable(self, plugin_id: str) -> None:
        """Start an installed plugin."""
        ...

    async def disable(self, plugin_id: str) -> None:
        """End a plugin."""
        ...

    async def remove(self, plugin_id: str) -> None:
        """End a plugin and forget it; its files stay."""
        ...

    async def install(self, folder: Path) -> InstalledPlugin:
        """Take in a plugin without starting it; one of its id that runs gives way to it."""
        ...


class ApiGate(Protocol):
    """Stands between the plugins and the API, for faults that a test wants."""

    async def __call__(
        self, plugin_id: str, method: str, request: Message, answer: Callable[[], Awaitable[Message]]
    ) -> Message:
        """Answer a call.

        Args:
            plugin_id: who calls.
            method: name of the method.
            request: its arguments.
            answer: gives the API's own answer, and does what the method does.

        Raises:
            ApiError: what the plugin gets as answer.
            NoAnswerError: it gets none.
        """
        ...


class Triggers:
    """The trigger ids that users' doings have been given, each good for dialogs for a while.

    Args:
        clock: the host's time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, int]] = {}

    def issue(self, user_id: str) -> str:
        """A new id for what a user has just done."""
        now = self._clock.now_ms()
        self._issued = {each: issued for each, issued in self._issued.items() if issued[1] > now}
        trigger_id = new_id()
        self._issued[trigger_id] = (user_id, now + TRIGGER_MS)
        return trigger_id

    def user_of(self, trigger_id: str) -> str | None:
        """The user of an id; None if there is no such id or it has expired."""
        user_id, expires_at = self._issued.get(trigger_id, ("", 0))
        return user_id if expires_at > self._clock.now_ms() else None


_NO_DATA: Final[Mapping[str, object]] = MappingProxyType({})


class World:
    """The host's parts.

    Args:
        store: the state.
        clock: the time.
        events: told everything that can be watched.
    """

    def __init__(self, store: Store, clock: Clock, events: EventBus) -> None:
        self.store = store
        store.settings.first(INSTALL_DATE, str(clock.now_ms()).encode())
        self.clock = clock
        self.events = events
        self.plugins = PluginRegistry()
        self.hooks = HookRounds(self.plugins, events, clock)
        self.triggers = Triggers(clock)
        self.control: PluginControl | None = None
        self.connections: dict[str, set[str]] = {}
        """Ids of the websocket connections that are open, by user."""
        self.installs_under_way: set[str] = set()
        """Ids of plugins that are being installed, each by one caller."""
        self.uploads_under_way: set[str] = set()
        """Ids of uploads that take in a piece, which one caller at a time may bring."""
        self.saving_config = asyncio.Lock()
        """Held while the configuration is read, shown to plugins and stored: two changes at once would be one."""
        self.gate: ApiGate | None = None

    def now_ms(self) -> int:
        """The time."""
        return self.clock.now_ms()

    def broadcast(
        self, name: str, data: Mapping[str, object] = _NO_DATA, broadcast: WebsocketBroadcast | None = None
    ) -> None:
        """Send an event to clients.

        Args:
            name: its name.
            data: what it carries.
            broadcast: whom it reaches; None for all.
        """
        self.events.publish(
            WebSocketEvent(at_ms=self.now_ms(), name=name, data=dict(data), broadcast=broadcast or WebsocketBroadcast())
        )

    def log(self, level: str, message: str, plugin_id: str = "", pairs: Mapping[str, object] = _NO_DATA) -> None:
        """Write a line to the log.

        Args:
            level: "trace", "debug", "info", "warn" or "error".
            message: the text.
            plugin_id: whose line; "" for the host's own.
            pairs: values that belong to it.
        """
        self.events.publish(
            LogWritten(at_ms=self.now_ms(), plugin_id=plugin_id, level=level, message=message, pairs=dict(pairs))
        )
