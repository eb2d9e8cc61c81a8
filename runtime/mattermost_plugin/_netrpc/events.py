"""What the peer did, in the order in which it did it."""

from __future__ import annotations

from typing import NamedTuple

from mattermost_plugin._gob import GobError
from mattermost_plugin._netrpc.errors import StreamEndedError
from mattermost_plugin._netrpc.messages import Call

__all__ = [
    "CallRefused",
    "ClientEvent",
    "ReplyReceived",
    "ReplyUnreadable",
    "RequestAbandoned",
    "RequestReceived",
    "RequestRefused",
    "RequestUnusable",
    "ServerEvent",
    "StreamFailed",
]


class RequestReceived(NamedTuple):
    """A request: answer it with `reply` or `fail`."""

    call: Call
    body: object
    """What its target made of it."""


class RequestRefused(NamedTuple):
    """A request that has been answered with an error: its method is unknown."""

    call: Call
    reason: str


class RequestUnusable(NamedTuple):
    """A request of a known method whose body does not fit, or that is one too many: answer it, as any other."""

    call: Call
    reason: str


class RequestAbandoned(NamedTuple):
    """A header without a body: the peer could not encode the body, and reported so to its own caller."""

    call: Call


class ReplyReceived(NamedTuple):
    """A call has its reply."""

    seq: int
    body: object
    """What its target made of it."""


class CallRefused(NamedTuple):
    """The peer answered a call with an error."""

    seq: int
    text: str


class ReplyUnreadable(NamedTuple):
    """The reply to a call does not fit its target."""

    seq: int
    error: GobError


class StreamFailed(NamedTuple):
    """What came cannot be understood, and nothing after it: close the stream. Nothing comes after this."""

    error: StreamEndedError


ServerEvent = RequestReceived | RequestUnusable | RequestRefused | RequestAbandoned | StreamFailed
ClientEvent = ReplyReceived | CallRefused | ReplyUnreadable | StreamFailed
