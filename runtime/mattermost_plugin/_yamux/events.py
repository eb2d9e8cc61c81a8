"""What the peer did, in the order in which it did it."""

from typing import NamedTuple

from mattermost_plugin._yamux.errors import YamuxError

__all__ = [
    "DataReceived",
    "Event",
    "GoAwayReceived",
    "PingAnswered",
    "SessionFailed",
    "StreamAccepted",
    "StreamDrained",
    "StreamEnded",
    "StreamOpened",
    "StreamReset",
]


class StreamOpened(NamedTuple):
    """The peer has opened a stream: `accept` or `reset` it. Data may come before that."""

    stream_id: int


class StreamAccepted(NamedTuple):
    """The peer has accepted a stream that this end opened."""

    stream_id: int


class DataReceived(NamedTuple):
    """Bytes of a stream. Tell `consume` when they are out of memory, or the peer will stop."""

    stream_id: int
    data: bytes


class StreamDrained(NamedTuple):
    """Everything that `send` was given has gone out, after it had to wait for credit."""

    stream_id: int


class StreamEnded(NamedTuple):
    """The peer sends no more on a stream. This end still may."""

    stream_id: int


class StreamReset(NamedTuple):
    """A stream is dead, in both directions.

    `by_peer` is False when this end gave it up, because the peer did not close its direction in time.
    """

    stream_id: int
    by_peer: bool


class PingAnswered(NamedTuple):
    """The peer has answered a ping of this end."""

    value: int


class GoAwayReceived(NamedTuple):
    """The peer takes no new streams; those that are open go on if the code is `GoAwayCode.NORMAL`."""

    code: int


class SessionFailed(NamedTuple):
    """The session is over. Nothing comes after this; `data_to_send` may still hold a go-away."""

    error: YamuxError


Event = (
    StreamOpened
    | StreamAccepted
    | DataReceived
    | StreamDrained
    | StreamEnded
    | StreamReset
    | PingAnswered
    | GoAwayReceived
    | SessionFailed
)
