"""go-plugin's MuxBroker: streams that find each other by a number which one end has told the other in a call.

Who accepts chooses the number and tells it; who dials opens a stream, writes the number and reads it back.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import Final

from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import SessionEndedError, StreamClosedError, YamuxError

__all__ = ["BROKER_TIMEOUT_S", "MuxBroker", "StreamNotFoundError", "number_bytes"]

BROKER_TIMEOUT_S: Final = 5.0
"""How long go-plugin waits for the other end, and keeps a stream that nobody waits for."""

_ID: Final = struct.Struct("<I")
_MAX_ID: Final = 0xFFFF_FFFF
_MAX_UNCLAIMED: Final = 256
"""Streams that the peer has dialled and nobody has accepted. Both ends know a number before it is dialled."""

_log = logging.getLogger(__name__)


class StreamNotFoundError(YamuxError):
    """The other end did not come to its stream, or has told a number that no stream can have."""


def number_bytes(stream_id: int) -> bytes:
    """A number as it begins a stream, in both directions.

    Raises:
        StreamNotFoundError: no stream can have it. Nothing vouches for what the host tells.
    """
    if not 0 <= stream_id <= _MAX_ID:
        raise StreamNotFoundError(f"no stream can have the number {stream_id}")
    return _ID.pack(stream_id)


class MuxBroker:
    """Gives streams to those who know their number.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: MuxConnection) -> None:
        self._connection = connection
        self._next_id = 0
        self._waiting: dict[int, asyncio.Future[MuxStream]] = {}
        self._unclaimed: dict[int, MuxStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def next_id(self) -> int:
        """A new number for `accept`; tell it to the other end."""
        self._next_id = self._next_id % _MAX_ID + 1
        return self._next_id

    async def accept(self, stream_id: int) -> MuxStream:
        """Wait for the other end to dial a number.

        Raises:
            StreamNotFoundError: it does not come in time.
            YamuxError: the connection is over.
        """
        stream = self._unclaimed.pop(stream_id, None)
        if stream is None or stream.is_over:
            stream = await self._wait_for(stream_id)
        stream.write(number_bytes(stream_id))
        return stream

    async def dial(self, stream_id: int) -> MuxStream:
        """Reach the stream of a number that the other end has told.

        Do this as soon as the call that tells the number is decoded: the host waits 5 s from when it sent it.

        Raises:
            StreamNotFoundError: the other end does not accept it, in time or at all.
            YamuxError: the connection is over.
        """
        stream = self.begin_dial(stream_id)
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_S):
                answer = await stream.read_exactly(_ID.size)
        except TimeoutError:
            stream.reset()
            raise StreamNotFoundError(f"the host did not accept stream {stream_id} in time") from None
        except BaseException:
            stream.reset()
            raise
        if answer != number_bytes(stream_id):
            stream.reset()
            raise StreamNotFoundError(f"the host did not accept stream {stream_id}")
        return stream

    def begin_dial(self, stream_id: int) -> MuxStream:
        """Reach for the stream of a number without waiting for the other end, which will take what follows after it.

        The first bytes that come are the number again, as `number_bytes` gives it: whoever reads checks them.

        Raises:
            StreamNotFoundError: no stream can have this number.
            YamuxError: the connection is over.
        """
        number = number_bytes(stream_id)
        stream = self._connection.open()
        stream.write(number)
        return stream

    def take(self, stream: MuxStream) -> None:
        """Take a stream that the peer has opened: its first bytes are the number."""
        stream.accept()
        task = asyncio.create_task(self._identify(stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Give up what waits."""
        for task in self._tasks:
            task.cancel()
        self._is_closed = True
        for waiter in self._waiting.values():
            if not waiter.done():
                # No cancellation: who waits was not cancelled.
                waiter.set_exception(SessionEndedError("the connection is over"))

    async def _wait_for(self, stream_id: int) -> MuxStream:
        if self._is_closed:
            raise SessionEndedError("the connection is over")
        waiter: asyncio.Future[MuxStream] = asyncio.get_running_loop().create_future()
        self._waiting[stream_id] = waiter
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_S):
                return await waiter
        except TimeoutError:
            _give_back(waiter)
            raise StreamNotFoundError(f"the host did not dial stream {stream_id} in time") from None
        except asyncio.CancelledError:
            _give_back(waiter)
            raise
        finally:
            self._waiting.pop(stream_id, None)

    async def _identify(self, stream: MuxStream) -> None:
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_S):
                number = await stream.read_exactly(_ID.size)
        except (TimeoutError, StreamClosedError):
            number = b""
        if len(number) != _ID.size:
            _log.warning("the host has opened a stream without saying which")
            stream.reset()
            return
        (stream_id,) = _ID.unpack(number)
        waiter = self._waiting.pop(stream_id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(stream)
        elif self._is_kept(stream_id) or len(self._unclaimed) >= _MAX_UNCLAIMED:
            stream.reset()
        else:
            await self._keep(stream_id, stream)

    def _is_kept(self, stream_id: int) -> bool:
        kept = self._unclaimed.get(stream_id)
        return kept is not None and not kept.is_over

    async def _keep(self, stream_id: int, stream: MuxStream) -> None:
        """Hold a stream for an `accept` that comes a little later."""
        self._unclaimed[stream_id] = stream
        await asyncio.sleep(BROKER_TIMEOUT_S)
        if self._unclaimed.get(stream_id) is stream:
            del self._unclaimed[stream_id]
            stream.close()


def _give_back(waiter: asyncio.Future[MuxStream]) -> None:
    """Cut off a stream that came just when nobody waited for it any more."""
    if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
        waiter.result().reset()
