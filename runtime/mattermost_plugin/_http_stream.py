"""Requests whose bodies stream in, for every wire. Responses are in _http_response.

A wire gives a `ChunkSource`. Nothing is taken from it until the handler asks, so a handler that reads slowly
slows its client down and memory stays flat.
"""

import asyncio
import concurrent.futures
import sys
import threading
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final, NamedTuple, Protocol

from mattermost_plugin._http_message import RequestHeaders, parse_target
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin.errors import RequestAborted
from mattermost_pluginapi.hooks.streams import HTTPRequest, RequestBody
from mattermost_pluginapi.models import PluginContext

USER_ID_HEADER: Final = "Mattermost-User-Id"


class ChunkSource(Protocol):
    """Where a wire's driver delivers a body, called on the event loop by one reader at a time."""

    @property
    @abstractmethod
    def at_end(self) -> bool:
        """Whether the body is complete and all of it was handed out."""

    @abstractmethod
    async def next_chunk(self) -> bytes:
        """Wait for the next chunk; b"" at the end, and only there.

        A cancelled call loses nothing: the next call gets the chunk.

        Raises:
            RequestAborted: the body broke off.
        """


class StreamedBody(RequestBody):
    """A body read from a `ChunkSource`, by a handler on the loop or by one in a thread."""

    def __init__(self, source: ChunkSource, bridge: LoopBridge) -> None:
        self._source = source
        self._bridge = bridge
        self._chunk = b""
        self._position = 0
        self._busy = threading.Lock()

    @property
    def is_exhausted(self) -> bool:
        """Whether all of the body has been read, known without waiting for more."""
        return not self._chunk and self._source.at_end

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, waiting for the first of them; a negative size reads to the end."""
        self._bridge.check_thread("read()", "aread()")
        self._reserve()
        try:
            if self._chunk and size >= 0:
                return self._take(size)
            return self._bridge.call(self._read, size)
        except concurrent.futures.CancelledError:
            raise RequestAborted("the request is over: its handler has ended") from None
        finally:
            self._busy.release()

    async def aread(self, size: int = -1, /) -> bytes:
        """The same as `read`, for async handlers."""
        self._reserve()
        try:
            return await self._read(size)
        finally:
            self._busy.release()

    def __iter__(self) -> Iterator[bytes]:
        self._bridge.check_thread("iteration", "async for")
        return iter(self._read_chunk, b"")

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _ChunkIterator(self)

    def _read_chunk(self) -> bytes:
        return self.read(sys.maxsize)

    def _reserve(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("the body is being read by another task or thread")

    async def _read(self, size: int) -> bytes:
        if size == 0:
            return b""
        if size < 0:
            return await self._read_rest()
        if not self._chunk:
            self._chunk = await self._source.next_chunk()
        return self._take(size)

    async def _read_rest(self) -> bytes:
        chunks = [self._take(sys.maxsize)]
        try:
            while chunk := await self._source.next_chunk():
                chunks.append(chunk)
        except asyncio.CancelledError:
            self._chunk = b"".join(chunks)
            raise
        return b"".join(chunks)

    def _take(self, size: int) -> bytes:
        chunk, start = self._chunk, self._position
        if len(chunk) - start > size:
            self._position = start + size
            return chunk[start : start + size]
        self._chunk, self._position = b"", 0
        return chunk[start:] if start else chunk


class _ChunkIterator(AsyncIterator[bytes]):
    """Plain object in place of an async generator: nothing to close when a handler leaves the loop early."""

    def __init__(self, body: StreamedBody) -> None:
        self._body = body

    async def __anext__(self) -> bytes:
        chunk = await self._body.aread(sys.maxsize)
        if not chunk:
            raise StopAsyncIteration
        return chunk


class RequestHead(NamedTuple):
    """All of a request but its body, as a wire delivers it."""

    method: str
    url: str
    proto: str
    proto_major: int
    proto_minor: int
    headers: Iterable[tuple[str, Iterable[str]]]
    host: str
    remote_addr: str
    request_uri: str
    content_length: int
    """-1: unknown."""


class StreamedRequest(HTTPRequest):
    """A request whose body is still arriving."""

    def __init__(
        self, head: RequestHead, context: PluginContext, body: StreamedBody, disconnected: asyncio.Event
    ) -> None:
        self.context = context
        self.method = head.method
        self.url = head.url
        self.raw_path, self.path, self.query_string = parse_target(head.url)
        self.proto = head.proto
        self.proto_major = head.proto_major
        self.proto_minor = head.proto_minor
        self.headers = RequestHeaders(head.headers)
        self.host = head.host
        self.remote_addr = head.remote_addr
        self.request_uri = head.request_uri
        self.content_length = head.content_length if head.content_length >= 0 else None
        self.body = body
        self._disconnected = disconnected

    def __repr__(self) -> str:
        # Without the URL: it may carry a token.
        return f"<{type(self).__name__} {self.method}>"

    @property
    def user_id(self) -> str:
        """Id of the authenticated user; "" for a request without a session."""
        return self.headers.get(USER_ID_HEADER, "")

    @property
    def is_disconnected(self) -> bool:
        """Whether the client has gone: nobody will read the response."""
        return self._disconnected.is_set()

    async def wait_disconnected(self) -> None:
        """Return when the client has gone."""
        await self._disconnected.wait()
