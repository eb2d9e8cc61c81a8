"""The end of a stream that is called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NoReturn

from mattermost_plugin._gob import (
    DICTS,
    NEED_DATA,
    SKIP,
    Decoder,
    Encoder,
    GobEncodeError,
    GobError,
    GobMismatchError,
    Item,
    Registered,
    Source,
    Target,
)
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._netrpc.errors import NoSuchMethodError, StreamEndedError
from mattermost_plugin._netrpc.events import (
    RequestAbandoned,
    RequestReceived,
    RequestRefused,
    RequestUnusable,
    ServerEvent,
    StreamFailed,
)
from mattermost_plugin._netrpc.headers import HeaderReader, HeaderWriter
from mattermost_plugin._netrpc.limits import Limits
from mattermost_plugin._netrpc.messages import (
    EMPTY,
    EMPTY_TYPE,
    REQUEST_HEADER,
    RESPONSE_SOURCE,
    RESPONSE_TYPE,
    Call,
    Response,
)

__all__ = ["ServerConnection", "no_such_method"]

_TOO_MANY = "too many calls are under way"


class ServerConnection:
    """Takes requests and gives replies.

    Args:
        choose: says what the body of a method's request becomes. Raises NoSuchMethodError for an unknown one.
        registry: what interfaces in replies may hold.
        limits: the bounds.
        gob_limits: the bounds of what the peer sends.
    """

    def __init__(
        self,
        choose: Callable[[str], Target[object]],
        registry: Mapping[str, Registered] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        gob_limits: GobLimits | None = None,
    ) -> None:
        self._choose = choose
        self._limits = limits
        self._decoder = Decoder(gob_limits)
        self._encoder = Encoder(registry)
        self._out: list[bytes] = []
        self._headers: HeaderReader[tuple[str, Target[object]]] = HeaderReader()
        self._reply_headers = HeaderWriter()
        self._header_type = -1
        """Id of the type of headers."""
        self._call: Call | None = None
        """The call whose body is next."""
        self._target: Target[object] = SKIP
        self._refusal = ""
        """Why the method is not served."""
        self._is_surplus = False
        self._open_calls = 0
        self._failure: StreamEndedError | None = None

    @property
    def open_calls(self) -> int:
        """Requests that are not answered yet."""
        return self._open_calls

    def receive(self, data: bytes) -> list[ServerEvent]:
        """Take bytes of the peer."""
        events: list[ServerEvent] = []
        if self._failure is not None:
            return events
        self._decoder.feed(data)
        try:
            while (event := self._next_event()) is not None:
                events.append(event)
        except GobError as error:
            # A header that fits no header cannot be answered, nor told from a body that was left behind.
            self._failure = StreamEndedError(f"the calls cannot be read: {error}")
            self._failure.__cause__ = error
            events.append(StreamFailed(self._failure))
        return events

    def end(self) -> bool:
        """The peer has closed its direction.

        Returns:
            False: it did so within a message. Of a stream that was given up before, nothing is known.
        """
        if self._failure is not None:
            return True
        self._failure = StreamEndedError("the stream has ended")
        return self._call is None and not self._decoder.is_inside_message

    def reply(self, call: Call, value: object, go_type: GoType, source: Source = DICTS) -> None:
        """Answer a request.

        Raises:
            GobEncodeError: the value cannot be sent. The request still waits for its answer.
        """
        method, seq = call
        header = self._reply_headers.header(method, seq)
        if header is None:
            items = Item(Response(method, seq, ""), RESPONSE_TYPE, RESPONSE_SOURCE), Item(value, go_type, source)
            self._out.append(self._encoder.encode_all(items))
            sample = self._encoder.encode(Response(method, 1, ""), RESPONSE_TYPE, RESPONSE_SOURCE)
            self._reply_headers.learn(method, sample)
        else:
            self._out.append(header + self._encoder.encode(value, go_type, source))
        self._open_calls -= 1

    def fail(self, call: Call, text: str) -> None:
        """Answer a request with an error."""
        self._refuse(call, text)
        self._open_calls -= 1

    def data_to_send(self) -> bytes:
        """What must be written now."""
        out = self._out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def _next_event(self) -> ServerEvent | None:
        call = self._call
        if call is None:
            call = self._next_header()
            if call is None:
                return None
        decoder = self._decoder
        kind = decoder.next_type()
        if kind is None:
            return None
        if kind == self._header_type:
            # Go's encoder keeps the header of a request whose body it could not encode, and sends it with the next.
            self._call = None
            return RequestAbandoned(call)
        try:
            body = decoder.next_value(self._target)
        except GobMismatchError as error:
            self._call = None
            return self._unserved(call, str(error))
        if body is NEED_DATA:
            return None
        self._call = None
        if self._refusal or self._is_surplus:
            return self._unserved(call, _TOO_MANY)
        self._open_calls += 1
        return RequestReceived(call, body)

    def _unserved(self, call: Call, reason: str) -> RequestRefused | RequestUnusable:
        if self._refusal:
            self._refuse(call, self._refusal)
            return RequestRefused(call, self._refusal)
        self._open_calls += 1
        return RequestUnusable(call, reason)

    def _next_header(self) -> Call | None:
        decoder = self._decoder
        message = decoder.next_message()
        known = None if message is None else self._headers.read(message)
        if known is None:
            call = self._read_header(message)
            if call is None:
                return None
        else:
            (method, self._target), seq = known
            self._refusal = ""
            decoder.drop_message()
            call = Call(method, seq)
        self._is_surplus = self._open_calls >= self._limits.open_calls
        if self._is_surplus:
            self._target = SKIP
        self._call = call
        return call

    def _read_header(self, message: bytes | None) -> Call | None:
        decoder = self._decoder
        kind = decoder.next_type()
        header = decoder.next_value(REQUEST_HEADER)
        if header is NEED_DATA or kind is None:
            return None
        self._header_type = kind
        method, seq = header.method, header.seq
        if type(method) is not str or type(seq) is not int or seq < 0:
            _refuse_header()
        self._target, self._refusal = self._route(method)
        if message is not None and not self._refusal:
            self._headers.learn(message, method, seq, (method, self._target))
        # What is too long is not sent back either: callers go by the number.
        return Call(method[: self._limits.method_chars], seq)

    def _route(self, method: str) -> tuple[Target[object], str]:
        longest = self._limits.method_chars
        if len(method) > longest:
            return SKIP, f"rpc: can't find method {method[:longest]}..."
        try:
            return self._choose(method), ""
        except NoSuchMethodError as error:
            return SKIP, str(error)

    def _refuse(self, call: Call, text: str) -> None:
        # An error without a text would be none.
        header = Item(Response(call.method, call.seq, text or "unknown error"), RESPONSE_TYPE, RESPONSE_SOURCE)
        try:
            data = self._encoder.encode_all((header, Item(EMPTY, EMPTY_TYPE)))
        except GobEncodeError:
            header = Item(Response("", call.seq, "unknown error"), RESPONSE_TYPE, RESPONSE_SOURCE)
            data = self._encoder.encode_all((header, Item(EMPTY, EMPTY_TYPE)))
        self._out.append(data)


def no_such_method(method: str, services: Collection[str]) -> NoSuchMethodError:
    """The error for a method that is not served, in the words of Go's net/rpc, which callers look for."""
    service, dot, _ = method.rpartition(".")
    if not dot:
        return NoSuchMethodError(f"rpc: service/method request ill-formed: {method}")
    kind = "method" if service in services else "service"
    return NoSuchMethodError(f"rpc: can't find {kind} {method}")


def _refuse_header() -> NoReturn:
    raise GobMismatchError("a header with a name that is no text or a number that is none")
