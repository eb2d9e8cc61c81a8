"""Responses that stream out, for every wire."""

import asyncio
import concurrent.futures
from abc import abstractmethod
from typing import Final, Protocol, TypeAlias

from mattermost_plugin._http_message import HeaderField, ResponseHeaders
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin.errors import ClientDisconnected, HeadersSentError
from mattermost_pluginapi.hooks.streams import ResponseWriter

# What the contract recommends as the largest piece of a body in one message.
CHUNK_SIZE: Final = 64 * 1024

# The server accepts no other status and would answer 500 in its place.
STATUS_RANGE: Final = range(100, 1000)

# Go's server refuses body bytes after these and the host would take that for a broken connection.
_STATUSES_WITHOUT_BODY: Final = frozenset({204, 304})

_HANDLER_ENDED: Final = "the response is over: its handler has ended"

Content: TypeAlias = bytes | str | bytearray | memoryview

ResponseHead: TypeAlias = tuple[int, list[HeaderField]]
"""Status and header fields."""


class ResponseOverError(RuntimeError):
    """A write came after the end of the response, or of its handler. The author must end what still writes."""


class ResponseSink(Protocol):
    """Where a wire's driver takes a response, called on the event loop by one writer at a time."""

    @abstractmethod
    async def send(self, head: ResponseHead | None, chunk: bytes, *, flush: bool, complete: bool) -> None:
        """Send one piece, waiting while the peer is slower. Only the first piece has a head.

        Raises:
            ClientDisconnected: the peer is gone.
        """


class StreamedResponse(ResponseWriter):
    """A response sent piece by piece into a `ResponseSink`, by a handler on the loop or by one in a thread."""

    def __init__(self, sink: ResponseSink, bridge: LoopBridge, disconnected: asyncio.Event) -> None:
        self.headers = self._headers = ResponseHeaders()
        self._sink = sink
        self._bridge = bridge
        self._disconnected = disconnected
        self._sending = asyncio.Lock()
        self._status = 200
        self._header_fixed = False
        self._header_due = True
        self._complete = False
        self._refusal = ""

    @property
    def status(self) -> int:
        """The status that is or will be sent; 200 unless `write_header` chose another."""
        return self._status

    @property
    def header_sent(self) -> bool:
        """Whether status and header fields are fixed."""
        return self._header_fixed

    @property
    def is_complete(self) -> bool:
        """Whether the end of the response was sent."""
        return self._complete

    def write_header(self, status: int, /) -> None:
        """Fix the status and lock the header fields. They travel with the next piece."""
        if status not in STATUS_RANGE:
            raise ValueError(f"an HTTP status is a number from 100 to 999, not {status!r}")
        if self._header_fixed:
            raise HeadersSentError(f"the response's header is already fixed, with status {self._status}")
        self._status = int(status)
        self._fix_header()

    def write(self, data: bytes | str, /) -> None:
        """Send a piece of the body, waiting while the client is slower; text is sent as UTF-8."""
        self._bridge.check_thread("write()", "awrite()")
        self._send_from_thread(_encoded(data), flush=False)

    async def awrite(self, data: bytes | str, /) -> None:
        """The same as `write`, for async handlers."""
        await self._send(_encoded(data), flush=False, complete=False)

    def flush(self) -> None:
        """Ask the server to pass on to the client at once what was written."""
        self._bridge.check_thread("flush()", "aflush()")
        self._send_from_thread(b"", flush=True)

    async def aflush(self) -> None:
        """The same as `flush`, for async handlers."""
        await self._send(b"", flush=True, complete=False)

    async def asend(self, data: Content, /, *, flush: bool = False, complete: bool = False) -> None:
        """Write, flush and end the response with one message in place of up to three."""
        await self._send(_encoded(data), flush=flush, complete=complete)

    async def finish(self) -> bool:
        """End the response of a handler that returned. False: it is not whole and cannot become so any more."""
        if not self._complete:
            try:
                await self._send(b"", flush=False, complete=True)
            except (ClientDisconnected, ResponseOverError):
                return False
        return True

    async def fail(self, status: int, text: str) -> bool:
        """End the response of a handler that failed: with this text, if nothing of the handler's was sent yet.

        Returns:
            False: the response is cut off, and the wire must tell the peer so.
        """
        if self._complete:
            return True
        self._refusal = self._refusal or _HANDLER_ENDED
        if not self._header_due or self._disconnected.is_set():
            return False
        self.headers = self._headers = ResponseHeaders()
        self._headers.add("Content-Type", "text/plain; charset=utf-8")
        self._headers.add("X-Content-Type-Options", "nosniff")
        self._status = status
        self._fix_header()
        try:
            await self._send_piece(text.encode(), flush=False, complete=True)
        except ClientDisconnected:
            return False
        return True

    def _fix_header(self) -> None:
        self._header_fixed = True
        self._headers.lock()

    def _check_writable(self) -> None:
        if self._disconnected.is_set() and not self._complete:
            raise ClientDisconnected("the client has gone")
        if self._refusal:
            raise ResponseOverError(self._refusal)
        if self._complete:
            raise ResponseOverError("the response is complete: nothing can follow")

    def _send_from_thread(self, data: bytes | memoryview, *, flush: bool) -> None:
        try:
            self._bridge.call(self._send, data, flush=flush, complete=False)
        except concurrent.futures.CancelledError:
            self._check_writable()
            raise ResponseOverError(_HANDLER_ENDED) from None

    async def _send(self, data: bytes | memoryview, *, flush: bool, complete: bool) -> None:
        self._check_writable()
        self._fix_header()
        if self._status in _STATUSES_WITHOUT_BODY:
            data = b""
        # Handlers may write from several tasks: a wire takes one message after the other.
        async with self._sending:
            self._check_writable()
            if len(data) > CHUNK_SIZE:
                view = memoryview(data)
                whole_chunks_end = (len(data) - 1) // CHUNK_SIZE * CHUNK_SIZE
                for start in range(0, whole_chunks_end, CHUNK_SIZE):
                    self._check_writable()
                    await self._send_piece(bytes(view[start : start + CHUNK_SIZE]), flush=False, complete=False)
                data = view[whole_chunks_end:]
            self._check_writable()
            if data or flush or complete:
                # bytes() of bytes is the same object.
                await self._send_piece(bytes(data), flush=flush, complete=complete)

    async def _send_piece(self, chunk: bytes, *, flush: bool, complete: bool) -> None:
        head = (self._status, self._headers.fields()) if self._header_due else None
        self._header_due = False
        try:
            await self._sink.send(head, chunk, flush=flush, complete=complete)
        except ClientDisconnected:
            self._disconnected.set()
            raise
        except asyncio.CancelledError:
            # Nobody knows how much of the piece has left, so nothing may follow it.
            self._refusal = self._refusal or "an earlier write was cancelled: the response cannot be continued"
            raise
        self._complete = complete


def _encoded(data: Content) -> bytes | memoryview:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytearray, memoryview)):
        return memoryview(data).cast("B")
    raise TypeError(f"a body is written as bytes or str, not {type(data).__name__}")
