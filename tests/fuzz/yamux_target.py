"""Fuzzing of yamux: both ends, with what this end does in between, against an account kept apart from the session's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from typing import Final
from unittest.mock import patch

from mattermost_plugin._yamux import (
    DataReceived,
    Event,
    Limits,
    PingAnswered,
    Role,
    Session,
    SessionEndedError,
    SessionFailed,
    StreamAccepted,
    StreamClosedError,
    StreamEnded,
    StreamLimitError,
    StreamOpened,
    StreamReset,
)
from mattermost_plugin._yamux import stream as stream_module
from tests.fuzz.target import Mutate
from tests.fuzz.yamux_mutation import Frame, frames, invented, mutated
from tests.stock.recording import HOST, PLUGIN, connection_bytes

__all__ = ["HEAD", "YamuxTarget"]

HEAD: Final = 3
"""Role, size of the pieces, and what this end does."""

LIMITS: Final = Limits(backlog=4, streams=6, accept_timeout_s=10.0, close_timeout_s=20.0)
WINDOW: Final = 200
"""Credit of a new stream, for the account and the sessions, so that small inputs exceed it."""

_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8
_NOW: Final = 100.0


class YamuxTarget:
    """See FuzzTarget."""

    name = "yamux"
    max_bytes = 4096

    def run(self, data: bytes) -> None:
        if len(data) < HEAD:
            return
        role, size, stream = Role(data[0] % 2 + 1), data[1] or 1, data[HEAD:]
        with patch.multiple(stream_module, INITIAL_WINDOW=WINDOW, _RETURN_AT=WINDOW // 2):
            _compare_pieces(role, stream, size)
            Dialogue(role, Random(data[2])).run(stream)

    def corpus(self) -> Sequence[bytes]:
        return _corpus()

    def mutate(self, data: bytes, random: Random, blind: Mutate) -> bytes:
        if len(data) < HEAD:
            return random.choice(_corpus())
        head, stream = data[:HEAD], data[HEAD:]
        if random.random() < 0.1:
            head = random.randbytes(HEAD)
        match random.randrange(8):
            case 0:
                return head + blind(stream, self.max_bytes - HEAD)
            case 1 | 2:
                return head + invented(random)
        return head + mutated(stream, random, _corpus())


@cache
def _corpus() -> tuple[bytes, ...]:
    found = [bytes((role, 5, 1)) + connection_bytes(way)[:4000] for role, way in ((1, HOST), (0, PLUGIN))]
    random = Random(2)
    return (*found, *(random.randbytes(HEAD) + invented(random) for _ in range(200)))


def _compare_pieces(role: Role, stream: bytes, size: int) -> None:
    """However bytes are cut, they give the same events and answers."""
    whole, cut = Session(role, LIMITS), Session(role, LIMITS)
    for session in (whole, cut):
        session.open(_NOW)
    events = whole.receive(stream)
    pieces = [event for start in range(0, len(stream), size) for event in cut.receive(stream[start : start + size])]
    assert _joined(pieces) == _joined(events)
    assert whole.data_to_send() == cut.data_to_send()
    assert whole.stream_ids == cut.stream_ids
    assert whole.is_over == cut.is_over
    for event in events[:-1]:
        assert not isinstance(event, SessionFailed)
    if whole.is_over:
        assert isinstance(events[-1], SessionFailed)
        assert whole.receive(stream) == []
        assert len(str(events[-1].error)) < 300


def _joined(events: Iterable[Event]) -> list[object]:
    """The events, with the data of a stream that came in several pieces in one."""
    found: list[object] = []
    for event in events:
        before = found[-1] if found else None
        match event, before:
            case DataReceived(stream_id, data), DataReceived(same, first) if stream_id == same:
                found[-1] = DataReceived(stream_id, first + data)
            case SessionFailed(error), _:
                found.append(str(error))
            case _:
                found.append(event)
    return found


class Dialogue:
    """A session between what the peer sends and what this end does, frame by frame.

    Keeps its own account of every stream of what each end may send.
    """

    def __init__(self, role: Role, random: Random) -> None:
        self._session = Session(role, LIMITS)
        self._random = random
        self._now = _NOW
        self._may_send: dict[int, int] = defaultdict(lambda: WINDOW)
        """Bytes of data that this end may still send on a stream."""
        self._unread: dict[int, int] = defaultdict(int)
        self._granted: dict[int, int] = defaultdict(lambda: WINDOW)
        """Bytes of data that the peer may still send on a stream."""
        self._closed: set[int] = set()
        """Streams on which this end has sent FIN or RST."""
        self._acked: set[int] = set()
        self._ended: set[int] = set()
        """Streams on which the peer has sent FIN."""
        self._over = False

    def run(self, stream: bytes) -> None:
        found, rest = frames(stream)
        self._act()
        for frame in found:
            lived = frame.stream_id in self._session.stream_ids
            if frame.kind == 1 and lived:
                self._may_send[frame.stream_id] += frame.length
            credit = self._granted[frame.stream_id] if lived else WINDOW
            events = self._session.receive(frame.encoded())
            self._check_credit(frame, credit, events)
            self._take(events)
            if frame.kind == 1 and not lived:
                # It was opened by this very frame, or is unknown, and what it will be opened with starts anew.
                self._may_send[frame.stream_id] = WINDOW + frame.length
            self._act()
            self._check()
        self._take(self._session.receive(rest))
        self._take(self._session.expire(self._now + 100))
        self._check()

    def _take(self, events: list[Event]) -> None:
        assert not (self._over and events)
        for event in events:
            if isinstance(event, StreamOpened):
                self._begin(event.stream_id)
            elif isinstance(event, DataReceived):
                self._granted[event.stream_id] -= len(event.data)
                self._unread[event.stream_id] += len(event.data)
                assert self._granted[event.stream_id] >= 0, "more than the credit"
            elif isinstance(event, StreamEnded):
                assert event.stream_id not in self._ended, "ended twice"
                self._ended.add(event.stream_id)
            elif isinstance(event, (StreamAccepted, StreamReset)):
                assert event.stream_id
            elif isinstance(event, PingAnswered):
                assert 0 <= event.value < 1 << 32
            elif isinstance(event, SessionFailed):
                self._over = True
        self._read_answers()

    def _check_credit(self, frame: Frame, credit: int, events: list[Event]) -> None:
        last = events[-1] if events else None
        is_refused = isinstance(last, SessionFailed) and "which has credit for" in str(last.error)
        # What comes behind the peer's own end counts, and is not told.
        is_told = frame.stream_id not in self._ended
        assert not (is_refused and is_told) or frame.length > credit, "data within the credit is refused"

    def _begin(self, stream_id: int) -> None:
        for account in (self._may_send, self._granted, self._unread):
            account.pop(stream_id, None)
        self._closed.discard(stream_id)
        self._ended.discard(stream_id)
        self._acked.discard(stream_id)

    def _act(self) -> None:
        """Do something, as users of a session do."""
        session, random = self._session, self._random
        ids = session.stream_ids
        stream_id = random.choice(ids) if ids else 1
        try:
            match random.randrange(10):
                case 0:
                    self._begin(session.open(self._now))
                case 1 | 2:
                    session.accept(stream_id)
                case 3 | 4:
                    session.send(stream_id, random.choice((b"", b"x", bytes(30), bytes(WINDOW), bytes(WINDOW + 1))))
                case 5:
                    session.close(stream_id, self._now)
                case 6:
                    session.reset(stream_id)
                case 7:
                    size = self._unread[stream_id]
                    session.consume(stream_id, size)
                    self._unread[stream_id] = 0
                case 8:
                    session.ping(random.getrandbits(32))
                case _:
                    self._now += random.choice((0.1, 1.0, 30.0))
                    self._take(session.expire(self._now))
        except (StreamClosedError, StreamLimitError, SessionEndedError):
            pass
        self._read_answers()

    def _read_answers(self) -> None:
        """What goes to the peer keeps the rules."""
        sent, rest = frames(self._session.data_to_send())
        assert not rest
        for frame in sent:
            assert frame.version == 0
            assert frame.kind in range(4)
            if frame.kind > 1:
                assert frame.stream_id == 0
                continue
            number, flags = frame.stream_id, frame.flags
            assert not (number in self._closed and (frame.kind == 0 or flags & _FIN)), "data behind the end"
            if frame.kind == 0:
                self._may_send[number] -= frame.length
                assert self._may_send[number] >= 0, "more than the peer's credit"
            else:
                self._granted[number] += frame.length
                assert self._granted[number] <= WINDOW, "more credit than a window"
            if flags & _ACK:
                assert number not in self._acked, "accepted twice"
                self._acked.add(number)
            if flags & (_FIN | _RST):
                self._closed.add(number)

    def _check(self) -> None:
        session = self._session
        assert len(session.stream_ids) <= LIMITS.streams
        deadline = session.next_deadline()
        assert deadline is None or not session.is_over
        if session.is_over:
            assert self._over
            assert session.stream_ids == []
            for call in (lambda: session.open(self._now), lambda: session.send(1, b"x"), lambda: session.ping(1)):
                try:
                    call()
                except SessionEndedError:
                    continue
                raise AssertionError("a session that is over goes on")
