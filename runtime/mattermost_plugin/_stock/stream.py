"""One stream of a connection, as its users see it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from mattermost_plugin._yamux import SessionEndedError, StreamClosedError, StreamResetError

if TYPE_CHECKING:
    from mattermost_plugin._stock.connection import MuxConnection

__all__ = ["MuxStream", "StreamUser"]

_SEND_PIECE: Final = 64 * 1024
"""Large writes are cut into pieces, so that what waits for credit is no second copy of everything."""

_SMALL: Final = 4 * 1024
"""Pieces that nobody has read are joined up to this size: one of a few bytes takes ten times their room."""

_ANY_SIZE: Final = sys.maxsize


class StreamUser(Protocol):
    """Takes what comes on a stream at once, in callbacks. Must not raise."""

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        ...

    def ended(self, error: Exception | None) -> None:
        """No more bytes come: the peer has closed its direction, or, with an error, the stream is dead."""
        ...


class MuxStream:
    """A stream: bytes in order, in both directions.

    What comes is either pushed to a `StreamUser` or pulled with `read`. Data that nobody has taken holds the peer back
    when it amounts to a window (256 KiB).
    """

    __slots__ = (
        "_buffer",
        "_connection",
        "_drained",
        "_ended",
        "_error",
        "_is_closed",
        "_user",
        "_waiter",
        "stream_id",
    )

    def __init__(self, connection: MuxConnection, stream_id: int) -> None:
        self._connection = connection
        self.stream_id = stream_id
        self._user: StreamUser | None = None
        self._buffer: deque[bytes] = deque()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def is_over(self) -> bool:
        """Whether nothing goes in either direction any more."""
        return self._error is not None or (self._is_closed and self._ended)

    @property
    def bytes_waiting(self) -> int:
        """Memory of what was written and waits for the peer's credit."""
        return self._connection.session.bytes_waiting(self.stream_id)

    def accept(self) -> None:
        """Take a stream that the peer has opened."""
        self._connection.session.accept(self.stream_id)
        self._connection.flush_soon()

    # Receiving

    def push_to(self, user: StreamUser) -> None:
        """Give what has come, and all that will, to a user."""
        self._user = user
        while self._buffer:
            data = self._buffer.popleft()
            self._consume(len(data))
            user.data_received(data)
        if self._ended:
            self._tell_end(self._error)

    async def read(self, limit: int = _ANY_SIZE) -> bytes:
        """The next bytes, as many as there are in one piece; b"" at the end.

        Args:
            limit: take no more than this many; at least 1.

        Raises:
            StreamClosedError: the stream was cut off.
        """
        while not self._buffer:
            self._check()
            if self._ended:
                return b""
            await self._wait_for_data()
        data = self._buffer.popleft()
        if len(data) > limit:
            self._buffer.appendleft(data[limit:])
            data = data[:limit]
        self._consume(len(data))
        return data

    async def read_ready(self) -> bytes:
        """The next bytes, all that are there; b"" at the end.

        Raises:
            StreamClosedError: the stream was cut off.
        """
        data = await self.read()
        if not self._buffer:
            return data
        rest = b"".join(self._buffer)
        self._buffer.clear()
        self._consume(len(rest))
        return data + rest

    async def read_exactly(self, size: int) -> bytes:
        """As many bytes; fewer if the end comes before.

        Raises:
            StreamClosedError: the stream was cut off.
        """
        parts: list[bytes] = []
        while size and (data := await self.read(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    # Sending

    def write(self, data: bytes, *, at_once: bool = False) -> None:
        """Send bytes. On a stream that is dead they are lost, as on a socket.

        Args:
            data: the bytes.
            at_once: have them leave now, and not with others at the end of this turn of the event loop.
        """
        # The session may know already what this stream will be told next.
        with contextlib.suppress(StreamClosedError, SessionEndedError):
            self._connection.session.send(self.stream_id, data)
            if at_once:
                self._connection.flush()
            else:
                self._connection.flush_soon()

    async def send(self, data: bytes) -> None:
        """Send bytes, and return when the peer has given credit for all of them.

        Raises:
            StreamClosedError: the stream was cut off.
        """
        for start in range(0, len(data), _SEND_PIECE):
            self._check()
            piece = data if len(data) <= _SEND_PIECE else data[start : start + _SEND_PIECE]
            try:
                is_on_its_way = self._connection.session.send(self.stream_id, piece)
            except SessionEndedError as error:
                # The connection is about to tell its streams.
                raise StreamClosedError(f"the stream was cut off: {error}") from error
            self._connection.flush_soon()
            if not is_on_its_way:
                await self._wait_drained()
            await self._connection.wait_writable()
        # What waited for credit when the stream was cut off has not left.
        self._check()

    def close(self) -> None:
        """Close this end's direction, after everything that was written."""
        if not self._is_closed and self._error is None:
            self._is_closed = True
            self._connection.close_stream(self)

    def reset(self) -> None:
        """Cut the stream off."""
        if self._error is None:
            self._connection.session.reset(self.stream_id)
            self._connection.flush_soon()
            self.cut_off()
            self._connection.forget_if_over(self)

    # For the connection

    def feed(self, data: bytes) -> None:
        """Bytes have come."""
        if self._user is not None:
            self._consume(len(data))
            self._user.data_received(data)
            return
        buffer = self._buffer
        if buffer and len(buffer[-1]) + len(data) <= _SMALL:
            buffer[-1] += data
        else:
            buffer.append(data)
        self._wake()

    def feed_end(self) -> None:
        """The peer has closed its direction."""
        self._ended = True
        self._tell_end(None)
        self._wake()

    def cut_off(self) -> None:
        """The stream is dead."""
        self.end(StreamResetError(f"stream {self.stream_id} was reset"))

    def end(self, error: Exception) -> None:
        """The stream is dead, for a reason."""
        if self._error is not None:
            return
        self._error = error
        self._ended = True
        self._tell_end(error)
        self._wake()
        self.drained()

    def drained(self) -> None:
        """Everything that was written is on its way."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _tell_end(self, error: Exception | None) -> None:
        # The user is let go of: each has the other, and requests should leave nothing for the garbage collector.
        user, self._user = self._user, None
        if user is not None:
            user.ended(error)

    def _check(self) -> None:
        if self._error is not None:
            raise StreamClosedError(f"the stream was cut off: {self._error}") from self._error

    def _consume(self, size: int) -> None:
        self._connection.session.consume(self.stream_id, size)
        self._connection.flush_soon()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait_for_data(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _wait_drained(self) -> None:
        # Shared: several writers may wait for the same stream.
        if self._drained is None or self._drained.done():
            self._drained = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._drained)
