"""Uploads whose content is in memory already, for wires that send it in one message."""

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Final

from mattermost_pluginapi.hooks.streams import ReplacementFile, UploadedFile

# The same pieces as a streamed body has.
PIECE_SIZE: Final = 64 * 1024


class BufferedUpload(UploadedFile):
    """An upload's content, handed out piece by piece. Reading never waits, so it is allowed anywhere."""

    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes; a negative size reads to the end."""
        if size < 0:
            size = sys.maxsize
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)

    async def aread(self, size: int = -1, /) -> bytes:
        """The same as `read`."""
        return self.read(size)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(PIECE_SIZE):
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := self.read(PIECE_SIZE):
            yield piece


class BufferedReplacement(ReplacementFile):
    """Collects what is stored in place of an upload's content."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, data: bytes, /) -> int:
        """Append `data` and return its length."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"a file's content is written as bytes, not {type(data).__name__}")
        before = len(self._content)
        self._content += data
        return len(self._content) - before

    async def awrite(self, data: bytes, /) -> int:
        """The same as `write`."""
        return self.write(data)

    def content(self) -> bytes:
        """All that was written; b"" if nothing was."""
        return bytes(self._content)
