"""One end of a yamux connection."""

from __future__ import annotations

from typing import Final

from mattermost_plugin._yamux.errors import (
    PeerError,
    ProtocolViolation,
    SessionEndedError,
    StreamClosedError,
    StreamIdsUsedUpError,
    StreamLimitError,
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
from mattermost_plugin._yamux.frames import (
    HEADER,
    HEADER_SIZE,
    MAX_LENGTH,
    VERSION,
    Flag,
    FrameType,
    GoAwayCode,
    header,
)
from mattermost_plugin._yamux.limits import Limits
from mattermost_plugin._yamux.peer_ids import PeerIds
from mattermost_plugin._yamux.role import Role
from mattermost_plugin._yamux.stream import Piece, Stream

__all__ = ["Session"]

_SYN: Final = int(Flag.SYN)
_ACK: Final = int(Flag.ACK)
_FIN: Final = int(Flag.FIN)
_RST: Final = int(Flag.RST)
_ALL_FLAGS: Final = _SYN | _ACK | _FIN | _RST
_DATA: Final = int(FrameType.DATA)
_GO_AWAY_CODES: Final = frozenset(int(code) for code in GoAwayCode)


class Session:
    """One end of a connection: takes the peer's bytes, gives events, and holds what is to be sent.

    `now` is any clock that only goes forward, in seconds, the same in all calls.

    Args:
        role: which end this is.
        limits: the bounds.
    """

    def __init__(self, role: Role, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self._limits = limits
        self._streams: dict[int, Stream] = {}
        self._own_parity = role.value & 1
        self._next_id = role.value
        self._peer_ids = PeerIds(3 - role.value)
        self._out: list[Piece] = []
        self._read = 0
        """Bytes received before the ones at hand."""
        self._partial = b""
        self._payload_left = 0
        self._payload_stream: Stream | None = None
        self._payload_fin = False
        self._unaccepted_ours = 0
        self._unaccepted_theirs = 0
        self._peer_takes_streams = True
        self._takes_streams = True
        self._ended = False

    @property
    def is_over(self) -> bool:
        """Whether the session has failed or the peer has ended it."""
        return self._ended

    @property
    def stream_ids(self) -> list[int]:
        """The streams that live, in the order in which they were opened."""
        return list(self._streams)

    # To the peer

    def data_to_send(self) -> bytes:
        """What has to go to the peer now. It is handed out once."""
        out = self._out
        if not out:
            return b""
        data = b"".join(out)
        out.clear()
        return data

    def open(self, now: float) -> int:
        """Open a stream. Data may be sent at once.

        Returns:
            Its id.

        Raises:
            SessionEndedError: the session is over or the peer takes no more streams.
            StreamLimitError: too many of this end's streams wait for the peer.
            StreamIdsUsedUpError: no stream can be opened in this session any more.
        """
        self._require_alive()
        if not self._peer_takes_streams:
            raise SessionEndedError("the peer takes no more streams")
        if self._unaccepted_ours >= self._limits.backlog:
            raise StreamLimitError(f"{self._limits.backlog} streams wait to be accepted by the peer")
        if len(self._streams) >= self._limits.streams:
            raise StreamLimitError(f"{self._limits.streams} streams live, which the peer does not close")
        stream_id = self._next_id
        if stream_id > MAX_LENGTH:
            raise StreamIdsUsedUpError("all stream ids of this connection are used up")
        self._next_id += 2
        self._unaccepted_ours += 1
        deadline = now + self._limits.accept_timeout_s
        self._streams[stream_id] = Stream(stream_id, is_ours=True, deadline=deadline)
        self._out.append(header(FrameType.WINDOW_UPDATE, _SYN, stream_id, 0))
        return stream_id

    def accept(self, stream_id: int) -> None:
        """Accept a stream that the peer has opened. Further calls do nothing: the peer must hear of it once.

        A stream that is gone is ignored: the peer may have reset it right after opening it.
        """
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.is_ours and not stream.accepted:
            stream.accepted = True
            self._unaccepted_theirs -= 1
            self._out.append(header(FrameType.WINDOW_UPDATE, _ACK, stream_id, 0))

    def send(self, stream_id: int, data: bytes) -> bool:
        """Send data on a stream. What the peer has given no credit for waits here.

        Returns:
            Whether all of it is on its way. If not, `StreamDrained` will say when; better send no more before.

        Raises:
            StreamClosedError: there is no such stream, or `close` was called.
        """
        stream = self._stream(stream_id)
        if stream.fin_wanted:
            raise StreamClosedError(f"this end has closed stream {stream_id}")
        if data:
            stream.write(data, self._out)
        return not stream.waiting

    def bytes_waiting(self, stream_id: int) -> int:
        """Memory of what `send` was given for a stream and waits for credit; 0 for a stream that is gone."""
        stream = self._streams.get(stream_id)
        return 0 if stream is None else stream.waiting_bytes

    def consume(self, stream_id: int, size: int) -> None:
        """Tell that bytes of a stream are out of memory, which lets the peer send as many more.

        A stream that is gone is ignored: its last bytes may be read after its end.

        Raises:
            ValueError: it has not received as many.
        """
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if not 0 <= size <= stream.unread:
            raise ValueError(f"stream {stream_id} has {stream.unread} unread bytes, not {size}")
        stream.consume(size, self._out)

    def close(self, stream_id: int, now: float) -> None:
        """Close this end's direction of a stream, after everything that was sent. Further calls do nothing."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.fin_wanted:
            return
        stream.fin_wanted = True
        if not stream.is_ours or stream.accepted:
            stream.deadline = now + self._limits.close_timeout_s
        self._finish(stream)

    def reset(self, stream_id: int) -> None:
        """Cut a stream off, in both directions. One that is gone is ignored."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._out.append(header(FrameType.WINDOW_UPDATE, _RST, stream_id, 0))
            self._forget(stream)

    def ping(self, value: int) -> None:
        """Ask whether the peer is there: `PingAnswered` brings the value back.

        Args:
            value: 0 to 2**32-1.
        """
        self._require_alive()
        self._out.append(header(FrameType.PING, _SYN, 0, value))

    def go_away(self, code: GoAwayCode = GoAwayCode.NORMAL) -> None:
        """Tell the peer to open no more streams. Those that it opens nevertheless are reset."""
        if self._takes_streams and not self._ended:
            self._takes_streams = False
            self._out.append(header(FrameType.GO_AWAY, 0, 0, code))

    # Time

    def next_deadline(self) -> float | None:
        """When `expire` has something to do, if nothing else happens before; None if never."""
        return min((s.deadline for s in self._streams.values() if s.deadline is not None), default=None)

    def expire(self, now: float) -> list[Event]:
        """End what has taken too long: closed streams are reset, and a stream never accepted ends the session."""
        events: list[Event] = []
        for stream in [s for s in self._streams.values() if s.deadline is not None and s.deadline <= now]:
            if stream.is_ours and not stream.accepted:
                reason = f"the peer has not accepted stream {stream.stream_id} in {self._limits.accept_timeout_s:g} s"
                return [*events, self._fail(YamuxError(reason))]
            self.reset(stream.stream_id)
            events.append(StreamReset(stream.stream_id, by_peer=False))
        return events

    # From the peer

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes of the peer, cut anywhere.

        Returns:
            What they mean. `SessionFailed` at the end says that the peer broke the protocol; what follows is dropped.
        """
        events: list[Event] = []
        if self._ended:
            return events
        start = self._read - len(self._partial)
        if self._partial:
            data = self._partial + data
            self._partial = b""
        position, end = 0, len(data)
        try:
            while position < end and not self._ended:
                if self._payload_left:
                    position = self._take_payload(data, position, events)
                elif end - position < HEADER_SIZE:
                    self._partial = data[position:]
                    break
                else:
                    self._take_header(data, position, events)
                    position += HEADER_SIZE
        except ProtocolViolation as violation:
            self._out.append(header(FrameType.GO_AWAY, 0, 0, GoAwayCode.PROTOCOL_ERROR))
            events.append(self._fail(PeerError(str(violation), start + position)))
        self._read = start + end
        return events

    def _take_payload(self, data: bytes, position: int, events: list[Event]) -> int:
        stop = min(len(data), position + self._payload_left)
        self._payload_left -= stop - position
        stream = self._payload_stream
        if stream is not None:
            if stream.fin_received or self._streams.get(stream.stream_id) is not stream:
                # Nobody reads it any more: a Go peer's writer may lose the race against its own close.
                stream = None
            else:
                stream.unread += stop - position
                events.append(DataReceived(stream.stream_id, data[position:stop]))
        if not self._payload_left and self._payload_fin and stream is not None:
            self._receive_fin(stream, events)
        return stop

    def _take_header(self, data: bytes, position: int, events: list[Event]) -> None:
        version, kind, flags, stream_id, length = HEADER.unpack_from(data, position)
        if version != VERSION:
            raise ProtocolViolation(f"version {version}")
        if flags & ~_ALL_FLAGS:
            raise ProtocolViolation(f"flags {flags:#06x}")
        if kind == _DATA:
            self._receive_data(flags, stream_id, length, events)
        elif kind == FrameType.WINDOW_UPDATE:
            self._receive_window_update(flags, stream_id, length, events)
        elif kind == FrameType.PING:
            self._receive_ping(flags, length, events)
        elif kind == FrameType.GO_AWAY:
            self._receive_go_away(length, events)
        else:
            raise ProtocolViolation(f"type {kind}")

    def _receive_data(self, flags: int, stream_id: int, length: int, events: list[Event]) -> None:
        stream = self._apply_flags(flags, stream_id, events) if flags else self._streams.get(stream_id)
        if stream is not None:
            if length > stream.window:
                raise ProtocolViolation(f"{length} bytes on stream {stream_id}, which has credit for {stream.window}")
            stream.window -= length
            if flags & _FIN and not length:
                self._receive_fin(stream, events)
        self._payload_left = length
        self._payload_stream = stream
        self._payload_fin = bool(flags & _FIN)

    def _receive_window_update(self, flags: int, stream_id: int, length: int, events: list[Event]) -> None:
        stream = self._apply_flags(flags, stream_id, events) if flags else self._streams.get(stream_id)
        if stream is None:
            return
        if length:
            stream.credit += length
            if stream.credit > MAX_LENGTH:
                raise ProtocolViolation(f"credit for {stream.credit} bytes on stream {stream_id}")
            if stream.drain(self._out):
                events.append(StreamDrained(stream_id))
                self._finish(stream)
        if flags & _FIN:
            self._receive_fin(stream, events)

    def _apply_flags(self, flags: int, stream_id: int, events: list[Event]) -> Stream | None:
        """Do what SYN, ACK and RST ask for. Returns the stream, if it lives."""
        if flags & _SYN:
            self._receive_syn(stream_id, events)
        stream = self._streams.get(stream_id)
        if stream is None:
            return None
        if flags & _RST:
            self._forget(stream)
            events.append(StreamReset(stream_id, by_peer=True))
            return None
        if flags & _ACK and stream.is_ours and not stream.accepted:
            stream.accepted = True
            if not stream.fin_wanted:
                stream.deadline = None
            self._unaccepted_ours -= 1
            events.append(StreamAccepted(stream_id))
        return stream

    def _receive_syn(self, stream_id: int, events: list[Event]) -> None:
        if stream_id in self._streams:
            raise ProtocolViolation(f"stream {stream_id} is opened, which lives already")
        if not stream_id or stream_id & 1 == self._own_parity:
            raise ProtocolViolation(f"stream {stream_id} is opened, whose id is not the peer's to choose")
        if not self._peer_ids.use(stream_id):
            raise ProtocolViolation(f"stream {stream_id} is opened, whose id was used before")
        if (
            not self._takes_streams
            or self._unaccepted_theirs >= self._limits.backlog
            or len(self._streams) >= self._limits.streams
        ):
            self._out.append(header(FrameType.WINDOW_UPDATE, _RST, stream_id, 0))
            return
        self._streams[stream_id] = Stream(stream_id, is_ours=False, deadline=None)
        self._unaccepted_theirs += 1
        events.append(StreamOpened(stream_id))

    def _receive_fin(self, stream: Stream, events: list[Event]) -> None:
        if stream.fin_received:
            raise ProtocolViolation(f"stream {stream.stream_id} is closed for the second time")
        stream.fin_received = True
        events.append(StreamEnded(stream.stream_id))
        if stream.is_over:
            self._forget(stream)

    def _receive_ping(self, flags: int, length: int, events: list[Event]) -> None:
        if flags == _SYN:
            self._out.append(header(FrameType.PING, _ACK, 0, length))
        elif flags == _ACK:
            events.append(PingAnswered(length))
        else:
            raise ProtocolViolation(f"a ping with flags {flags:#06x}")

    def _receive_go_away(self, length: int, events: list[Event]) -> None:
        if length not in _GO_AWAY_CODES:
            raise ProtocolViolation(f"go-away code {length}")
        self._peer_takes_streams = False
        events.append(GoAwayReceived(length))
        if length != GoAwayCode.NORMAL:
            events.append(self._fail(SessionEndedError(f"the peer has ended the session: {GoAwayCode(length).name}")))

    # State

    def _require_alive(self) -> None:
        if self._ended:
            raise SessionEndedError("the session is over")

    def _stream(self, stream_id: int) -> Stream:
        stream = self._streams.get(stream_id)
        if stream is None:
            self._require_alive()
            raise StreamClosedError(f"there is no stream {stream_id}")
        return stream

    def _finish(self, stream: Stream) -> None:
        stream.finish(self._out)
        if stream.is_over:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream.stream_id]
        stream.waiting.clear()
        if not stream.accepted:
            if stream.is_ours:
                self._unaccepted_ours -= 1
            else:
                self._unaccepted_theirs -= 1

    def _fail(self, error: YamuxError) -> SessionFailed:
        self._ended = True
        self._streams.clear()
        self._partial = b""
        return SessionFailed(error)
