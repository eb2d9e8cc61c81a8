"""Requests as bytes."""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_plugin._gob import DICTS, Encoder, Item, Registered, Source
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._netrpc.headers import HeaderWriter
from mattermost_plugin._netrpc.messages import REQUEST_SOURCE, REQUEST_TYPE, Call

__all__ = ["RequestWriter", "shared_requests"]


class RequestWriter:
    """Writes the requests of one stream; or of many, see `shared_requests`.

    Args:
        registry: what interfaces in requests may hold.
        types: what is defined at the start of the stream; others are when they are first needed.
    """

    def __init__(self, registry: Mapping[str, Registered] | None = None, types: tuple[GoType, ...] = ()) -> None:
        self._encoder = Encoder(registry)
        self._headers = HeaderWriter()
        self.start = self._encoder.define(*types)
        """What the stream begins with."""

    def request(self, method: str, seq: int, value: object, go_type: GoType, source: Source = DICTS) -> bytes:
        """The bytes of a request.

        Raises:
            GobEncodeError: the value cannot be sent. Nothing has changed.
        """
        header = self._headers.header(method, seq)
        if header is not None:
            return header + self._encoder.encode(value, go_type, source)
        items = Item(Call(method, seq), REQUEST_TYPE, REQUEST_SOURCE), Item(value, go_type, source)
        data = self._encoder.encode_all(items)
        self._headers.learn(method, self._encoder.encode(Call(method, 1), REQUEST_TYPE, REQUEST_SOURCE))
        return data


def shared_requests(*types: GoType) -> RequestWriter:
    """Writes the requests of streams that all begin alike: streams for a few calls, where definitions cost the most.

    Args:
        types: the types of all arguments. None may hold an interface, whose types would be defined on one stream only.
    """
    return RequestWriter(types=(REQUEST_TYPE, *types))
