"""What the events tell about an HTTP request that went by piece by piece."""

import time
from collections.abc import AsyncIterator
from typing import Final

from mattermost_plugin.devhost.events import HookCalled
from mattermost_plugin.devhost.http_exchange import HttpPiece
from mattermost_pluginapi.v1.hooks_http_pb2 import (
    ServeHTTPRequest,
    ServeHTTPRequestInit,
    ServeHTTPResponse,
    ServeHTTPResponseInit,
)

__all__ = ["HttpRecord"]

REMEMBERED_BYTES: Final = 64 * 1024
"""How much of each body an event keeps: enough to be looked at. The body itself may be of any size."""


class HttpRecord:
    """Watches one request and its answer go by.

    Args:
        plugin_id: who answers.
        head: the request without its body.
    """

    def __init__(self, plugin_id: str, head: ServeHTTPRequestInit) -> None:
        self.head = head
        self.failure = ""
        """Why there is no answer, or not all of it; "" if nothing is wrong."""
        self._plugin_id = plugin_id
        self._started = time.perf_counter()
        self._init: ServeHTTPResponseInit | None = None
        self._sent, self._received = bytearray(), bytearray()
        self._sent_all = self._received_all = False

    async def sent(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the request's body on."""
        async for piece in pieces:
            self._sent += piece[: REMEMBERED_BYTES - len(self._sent)]
            yield piece
        self._sent_all = True

    def received(self, first: ServeHTTPResponse, rest: AsyncIterator[ServeHTTPResponse]) -> AsyncIterator[HttpPiece]:
        """Pass the answer's body on.

        Args:
            first: the message with status and header fields.
            rest: all others.
        """
        self._init = first.init
        return self._body(first, rest)

    async def _body(self, first: ServeHTTPResponse, rest: AsyncIterator[ServeHTTPResponse]) -> AsyncIterator[HttpPiece]:
        yield self._pass(first)
        if not first.body_complete:
            async for message in rest:
                yield self._pass(message)
        self._received_all = True

    def _pass(self, message: ServeHTTPResponse) -> HttpPiece:
        self._received += message.body_chunk[: REMEMBERED_BYTES - len(self._received)]
        return HttpPiece(message.body_chunk, message.flush)

    def event(self, at_ms: int) -> HookCalled:
        """The event. `body_complete` says in both messages whether the whole body has gone by, and `body_chunk` is
        its beginning.

        Args:
            at_ms: the time.
        """
        # Without an answer and without a failure, nobody waited for one any more.
        failure = self.failure or ("" if self._init else "the client has gone")
        request = ServeHTTPRequest(init=self.head, body_chunk=bytes(self._sent), body_complete=self._sent_all)
        response = None
        if self._init is not None:
            received = bytes(self._received)
            response = ServeHTTPResponse(init=self._init, body_chunk=received, body_complete=self._received_all)
        return HookCalled(
            at_ms=at_ms,
            plugin_id=self._plugin_id,
            hook="ServeHTTP",
            request=request,
            response=response,
            failure=failure,
            duration_ms=(time.perf_counter() - self._started) * 1000,
        )
