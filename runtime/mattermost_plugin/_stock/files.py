"""Uploads that stream through a handler: the content comes in one stream, what replaces it goes out in another."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Iterator

from mattermost_plugin._dispatch import StreamedOutput
from mattermost_plugin._http_stream import StreamedBody
from mattermost_plugin._stock.io_reader import StreamedContent
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin._yamux import YamuxError
from mattermost_plugin.errors import RequestAborted
from mattermost_pluginapi.hooks.streams import UploadedFile

__all__ = ["StreamedReplacement", "StreamedUpload"]


class StreamedUpload(UploadedFile):
    """An upload's content, while it arrives."""

    def __init__(self, content: StreamedContent, bridge: LoopBridge) -> None:
        self._body = StreamedBody(content, bridge)

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, waiting for the first of them; a negative size reads to the end."""
        return self._body.read(size)

    async def aread(self, size: int = -1, /) -> bytes:
        """The same as `read`, for async handlers."""
        return await self._body.aread(size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


class StreamedReplacement(StreamedOutput):
    """Sends what is stored in place of an upload's content, as it is written.

    Args:
        dialling: gives the stream.
        bridge: lets threads write.
    """

    def __init__(self, dialling: asyncio.Task[MuxStream], bridge: LoopBridge) -> None:
        self.has_content = False
        self._dialling = dialling
        self._bridge = bridge
        self._sending = asyncio.Lock()
        self._is_over = False

    def write(self, data: bytes, /) -> int:
        """Append `data` and return its length, waiting while the host is slower."""
        self._bridge.check_thread("write()", "awrite()")
        try:
            return self._bridge.call(self.awrite, data)
        except concurrent.futures.CancelledError:
            raise RequestAborted("the upload is over: its handler has ended") from None

    async def awrite(self, data: bytes, /) -> int:
        """The same as `write`, for async handlers."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"a file's content is written as bytes, not {type(data).__name__}")
        content = bytes(data)
        if content:
            async with self._sending:
                await self._send(content)
        return len(content)

    async def close(self) -> None:
        """End the content. The host waits for that even if nothing was written."""
        self._is_over = True
        try:
            (await self._dialling).close()
        except YamuxError:
            # The host has given the stream up, and goes on without.
            return

    def _check(self) -> None:
        if self._is_over:
            raise RequestAborted("the upload is over: its handler has ended")

    async def _send(self, content: bytes) -> None:
        self._check()
        try:
            stream = await asyncio.shield(self._dialling)
            # It may have ended meanwhile, and the answer may say that nothing was written.
            self._check()
            self.has_content = True
            await stream.send(content)
        except YamuxError as error:
            raise RequestAborted(f"the host does not take the new content: {error}") from error
