"""yamux frames: twelve bytes of header, and for data a payload."""

import enum
import struct
from typing import Final

__all__ = ["HEADER", "HEADER_SIZE", "MAX_LENGTH", "VERSION", "Flag", "FrameType", "GoAwayCode", "header"]

VERSION: Final = 0

HEADER: Final = struct.Struct(">BBHII")
"""Version, type, flags, stream id, length."""

HEADER_SIZE: Final = HEADER.size

MAX_LENGTH: Final = 0xFFFF_FFFF
"""Largest value of a header's last field, and largest stream id."""


class FrameType(enum.IntEnum):
    """What a frame is. The header's length means something else in each."""

    DATA = 0
    """Length: bytes of payload that follow."""
    WINDOW_UPDATE = 1
    """Length: bytes of credit that are added."""
    PING = 2
    """Length: any value, which the answer repeats."""
    GO_AWAY = 3
    """Length: a `GoAwayCode`."""


class Flag(enum.IntFlag):
    """What a frame does to its stream, or for a ping, which of the two it is."""

    SYN = 1
    ACK = 2
    FIN = 4
    RST = 8


class GoAwayCode(enum.IntEnum):
    """Why an end takes no new streams."""

    NORMAL = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2


def header(kind: int, flags: int, stream_id: int, length: int) -> bytes:
    """The header of a frame."""
    return HEADER.pack(VERSION, kind, flags, stream_id, length)
