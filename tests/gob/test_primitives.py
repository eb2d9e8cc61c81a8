"""Numbers as gob writes them, and messages cut out of a stream."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.messages import MessageBuffer, message
from mattermost_plugin._gob.primitives import (
    SMALL_FLOATS,
    SMALL_UINTS,
    float_bytes,
    int_bytes,
    long_float,
    read_int,
    read_uint,
    uint_bytes,
)

UINTS = {0: "00", 7: "07", 127: "7f", 128: "ff80", 256: "fe0100", 2**64 - 1: "f8ffffffffffffffff"}
INTS = {
    0: "00",
    3: "06",
    -1: "01",
    63: "7e",
    64: "ff80",
    -64: "7f",
    -65: "ff81",
    1_700_000_000_000: "fa03179fcad000",
    2**63 - 1: "f8fffffffffffffffe",
    -(2**63): "f8ffffffffffffffff",
}
FLOATS = {0.0: "00", 17.0: "fe3140", -1.5: "fef8bf", 0.1: "f89a9999999999b93f", math.inf: "fef07f", 2.0: "40"}


@pytest.mark.parametrize(("number", "text"), UINTS.items())
def test_unsigned(number: int, text: str) -> None:
    assert uint_bytes(number).hex() == text
    assert read_uint(bytes.fromhex(text), 0) == (number, len(text) // 2)


@pytest.mark.parametrize(("number", "text"), INTS.items())
def test_signed(number: int, text: str) -> None:
    assert int_bytes(number).hex() == text
    assert read_int(bytes.fromhex(text), 0) == (number, len(text) // 2)


@pytest.mark.parametrize(("number", "text"), FLOATS.items())
def test_floats(number: float, text: str) -> None:
    assert float_bytes(number).hex() == text
    assert read_float(bytes.fromhex(text)) == number


def read_float(data: bytes) -> float:
    if data[0] < 128:
        return SMALL_FLOATS[data[0]]
    value, end = long_float(data, 1, data[0])
    assert end == len(data)
    return value


@given(st.integers(0, 2**64 - 1))
def test_any_unsigned(number: int) -> None:
    data = uint_bytes(number)
    assert read_uint(data + b"x", 0) == (number, len(data))


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_signed(number: int) -> None:
    data = int_bytes(number)
    assert read_int(data, 0) == (number, len(data))


@given(st.floats())
def test_any_float(number: float) -> None:
    found = read_float(float_bytes(number))
    assert math.copysign(1, found) == math.copysign(1, number)
    assert found == number or (math.isnan(found) and math.isnan(number))


def test_longer_forms_than_needed_are_read() -> None:
    assert read_uint(bytes.fromhex("f80000000000000005"), 0) == (5, 9)
    assert read_float(bytes.fromhex("fc00003140")) == 17.0


@pytest.mark.parametrize("number", [-1, 2**64])
def test_no_unsigned_of_64_bits(number: int) -> None:
    with pytest.raises(ValueError, match="no unsigned number of 64 bits"):
        uint_bytes(number)


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**63])
def test_no_signed_of_64_bits(number: int) -> None:
    with pytest.raises(ValueError, match="no signed number of 64 bits"):
        int_bytes(number)


@pytest.mark.parametrize("first", range(128, 248))
def test_bytes_that_begin_nothing(first: int) -> None:
    with pytest.raises(Fault, match="more than 64 bits"):
        read_uint(bytes((first,)) + bytes(200), 0)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.data())
def test_messages_are_cut_the_same_however_they_come(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(message, bodies))
    buffer = MessageBuffer(1000)
    found: list[bytes] = []
    start = 0
    while start < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        buffer.feed(stream[start : start + size])
        start += size
        if data.draw(st.booleans()):
            while (body := buffer.next()) is not None:
                assert stream[buffer.offset : buffer.end] == body
                found.append(body)
    while (body := buffer.next()) is not None:
        assert stream[buffer.offset : buffer.end] == body
        found.append(body)
    assert found == bodies
    assert not buffer.is_inside_message
    assert buffer.buffered == 0


def test_other_buffers_are_copied() -> None:
    buffer = MessageBuffer(10)
    data = bytearray(message(b"abc"))
    buffer.feed(memoryview(data))
    buffer.feed(b"")
    data[:] = bytes(len(data))
    assert buffer.next() == b"abc"


def test_a_length_in_a_longer_form_than_needed() -> None:
    buffer = MessageBuffer(10)
    buffer.feed(bytes.fromhex("fd000003") + b"abc")
    assert buffer.next() == b"abc"


def test_small_numbers_are_single_bytes() -> None:
    assert tuple(bytes((number,)) for number in range(128)) == SMALL_UINTS
