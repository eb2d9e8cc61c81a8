"""Numbers of fields whose distance from the one before is no single byte, or which do not exist."""

from __future__ import annotations

from typing import Final

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.primitives import long_uint

__all__ = ["SHORT_FIELDS", "WIDE", "long_delta"]

SHORT_FIELDS: Final = 127
"""Fields of a struct up to which the first byte of a longer distance, 128 at least, is no number of a field."""

_FAR: Final = 1 << 20
"""Larger than any number of a field."""

WIDE: Final = tuple(range(128)) + tuple(range(_FAR + 128, _FAR + 256))
"""For structs of more fields: such a first byte taken beyond all numbers."""


def long_delta(buf: bytes, pos: int, number: int, count: int) -> tuple[int, int]:
    """Called where no field has the number to which the last byte has led.

    Args:
        buf: The buffer.
        pos: Behind the first byte of the distance.
        number: Number of the field before, plus that byte.
        count: How many fields there are.

    Returns:
        The number of the next field and the position behind the distance; the number is -1 at the end of the struct.

    Raises:
        Fault: there is no such field.
    """
    first = buf[pos - 1]
    before = number - first
    if before > _FAR // 2:
        before -= _FAR
    delta, end = (first, pos) if first < 128 else long_uint(buf, pos, first)
    if delta == 0:
        return -1, end
    if before + delta >= count:
        raise Fault(pos - 1, f"field {before + delta} of a struct of {count} fields")
    return before + delta, end
