"""What a peer can make us hold and do is bounded."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest

from mattermost_plugin._gob import GENERIC, NEED_DATA, SKIP, Decoder, GobError, GobLimitError, Limits, Target
from mattermost_plugin._gob.primitives import uint_bytes
from tests.gob.craft import (
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    define_array,
    define_map,
    define_slice,
    define_struct,
    held,
    name_bytes,
    plain,
    raw,
    stream,
    value,
)
from tests.gob.streams import read

BOTH = pytest.mark.parametrize("target", [GENERIC, SKIP], ids=["read", "skip"])


def refuse(data: bytes, limit: str, limits: Limits | None = None, target: Target[object] = GENERIC) -> None:
    with pytest.raises(GobLimitError) as caught:
        read(data, target, limits)
    assert caught.value.limit == limit


def test_a_long_message_is_refused_by_its_length() -> None:
    data = stream(plain(STRING, b"\x05abcde"))
    assert read(data, limits=Limits(max_message_bytes=8)) == ["abcde"]
    refuse(data[:1], "max_message_bytes", Limits(max_message_bytes=7))


def test_a_length_alone_takes_no_memory() -> None:
    decoder = Decoder()
    tracemalloc.start()
    try:
        decoder.feed(uint_bytes(200 << 20) + b"x")
        assert decoder.next_value(GENERIC) is NEED_DATA
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@BOTH
def test_long_texts(target: Target[object]) -> None:
    data = stream(plain(STRING, raw("ff80") + b"x" * 128))
    read(data, target, Limits(max_string_bytes=128))
    refuse(data, "max_string_bytes", Limits(max_string_bytes=127), target)


def nested(levels: int) -> bytes:
    """Lists in interfaces in lists."""
    pieces, size = [b"\0\0"], 2
    for _ in range(levels):
        head = b"\0\x01" + name_bytes("x") + raw("ff80") + uint_bytes(size)
        pieces.append(head)
        size += len(head)
    body = b"".join(reversed(pieces))
    return stream(define_slice(64, INTERFACE), plain(64, body[1:]))


def test_deep_interfaces() -> None:
    data = nested(50)
    read(data, GENERIC, Limits(max_depth=102))
    refuse(data, "max_depth", Limits(max_depth=101))


@pytest.mark.parametrize("levels", [50, 100_000])
def test_what_json_has_nested_is_skipped_however_deep(levels: int) -> None:
    data = nested(levels)
    assert read(data + stream(plain(STRING, b"\x01a")), SKIP, Limits(max_depth=3)) == [None, None]
    refuse(data, "max_elements", Limits(max_elements=levels), SKIP)


@BOTH
@pytest.mark.parametrize("levels", [100, 100_000])
def test_deep_recursion(target: Target[object], levels: int) -> None:
    # Lists of themselves: one element each.
    refuse(stream(define_slice(64, 64), plain(64, b"\x01" * levels + b"\0")), "max_depth", Limits(max_depth=90), target)
    refuse(
        stream(define_struct(64, "S", Next=64), value(64, b"\x01" * levels + b"\0" * (levels + 1))),
        "max_depth",
        Limits(max_depth=90),
        target,
    )


@BOTH
def test_the_default_depth_fits_on_the_stack(target: Target[object]) -> None:
    depth = Limits().max_depth
    shallow = stream(define_struct(64, "S", Next=64), value(64, b"\x01" * (depth - 2) + b"\0" * (depth - 1)))
    assert sys.getrecursionlimit() >= 1000
    assert _from_depth(300, lambda: len(read(shallow, target))) == 1


def test_a_caller_deep_in_the_stack_gets_an_error_of_gob() -> None:
    depth = Limits().max_depth
    data = stream(define_struct(64, "S", Next=64), value(64, b"\x01" * (depth - 2) + b"\0" * (depth - 1)))
    room = sys.getrecursionlimit() - _stack_depth()
    with pytest.raises(GobError):
        _from_depth(room - 150, lambda: read(data))


def _stack_depth() -> int:
    frame: FrameType | None = sys._getframe()
    depth = 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def _from_depth(levels: int, call: Callable[[], object]) -> object:
    return call() if levels == 0 else _from_depth(levels - 1, call)


@BOTH
def test_deeply_nested_types(target: Target[object]) -> None:
    types = [define_struct(64 + number, "S", F=65 + number) for number in range(60)]
    data = stream(*types, define_struct(124, "S"), value(64, b"\0"))
    read(data, target, Limits(max_depth=64))
    refuse(data, "max_depth", Limits(max_depth=50), target)


@BOTH
def test_many_elements(target: Target[object]) -> None:
    data = stream(define_slice(64, INT), plain(64, raw("ff c8") + b"\x02" * 200))
    read(data, target, Limits(max_elements=300))
    refuse(data, "max_elements", Limits(max_elements=199), target)


@BOTH
def test_many_entries_and_elements_within(target: Target[object]) -> None:
    entry = b"\x01a" + raw("03 02 02 02")
    data = stream(define_map(64, STRING, 65), define_slice(65, INT), plain(64, b"\x02" + entry * 2))
    read(data, target, Limits(max_elements=11))
    refuse(data, "max_elements", Limits(max_elements=10), target)


@BOTH
def test_elements_without_content_count(target: Target[object]) -> None:
    data = stream(define_slice(64, 65), define_struct(65, ""), plain(64, raw("fd 0f4240") + b"\0" * 1_000_000))
    refuse(data, "max_elements", Limits(max_elements=900_000), target)


@BOTH
def test_structs_count_with_their_fields(target: Target[object]) -> None:
    fields = {f"F{number}": INT for number in range(50)}
    data = stream(define_slice(64, 65), define_struct(65, "", **fields), plain(64, b"\x03" + b"\0" * 3))
    read(data, target, Limits(max_elements=160))
    refuse(data, "max_elements", Limits(max_elements=150), target)


@BOTH
def test_recursive_structs_count(target: Target[object]) -> None:
    data = stream(define_struct(64, "S", Next=64), value(64, b"\x01" * 50 + b"\0" * 51))
    read(data, target, Limits(max_elements=110))
    refuse(data, "max_elements", Limits(max_elements=90), target)


@BOTH
def test_structs_in_interfaces_count(target: Target[object]) -> None:
    data = stream(
        define_struct(65, "Many", **{f"F{number}": INT for number in range(50)}),
        define_slice(64, INTERFACE),
        plain(64, b"\x04" + held("x", 65, b"\0") * 4),
    )
    read(data, target, Limits(max_elements=220))
    refuse(data, "max_elements", Limits(max_elements=190), target)


@pytest.mark.parametrize("key", [INT, UINT, FLOAT])
def test_many_keys_that_may_collide(key: int) -> None:
    entries = b"".join(uint_bytes(number) + b"\x02" for number in range(200))
    data = stream(define_map(64, key, INT), plain(64, uint_bytes(200) + entries))
    read(data, GENERIC, Limits(max_number_keys=200))
    refuse(data, "max_number_keys", Limits(max_number_keys=199))
    # Nothing is kept of keys that are skipped.
    read(data, SKIP, Limits(max_number_keys=1))


def test_an_array_of_many_does_not_make_room_before() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(GobError):
            read(stream(define_array(64, INTERFACE, 2**40), plain(64, raw("fa 010000000000"))))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_many_types() -> None:
    data = stream(*(define_slice(64 + number, INT) for number in range(11)))
    read(data, limits=Limits(max_types=11))
    refuse(data, "max_types", Limits(max_types=10))


def test_many_fields() -> None:
    data = stream(define_struct(64, "", **{f"F{number}": INT for number in range(11)}))
    read(data, limits=Limits(max_fields=11))
    refuse(data, "max_fields", Limits(max_fields=10))


def test_many_fields_in_all() -> None:
    data = stream(*(define_struct(64 + number, "", A=INT, B=INT) for number in range(5)))
    read(data, limits=Limits(max_total_fields=10))
    refuse(data, "max_total_fields", Limits(max_total_fields=9))


@BOTH
def test_long_names(target: Target[object]) -> None:
    refuse(stream(define_struct(64, "N" * 1025)), "max_name_bytes")
    refuse(stream(define_struct(64, "", **{"F" * 1025: INT})), "max_name_bytes")
    long = stream(define_slice(64, INTERFACE), plain(64, b"\x01" + held("n" * 1025, INT, raw("00 02"))))
    refuse(long, "max_name_bytes", None, target)
    fits = stream(define_slice(64, INTERFACE), plain(64, b"\x01" + held("n" * 1024, INT, raw("00 02"))))
    assert read(fits, GENERIC) == [[("n" * 1024, 1)]]


def test_many_names_in_interfaces() -> None:
    many = b"".join(held(f"name {number:02}", INT, raw("00 02")) for number in range(12))
    data = stream(define_slice(64, INTERFACE), plain(64, b"\x0c" + many))
    read(data, GENERIC, Limits(max_types=12))
    refuse(data, "max_types", Limits(max_types=11))
    # Nothing is kept of a name that is skipped.
    read(data, SKIP, Limits(max_types=11))


def cut_often(times: int) -> tuple[bytes, ...]:
    """A list in which each element defines a type and so ends the message."""
    pieces = [value(64, b"\0" + uint_bytes(times))]
    for number in range(times):
        pieces[-1] += name_bytes(f"n{number}") + define_slice(70 + number, INT)
        pieces.append(value(70 + number, raw("03 00 01 02")))
    return (define_slice(64, INTERFACE), *pieces)


def test_a_value_cut_often_is_read_again_a_bounded_number_of_times() -> None:
    messages = cut_often(20)
    assert read(stream(*messages)) == [[(f"n{number}", [1]) for number in range(20)]]
    # However small the limit, a value may be read some dozen times.
    assert len(read(stream(*messages), limits=Limits(max_reread_bytes=1))) == 1
    refuse(stream(*cut_often(200)), "max_reread_bytes", Limits(max_reread_bytes=1000))


def test_messages_of_one_value_are_bounded_together() -> None:
    messages = cut_often(20)
    longest = max(map(len, messages))
    whole = sum(map(len, messages[1:]))
    read(stream(*messages), limits=Limits(max_message_bytes=whole))
    refuse(stream(*messages), "max_message_bytes", Limits(max_message_bytes=longest + 5))


def test_definitions_that_wait_for_their_value_are_bounded() -> None:
    first = value(64, b"\0\x01" + name_bytes("n") + define_slice(70, INT))
    waiting = [define_slice(71 + number, INT) for number in range(100)]
    refuse(stream(define_slice(64, INTERFACE), first, *waiting), "max_message_bytes", Limits(max_message_bytes=200))


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="max_depth must be positive"):
        Limits(max_depth=0)
