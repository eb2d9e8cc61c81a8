"""Content that travels in a stream of its own, pulled by credits.

Who wants the content sends numbers, signed and in groups of seven bits; who has it copies as many bytes for each, and
closes the stream when the content ends while it serves one.
"""

from __future__ import annotations

import asyncio
from typing import Final

from mattermost_plugin._http_stream import ChunkSource
from mattermost_plugin._stock.broker import MuxBroker, number_bytes
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import StreamClosedError, YamuxError
from mattermost_plugin.errors import RequestAborted

__all__ = ["StreamedContent", "serve_content", "varint"]

_EVERYTHING: Final = 1 << 62
"""One credit for all there is: the stream's window bounds what is under way."""

_MAX_VARINT_BYTES: Final = 10
_COPY_BYTES: Final = 256 * 1024


def varint(number: int) -> bytes:
    """A signed number as Go's binary.PutVarint writes it."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


class StreamedContent(ChunkSource):
    """Content that the host has.

    Nothing is asked for before the first chunk is: asking makes the host read from its client, and tell a client that
    waits for it to go on.

    Args:
        broker: reaches the stream.
        number: the stream's number; 0 if there is no content.
        expected: number of bytes, if it is known. Fewer mean that the content broke off.

    Raises:
        YamuxError: the connection is over.
    """

    def __init__(self, broker: MuxBroker, number: int, expected: int | None = None) -> None:
        self._stream = broker.begin_dial(number) if number else None
        self._greeting = number_bytes(number)
        self._left = expected
        self._is_asked_for = False
        self._is_complete = not number

    @property
    def at_end(self) -> bool:
        """See ChunkSource."""
        return self._is_complete

    async def next_chunk(self) -> bytes:
        """See ChunkSource."""
        stream = self._stream
        if self._is_complete or stream is None:
            return b""
        if not self._is_asked_for:
            self._is_asked_for = True
            stream.write(varint(_EVERYTHING))
        try:
            # Piece by piece, so that a handler that gives up waiting loses none.
            while self._greeting:
                self._greet(await stream.read(len(self._greeting)))
            # All at once: a handler in a thread waits for each chunk.
            chunk = await stream.read_ready()
        except YamuxError as error:
            raise RequestAborted(f"the content broke off: {error}") from error
        self._count(chunk)
        return chunk

    def close(self) -> None:
        """Read no more."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        if self._is_complete or not self._is_asked_for:
            stream.close()
        else:
            # The host may wait for room in the window, which would never come.
            stream.reset()

    def _greet(self, data: bytes) -> None:
        if not data or not self._greeting.startswith(data):
            raise RequestAborted("the host does not offer the content")
        self._greeting = self._greeting[len(data) :]

    def _count(self, chunk: bytes) -> None:
        if self._left is not None:
            self._left -= len(chunk)
        if not chunk:
            if self._left is not None and self._left > 0:
                raise RequestAborted("the client stopped before the content was complete")
            self._is_complete = True
        elif self._left == 0:
            self._is_complete = True


async def serve_content(stream: MuxStream, content: bytes) -> None:
    """Let the host take content that is in memory, and close the stream at its end or when the host wants no more.

    If this is cancelled, the stream is reset, so that nobody takes what has left for the whole content.
    """
    view, start, number, shift = memoryview(content), 0, 0, 0
    try:
        while asked := await stream.read():
            for byte in asked:
                number |= (byte & 0x7F) << shift
                shift += 7
                if byte & 0x80:
                    if shift >= 7 * _MAX_VARINT_BYTES:
                        return
                    continue
                credit, number, shift = (number >> 1) ^ -(number & 1), 0, 0
                end = start + max(credit, 0)
                while start < min(end, len(view)):
                    piece = view[start : min(end, len(view), start + _COPY_BYTES)]
                    await stream.send(bytes(piece))
                    start += len(piece)
                if end > len(view):
                    return
    except StreamClosedError:
        # The host has what it wants.
        return
    except asyncio.CancelledError:
        stream.reset()
        raise
    finally:
        stream.close()
