"""The end of a stream that calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mattermost_plugin._gob import (
    DICTS,
    NEED_DATA,
    SKIP,
    Decoder,
    GobError,
    GobMismatchError,
    Registered,
    Source,
    Target,
)
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._netrpc.errors import StreamEndedError
from mattermost_plugin._netrpc.events import CallRefused, ClientEvent, ReplyReceived, ReplyUnreadable, StreamFailed
from mattermost_plugin._netrpc.headers import HeaderReader
from mattermost_plugin._netrpc.messages import RESPONSE_HEADER, Header
from mattermost_plugin._netrpc.requests import RequestWriter

__all__ = ["ClientConnection"]

_MAX_TEXT: Final = 4096
"""Characters of the peer's text of an error that are kept."""


class ClientConnection:
    """Sends requests and takes replies.

    Args:
        registry: what interfaces in requests may hold.
        gob_limits: the bounds of what the peer sends.
        requests: writes the requests; default is a writer for this stream alone.
    """

    def __init__(
        self,
        registry: Mapping[str, Registered] | None = None,
        gob_limits: GobLimits | None = None,
        requests: RequestWriter | None = None,
    ) -> None:
        self._decoder = Decoder(gob_limits)
        self._requests = requests or RequestWriter(registry)
        self._headers: HeaderReader[str] = HeaderReader()
        self._out = [self._requests.start]
        self._next_seq = 0
        self._waiting: dict[int, Target[object]] = {}
        self._header: tuple[int, str] | None = None
        """Number and error of the reply whose body is next."""
        self._failure: StreamEndedError | None = None

    @property
    def open_calls(self) -> int:
        """Calls that have no reply yet and were not forgotten."""
        return len(self._waiting)

    def call(
        self, method: str, value: object, go_type: GoType, target: Target[object] = SKIP, source: Source = DICTS
    ) -> int:
        """Make a call.

        Args:
            method: service and method, such as "Plugin.GetUser".
            value: its argument.
            go_type: the argument's type.
            target: what the reply becomes.
            source: how the argument's fields are got.

        Returns:
            The number that its reply has.

        Raises:
            GobEncodeError: the value cannot be sent; the stream goes on as if nothing had been.
            StreamEndedError: the stream has ended.
        """
        if self._failure is not None:
            raise self._failure
        seq = self._next_seq
        self._out.append(self._requests.request(method, seq, value, go_type, source))
        self._next_seq = seq + 1
        self._waiting[seq] = target
        return seq

    def forget(self, seq: int) -> None:
        """Nobody waits for this reply any more: it is dropped when it comes."""
        self._waiting.pop(seq, None)

    def receive(self, data: bytes) -> list[ClientEvent]:
        """Take bytes of the peer."""
        events: list[ClientEvent] = []
        if self._failure is not None:
            return events
        self._decoder.feed(data)
        try:
            while self._take_next(events):
                pass
        except GobError as error:
            self._failure = StreamEndedError(f"the replies cannot be read: {error}")
            self._failure.__cause__ = error
            events.append(StreamFailed(self._failure))
        return events

    def end(self) -> None:
        """The stream has ended: no call can be made any more."""
        self._failure = self._failure or StreamEndedError("the stream has ended")

    def data_to_send(self) -> bytes:
        """What must be written now."""
        out = self._out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def _take_next(self, events: list[ClientEvent]) -> bool:
        """Take one reply; False if it is not there as a whole."""
        header = self._header
        if header is None:
            header = self._header = self._next_header()
            if header is None:
                return False
        seq, error = header
        # The body of an error stands for nothing, and a reply that nobody waits for is dropped.
        target = SKIP if error else self._waiting.get(seq, SKIP)
        try:
            body = self._decoder.next_value(target)
        except GobMismatchError as mismatch:
            self._header = None
            if self._waiting.pop(seq, None) is not None:
                events.append(ReplyUnreadable(seq, mismatch))
            return True
        if body is NEED_DATA:
            return False
        self._header = None
        if self._waiting.pop(seq, None) is not None:
            events.append(CallRefused(seq, error[:_MAX_TEXT]) if error else ReplyReceived(seq, body))
        return True

    def _next_header(self) -> tuple[int, str] | None:
        message = self._decoder.next_message()
        known = None if message is None else self._headers.read(message)
        if known is not None:
            self._decoder.drop_message()
            return known[1], ""
        header = self._decoder.next_value(RESPONSE_HEADER)
        if header is NEED_DATA:
            return None
        seq, error = _checked(header)
        if message is not None and not error and isinstance(header.method, str):
            self._headers.learn(message, header.method, seq, "")
        return seq, error


def _checked(header: Header) -> tuple[int, str]:
    seq, error = header.seq, header.error
    if type(seq) is not int or seq < 0 or type(error) is not str:
        raise GobMismatchError("a header with a number or an error that is none")
    return seq, error
