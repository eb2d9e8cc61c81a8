"""yamux, many streams over one connection, as go-plugin's net/rpc flavour uses it. Bytes in, events and bytes out.

`Session` is one end. It does no I/O and has no clock: what drives it feeds it the peer's bytes, writes what
`data_to_send` returns, and tells it the time.
"""

from mattermost_plugin._yamux.errors import (
    PeerError,
    SessionEndedError,
    StreamClosedError,
    StreamIdsUsedUpError,
    StreamLimitError,
    StreamResetError,
    YamuxError,
)
from mattermost_plugin._yamux.events import (
    DataReceived,
    Event,
    GoAwayReceived,
    PingAnswered,
    SessionFailed,
    StreamAccepted,
    StreamDrained,
    StreamEnded,
    StreamOpened,
    StreamReset,
)
from mattermost_plugin._yamux.frames import GoAwayCode
from mattermost_plugin._yamux.limits import Limits
from mattermost_plugin._yamux.role import Role
from mattermost_plugin._yamux.session import Session

__all__ = [
    "DataReceived",
    "Event",
    "GoAwayCode",
    "GoAwayReceived",
    "Limits",
    "PeerError",
    "PingAnswered",
    "Role",
    "Session",
    "SessionEndedError",
    "SessionFailed",
    "StreamAccepted",
    "StreamClosedError",
    "StreamDrained",
    "StreamEnded",
    "StreamIdsUsedUpError",
    "StreamLimitError",
    "StreamOpened",
    "StreamReset",
    "StreamResetError",
    "YamuxError",
]
