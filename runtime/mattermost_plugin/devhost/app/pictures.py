"""Pictures of users and teams."""

import struct
import zlib
from hashlib import sha256
from typing import Final

__all__ = ["is_picture", "plain_picture"]

_PICTURE_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def is_picture(content: bytes) -> bool:
    """Whether bytes begin like a picture; the host cannot read more of one."""
    return content.startswith(_PICTURE_STARTS)


def plain_picture(name: str, size: int = 32) -> bytes:
    """A PNG of one colour that depends on a name."""
    row = b"\0" + sha256(name.encode()).digest()[:3] * size

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return _PICTURE_STARTS[0] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * size)) + chunk(b"IEND", b"")
