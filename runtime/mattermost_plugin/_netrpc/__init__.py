"""Go's net/rpc over gob, both ends, without input or output: bytes in, events and bytes out.

One end of a stream is a `RpcServer` or a `RpcClient`. Both hold one gob encoder and one gob decoder, for type
definitions are sent once for each stream and direction.
"""

from mattermost_plugin._netrpc.client import Refused, Replied, RpcClient, Unreadable
from mattermost_plugin._netrpc.errors import RpcStreamError
from mattermost_plugin._netrpc.method import RpcMethod, Value
from mattermost_plugin._netrpc.server import Called, RpcServer

__all__ = [
    "Called",
    "Refused",
    "Replied",
    "RpcClient",
    "RpcMethod",
    "RpcServer",
    "RpcStreamError",
    "Unreadable",
    "Value",
]
