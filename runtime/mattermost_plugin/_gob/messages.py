"""Messages out of a stream of bytes: each is its length, an unsigned number, and that many bytes."""

from __future__ import annotations

from collections import deque
from typing import Final

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.primitives import uint_bytes

__all__ = ["MessageBuffer", "message"]

_SMALL: Final = 1 << 12
"""Up to this size what arrives in pieces is joined at once: a piece of a few bytes takes ten times their room."""

_LARGE: Final = 1 << 16
"""From this size on a message is joined in one go, without a copy in between."""


def message(body: bytes) -> bytes:
    """A message with this content."""
    head = uint_bytes(len(body))
    return head + body if len(body) < _LARGE else b"".join((head, body))


class MessageBuffer:
    """Cuts what arrives into messages.

    Bytes are joined when a message is complete, small pieces before, so the work is linear however they arrive. A
    length alone takes no memory.

    Args:
        max_message_bytes: Longest message.
    """

    __slots__ = ("_chunks", "_data", "_max", "_pos", "_size", "_waiting", "end", "offset")

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._data = b""
        self._pos = 0
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._size = -1
        self.offset = 0
        """Where in the stream the body of the last message began."""
        self.end = 0
        """How much of the stream was taken."""

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not yet taken."""
        return len(self._data) - self._pos + self._waiting

    @property
    def is_inside_message(self) -> bool:
        """True if the stream may not end here."""
        return self._size >= 0 or self.buffered > 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take what has arrived."""
        if not data:
            return
        chunk = data if type(data) is bytes else bytes(data)
        if self._pos == len(self._data) and not self._chunks:
            self._data, self._pos = chunk, 0
            return
        chunks = self._chunks
        self._waiting += len(chunk)
        if chunks and len(chunks[-1]) + len(chunk) <= _SMALL:
            chunks[-1] += chunk
        else:
            chunks.append(chunk)

    def next(self) -> bytes | None:
        """The body of the next message, None until it is complete.

        Raises:
            Fault: the length is no number, zero, or more than is allowed. Its position is one in the stream.
        """
        data, pos = self._data, self._pos
        if self._size < 0 and pos < len(data):
            # Most often a message is there as a whole.
            size, start = data[pos], pos + 1
            if size >= 248:
                start = pos + 257 - size
                size = int.from_bytes(data[pos + 1 : start], "big")
            end = start + size
            if start < end <= len(data) and size <= self._max and (data[pos] < 128 or data[pos] >= 248):
                self._pos = end
                self.offset = self.end + start - pos
                self.end += end - pos
                return data[start:end]
        return self._next_in_parts()

    def _next_in_parts(self) -> bytes | None:
        size = self._size
        if size < 0:
            size = self._read_size()
            if size < 0:
                return None
        pos = self._pos
        if size <= len(self._data) - pos:
            body = self._data[pos : pos + size]
            self._pos = pos + size
        elif size <= self.buffered:
            body = self._join(size)
        else:
            self._size = size
            return None
        self._size = -1
        self.offset = self.end
        self.end += size
        return body

    def _read_size(self) -> int:
        """The length of the next message, -1 until it is complete."""
        if self._pos == len(self._data):
            if not self._chunks:
                return -1
            self._advance()
        first = self._data[self._pos]
        if first < 128:
            size, length = first, 1
        elif first < 248:
            raise Fault(self.end, "no length of a message")
        else:
            length = 257 - first
            if length > self.buffered:
                return -1
            while length > len(self._data) - self._pos:
                self._advance()
            size = int.from_bytes(self._data[self._pos + 1 : self._pos + length], "big")
        if size == 0:
            raise Fault(self.end, "a message without content")
        if size > self._max:
            raise Fault(self.end, f"a message of {size} bytes", "max_message_bytes")
        self._pos += length
        self.end += length
        return size

    def _advance(self) -> None:
        """Put the next chunk behind what is left of the current one, which is a few bytes."""
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk)
        self._data = self._data[self._pos :] + chunk
        self._pos = 0

    def _join(self, size: int) -> bytes:
        pieces = [self._data[self._pos :]]
        left = size - len(pieces[0])
        while left > 0:
            chunk = self._chunks.popleft()
            self._waiting -= len(chunk)
            if len(chunk) > left:
                pieces.append(chunk[:left])
                self._data, self._pos = chunk, left
                return b"".join(pieces)
            pieces.append(chunk)
            left -= len(chunk)
        self._data, self._pos = b"", 0
        return b"".join(pieces)
