"""One end of a session, frame by frame."""

import struct
import tracemalloc
from collections.abc import Sequence

import pytest

from mattermost_plugin._yamux import (
    DataReceived,
    Event,
    GoAwayCode,
    GoAwayReceived,
    Limits,
    PeerError,
    PingAnswered,
    Role,
    Session,
    SessionEndedError,
    SessionFailed,
    StreamAccepted,
    StreamClosedError,
    StreamDrained,
    StreamEnded,
    StreamLimitError,
    StreamOpened,
    StreamReset,
)

WINDOW = 262144
DATA, UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8


def frame(kind: int, flags: int, stream_id: int, length: int, payload: bytes = b"", version: int = 0) -> bytes:
    return struct.pack(">BBHII", version, kind, flags, stream_id, length) + payload


def data(stream_id: int, payload: bytes, flags: int = 0) -> bytes:
    return frame(DATA, flags, stream_id, len(payload), payload)


DEFAULTS = Limits()


def server(limits: Limits = DEFAULTS) -> Session:
    return Session(Role.SERVER, limits)


def opened(session: Session, stream_id: int = 1) -> Session:
    """The session, with a stream that the peer has opened and this end accepted."""
    assert session.receive(frame(UPDATE, SYN, stream_id, 0)) == [StreamOpened(stream_id)]
    session.accept(stream_id)
    assert session.data_to_send() == frame(UPDATE, ACK, stream_id, 0)
    return session


def failure(events: Sequence[Event]) -> PeerError:
    last = events[-1]
    assert isinstance(last, SessionFailed)
    assert isinstance(last.error, PeerError)
    return last.error


def test_a_hosts_first_frames() -> None:
    session = server()
    start = b"".join(frame(UPDATE, SYN, each, 0) for each in (1, 3, 5)) + data(1, b"dispense")
    assert session.receive(start) == [StreamOpened(1), StreamOpened(3), StreamOpened(5), DataReceived(1, b"dispense")]
    for each in (1, 3, 5):
        session.accept(each)
        session.accept(each)
    assert session.data_to_send() == b"".join(frame(UPDATE, ACK, each, 0) for each in (1, 3, 5))
    assert session.data_to_send() == b""


def test_an_opening_may_carry_data_and_the_end() -> None:
    assert server().receive(data(1, b"x", SYN | FIN)) == [StreamOpened(1), DataReceived(1, b"x"), StreamEnded(1)]


@pytest.mark.parametrize("size", [1, 2, 5, 11, 12, 13, 100])
def test_bytes_may_be_cut_anywhere(size: int) -> None:
    stream = frame(UPDATE, SYN, 1, 0) + data(1, b"hello") + frame(PING, SYN, 0, 9) + data(1, b" world", FIN)
    session = server()
    events: list[Event] = []
    for start in range(0, len(stream), size):
        events += session.receive(stream[start : start + size])
    assert [type(event) for event in events if not isinstance(event, DataReceived)] == [StreamOpened, StreamEnded]
    assert b"".join(event.data for event in events if isinstance(event, DataReceived)) == b"hello world"
    assert isinstance(events[-1], StreamEnded)
    assert session.data_to_send() == frame(PING, ACK, 0, 9)


def test_opening_and_being_accepted() -> None:
    session = server()
    assert [session.open(0.0), session.open(0.0)] == [2, 4]
    session.send(2, b"early")
    assert session.data_to_send() == frame(UPDATE, SYN, 2, 0) + frame(UPDATE, SYN, 4, 0) + data(2, b"early")
    assert session.receive(frame(UPDATE, ACK, 2, 0) + data(4, b"x", ACK)) == [
        StreamAccepted(2),
        StreamAccepted(4),
        DataReceived(4, b"x"),
    ]
    assert session.receive(frame(UPDATE, ACK, 2, 0)) == []


def test_what_exceeds_the_credit_waits_for_more() -> None:
    session = opened(server())
    assert session.send(1, b"a" * (WINDOW - 1))
    assert not session.send(1, b"bcd")
    assert not session.send(1, b"e")
    session.close(1, 0.0)
    assert session.data_to_send() == data(1, b"a" * (WINDOW - 1)) + data(1, b"b")
    assert session.receive(frame(UPDATE, 0, 1, 1)) == []
    assert session.data_to_send() == data(1, b"c")
    assert session.receive(frame(UPDATE, 0, 1, 100)) == [StreamDrained(1)]
    assert session.data_to_send() == data(1, b"d") + data(1, b"e") + frame(UPDATE, FIN, 1, 0)


def test_credit_goes_back_when_half_a_window_has_been_read() -> None:
    session = opened(server())
    half = b"x" * (WINDOW // 2)
    assert session.receive(data(1, half) + data(1, half)) == [DataReceived(1, half), DataReceived(1, half)]
    session.consume(1, WINDOW // 2 - 1)
    assert session.data_to_send() == b""
    session.consume(1, 1)
    assert session.data_to_send() == frame(UPDATE, 0, 1, WINDOW // 2)
    assert session.receive(data(1, half)) == [DataReceived(1, half)]
    with pytest.raises(ValueError, match="has 262144 unread bytes, not 262145"):
        session.consume(1, WINDOW + 1)


def test_closing_leaves_the_other_direction_open() -> None:
    session = opened(server())
    session.close(1, 0.0)
    session.close(1, 0.0)
    assert session.data_to_send() == frame(UPDATE, FIN, 1, 0)
    assert session.receive(data(1, b"still")) == [DataReceived(1, b"still")]
    with pytest.raises(StreamClosedError, match="this end has closed stream 1"):
        session.send(1, b"x")
    assert session.receive(frame(UPDATE, FIN, 1, 0)) == [StreamEnded(1)]
    assert session.stream_ids == []
    session.consume(1, 5)
    # Frames of a stream that is gone are dropped with their payload.
    assert session.receive(data(1, b"late") + frame(UPDATE, 0, 1, 9) + frame(UPDATE, RST, 1, 0)) == []


def test_a_reset_ends_both_directions() -> None:
    session = opened(opened(server()), 3)
    assert session.receive(frame(UPDATE, RST, 1, 0)) == [StreamReset(1, by_peer=True)]
    session.reset(3)
    session.reset(3)
    assert session.data_to_send() == frame(UPDATE, RST, 3, 0)
    with pytest.raises(StreamClosedError, match="there is no stream 3"):
        session.send(3, b"x")


def test_a_reset_in_the_middle_of_a_payload() -> None:
    session = opened(server())
    whole = data(1, b"abcdef")
    assert session.receive(whole[:15]) == [DataReceived(1, b"abc")]
    session.reset(1)
    assert session.receive(whole[15:] + frame(PING, ACK, 0, 1)) == [PingAnswered(1)]


def test_a_writer_that_loses_the_race_against_its_own_close_does_no_harm() -> None:
    session = opened(server())
    assert session.receive(frame(UPDATE, FIN, 1, 0) + data(1, b"late")) == [StreamEnded(1)]


def test_pings() -> None:
    session = server()
    session.ping(7)
    assert session.data_to_send() == frame(PING, SYN, 0, 7)
    assert session.receive(frame(PING, ACK, 0, 7)) == [PingAnswered(7)]


def test_going_away() -> None:
    session = server()
    session.go_away()
    session.go_away()
    assert session.data_to_send() == frame(GO_AWAY, 0, 0, 0)
    assert session.receive(frame(UPDATE, SYN, 1, 0)) == []
    assert session.data_to_send() == frame(UPDATE, RST, 1, 0)


def test_a_peer_that_goes_away_takes_no_more_streams() -> None:
    session = opened(server())
    assert session.receive(frame(GO_AWAY, 0, 0, 0)) == [GoAwayReceived(GoAwayCode.NORMAL)]
    with pytest.raises(SessionEndedError):
        session.open(0.0)
    assert session.send(1, b"goes on")


@pytest.mark.parametrize("code", [1, 2])
def test_a_peer_that_gives_up_ends_the_session(code: int) -> None:
    session = opened(server())
    events = session.receive(frame(GO_AWAY, 0, 0, code) + data(1, b"x"))
    assert events[0] == GoAwayReceived(code)
    assert isinstance(events[1], SessionFailed)
    assert len(events) == 2
    assert session.is_over
    with pytest.raises(SessionEndedError):
        session.send(1, b"x")


def test_streams_beyond_the_backlog_are_reset() -> None:
    session = server(Limits(backlog=2))
    for each in (1, 3, 5):
        session.receive(frame(UPDATE, SYN, each, 0))
    assert session.data_to_send() == frame(UPDATE, RST, 5, 0)
    session.accept(1)
    assert session.receive(frame(UPDATE, SYN, 7, 0)) == [StreamOpened(7)]


def test_streams_beyond_the_limit_are_reset() -> None:
    session = server(Limits(streams=1))
    opened(session)
    assert session.receive(frame(UPDATE, SYN, 3, 0)) == []
    assert session.data_to_send() == frame(UPDATE, RST, 3, 0)


def test_own_streams_beyond_the_backlog() -> None:
    session = server(Limits(backlog=1))
    session.open(0.0)
    with pytest.raises(StreamLimitError):
        session.open(0.0)
    session.receive(frame(UPDATE, ACK, 2, 0))
    assert session.open(0.0) == 4


def test_a_stream_that_is_never_accepted_ends_the_session() -> None:
    session = server()
    session.open(10.0)
    assert session.next_deadline() == 85.0
    assert session.expire(84.9) == []
    (event,) = session.expire(85.0)
    assert isinstance(event, SessionFailed)
    assert "not accepted stream 2 in 75 s" in str(event.error)


def test_a_stream_that_the_peer_does_not_close_is_reset() -> None:
    session = opened(server())
    assert session.next_deadline() is None
    session.close(1, 10.0)
    session.data_to_send()
    assert session.next_deadline() == 310.0
    assert session.expire(310.0) == [StreamReset(1, by_peer=False)]
    assert session.data_to_send() == frame(UPDATE, RST, 1, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (frame(DATA, 0, 1, 0, version=1), "version 1"),
        (frame(4, 0, 1, 0), "type 4"),
        (frame(UPDATE, 16, 1, 0), "flags 0x0010"),
        (frame(UPDATE, SYN, 1, 0), "stream 1 is opened, which lives already"),
        (frame(UPDATE, SYN, 2, 0), "stream 2 is opened, whose id is not the peer's to choose"),
        (frame(UPDATE, SYN, 0, 0), "stream 0 is opened, whose id is not the peer's to choose"),
        (frame(DATA, 0, 1, WINDOW + 1), "262145 bytes on stream 1, which has credit for 262144"),
        (frame(UPDATE, 0, 1, 0xFFFFFFFF), "credit for 4295229439 bytes on stream 1"),
        (frame(UPDATE, FIN, 1, 0) * 2, "stream 1 is closed for the second time"),
        (data(1, b"x", FIN) + frame(DATA, FIN, 1, 0), "stream 1 is closed for the second time"),
        (frame(PING, 0, 0, 0), "a ping with flags 0x0000"),
        (frame(PING, SYN | ACK, 0, 0), "a ping with flags 0x0003"),
        (frame(GO_AWAY, 0, 0, 3), "go-away code 3"),
    ],
)
def test_a_peer_that_breaks_the_protocol_ends_the_session(bad: bytes, reason: str) -> None:
    session = opened(server())
    error = failure(session.receive(bad + data(1, b"after")))
    assert error.reason == reason
    assert error.offset in (12, 24, 25)
    assert session.data_to_send() == frame(GO_AWAY, 0, 0, GoAwayCode.PROTOCOL_ERROR)
    assert session.receive(frame(PING, SYN, 0, 1)) == []
    assert session.data_to_send() == b""


def test_what_came_before_the_fault_is_not_lost() -> None:
    session = opened(server())
    events = session.receive(data(1, b"good") + frame(9, 0, 0, 0))
    assert events[0] == DataReceived(1, b"good")
    assert failure(events).offset == 12 + 12 + 4


def test_a_payload_for_an_unknown_stream_is_dropped_and_not_held() -> None:
    session = server()
    session.receive(frame(DATA, 0, 9, 0xFFFFFFFF))
    for _ in range(8):
        assert session.receive(b"\0" * 65536) == []


def test_what_waits_for_credit_is_not_copied_with_each_credit() -> None:
    session = opened(server())
    content = bytes(64 * WINDOW)
    tracemalloc.start()
    try:
        session.send(1, content)
        session.data_to_send()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        session.receive(frame(UPDATE, 0, 1, WINDOW))
        assert len(session.data_to_send()) == 12 + WINDOW
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 4 * WINDOW
