"""The asking end of a net/rpc stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from mattermost_plugin._gob import (
    NEED_DATA,
    SKIP,
    Decoder,
    Encoder,
    GobDataError,
    GobMismatchError,
    Item,
    Limits,
    Registered,
)
from mattermost_plugin._netrpc.errors import RpcStreamError
from mattermost_plugin._netrpc.headers import REQUEST, REQUEST_SOURCE, RESPONSE_TARGET, RequestHeader, ResponseHeader
from mattermost_plugin._netrpc.method import RpcMethod

__all__ = ["Refused", "Replied", "Reply", "RpcClient", "Unreadable"]


class Replied(NamedTuple):
    """A call has its result."""

    seq: int
    result: object


class Refused(NamedTuple):
    """The peer has answered a call with an error."""

    seq: int
    error: str


class Unreadable(NamedTuple):
    """A call was carried out, and its result is not what the method gives."""

    seq: int
    reason: str


Reply: TypeAlias = Replied | Refused | Unreadable


class RpcClient:
    """One stream. Not for several threads at once.

    Args:
        registry: what interfaces may hold, by registered name.
        limits: what the peer may make this end hold.
    """

    def __init__(self, *, registry: Mapping[str, Registered] | None = None, limits: Limits | None = None) -> None:
        self._decoder = Decoder(limits)
        self._encoder = Encoder(registry)
        self._next_seq = 0
        self._waiting: dict[int, RpcMethod] = {}
        self._header: ResponseHeader | None = None
        self._out: list[bytes] = []

    @property
    def waiting(self) -> int:
        """How many calls have no reply."""
        return len(self._waiting)

    def call(self, method: RpcMethod, argument: object) -> int:
        """Call a method; any number may wait for their replies at once.

        Returns:
            The call's number.

        Raises:
            GobEncodeError: the argument cannot be sent. Nothing is sent, and the stream goes on.
        """
        seq = self._next_seq
        value = method.argument
        header = Item(RequestHeader(method.name, seq), REQUEST, REQUEST_SOURCE)
        self._out.append(self._encoder.encode_all([header, Item(argument, value.type, value.source)]))
        self._next_seq = seq + 1
        self._waiting[seq] = method
        return seq

    def data_to_send(self) -> bytes:
        """What has to go to the peer now. It is handed out once."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def receive(self, data: bytes) -> list[Reply]:
        """Take bytes of the peer, cut anywhere.

        Returns:
            The replies that they complete. One to a call that does not wait is dropped.

        Raises:
            RpcStreamError: they are no net/rpc. No reply comes any more.
        """
        self._decoder.feed(data)
        replies: list[Reply] = []
        try:
            while self._read_header() and self._read_body(replies):
                pass
        except GobDataError as error:
            raise RpcStreamError(str(error)) from error
        return replies

    def _read_header(self) -> bool:
        if self._header is not None:
            return True
        try:
            header = self._decoder.next_value(RESPONSE_TARGET)
        except GobMismatchError as error:
            raise RpcStreamError(str(error)) from error
        if header is NEED_DATA:
            return False
        self._header = header
        return True

    def _read_body(self, replies: list[Reply]) -> bool:
        header = self._header
        assert header is not None  # noqa: S101 - `_read_header` said so
        method = self._waiting.get(header.seq)
        target = SKIP if method is None or header.error else method.result.target
        reply: Reply
        try:
            result = self._decoder.next_value(target)
            if result is NEED_DATA:
                return False
            reply = Refused(header.seq, header.error) if header.error else Replied(header.seq, result)
        except GobMismatchError as error:
            reply = Unreadable(header.seq, str(error))
        self._header = None
        if self._waiting.pop(header.seq, None) is not None:
            replies.append(reply)
        return True
