"""Numbers, texts and bytes, as gob writes them.

An unsigned number below 128 is one byte. Any other is a byte 256 - n, then n bytes, most significant first. A signed
one is doubled, or, if negative, inverted, doubled and incremented. A float is the unsigned number that its eight bytes
give in reverse, so that the zeros of short fractions fall away.

The functions for long forms get the first byte, which the caller has read. Compiled code has the short forms in line
and calls these for the rest. They check that the bytes are there; after a short form it is the read that follows which
fails.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from mattermost_plugin._gob.errors import Fault

if TYPE_CHECKING:
    from mattermost_plugin._gob.state import ReadState

__all__ = [
    "HEADS",
    "SMALL_FLOATS",
    "SMALL_INTS",
    "SMALL_UINTS",
    "cut_short",
    "float_bytes",
    "int_bytes",
    "long_count",
    "long_float",
    "long_size",
    "long_uint",
    "read_int",
    "read_uint",
    "skip_long",
    "uint_bytes",
]

MAX_UINT: Final = 2**64 - 1
MIN_INT: Final = -(2**63)
MAX_INT: Final = 2**63 - 1

_FIRST_LONG: Final = 248
"""First byte of a number of eight bytes; bytes from 128 up to it begin nothing."""

_DOUBLE: Final = struct.Struct("<d")
_ZEROS: Final = tuple(bytes(8 - n) for n in range(9))
HEADS: Final = (b"", *(bytes((256 - n,)) for n in range(1, 9)))
"""First bytes of numbers of several bytes, by how many follow."""

SMALL_UINTS: Final = tuple(bytes((u,)) for u in range(128))
"""Encodings of the unsigned numbers of one byte."""

SMALL_INTS: Final = {(~(u >> 1) if u & 1 else u >> 1): SMALL_UINTS[u] for u in range(128)}
"""Encodings of the signed numbers of one byte."""

SMALL_FLOATS: Final[tuple[float, ...]] = tuple(_DOUBLE.unpack(bytes(7) + SMALL_UINTS[u])[0] for u in range(128))
"""Floats by their encoding, for those of one byte."""


def cut_short(buf: bytes) -> Fault:
    """The fault of a message that ends inside a value."""
    return Fault(len(buf), "the message ends inside a value")


def skip_long(buf: bytes, pos: int, first: int) -> int:
    """Where a number of several bytes ends."""
    if first < _FIRST_LONG:
        raise Fault(pos - 1, "a number of more than 64 bits")
    end = pos + 256 - first
    if end > len(buf):
        raise cut_short(buf)
    return end


def long_uint(buf: bytes, pos: int, first: int) -> tuple[int, int]:
    """The rest of an unsigned number, and where it ends."""
    end = skip_long(buf, pos, first)
    return int.from_bytes(buf[pos:end], "big"), end


def read_uint(buf: bytes, pos: int) -> tuple[int, int]:
    """An unsigned number and where it ends.

    Raises:
        Fault: it is malformed.
        IndexError: nothing is left.
    """
    first = buf[pos]
    return (first, pos + 1) if first < 128 else long_uint(buf, pos + 1, first)


def read_int(buf: bytes, pos: int) -> tuple[int, int]:
    """A signed number and where it ends; raises as `read_uint` does."""
    u, pos = read_uint(buf, pos)
    return (~(u >> 1) if u & 1 else u >> 1), pos


def long_float(buf: bytes, pos: int, first: int) -> tuple[float, int]:
    """The rest of a float, and where it ends."""
    end = skip_long(buf, pos, first)
    value: float = _DOUBLE.unpack(_ZEROS[end - pos] + buf[pos:end])[0]
    return value, end


def long_size(buf: bytes, pos: int, first: int, st: ReadState) -> tuple[int, int]:
    """The rest of the length of a string, checked, and where the string begins."""
    size, start = long_uint(buf, pos, first)
    if size > len(buf) - start:
        raise Fault(pos - 1, f"a text of {size} bytes where the message has {len(buf) - start}")
    if size > st.limits.max_string_bytes:
        raise Fault(pos - 1, f"a text of {size} bytes", "max_string_bytes")
    return size, start


def long_count(buf: bytes, pos: int, first: int) -> tuple[int, int]:
    """The rest of a number of elements, of which each takes a byte at least, and where the first one begins."""
    count, start = long_uint(buf, pos, first)
    if count > len(buf) - start:
        raise Fault(pos - 1, f"{count} elements where the message has {len(buf) - start} bytes")
    return count, start


def uint_bytes(value: int) -> bytes:
    """The encoding of an unsigned number.

    Raises:
        ValueError: it has no 64 bits.
    """
    if 0 <= value < 128:
        return SMALL_UINTS[value]
    if not 0 <= value <= MAX_UINT:
        raise ValueError(f"{value} is no unsigned number of 64 bits")
    size = (value.bit_length() + 7) >> 3
    return HEADS[size] + value.to_bytes(size, "big")


def int_bytes(value: int) -> bytes:
    """The encoding of a signed number.

    Raises:
        ValueError: it has no 64 bits.
    """
    if not MIN_INT <= value <= MAX_INT:
        raise ValueError(f"{value} is no signed number of 64 bits")
    return uint_bytes(value << 1 if value >= 0 else (~value << 1) | 1)


def float_bytes(value: float) -> bytes:
    """The encoding of a float.

    Raises:
        TypeError: it is no number.
    """
    try:
        raw = _DOUBLE.pack(value).lstrip(b"\0")
    except struct.error:
        raise TypeError(f"a {type(value).__name__} for a float") from None
    if len(raw) > 1 or raw > b"\x7f":
        return HEADS[len(raw)] + raw
    return raw or b"\0"
