"""The two ends of a connection."""

import enum

__all__ = ["Role"]


class Role(enum.Enum):
    """Which end this is. The client is the one that connected, for go-plugin the host."""

    CLIENT = 1
    SERVER = 2
