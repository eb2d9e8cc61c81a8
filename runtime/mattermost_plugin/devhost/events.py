"""What can be watched from outside, on one bus: API calls, hook calls, websocket events, mails, log lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from google.protobuf.message import Message

from mattermost_plugin.devhost.disclosure import shown
from mattermost_pluginapi.v1.notification_pb2 import PushNotification
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "ApiCalled",
    "Event",
    "EventBus",
    "HookCalled",
    "LogWritten",
    "MailSent",
    "PluginChanged",
    "PushSent",
    "WebSocketEvent",
]

HISTORY_LIMIT: Final = 10_000
"""How many events the bus remembers: enough for any test, and little beside what the plugins hold."""

HISTORY_BYTES: Final = 64 * 1024 * 1024
"""How much the remembered events may hold together, as far as messages and texts tell."""

_SMALL: Final = 256
"""What an event takes beside its messages and texts, roughly."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    at_ms: int
    """When, by the host's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCalled(Event):
    """A plugin has called an API method and has its answer. Secrets are masked, and long content is cut."""

    plugin_id: str
    """Who called."""
    method: str
    """Name of the method."""
    request: Message
    """The arguments."""
    response: Message
    """The answer; its `error` is set if the call failed."""
    duration_ms: float
    """How long it took, by the machine's clock."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", shown(self.request))
        object.__setattr__(self, "response", shown(self.response))


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCalled(Event):
    """A hook of a plugin was called and has ended. Secrets are masked, and long content is cut."""

    plugin_id: str
    """Whose hook."""
    hook: str
    """Name of the hook."""
    request: Message
    """The arguments."""
    response: Message | None
    """The answer; None if there was none."""
    failure: str
    """Why there was no answer; "" if there was one."""
    duration_ms: float
    """How long it took, by the machine's clock."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", shown(self.request))
        if self.response is not None:
            object.__setattr__(self, "response", shown(self.response))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketEvent(Event):
    """An event for clients."""

    name: str
    """Name of the event, such as "posted"."""
    data: Mapping[str, object]
    """What it carries."""
    broadcast: WebsocketBroadcast
    """Whom it reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSent(Event):
    """A mail that a server would have sent."""

    to: str
    """Address."""
    subject: str
    """Subject."""
    html_body: str
    """Text, as HTML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSent(Event):
    """A push notification that a server would have sent."""

    user_id: str
    """Whom to."""
    notification: PushNotification
    """What."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten(Event):
    """A line of the log: the host's own, a plugin's standard error or one of the Log methods."""

    plugin_id: str
    """Who wrote it; "" for the host."""
    level: str
    """"trace", "debug", "info", "warn" or "error"."""
    message: str
    """The text."""
    pairs: Mapping[str, object] = field(default_factory=dict)
    """The values that were logged with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginChanged(Event):
    """A plugin has come into another state."""

    plugin_id: str
    """Which one."""
    state: str
    """Name of the state."""
    reason: str
    """Why; "" if nothing is wrong."""


EventT = TypeVar("EventT", bound=Event)
Subscriber = Callable[[Event], None]


def _size(event: Event) -> int:
    """How much an event holds, roughly and in bytes."""
    size = _SMALL
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        if isinstance(value, Message):
            size += value.ByteSize()
        elif isinstance(value, str):
            size += len(value)
        elif isinstance(value, Mapping):
            size += sum(len(each) for each in value.values() if isinstance(each, str))
    return size


class EventBus:
    """Passes each event to all subscribers at once, and remembers the latest ones."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._history: deque[tuple[Event, int]] = deque()
        self._bytes = 0

    def publish(self, event: Event) -> None:
        """Tell an event."""
        size = _size(event)
        self._history.append((event, size))
        self._bytes += size
        while len(self._history) > HISTORY_LIMIT or self._bytes > HISTORY_BYTES:
            self._bytes -= self._history.popleft()[1]
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(event)
            except Exception:  # noqa: BLE001 - a subscriber that fails must not fail what it watches
                _log.exception("a subscriber failed")

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have a function called with each event from now on.

        Returns:
            What ends it; a second call does nothing.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(subscriber)

        return unsubscribe

    def history(self, kind: type[EventT]) -> list[EventT]:
        """The remembered events of one kind, oldest first; of `Event`, all."""
        return [event for event, _ in self._history if isinstance(event, kind)]

    def clear(self) -> None:
        """Forget the history."""
        self._history.clear()
        self._bytes = 0

    async def wait_for(self, kind: type[EventT], matches: Callable[[EventT], bool] = lambda _: True) -> EventT:
        """The first event that matches, of those remembered and those to come.

        Args:
            kind: kind of the event.
            matches: tells which one.
        """
        for event in self.history(kind):
            if matches(event):
                return event
        found: asyncio.Future[EventT] = asyncio.get_running_loop().create_future()

        def look(event: Event) -> None:
            if isinstance(event, kind) and not found.done() and matches(event):
                found.set_result(event)

        unsubscribe = self.subscribe(look)
        try:
            return await found
        finally:
            unsubscribe()
