"""Headers that are known again: what they mean must be what the common way reads and writes."""

from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._gob import NEED_DATA, Decoder, Encoder
from mattermost_plugin._netrpc.headers import HeaderReader, HeaderWriter
from mattermost_plugin._netrpc.messages import REQUEST_HEADER, REQUEST_SOURCE, REQUEST_TYPE, Call

METHODS = st.text(max_size=130) | st.sampled_from(["Plugin.A", "Plugin.B", ""])
NUMBERS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 127, 128, 255, 256, 2**63])
CALLS = st.lists(st.tuples(METHODS, NUMBERS), min_size=1, max_size=8)


def encoded(encoder: Encoder, method: str, seq: int) -> bytes:
    return encoder.encode(Call(method, seq), REQUEST_TYPE, REQUEST_SOURCE)


@given(CALLS)
def test_what_is_known_again_means_the_same(calls: list[tuple[str, int]]) -> None:
    encoder, decoder, reader = Encoder(), Decoder(), HeaderReader[str]()
    for method, seq in calls:
        decoder.feed(encoded(encoder, method, seq))
        message = decoder.next_message()
        assert message is not None
        known = reader.read(message)
        header = decoder.next_value(REQUEST_HEADER)
        assert header is not NEED_DATA
        assert known in (None, (method, seq))
        reader.learn(message, method, seq, method)
        assert not seq or len(method.encode()) > 127 or reader.read(message) in (None, (method, seq))


def test_a_method_is_known_from_its_second_call_on() -> None:
    encoder, decoder, reader = Encoder(), Decoder(), HeaderReader[str]()
    found = []
    for seq in (0, 1, 2, 300):
        decoder.feed(encoded(encoder, "Plugin.A", seq))
        message = decoder.next_message()
        assert message is not None
        decoder.drop_message()
        found.append(reader.read(message))
        reader.learn(message, "Plugin.A", seq, "meaning")
    assert found == [None, None, ("meaning", 2), ("meaning", 300)]


@given(st.binary(max_size=40), st.binary(max_size=12))
def test_no_bytes_are_taken_for_what_they_are_not(start: bytes, end: bytes) -> None:
    encoder, reader = Encoder(), HeaderReader[str]()
    encoded(encoder, "Plugin.A", 1)
    message = encoded(encoder, "Plugin.A", 200)[1:]
    reader.learn(message, "Plugin.A", 200, "")
    assert reader.read(message) == ("", 200)
    reader.read(start)
    for changed in (message[:-3] + end, start + message[len(start) :]):
        known = reader.read(changed)
        if known is not None:
            decoder = Decoder()
            decoder.feed(encoded(Encoder(), "", 1) + bytes([len(changed)]) + changed)
            decoder.next_value(REQUEST_HEADER)
            header = decoder.next_value(REQUEST_HEADER)
            assert header is not NEED_DATA
            assert (header.method, header.seq) == ("Plugin.A", known[1])


@given(CALLS)
def test_what_is_written_is_what_the_common_way_writes(calls: list[tuple[str, int]]) -> None:
    encoder, writer = Encoder(), HeaderWriter()
    encoded(encoder, "", 1)
    for method, seq in calls:
        assert writer.header(method, seq) in (None, encoded(encoder, method, seq))
        writer.learn(method, encoded(encoder, method, 1))
        if len(method.encode()) < 100:
            assert writer.header(method, seq) == encoded(encoder, method, seq)
