"""net/rpc, the calls of Go's net/rpc on gob streams. Bytes in, events and bytes out.

`ServerConnection` and `ClientConnection` are the ends of one stream. Each direction is one gob stream; a message is a
header and a body, never with another message in between. Any number of calls may be under way, and replies come in
any order. Nothing here does I/O or knows the time: what drives an end feeds it the peer's bytes and writes what
`data_to_send` returns, in that order, for types are defined once in each direction.
"""

from mattermost_plugin._netrpc.client import ClientConnection
from mattermost_plugin._netrpc.errors import NetRPCError, NoSuchMethodError, StreamEndedError
from mattermost_plugin._netrpc.events import (
    CallRefused,
    ClientEvent,
    ReplyReceived,
    ReplyUnreadable,
    RequestAbandoned,
    RequestReceived,
    RequestRefused,
    RequestUnusable,
    ServerEvent,
    StreamFailed,
)
from mattermost_plugin._netrpc.limits import Limits
from mattermost_plugin._netrpc.messages import EMPTY, Call
from mattermost_plugin._netrpc.server import ServerConnection, no_such_method

__all__ = [
    "EMPTY",
    "Call",
    "CallRefused",
    "ClientConnection",
    "ClientEvent",
    "Limits",
    "NetRPCError",
    "NoSuchMethodError",
    "ReplyReceived",
    "ReplyUnreadable",
    "RequestAbandoned",
    "RequestReceived",
    "RequestRefused",
    "RequestUnusable",
    "ServerConnection",
    "ServerEvent",
    "StreamEndedError",
    "StreamFailed",
    "no_such_method",
]
