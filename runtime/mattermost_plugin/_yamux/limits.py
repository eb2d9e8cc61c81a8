"""The bounds on what a peer may make this end hold, and on how long things may take."""

from typing import NamedTuple

__all__ = ["INITIAL_WINDOW", "Limits"]

INITIAL_WINDOW = 256 * 1024
"""Bytes that each end may send on a new stream before it gets more credit. The protocol knows no other value."""


class Limits(NamedTuple):
    """Bounds. The defaults are those of the Go implementation: no host meets one that it does not have itself."""

    backlog: int = 256
    """Streams that one end has opened and the other has not accepted."""
    streams: int = 8192
    """Streams that live at once. Each may hold a window of unread data: hosts use a few for each running hook."""
    accept_timeout_s: float = 75.0
    """How long an opened stream may stay without being accepted; the session ends then."""
    close_timeout_s: float = 300.0
    """How long a stream that this end has closed waits for the peer to close it, too; it is reset then."""
