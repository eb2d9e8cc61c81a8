"""What lies between the clients of the plugin API and the protocol that carries their calls.

A host's protocol brings one of each: a way for coroutines, and a way for threads. Both send a request once and tell
what came of it; deadlines of tries, repetition and errors are decided above. A protocol that has no blocking way of
its own hands a thread's call over to the event loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

PLUGIN_STOPPED: Final = "PLUGIN_STOPPED"
"""Stands where a status would: this side has closed the connection."""

STOPPED_TEXT: Final = "the plugin has stopped"
"""Its text."""


@dataclass(frozen=True, slots=True)
class CallFailed:
    """No reply came. A value and no exception: those that are raised and kept hold their frames, and what was sent."""

    code: str
    """Name of the gRPC status that fits, or PLUGIN_STOPPED."""
    details: str
    """Its text."""
    was_sent: bool = True
    """False if the request certainly did not reach the server."""


class CoroutineWire(Protocol):
    """Sends requests for coroutines on the plugin's event loop."""

    async def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """Send a request, once, and return what came of it.

        Args:
            method: what is called.
            request: its arguments.
            timeout_s: seconds until the call is given up; the server is told.
            request_id: id under which the server logs what the call belongs to; "" for none.

        Raises:
            asyncio.CancelledError: the task was cancelled; so is the call.
        """
        ...

    async def close(self) -> None:
        """End calls that wait, and refuse later ones."""
        ...


class ThreadWire(Protocol):
    """Sends requests for threads, which it blocks until the reply is there."""

    def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """Send a request, once, and return what came of it. Arguments as above."""
        ...

    def close(self) -> None:
        """End calls that wait, and refuse later ones. Does not block."""
        ...
