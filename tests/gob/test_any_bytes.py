"""Any bytes give values or an error of gob, and nothing else, read or skipped, whole or in pieces."""

from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import (
    GENERIC,
    NEED_DATA,
    SKIP,
    Decoder,
    GobDataError,
    GobError,
    GobMismatchError,
    Limits,
    Target,
)
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._gob.messages import message
from tests.gob.post_records import MESSAGE_WILL_BE_POSTED, POST
from tests.gob.streams import bodies, features, vectors

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIMITS = Limits(max_message_bytes=1 << 20, max_elements=1 << 16)

SEEDS = [*(case.data for case in vectors()[1::13] if len(case.data) < 6000), *features().values()]


class Outcome:
    """All values, and what ended the stream."""

    def __init__(self, data: bytes, target: Target[object], size: int | None = None) -> None:
        self.values: list[object] = []
        self.error: GobDataError | None = None
        decoder = Decoder(LIMITS)
        step = size or len(data) or 1
        try:
            for start in range(0, len(data), step):
                decoder.feed(data[start : start + step])
                self.values += taken(decoder, target)
            decoder.close()
        except GobDataError as error:
            self.error = error

    @property
    def end(self) -> tuple[str, int | None]:
        return ("", None) if self.error is None else (self.error.reason, self.error.offset)


def taken(decoder: Decoder, target: Target[object]) -> Iterator[object]:
    while True:
        try:
            value = decoder.next_value(target)
        except GobMismatchError as error:
            yield error.reason
        else:
            if value is NEED_DATA:
                return
            yield value


def check(data: bytes, size: int) -> None:
    read = Outcome(data, GENERIC)
    skipped = Outcome(data, SKIP)
    pieces = Outcome(data, GENERIC, size)
    assert len(skipped.values) == len(read.values)
    assert skipped.end == read.end
    assert repr(pieces.values) == repr(read.values)
    assert pieces.end == read.end
    for value in read.values:
        json_form(value)
    records = Outcome(data, POST)
    assert len(records.values) <= len(read.values)
    if records.error is not None:
        assert records.end == read.end


@RELAXED
@given(st.binary(max_size=300), st.integers(1, 50))
def test_random_bytes(data: bytes, size: int) -> None:
    check(data, size)


@RELAXED
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.integers(1, 50))
def test_random_messages(contents: list[bytes], size: int) -> None:
    check(b"".join(map(message, contents)), size)


# Bytes that mean much: ends, ids of types, negative ids, lengths of numbers, kinds of types.
BYTES = st.integers(0, 255) | st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 0x7F, 0x80, 0xF8, 0xFE, 0xFF])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Messages of Go with some bytes replaced, inserted or removed, in lengths that are right again or not."""
    found = [bytearray(body) for body in bodies(draw(st.sampled_from(SEEDS)))]
    for _ in range(draw(st.integers(1, 4))):
        body = draw(st.sampled_from(found))
        at = draw(st.integers(0, max(0, len(body) - 1)))
        match draw(st.sampled_from(["replace", "replace", "insert", "remove", "cut", "swap", "repeat"])):
            case "replace" if body:
                body[at] = draw(BYTES)
            case "insert":
                body[at:at] = bytes(draw(st.lists(BYTES, max_size=4)))
            case "remove":
                del body[at : at + draw(st.integers(1, 3))]
            case "cut":
                del body[at:]
            case "swap":
                other = draw(st.integers(0, len(found) - 1))
                found[0], found[other] = found[other], found[0]
            case _:
                found.append(bytearray(body))
    stream = b"".join(message(bytes(body)) for body in found)
    if draw(st.booleans()):
        return stream
    at = draw(st.integers(0, max(0, len(stream) - 1)))
    return stream[:at] + bytes([draw(BYTES)]) + stream[at + 1 :]


@settings(RELAXED, max_examples=250)
@given(damaged(), st.integers(1, 200))
def test_damaged_streams_of_go(data: bytes, size: int) -> None:
    check(data, size)


@settings(RELAXED, max_examples=50)
@given(damaged())
def test_damaged_streams_into_records(data: bytes) -> None:
    decoder = Decoder(LIMITS)
    decoder.feed(data)
    try:
        for value in taken(decoder, MESSAGE_WILL_BE_POSTED):
            assert isinstance(value, str) or hasattr(value, "SerializeToString")
        decoder.close()
    except GobError as error:
        offset = error.offset
    else:
        return
    assert offset is not None
    assert 0 <= offset <= len(data)
