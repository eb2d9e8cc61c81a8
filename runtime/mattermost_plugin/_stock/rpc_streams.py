"""net/rpc on streams of the host's connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from mattermost_plugin._gob import DICTS, SKIP, GobEncodeError, GobError, Registered, Source, Target
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._gob.shapes import readable
from mattermost_plugin._netrpc import (
    EMPTY,
    Call,
    CallRefused,
    ClientConnection,
    ClientEvent,
    NetRPCError,
    ReplyReceived,
    ReplyUnreadable,
    RequestAbandoned,
    RequestReceived,
    RequestRefused,
    RequestUnusable,
    ServerConnection,
    ServerEvent,
    StreamEndedError,
    StreamFailed,
)
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._netrpc.requests import RequestWriter
from mattermost_plugin._stock.stream import MuxStream

__all__ = ["CallRefusedError", "ReplyUnreadableError", "RpcClient", "RpcServer"]

_log = logging.getLogger(__name__)

_MAX_UNTAKEN: Final = 256 << 20
"""Bytes of answers that the host gives no credit for. Hosts read answers all the time."""

_NO_METHOD: Final = "rpc: can't find "
"""A service or one of its methods."""

Done: TypeAlias = Callable[[object, NetRPCError | None], None]


class CallRefusedError(NetRPCError):
    """The other end answered a call with an error; its text is the only argument."""

    @property
    def lacks_method(self) -> bool:
        """Whether that was because it has no such method, in the words of Go's net/rpc."""
        return str(self).startswith(_NO_METHOD)


class ReplyUnreadableError(NetRPCError):
    """The reply to a call is none that is understood. The call has had its effect."""

    def __init__(self, cause: GobError) -> None:
        super().__init__(f"the reply cannot be read: {cause}")


class RpcServer:
    """Takes the calls of one stream.

    Args:
        stream: the stream.
        label: what log lines call it.
        choose: what the body of a method's request becomes; raises NoSuchMethodError.
        handle: called with each request, which it answers with `reply` or `fail`, then or later. Must not raise.
        give_up: called with each call whose request cannot be used or whose reply cannot be sent, and the reason; it
            answers with `reply_failure` or `fail`. Must not raise. Default is an error of the protocol.
        failed: called once with the reason if no more calls can be taken though the other end has not closed the
            stream: what it sent cannot be read, or the stream was cut off. Must not raise.
        registry: what interfaces in replies may hold.
        gob_limits: the bounds of what the host sends.
    """

    def __init__(
        self,
        stream: MuxStream,
        label: str,
        choose: Callable[[str], Target[object]],
        handle: Callable[[RpcServer, Call, object], None],
        *,
        give_up: Callable[[RpcServer, Call, str], None] | None = None,
        failed: Callable[[str], None] | None = None,
        registry: Mapping[str, Registered] | None = None,
        gob_limits: GobLimits | None = None,
    ) -> None:
        self._stream = stream
        self._label = label
        self._handle = handle
        self._give_up = give_up or RpcServer.fail
        self._failed = failed
        self._connection = ServerConnection(choose, registry, gob_limits=gob_limits)
        self._is_closing = False
        stream.push_to(self)

    def reply(self, call: Call, value: object = EMPTY, go_type: GoType = EMPTY_TYPE, source: Source = DICTS) -> None:
        """Answer a call. If the value cannot be sent, that is logged and the call given up."""
        if (reason := self._send(call, value, go_type, source)) is not None:
            self._give_up(self, call, reason)

    def reply_failure(self, call: Call, value: object, go_type: GoType, source: Source) -> None:
        """Answer a call that was given up; with an error if this value cannot be sent either."""
        if (reason := self._send(call, value, go_type, source)) is not None:
            self.fail(call, reason)

    def fail(self, call: Call, text: str) -> None:
        """Answer a call with an error."""
        self._connection.fail(call, text)
        self._write_answer()
        if self._is_closing:
            self._close_after_last()

    def _send(self, call: Call, value: object, go_type: GoType, source: Source) -> str | None:
        """Answer a call. Returns why that cannot be done, if it cannot."""
        try:
            self._connection.reply(call, value, go_type, source)
        except GobEncodeError as error:
            _log.error("%s: the reply to %s cannot be sent: %s", self._label, call.method, error)
            return f"the plugin's reply cannot be sent: {error.reason}"
        # Others would share a later send; one alone would only wait for it.
        self._write_answer(at_once=not self._connection.open_calls)
        if self._is_closing:
            self._close_after_last()
        return None

    def _write_answer(self, *, at_once: bool = False) -> None:
        if self._stream.bytes_waiting > _MAX_UNTAKEN:
            self._fail_stream("the host calls and takes no answers")
            self._stream.reset()
        self._stream.write(self._connection.data_to_send(), at_once=at_once)

    # For the stream

    def data_received(self, data: bytes) -> None:
        """See StreamUser."""
        for event in self._connection.receive(data):
            if type(event) is RequestReceived:
                self._handle(self, event.call, event.body)
            else:
                self._note(event)

    def ended(self, error: Exception | None) -> None:
        """See StreamUser."""
        is_whole = self._connection.end()
        if error is not None:
            self._fail_stream(f"{error}")
        elif not is_whole:
            self._fail_stream("the host has ended its calls in the midst of one")
        # An end that makes no more calls may still wait for answers.
        self._is_closing = True
        self._close_after_last()

    def _close_after_last(self) -> None:
        if not self._connection.open_calls:
            self._stream.close()

    def _note(self, event: ServerEvent) -> None:
        """Something is not as it should be."""
        if isinstance(event, RequestUnusable):
            _log.error("%s: %s cannot be used: %s", self._label, event.call.method, event.reason)
            self._give_up(self, event.call, f"the plugin cannot use the request: {event.reason}")
        elif isinstance(event, RequestRefused):
            # The name is in the reason, and it is whatever the host has sent.
            _log.warning("%s: a call was refused: %s", self._label, readable(event.reason))
            self._write_answer()
        elif isinstance(event, RequestAbandoned):
            method = readable(event.call.method)
            _log.warning("%s: the host could not encode the arguments of %s", self._label, method)
        elif isinstance(event, StreamFailed):
            self._fail_stream(f"{event.error}")
            self._stream.reset()

    def _fail_stream(self, reason: str) -> None:
        failed, self._failed = self._failed, None
        if failed is not None:
            failed(f"the stream of {self._label}: {reason}")


class RpcClient:
    """Makes calls on one stream.

    Args:
        stream: the stream.
        registry: what interfaces in requests may hold.
        gob_limits: the bounds of what the host sends.
        greeting: what must come before the first reply.
        requests: writes the requests; default is a writer for this stream alone.
        lost: called once with the reason if no more calls can be made, unless `close` ended them. Must not raise.
    """

    def __init__(
        self,
        stream: MuxStream,
        registry: Mapping[str, Registered] | None = None,
        gob_limits: GobLimits | None = None,
        greeting: bytes = b"",
        requests: RequestWriter | None = None,
        lost: Callable[[StreamEndedError], None] | None = None,
    ) -> None:
        self._stream = stream
        self._lost = lost
        self._greeting = greeting
        self._connection = ClientConnection(registry, gob_limits, requests)
        self._waiting: dict[int, Done] = {}
        self._loop = asyncio.get_running_loop()
        self._failure: StreamEndedError | None = None
        stream.push_to(self)

    async def call(
        self, method: str, value: object, go_type: GoType, target: Target[object] = SKIP, source: Source = DICTS
    ) -> object:
        """Make a call and wait for its reply.

        Args:
            method: service and method, such as "Plugin.GetUser".
            value: its argument.
            go_type: the argument's type.
            target: what the reply becomes.
            source: how the argument's fields are got.

        Raises:
            GobEncodeError: the argument cannot be sent, and nothing was.
            CallRefusedError: the other end answered with an error.
            ReplyUnreadableError: the reply fits no target.
            StreamEndedError: the stream has ended, before the call or under it.
        """
        future: asyncio.Future[object] = self._loop.create_future()
        seq = self.begin(method, value, go_type, partial(_settle, future), target, source)
        try:
            return await future
        finally:
            # Cancelled: whoever answers later answers nobody.
            self.forget(seq)

    def begin(
        self,
        method: str,
        value: object,
        go_type: GoType,
        done: Done,
        target: Target[object] = SKIP,
        source: Source = DICTS,
    ) -> int:
        """Make a call whose outcome is told to a function, in the turn of the loop in which it comes.

        Args:
            method: as for `call`, and so are those that are not named here.
            done: is told the reply, or None and what `call` would raise. Must not raise.

        Returns:
            The number of the call.

        Raises:
            GobEncodeError: the argument cannot be sent, and nothing was.
            StreamEndedError: the stream has ended.
        """
        if self._failure is not None:
            # Without the frames of the time before, or they would add up.
            raise self._failure.with_traceback(None)
        seq = self._connection.call(method, value, go_type, target, source)
        self._stream.write(self._connection.data_to_send(), at_once=not self._waiting)
        self._waiting[seq] = done
        return seq

    def forget(self, seq: int) -> None:
        """Nobody waits for this call any more: its outcome is told to nobody."""
        if self._waiting.pop(seq, None) is not None:
            self._connection.forget(seq)

    @property
    def failure(self) -> StreamEndedError | None:
        """Why no call can be made any more; None if calls can be made."""
        return self._failure

    def close(self) -> None:
        """End the stream, after everything that was sent."""
        self._give_up(StreamEndedError("the stream was closed"))
        self._stream.close()

    # For the stream

    def data_received(self, data: bytes) -> None:
        """See StreamUser."""
        if self._greeting:
            data = self._without_greeting(data)
        for event in self._connection.receive(data):
            self._tell(event)

    def ended(self, error: Exception | None) -> None:
        """See StreamUser."""
        failure = StreamEndedError("the other end has closed the stream" if error is None else f"{error}")
        failure.__cause__ = error
        self._fail(failure)
        self._stream.close()

    def _without_greeting(self, data: bytes) -> bytes:
        size = min(len(data), len(self._greeting))
        if data[:size] != self._greeting[:size]:
            self._fail(StreamEndedError("the other end does not know the stream"))
            self._stream.reset()
            return b""
        self._greeting = self._greeting[size:]
        return data[size:]

    def _tell(self, event: ClientEvent) -> None:
        if isinstance(event, StreamFailed):
            _log.error("calls to the host end: %s", event.error)
            self._fail(event.error)
            self._stream.reset()
            return
        done = self._waiting.pop(event.seq, None)
        if done is None:
            return
        if type(event) is ReplyReceived:
            done(event.body, None)
        elif isinstance(event, CallRefused):
            done(None, CallRefusedError(event.text))
        elif isinstance(event, ReplyUnreadable):
            done(None, ReplyUnreadableError(event.error))

    def _fail(self, failure: StreamEndedError) -> None:
        if self._failure is not None:
            return
        self._give_up(failure)
        if self._lost is not None:
            self._lost(failure)

    def _give_up(self, failure: StreamEndedError) -> None:
        if self._failure is not None:
            return
        self._failure = failure
        self._connection.end()
        waiting, self._waiting = self._waiting, {}
        for done in waiting.values():
            done(None, failure)


def _settle(future: asyncio.Future[object], reply: object, error: NetRPCError | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(reply)
    else:
        future.set_exception(error)
