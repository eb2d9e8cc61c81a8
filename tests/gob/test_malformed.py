"""What is no gob: said with the byte at which it was noticed, and the end of the stream."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from mattermost_plugin._gob import GENERIC, SKIP, Decoder, GobDataError, GobError, GobLimitError, Target
from mattermost_plugin._gob.messages import message
from tests.gob.craft import (
    BOOL,
    BYTES,
    COMPLEX,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    common,
    define,
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
from tests.gob.streams import read, read_in_pieces

POINT = define_struct(64, "Point", X=INT, Y=INT)
BOX = define_struct(64, "Box", V=INTERFACE)
FIELD = b"\x01" + name_bytes("F") + b"\x01" + raw("04") + b"\0"


class Case(NamedTuple):
    data: bytes
    offset: int
    """Counted from the first byte of the last message, its length excluded; from the first byte for one message."""
    reason: str


def after(*bodies: bytes, offset: int, reason: str) -> Case:
    """A case whose last message is wrong."""
    data = stream(*bodies)
    return Case(data, len(data) - len(bodies[-1]) + offset, reason)


CASES = {
    "message without content": Case(b"\0", 0, "without content"),
    "byte that begins nothing": Case(b"\x80", 0, "no length"),
    "id of more than 64 bits": after(raw("f7"), offset=0, reason="more than 64 bits"),
    "id that is not all there": after(raw("fe80"), offset=2, reason="ends inside"),
    "reserved id defined": after(define_slice(63, INT), offset=0, reason="reserved type id 63"),
    "id defined twice": after(POINT, POINT, offset=0, reason="second definition of type id 64"),
    "empty definition": after(raw("7f00"), offset=2, reason="empty definition"),
    "definition of two types": after(raw("7f 02 0100 0104 00 02 00 00"), offset=8, reason="two types"),
    "unknown kind of type": after(raw("7f 08 00"), offset=2, reason="field 7 of a part"),
    "unknown part of a name": after(raw("7f 02 01 03"), offset=4, reason="field 2 of a part"),
    "definition cut off": after(POINT[:-3], offset=len(POINT) - 3, reason="ends inside"),
    "name cut off": after(raw("7f 03 01 01 05 50"), offset=6, reason="ends inside"),
    "name that is no text": after(raw("7f 03 01 01 01 ff 00 00 00"), offset=5, reason="no UTF-8"),
    "definition with more behind": after(POINT + b"\0", offset=len(POINT), reason="bytes behind"),
    "slice of nothing": after(define(64, 1, common()), offset=5, reason="slice without"),
    "map without keys": after(define(64, 3, common() + raw("0204")), offset=7, reason="map without"),
    "array of negative length": after(define_array(64, INT, -1), offset=9, reason="array of -1"),
    "element of a reserved type": after(define_slice(64, 9), offset=6, reason="type id 9"),
    "element of a negative type": after(define_slice(64, -1), offset=6, reason="type id -1"),
    "field without a type": after(
        define(64, 2, common() + raw("01 01") + b"\x01" + name_bytes("F") + b"\0"), offset=10, reason="without a name"
    ),
    "field without a name": after(define(64, 2, common() + raw("01 01 02 04 00")), offset=9, reason="without a name"),
    "two fields of one name": after(
        define(64, 2, common() + raw("01 02") + FIELD + FIELD), offset=18, reason="two fields of one name"
    ),
    "type that is not defined": after(value(64, b"\0"), offset=0, reason="type id 64 is not defined"),
    "element that is not defined": after(define_slice(64, 70), plain(64, b"\0"), offset=0, reason="type id 70"),
    "type zero": after(raw("00 00"), offset=0, reason="type id 0"),
    "value without its type": after(POINT, raw("ff"), offset=1, reason="ends inside"),
    "struct without its end": after(POINT, value(64, raw("01 2c")), offset=4, reason="ends inside"),
    "struct with more behind": after(POINT, value(64, raw("01 2c 00 00")), offset=5, reason="bytes behind"),
    "no such field": after(POINT, value(64, raw("03 2c 00")), offset=2, reason="field 2 of a struct of 2"),
    "no such field after one": after(POINT, value(64, raw("02 2c 01 2c 00")), offset=4, reason="field 2 of"),
    "field out of all numbers": after(
        POINT, value(64, raw("01 2c f8 ffffffffffffffff")), offset=4, reason="of a struct of 2"
    ),
    "delta of more than 64 bits": after(POINT, value(64, raw("c0 2c 00")), offset=2, reason="more than 64 bits"),
    "struct with no fields": after(define_struct(64, ""), value(64, raw("01 00")), offset=2, reason="field 0 of a"),
    "no zero in front": after(plain(INT, raw("04")).replace(b"\0", b"\x01"), offset=1, reason="no zero"),
    "nothing behind the zero": after(plain(INT, b""), offset=2, reason="ends inside"),
    "integer of more than 64 bits": after(plain(INT, raw("f7 0102030405060708 09")), offset=2, reason="64 bits"),
    "integer cut off": after(plain(INT, raw("fe 01")), offset=4, reason="ends inside"),
    "unsigned cut off": after(plain(UINT, raw("f8 01")), offset=4, reason="ends inside"),
    "bool of more than 64 bits": after(plain(BOOL, raw("81")), offset=2, reason="64 bits"),
    "float of more than 64 bits": after(plain(FLOAT, raw("f7" + "01" * 9)), offset=2, reason="64 bits"),
    "float cut off": after(plain(FLOAT, raw("fe 31")), offset=4, reason="ends inside"),
    "complex cut off": after(plain(COMPLEX, raw("fe f03f")), offset=5, reason="ends inside"),
    "short text cut off": after(plain(STRING, raw("05 61")), offset=4, reason="ends inside"),
    "long text cut off": after(plain(STRING, raw("fe ffff 61")), offset=2, reason="a text of 65535 bytes"),
    "huge text": after(plain(BYTES, raw("f8 ffffffffffffffff")), offset=2, reason="a text of 18446744073709551615"),
    "text in a struct cut off": after(
        define_struct(64, "S", A=STRING), value(64, raw("01 7f 61 00")), offset=6, reason="ends inside"
    ),
    "list cut off": after(define_slice(64, INT), plain(64, raw("03 02 04")), offset=6, reason="ends inside"),
    "long list cut off": after(define_slice(64, INT), plain(64, raw("ff 80 02")), offset=3, reason="128 elements"),
    "huge list": after(define_slice(64, STRING), plain(64, raw("f8 ffffffffffffffff")), offset=3, reason="elements"),
    "huge map": after(define_map(64, STRING, INT), plain(64, raw("fc ffffffff")), offset=3, reason="elements"),
    "array of another length": after(
        define_array(64, INT, 2), plain(64, raw("03 02 04 06")), offset=4, reason="3 elements for an array of 2"
    ),
    "name cut off in an interface": after(BOX, value(64, raw("01 05 61")), offset=5, reason="ends inside"),
    "unknown type in an interface": after(
        BOX, value(64, b"\x01" + held("x", 70, b"\0") + b"\0"), offset=7, reason="type id 70 is not defined"
    ),
    "wrong size in an interface": after(
        BOX, value(64, b"\x01" + name_bytes("int") + raw("04 05 00 02 00")), offset=11, reason="another size"
    ),
    "no zero in an interface": after(
        BOX, value(64, b"\x01" + held("int", INT, raw("02 02")) + b"\0"), offset=9, reason="no zero"
    ),
    "reserved id defined in an interface": after(
        BOX, value(64, b"\x01" + name_bytes("x") + define_slice(20, INT)), offset=5, reason="reserved type id 20"
    ),
    "id defined twice in an interface": after(
        BOX, value(64, b"\x01" + name_bytes("x") + define_slice(64, INT)), offset=5, reason="second definition"
    ),
    "number behind a definition cut off": after(
        BOX, value(64, b"\x01" + name_bytes("x") + define_slice(65, INT) + raw("fe")), offset=15, reason="ends inside"
    ),
}


@pytest.mark.parametrize("target", [GENERIC, SKIP], ids=["read", "skip"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_said_what_is_wrong_and_where(name: str, target: Target[object]) -> None:
    case = CASES[name]
    with pytest.raises(GobDataError, match=case.reason) as caught:
        read(case.data, target)
    assert caught.value.offset == case.offset
    assert f"at byte {case.offset}" in str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_in_pieces(name: str) -> None:
    case = CASES[name]
    with pytest.raises(GobDataError, match=case.reason) as caught:
        read_in_pieces(case.data, 1)
    assert caught.value.offset == case.offset


def test_a_stream_that_is_dead_stays_so() -> None:
    decoder = Decoder()
    decoder.feed(stream(raw("00 00"), plain(INT, raw("02"))))
    errors = []
    calls: list[Callable[[], object]] = [
        lambda: decoder.next_value(GENERIC),
        lambda: decoder.next_value(SKIP),
        decoder.next_shape,
        decoder.close,
    ]
    for call in calls:
        with pytest.raises(GobDataError) as caught:
            call()
        errors.append(caught.value)
    assert [str(error) for error in errors] == ["gob: type id 0 is not defined at byte 1"] * 4
    decoder.feed(b"\0" * 1000)
    assert decoder.buffered_bytes == 0
    with pytest.raises(GobDataError, match="type id 0"):
        decoder.next_value(GENERIC)


@pytest.mark.parametrize("length", range(1, len(stream(POINT, value(64, raw("01 2c 00"))))))
def test_a_stream_that_ends_too_early(length: int) -> None:
    data = stream(POINT, value(64, raw("01 2c 00")))
    if length == len(message(POINT)):
        assert read(data[:length]) == []
        return
    with pytest.raises(GobDataError, match="ends inside a value") as caught:
        read(data[:length])
    assert caught.value.offset == length


def test_a_value_that_waits_for_a_definition_is_not_complete() -> None:
    cut = stream(BOX, value(64, b"\x01" + name_bytes("x") + define_slice(65, INT)))
    with pytest.raises(GobDataError, match="ends inside a value"):
        read(cut)
    rest = stream(raw("ff82 03 00 01 02 00"))
    assert read(cut + rest) == [{"V": ("x", [1])}]


def test_a_value_must_not_run_into_the_next_message() -> None:
    # The text takes all of the first message and the length of the second; only a definition may end a message.
    cut = stream(BOX, value(64, b"\x01" + name_bytes("x") + define_struct(65, "S", A=STRING, B=INTERFACE)))
    inner = raw("ff82 0a 01 01 61 01") + name_bytes("y") + define_slice(66, INT)
    with pytest.raises(GobError):
        read(cut + stream(inner, raw("ff84 05 00 01"), raw("02 00 00")))


def test_the_path_names_types_and_fields_and_no_keys() -> None:
    inner = define_struct(65, "Inner", Name=STRING)
    outer = define_struct(64, "Outer", First=INT, ByKey=66)
    broken = value(64, b"\x02\x01" + name_bytes("secret") + raw("01 fc 00000fff 00 00"))
    with pytest.raises(GobDataError, match="a text of 4095 bytes") as caught:
        read(stream(outer, inner, define_map(66, STRING, 65), broken))
    assert caught.value.path == "Outer.ByKey.Name"
    assert "secret" not in str(caught.value)


def test_names_of_a_peer_do_not_spoil_a_log() -> None:
    outer = define_struct(64, "Evil\nINFO all is well", **{"F\x1b[31m" + "x" * 500: STRING})
    with pytest.raises(GobDataError) as caught:
        read(stream(outer, value(64, raw("01 fc 00000fff 00"))))
    assert caught.value.path.startswith(r"Evil\nINFO all is well.F\x1b[31mxxx")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_a_limit_error_is_a_data_error_that_names_the_limit() -> None:
    error = GobLimitError("a message of 9 bytes", "max_message_bytes", offset=4)
    assert isinstance(error, GobDataError)
    assert str(error) == "gob: a message of 9 bytes at byte 4 (limit max_message_bytes)"
