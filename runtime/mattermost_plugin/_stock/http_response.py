"""Responses that leave through the host's response writer, a stream on which the plugin makes calls.

The host runs each call in a task of its own, so one must be answered before the next is made: header fields, status,
each piece of the body. What a handler writes meanwhile is gathered and leaves in one call. The header fields that the
server has set itself are asked for while the handler works, for a header that is sent replaces all of them.

The host's writer belongs to the request: no call may be under way on it when the hook is answered.
"""

from __future__ import annotations

import asyncio
from typing import Final

from mattermost_plugin._gob import PLAIN, GobEncodeError
from mattermost_plugin._gob.go_types import BYTES, INT, STRING, GoMap, GoSlice
from mattermost_plugin._http_message import HeaderField
from mattermost_plugin._http_response import ResponseHead, ResponseSink
from mattermost_plugin._netrpc import EMPTY, NetRPCError
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._stock.broker import MuxBroker, number_bytes
from mattermost_plugin._stock.rpc_streams import RpcClient
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin.errors import ClientDisconnected

__all__ = ["HEADER_TYPE", "HostResponse", "canonical_name"]

HEADER_TYPE: Final = GoMap(STRING, GoSlice(STRING), "Header")

_OK: Final = 200

_HELD_BYTES: Final = 256 * 1024
"""What is gathered before a handler has to wait."""

_WRITE_BYTES: Final = 240 * 1024
"""Largest piece in one call: with what is around it, it fits into the stream's window."""

_FAILURES: Final = (NetRPCError, GobEncodeError)


class HostResponse(ResponseSink):
    """A response that the host's response writer takes.

    Args:
        broker: reaches the response writer's stream.
        number: the stream's number.

    Raises:
        YamuxError: the connection is over.
    """

    def __init__(self, broker: MuxBroker, number: int) -> None:
        self._writer = _Writer(broker.begin_dial(number), number_bytes(number))
        self._head: ResponseHead | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._flush_wanted = False
        self._pump: asyncio.Task[None] | None = None
        self._progress = asyncio.Event()
        self._failure = ""

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
        if self._pump is None:
            self._pump = asyncio.create_task(self._send_all())
        while self._is_sending and (flush or complete or self._held > _HELD_BYTES):
            self._progress.clear()
            await self._progress.wait()
        self._check()

    @property
    def _is_sending(self) -> bool:
        return self._pump is not None

    async def cut_off(self) -> bool:
        """Break the connection to the client, so that it does not take what it got for a whole response.

        Returns:
            False: the host cannot do that.
        """
        await self._settle()
        try:
            await self._writer.preset()
            await self._writer.client.call("Plugin.HijackResponse", EMPTY, EMPTY_TYPE)
            await self._writer.client.call("Plugin.HjConnClose", EMPTY, EMPTY_TYPE)
        except _FAILURES:
            return False
        return True

    async def close(self) -> None:
        """Wait for what is under way, send nothing more, and give the stream up."""
        await self._settle()
        try:
            await self._writer.preset()
        except _FAILURES:
            return
        self._writer.client.close()

    async def _settle(self) -> None:
        self._pieces.clear()
        self._flush_wanted = False
        self._failure = self._failure or "the response is over"
        if self._pump is not None:
            await asyncio.wait((self._pump,))

    def _check(self) -> None:
        if self._failure:
            raise ClientDisconnected(self._failure)

    async def _send_all(self) -> None:
        try:
            while self._head is not None or self._pieces or self._flush_wanted:
                await self._send_next()
                self._progress.set()
        except _FAILURES as error:
            # Most often the host's words for a client that has gone.
            self._failure = self._failure or f"the response cannot be sent: {error}"
        finally:
            self._pump = None
            self._progress.set()

    async def _send_next(self) -> None:
        writer = self._writer
        if self._head is not None:
            head, self._head = self._head, None
            await writer.send_head(*head)
        if self._pieces:
            await writer.client.call("Plugin.Write", self._next_write(), BYTES)
        elif self._flush_wanted:
            self._flush_wanted = False
            await writer.client.call("Plugin.Flush", EMPTY, EMPTY_TYPE)

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


class _Writer:
    """The host's response writer."""

    def __init__(self, stream: MuxStream, greeting: bytes) -> None:
        self.client = RpcClient(stream, greeting=greeting)
        self._asking = asyncio.create_task(self.client.call("Plugin.Header", EMPTY, EMPTY_TYPE, PLAIN))

    async def preset(self) -> dict[str, list[str]]:
        """The header fields that the server has set.

        Wait for it before any other call and before the end: the host reads its header for the answer, and a Go
        process dies when a map is read while something else changes it.
        """
        preset = await asyncio.shield(self._asking)
        return preset if isinstance(preset, dict) else {}

    async def send_head(self, status: int, fields: list[HeaderField]) -> None:
        """Send status and header fields."""
        header = await self.preset()
        if fields:
            # A field takes the place of the server's, as it does when a Go plugin sets it.
            header.update((canonical_name(field.name), field.values) for field in fields)
            await self.client.call("Plugin.SyncHeader", header, HEADER_TYPE)
        if status != _OK:
            # What is written first says 200, and so does the end of the request.
            await self.client.call("Plugin.WriteHeader", status, INT)


def canonical_name(name: str) -> str:
    """A field's name as Go's http.Header has it; it would not find others."""
    return "-".join([part[:1].upper() + part[1:].lower() for part in name.split("-")])
