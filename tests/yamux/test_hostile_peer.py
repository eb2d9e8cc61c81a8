"""A peer that keeps the letter of the protocol and means no good."""

import struct

import pytest

from mattermost_plugin._yamux import Limits, Role, Session, SessionFailed, StreamLimitError, StreamOpened
from mattermost_plugin._yamux.peer_ids import PeerIds
from tests.fuzz.bounds import bounded_time

UPDATE = 1
SYN, ACK, FIN, RST = 1, 2, 4, 8
WINDOW = 262144


def update(flags: int, stream_id: int, length: int = 0) -> bytes:
    return struct.pack(">BBHII", 0, UPDATE, flags, stream_id, length)


def test_an_id_is_used_once() -> None:
    """The bytes of the first stream may still be unread, and would be taken for the second one's."""
    session = Session(Role.SERVER)
    assert session.receive(update(SYN, 1)) == [StreamOpened(1)]
    session.receive(update(RST, 1))
    (event,) = session.receive(update(SYN, 1))
    assert isinstance(event, SessionFailed)
    assert "stream 1 is opened, whose id was used before" in str(event.error)


def test_ids_may_overtake_each_other() -> None:
    ids = PeerIds(2)
    assert all(ids.use(stream_id) for stream_id in (6, 2, 4, 10, 8, 12))
    assert not any(ids.use(stream_id) for stream_id in (2, 4, 6, 8, 10, 12))
    assert ids.use(14)


def test_ids_may_be_skipped_and_are_not_kept_for_ever() -> None:
    ids = PeerIds(1)
    assert all(ids.use(3 + 4 * number) for number in range(5000))
    assert not any(ids.use(3 + 4 * number) for number in range(5000))
    assert ids.use(2**32 - 1)
    # Those that were left out long ago count as used.
    assert not ids.use(5)


def test_a_peer_that_closes_nothing_is_given_no_more_streams() -> None:
    session = Session(Role.SERVER, Limits(streams=3))
    for _ in range(3):
        stream_id = session.open(0.0)
        session.receive(update(ACK, stream_id))
        session.close(stream_id, 0.0)
    with pytest.raises(StreamLimitError, match="3 streams live"):
        session.open(0.0)
    session.receive(update(FIN, 2))
    assert session.open(0.0) == 8


def test_credit_by_the_byte_copies_nothing_but_bytes() -> None:
    session = Session(Role.SERVER)
    session.receive(update(SYN, 1))
    text = bytes(range(256)) * (16 << 12)
    assert not session.send(1, text)
    assert len(text) - WINDOW <= session.bytes_waiting(1) <= len(text)
    sent = session.data_to_send()[12:]
    with bounded_time(20):
        for _ in range(20_000):
            session.receive(update(0, 1, 1))
    rest = session.data_to_send()
    assert len(rest) == 20_000 * 13
    assert sent + rest[12::13] == text[: WINDOW + 20_000]
    session.receive(update(0, 1, len(text)))
    assert session.data_to_send()[12:] == text[WINDOW + 20_000 :]
    assert session.bytes_waiting(1) == 0
