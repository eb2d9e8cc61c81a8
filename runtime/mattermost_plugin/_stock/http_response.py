"""Responses that leave through the host's response writer, a stream on which the plugin makes calls.

The host runs each call in a task of its own, so one must be answered before the next is made: header fields, status,
each piece of the body. What a handler writes meanwhile is gathered and leaves in one call. The header fields that the
server has set itself are asked for while the handler works, for a header that is sent replaces all of them.

The host's writer belongs to the request: no call may be under way on it when the hook is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from mattermost_plugin._gob import PLAIN, SKIP, GobEncodeError, Target
from mattermost_plugin._gob.go_types import BYTES, INT, STRING, GoMap, GoSlice, GoType
from mattermost_plugin._http_response import ResponseHead, ResponseSink
from mattermost_plugin._netrpc import EMPTY, NetRPCError
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._netrpc.requests import shared_requests
from mattermost_plugin._stock.broker import MuxBroker, number_bytes
from mattermost_plugin._stock.rpc_streams import RpcClient
from mattermost_plugin.errors import ClientDisconnected

__all__ = ["HEADER_TYPE", "HostResponse", "canonical_name"]

HEADER_TYPE: Final = GoMap(STRING, GoSlice(STRING), "Header")

_REQUESTS: Final = shared_requests(EMPTY_TYPE, HEADER_TYPE)

_OK: Final = 200

_HELD_BYTES: Final = 256 * 1024
"""What is gathered before a handler has to wait."""

_WRITE_BYTES: Final = 240 * 1024
"""Largest piece in one call: with what is around it, it fits into the stream's window."""


class HostResponse(ResponseSink):
    """A response that the host's response writer takes.

    Args:
        broker: reaches the response writer's stream.
        number: the stream's number.

    Raises:
        YamuxError: the connection is over, or no stream can have the number.
    """

    def __init__(self, broker: MuxBroker, number: int) -> None:
        self._client = RpcClient(broker.begin_dial(number), greeting=number_bytes(number), requests=_REQUESTS)
        self._preset: dict[str, list[str]] = {}
        self._head: ResponseHead | None = None
        self._header_due = True
        self._pieces: list[bytes] = []
        self._held = 0
        self._flush_wanted = False
        self._is_calling = False
        self._progress = asyncio.Event()
        self._is_ending = self._is_over = False
        self._then: Callable[[], None] | None = None
        """What `close` was given."""
        self._failure = ""
        # Before any other call: the host reads its header for the answer, and a Go process dies when a map is read
        # while something else changes it.
        self._begin("Plugin.Header", EMPTY, EMPTY_TYPE, self._take_preset, PLAIN)

    async def send(self, head: ResponseHead | None, chunk: bytes, *, flush: bool, complete: bool) -> None:
        """See ResponseSink."""
        self._check()
        if head is not None:
            self._head = head
        if chunk:
            self._pieces.append(chunk)
            self._held += len(chunk)
        # The end of the request is a flush, too.
        self._flush_wanted |= flush and not complete
        self._advance()
        # What ends the response leaves by itself; `close` waits for it.
        while self._is_calling and not complete and (flush or self._held > _HELD_BYTES):
            await self._wait()
        self._check()

    async def cut_off(self) -> bool:
        """Break the connection to the client, so that it does not take what it got for a whole response.

        Returns:
            False: the host cannot do that.
        """
        # In place of what `close` waits for.
        self._is_ending, self._then = False, None
        self._failure = self._failure or "the response is over"
        while self._is_calling:
            await self._wait()
        try:
            await self._client.call("Plugin.HijackResponse", EMPTY, EMPTY_TYPE)
            await self._client.call("Plugin.HjConnClose", EMPTY, EMPTY_TYPE)
        except NetRPCError:
            return False
        return True

    def give_up(self) -> None:
        """Give the stream up at once: there will be no response."""
        self._failure = "there is no response"
        self._is_over = True
        self._client.close()

    async def close(self, then: Callable[[], None] | None = None) -> None:
        """Wait until everything that was sent has been taken, and give the stream up. Does nothing if it was before.

        Args:
            then: called as soon as that is done, in the same turn of the event loop and before this returns.
        """
        if self._is_over:
            return
        self._is_ending, self._then = True, then
        if not self._is_calling:
            self._end()
        while self._is_ending:
            await self._wait()

    def _end(self) -> None:
        then, self._then = self._then, None
        self._is_ending, self._is_over = False, True
        self._client.close()
        if then is not None:
            then()

    async def _wait(self) -> None:
        self._progress.clear()
        await self._progress.wait()

    def _check(self) -> None:
        if self._failure:
            raise ClientDisconnected(self._failure)

    def _advance(self) -> None:
        """Make the next call, if none is under way."""
        if self._is_calling or self._failure:
            return
        if self._head is not None:
            status, fields = self._head
            if fields and self._header_due:
                self._header_due = False
                # A field takes the place of the server's, as it does when a Go plugin sets it.
                self._preset.update((canonical_name(field.name), field.values) for field in fields)
                self._begin("Plugin.SyncHeader", self._preset, HEADER_TYPE, self._called)
                return
            self._head = None
            if status != _OK:
                # What is written first says 200, and so does the end of the request.
                self._begin("Plugin.WriteHeader", status, INT, self._called)
                return
        if self._pieces:
            self._begin("Plugin.Write", self._next_write(), BYTES, self._called)
        elif self._flush_wanted:
            self._flush_wanted = False
            self._begin("Plugin.Flush", EMPTY, EMPTY_TYPE, self._called)

    def _begin(
        self,
        method: str,
        value: object,
        go_type: GoType,
        done: Callable[[object, NetRPCError | None], None],
        target: Target[object] = SKIP,
    ) -> None:
        try:
            self._client.begin(method, value, go_type, done, target)
            self._is_calling = True
        except (NetRPCError, GobEncodeError) as error:
            self._fail(error)

    def _take_preset(self, preset: object, error: NetRPCError | None) -> None:
        if isinstance(preset, dict):
            self._preset = preset
        self._called(None, error)

    def _called(self, _: object, error: NetRPCError | None) -> None:
        self._is_calling = False
        if error is not None:
            self._fail(error)
        self._advance()
        if self._is_ending and not self._is_calling:
            self._end()
        self._progress.set()

    def _fail(self, error: Exception) -> None:
        # Most often the host's words for a client that has gone.
        self._failure = self._failure or f"the response cannot be sent: {error}"

    def _next_write(self) -> bytes:
        size = count = 0
        for piece in self._pieces:
            if size and size + len(piece) > _WRITE_BYTES:
                break
            size += len(piece)
            count += 1
        data = self._pieces[0] if count == 1 else b"".join(self._pieces[:count])
        del self._pieces[:count]
        self._held -= size
        return data


def canonical_name(name: str) -> str:
    """A field's name as Go's http.Header has it; it would not find others."""
    return "-".join([part[:1].upper() + part[1:].lower() for part in name.split("-")])
