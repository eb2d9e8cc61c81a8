"""Two ends that talk to each other, and ends that are talked to by anything."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mattermost_plugin._yamux import (
    DataReceived,
    Limits,
    Role,
    Session,
    SessionFailed,
    StreamEnded,
    StreamOpened,
    StreamReset,
)


class Pair(RuleBasedStateMachine):
    """Streams are opened, written, read and closed at random, over a connection that cuts as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = {Role.CLIENT: Session(Role.CLIENT), Role.SERVER: Session(Role.SERVER)}
        self.wires = {Role.CLIENT: b"", Role.SERVER: b""}
        self.sent: dict[tuple[Role, int], bytes] = defaultdict(bytes)
        self.got: dict[tuple[Role, int], bytes] = defaultdict(bytes)
        self.closed: set[tuple[Role, int]] = set()
        self.ended: set[tuple[Role, int]] = set()
        self.reset: set[int] = set()

    def other(self, role: Role) -> Role:
        return Role.SERVER if role is Role.CLIENT else Role.CLIENT

    def writable(self, role: Role) -> list[int]:
        return [each for each in self.ends[role].stream_ids if (role, each) not in self.closed]

    @rule(role=st.sampled_from(Role))
    def open(self, role: Role) -> None:
        self.ends[role].open(0.0)

    @rule(role=st.sampled_from(Role), which=st.randoms(use_true_random=False), size=st.integers(0, 300_000))
    def send(self, role: Role, which: object, size: int) -> None:
        ids = self.writable(role)
        if ids:
            stream_id = which.choice(ids)  # type: ignore[attr-defined]  # a Random
            payload = bytes([len(self.sent[role, stream_id]) % 251]) * size
            self.ends[role].send(stream_id, payload)
            self.sent[role, stream_id] += payload

    @rule(role=st.sampled_from(Role), which=st.randoms(use_true_random=False))
    def close(self, role: Role, which: object) -> None:
        ids = self.writable(role)
        if ids:
            stream_id = which.choice(ids)  # type: ignore[attr-defined]  # a Random
            self.ends[role].close(stream_id, 0.0)
            self.closed.add((role, stream_id))

    @rule(role=st.sampled_from(Role), which=st.randoms(use_true_random=False))
    def cut_off(self, role: Role, which: object) -> None:
        ids = self.ends[role].stream_ids
        if ids:
            stream_id = which.choice(ids)  # type: ignore[attr-defined]  # a Random
            self.ends[role].reset(stream_id)
            self.reset.add(stream_id)

    @rule(role=st.sampled_from(Role), part=st.floats(0, 1))
    def carry(self, role: Role, part: float) -> None:
        """Bring some of what one end has sent to the other."""
        wire = self.wires[role] + self.ends[role].data_to_send()
        size = round(len(wire) * part)
        self.wires[role] = wire[size:]
        self.take(self.other(role), wire[:size])

    def take(self, role: Role, data: bytes) -> None:
        session = self.ends[role]
        for event in session.receive(data):
            assert not isinstance(event, SessionFailed), event.error
            if isinstance(event, StreamOpened):
                session.accept(event.stream_id)
            elif isinstance(event, DataReceived):
                assert (role, event.stream_id) not in self.ended
                self.got[role, event.stream_id] += event.data
                session.consume(event.stream_id, len(event.data))
            elif isinstance(event, StreamEnded):
                self.ended.add((role, event.stream_id))
            elif isinstance(event, StreamReset):
                self.reset.add(event.stream_id)

    @invariant()
    def nothing_is_made_up(self) -> None:
        for (role, stream_id), got in self.got.items():
            assert self.sent[self.other(role), stream_id].startswith(got)

    @precondition(lambda self: self.sent)
    @rule()
    def everything_arrives(self) -> None:
        carried = True
        while carried:
            carried = False
            for role in Role:
                wire = self.wires[role] + self.ends[role].data_to_send()
                self.wires[role] = b""
                self.take(self.other(role), wire)
                carried |= bool(wire)
        for (role, stream_id), sent in self.sent.items():
            if stream_id not in self.reset:
                assert self.got[self.other(role), stream_id] == sent
                assert ((self.other(role), stream_id) in self.ended) == ((role, stream_id) in self.closed)


Pair.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestPair = Pair.TestCase

frames = st.builds(
    lambda version, kind, flags, stream_id, length, payload: (
        bytes([version, kind])
        + flags.to_bytes(2, "big")
        + stream_id.to_bytes(4, "big")
        + length.to_bytes(4, "big")
        + payload[:length]
    ),
    version=st.just(0) | st.integers(0, 255),
    kind=st.integers(0, 4),
    flags=st.integers(0, 16),
    stream_id=st.integers(0, 6) | st.integers(0, 2**32 - 1),
    length=st.integers(0, 40) | st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=40),
)


@given(st.lists(frames | st.binary(max_size=30), max_size=30), st.integers(1, 50))
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_events_and_nothing_else(pieces: list[bytes], size: int) -> None:
    stream = b"".join(pieces)
    whole, cut = Session(Role.SERVER, Limits(backlog=3)), Session(Role.SERVER, Limits(backlog=3))
    for session in (whole, cut):
        session.open(0.0)
    expected = whole.receive(stream)
    got = [event for start in range(0, len(stream), size) for event in cut.receive(stream[start : start + size])]
    assert whole.data_to_send() == cut.data_to_send()
    assert whole.stream_ids == cut.stream_ids

    def joined(events: list[object]) -> list[object]:
        """The events with the data of a stream in one piece, wherever it was cut."""
        texts: dict[int, bytes] = defaultdict(bytes)
        rest: list[object] = []
        for event in events:
            if isinstance(event, DataReceived):
                texts[event.stream_id] += event.data
            else:
                rest.append(str(event.error) if isinstance(event, SessionFailed) else event)
        return [*rest, sorted(texts.items())]

    assert joined(list(got)) == joined(list(expected))
