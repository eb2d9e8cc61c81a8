"""What goes wrong in a session."""

__all__ = [
    "PeerError",
    "ProtocolViolation",
    "SessionEndedError",
    "StreamClosedError",
    "StreamIdsUsedUpError",
    "StreamLimitError",
    "StreamResetError",
    "YamuxError",
]


class YamuxError(Exception):
    """Base of all errors here."""


class PeerError(YamuxError):
    """The peer broke the protocol. The session is over; what is left to send is the go-away that tells the peer.

    Args:
        reason: what it did.
        offset: where in the bytes of the connection, counted from 0, the frame begins.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason}, in the frame at byte {offset} of the connection")
        self.reason = reason
        self.offset = offset


class SessionEndedError(YamuxError):
    """The session is over, or the peer takes no new streams."""


class StreamClosedError(YamuxError):
    """There is no such stream (any more), or this end has closed its direction."""


class StreamResetError(StreamClosedError):
    """The stream was cut off."""


class StreamIdsUsedUpError(YamuxError):
    """This end has opened as many streams as a session can have; only a new session helps."""


class StreamLimitError(YamuxError):
    """More streams wait for the peer than it holds."""


class ProtocolViolation(Exception):  # noqa: N818 - what it is; never leaves the package
    """The peer broke the protocol: what a `PeerError` is made of."""
