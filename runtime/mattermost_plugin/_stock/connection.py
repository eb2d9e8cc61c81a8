"""A yamux session on an asyncio transport."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import (
    DataReceived,
    Event,
    Limits,
    Role,
    Session,
    SessionEndedError,
    SessionFailed,
    StreamDrained,
    StreamEnded,
    StreamIdsUsedUpError,
    StreamOpened,
    StreamReset,
    YamuxError,
)

__all__ = ["MuxConnection"]

_log = logging.getLogger(__name__)

_MAX_UNSENT: Final = 256 << 20
"""Bytes that the operating system does not take. Data is bounded by the host's credit; answers to pings, and to streams
that are refused, are not."""


class MuxConnection(asyncio.Protocol):
    """Many streams over one connection.

    Whatever is written in one turn of the event loop leaves in one send: the transport gets it when the turn ends. What
    answers received bytes leaves with them taken, in the same turn.

    Args:
        role: which end of the connection this is.
        stream_opened: called with each stream that the peer opens. It takes the stream with `accept` or cuts it off
            with `reset`.
        lost: called once when the connection is over, with the reason, or None for an end without a fault.
    """

    def __init__(
        self,
        role: Role,
        stream_opened: Callable[[MuxStream], None],
        lost: Callable[[Exception | None], None],
    ) -> None:
        self._limits = Limits()
        self._session = Session(role, self._limits)
        self._stream_opened = stream_opened
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, MuxStream] = {}
        self._failure: YamuxError | None = None
        self._is_flush_due = False
        self._is_receiving = False
        self._is_closing = False
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._is_over

    def open(self) -> MuxStream:
        """Open a stream.

        Raises:
            YamuxError: the connection is over, or too many streams wait to be accepted.
        """
        if self._is_over:
            raise SessionEndedError("the connection is over")
        now = self._loop.time()
        try:
            stream = self._add(self._session.open(now))
        except StreamIdsUsedUpError as error:
            # After a billion requests. The host starts a plugin again whose connection is gone.
            self._fail(error)
            raise
        self.flush_soon()
        self._watch_deadline(now + self._limits.accept_timeout_s)
        return stream

    def close(self) -> None:
        """Send what is still to be sent and end the connection."""
        self._is_closing = True
        if self._transport is not None and not self._is_over:
            self._flush()
            self._transport.close()

    async def wait_writable(self) -> None:
        """Return when the operating system takes more bytes."""
        await self._writable.wait()

    # For streams

    @property
    def session(self) -> Session:
        """The state of the connection. Call `flush_soon` after what makes it send."""
        return self._session

    def flush_soon(self) -> None:
        """Hand what is to be sent to the transport when this turn of the event loop ends."""
        if not self._is_flush_due and not self._is_receiving:
            self._is_flush_due = True
            self._loop.call_soon(self._flush_due)

    def flush(self) -> None:
        """Hand what is to be sent to the transport now, or as soon as what was received is taken."""
        if not self._is_receiving:
            self._flush()

    def close_stream(self, stream: MuxStream) -> None:
        """Close this end's direction of a stream."""
        now = self._loop.time()
        self._session.close(stream.stream_id, now)
        self.flush_soon()
        self._watch_deadline(now + self._limits.close_timeout_s)
        self.forget_if_over(stream)

    def forget_if_over(self, stream: MuxStream) -> None:
        """Drop a stream on which nothing happens any more."""
        if stream.is_over:
            self._streams.pop(stream.stream_id, None)

    # For the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a stream socket gives
        self._transport = transport
        if self._is_closing:
            transport.close()
        self.flush_soon()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the peer."""
        self._is_receiving = True
        try:
            for event in self._session.receive(data):
                # Nearly all events are data; the others have a function of their own.
                if type(event) is DataReceived:
                    stream = self._streams.get(event.stream_id)
                    if stream is not None:
                        stream.feed(event.data)
                else:
                    self._handle(event)
        finally:
            self._is_receiving = False
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End all streams."""
        self._is_over = True
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        reason = self._failure or exc
        for stream in tuple(self._streams.values()):
            stream.end(reason or SessionEndedError("the connection is over"))
        self._streams.clear()
        self._lost(reason)

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The transport takes more."""
        self._writable.set()

    def _handle(self, event: Event) -> None:
        if isinstance(event, StreamOpened):
            self._stream_opened(self._add(event.stream_id))
        elif isinstance(event, SessionFailed):
            self._fail(event.error)
        elif isinstance(event, (StreamEnded, StreamReset, StreamDrained)):
            stream = self._streams.get(event.stream_id)
            if stream is not None:
                self._tell(stream, event)

    def _tell(self, stream: MuxStream, event: StreamEnded | StreamReset | StreamDrained) -> None:
        if isinstance(event, StreamEnded):
            stream.feed_end()
        elif isinstance(event, StreamReset):
            stream.cut_off()
        else:
            stream.drained()
        self.forget_if_over(stream)

    def _add(self, stream_id: int) -> MuxStream:
        stream = self._streams[stream_id] = MuxStream(self, stream_id)
        return stream

    def _fail(self, error: YamuxError) -> None:
        _log.error("the connection to the host is over: %s", error)
        self._failure = error
        self.close()

    def _flush_due(self) -> None:
        self._is_flush_due = False
        self._flush()

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > _MAX_UNSENT:
                self._fail(YamuxError("the host does not read what the plugin sends"))
                self._transport.abort()

    def _watch_deadline(self, deadline: float) -> None:
        """Have the session look at its time limits at that time, if not before."""
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        for event in self._session.expire(self._loop.time()):
            self._handle(event)
        self.flush_soon()
        if not self._is_over and (deadline := self._session.next_deadline()) is not None:
            self._watch_deadline(deadline)
