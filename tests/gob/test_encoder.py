"""What the encoder writes: what Go would, with the types first."""

import math
from collections import OrderedDict, UserDict
from datetime import UTC, datetime
from typing import Any

import pytest

from mattermost_plugin._gob import GENERIC, Decoder, Encoder, GobEncodeError, GoTime, Interface, Item, Pairs, Registered
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoArray, GoField, GoMap, GoMarshaler, GoPointer, GoSlice, GoStruct, GoType
from mattermost_plugin._gob.shapes import Kind
from mattermost_plugin._gob.values import ZERO_TIME
from tests.gob.streams import bodies, read, values

POINT = GoStruct("Point", (GoField("X", go.INT), GoField("Y", go.INT)))
STRINGS = GoSlice(go.STRING)


def struct(**fields: GoType) -> GoStruct:
    return GoStruct("S", tuple(GoField(name, field) for name, field in fields.items()))


def last_hex(value: object, go_type: GoType, registry: dict[str, Registered] | None = None) -> str:
    """The message of the value itself."""
    return bodies(Encoder(registry).encode(value, go_type))[-1].hex()


def back(value: object, go_type: GoType) -> object:
    (found,) = read(Encoder().encode(value, go_type))
    return found


def test_a_struct_byte_by_byte() -> None:
    encoder = Encoder()
    first = encoder.encode({"X": 22, "Y": 33}, POINT)
    assert first.hex() == (
        "1f ff81 03 01 01 05 506f696e74 01 ff82 00 01 02 01 01 58 01 04 00 01 01 59 01 04 00 00 00"
        "07 ff82 01 2c 01 42 00"
    ).replace(" ", "")
    assert encoder.encode({"Y": 5}, POINT).hex() == "05ff82020a00"
    assert encoder.encode({}, POINT).hex() == "03ff8200"


PLAIN: list[tuple[object, GoType, str]] = [
    (True, go.BOOL, "020001"),
    (False, go.BOOL, "020000"),
    ("hooks", go.STRING, "0c0005686f6f6b73"),
    (1, go.UINT32, "060001"),
    (b"abc", go.BYTES, "0a0003616263"),
    (bytearray(b"abc"), go.BYTES, "0a0003616263"),
    (None, go.BYTES, "0a0000"),
    (201, go.INT, "0400fe0192"),
    (-(2**63), go.INT64, "0400f8ffffffffffffffff"),
    (2**64 - 1, go.UINT64, "0600f8ffffffffffffffff"),
    (17, go.FLOAT64, "0800fe3140"),
    (-0.0, go.FLOAT64, "0800ff80"),
    (1 + 17j, go.COMPLEX128, "0e00fef03ffe3140"),
    (True, go.INT, "040002"),
    ("a\udcffb", go.STRING, "0c000361ff62"),
]


@pytest.mark.parametrize(("value", "go_type", "text"), PLAIN)
def test_a_basic_value_alone(value: object, go_type: GoType, text: str) -> None:
    assert last_hex(value, go_type) == text


def test_lists_and_maps() -> None:
    assert last_hex(["OnActivate"], STRINGS) == "ff8200010a4f6e4163746976617465"
    assert last_hex(("a",), STRINGS) == "ff8200010161"
    assert last_hex(None, STRINGS) == "ff820000"
    assert last_hex({"X": ["1", "2"]}, GoMap(go.STRING, STRINGS)) == "ff840001015802013101 32".replace(" ", "")
    assert last_hex([1, 200, 3], GoArray(go.UINT8, 3)) == "ff82000301ffc803"
    assert last_hex(Pairs([({"X": 1}, "p")]), GoMap(POINT, go.STRING)) == "ff84000101020001 70".replace(" ", "")
    assert back(OrderedDict(a=1), GoMap(go.STRING, go.INT)) == {"a": 1}
    assert back(UserDict(a=1), GoMap(go.STRING, go.INT)) == {"a": 1}
    assert back([["a", 1]], GoMap(go.STRING, go.INT)) == {"a": 1}


LEFT_OUT: list[tuple[GoType, list[object]]] = [
    (go.BOOL, [False, None]),
    (go.INT, [0, None]),
    (go.UINT8, [0]),
    (go.FLOAT64, [0.0, -0.0]),
    (go.COMPLEX128, [0j]),
    (go.STRING, ["", None]),
    (go.BYTES, [b"", None]),
    (STRINGS, [[], (), None]),
    (GoMap(go.STRING, go.INT), [None]),
    (go.ANY, [None]),
    (GoPointer(POINT), [None]),
    (GoPointer(go.BOOL), [None, False]),
    (GoPointer(go.INT), [0]),
    (GoPointer(GoPointer(go.STRING)), [""]),
    (GoPointer(STRINGS), [[]]),
    (GoPointer(GoMap(go.STRING, go.INT)), [None]),
    (GoPointer(GoArray(go.INT, 2)), [None]),
    (go.TIME, [None, ZERO_TIME]),
    (GoPointer(go.TIME), [None, ZERO_TIME]),
    (GoPointer(go.URL), [None]),
]


@pytest.mark.parametrize(("go_type", "zeros"), LEFT_OUT)
def test_what_go_leaves_out_of_structs(go_type: GoType, zeros: list[object]) -> None:
    kind = struct(F=go_type, Last=go.INT)
    for zero in zeros:
        assert last_hex({"F": zero, "Last": 1}, kind).endswith("020200"), zero
    assert last_hex({"Last": 1}, kind).endswith("020200")


SENT: list[tuple[GoType, object, str]] = [
    (POINT, None, "00"),
    (POINT, {}, "00"),
    (GoPointer(POINT), {}, "00"),
    (GoMap(go.STRING, go.INT), {}, "00"),
    (GoPointer(GoMap(go.STRING, go.INT)), {}, "00"),
    (GoArray(go.INT, 2), None, "020000"),
    (GoArray(go.STRING, 0), None, "00"),
    (GoArray(POINT, 1), [{}], "0100"),
    (go.ANY, Interface("int", 0), "03696e7404020000"),
    (go.ANY, "", "06737472696e670c020000"),
    (go.URL, None, "00"),
    (GoPointer(go.URL), "", "00"),
    (go.TIME, GoTime(1_700_000_000, 123_000_000), "0f010000000edce5e8000754d4c0ffff"),
    (go.TIME, datetime(1970, 1, 1, tzinfo=UTC), "0f010000000e7791f70000000000ffff"),
    (go.TIME, GoTime(0).to_bytes(), "0f010000000e7791f70000000000ffff"),
    (STRINGS, [""], "0100"),
    (GoSlice(GoPointer(POINT)), [{}], "0100"),
    (GoSlice(STRINGS), [None, []], "020000"),
]


@pytest.mark.parametrize(("go_type", "value", "text"), SENT)
def test_what_go_sends_though_it_is_zero(go_type: GoType, value: object, text: str) -> None:
    assert last_hex({"F": value}, struct(F=go_type)).endswith(f"01{text}00")


def test_arrays_that_are_missing_are_of_zeros() -> None:
    kind = struct(F=GoArray(struct(G=GoArray(POINT, 2), H=go.ANY, T=go.TIME), 1), T=GoArray(go.TIME, 1))
    inner: dict[str, object] = {"G": ({}, {})}
    assert back({}, kind) == {"F": (inner,), "T": (ZERO_TIME,)}
    assert back({"F": [{}]}, kind) == back({}, kind)
    wrong: list[object] = [None, {"G": [{}, None]}]
    for missing in wrong:
        with pytest.raises(GobEncodeError):
            Encoder().encode({"F": [missing]}, kind)
    with pytest.raises(GobEncodeError, match="nil pointer"):
        Encoder().encode({}, struct(F=GoArray(GoPointer(POINT), 1)))


def test_types_come_once_and_before_the_value() -> None:
    rec = GoStruct("Rec")
    rec.fields = (GoField("Name", go.STRING), GoField("Kids", GoSlice(GoPointer(rec))))
    encoder = Encoder()
    first = bodies(encoder.encode({"Name": "a", "Kids": [{"Name": "b"}]}, rec))
    assert [body[:2].hex() for body in first] == ["ff81", "ff83", "ff82"]
    assert len(bodies(encoder.encode({}, GoPointer(rec)))) == 1
    assert len(bodies(encoder.encode({"P": {}}, struct(P=rec)))) == 2
    assert len(bodies(encoder.encode("x", go.STRING))) == 1


def test_equal_types_without_a_name_are_one_type() -> None:
    def texts() -> GoType:
        return GoMap(go.STRING, GoSlice(GoSlice(go.STRING)))

    encoder = Encoder()
    kind = struct(A=texts(), B=texts(), C=GoSlice(go.STRING), D=GoArray(go.INT, 1), E=GoArray(go.INT, 2))
    assert len(bodies(encoder.encode({}, kind))) == 7
    assert len(bodies(encoder.encode(None, texts()))) == 1
    named = struct(A=GoSlice(go.STRING, "Names"), B=GoSlice(go.STRING, "Names"))
    assert len(bodies(encoder.encode({}, named))) == 4
    with pytest.raises(GobEncodeError):
        encoder.encode({"A": 3}, struct(A=GoSlice(GoArray(go.INT, 2)), B=GoSlice(GoArray(go.BOOL, 2))))
    data = encoder.encode({"B": [[True, False]]}, struct(B=GoSlice(GoArray(go.BOOL, 2))))
    assert len(bodies(data)) == 4


def test_an_unnamed_type_that_contains_itself() -> None:
    loop = GoSlice(go.INT)
    loop.elem = GoSlice(loop)
    assert back([[[]]], loop) == [[[]]]


def test_types_held_by_interfaces_come_before_the_value_too() -> None:
    registry = {"*p.Point": Registered(GoPointer(POINT)), "p.Box": Registered(struct(Inner=go.ANY))}
    encoder = Encoder(registry)
    value = Interface("p.Box", {"Inner": Interface("*p.Point", {"X": 1})})
    kind = struct(V=go.ANY)
    sent = bodies(encoder.encode({"V": value}, kind))
    assert [body[:2].hex() for body in sent] == ["ff81", "ff83", "ff85", "ff82"]
    again = encoder.encode({"V": value}, kind)
    assert len(bodies(again)) == 1
    decoder = Decoder()
    decoder.feed(b"".join(len(body).to_bytes(1, "big") + body for body in sent) + again)
    assert list(values(decoder, GENERIC)) == [{"V": value}] * 2


def test_python_values_in_interfaces() -> None:
    value = {"a": [1, 1.5, "s", b"b", True, None, {"n": ()}], "c": 1j}
    found = back(value, GoMap(go.STRING, go.ANY))
    assert found == {
        "a": Interface(
            "[]interface {}",
            [
                Interface("int", 1),
                Interface("float64", 1.5),
                Interface("string", "s"),
                Interface("[]uint8", b"b"),
                Interface("bool", True),
                None,
                Interface("map[string]interface {}", {"n": Interface("[]interface {}", [])}),
            ],
        ),
        "c": Interface("complex128", 1j),
    }


def test_nil_lists_and_maps_in_interfaces() -> None:
    value = [Interface("[]string", None), Interface("map[string]interface {}", None), Interface("[]uint8", None)]
    assert back(value, GoSlice(go.ANY)) == [
        Interface("[]string", []),
        Interface("map[string]interface {}", {}),
        Interface("[]uint8", b""),
    ]


WRONG: list[tuple[object, GoType, str]] = [
    ("x", go.INT, "a str for an integer"),
    (1.0, go.INT, "a float for an integer"),
    (None, go.INT, "None for an integer"),
    (2**63, go.INT, "not in -9223372036854775808"),
    (-1, go.UINT, "not in 0 to"),
    (128, go.INT8, "not in -128 to 127"),
    (256, go.UINT8, "not in 0 to 255"),
    (1, go.BOOL, "a int for a bool"),
    ("x", go.FLOAT64, "a str for a float"),
    (1e300, go.FLOAT32, "too large for float32"),
    ("x", go.COMPLEX128, "real"),
    (b"x", go.STRING, "encode"),
    (1, go.STRING, "encode"),
    ("\ud800", go.STRING, "cannot be encoded"),
    ("x", go.BYTES, "a str for bytes"),
    (3, go.BYTES, "a int for bytes"),
    ("x", STRINGS, "a str for a list"),
    ({"a"}, STRINGS, "a set for a list"),
    ({"a": 1}, STRINGS, "a dict for a list"),
    (3, STRINGS, "a int for a list"),
    ([1], STRINGS, "encode"),
    ([None], STRINGS, "encode"),
    ([1], GoArray(go.INT, 2), "1 elements for an array of 2"),
    ([("a", 1, 2)], GoMap(go.STRING, go.INT), "an entry of a map"),
    ("x", GoMap(go.STRING, go.INT), "a str for a map"),
    ({1: 1}, GoMap(go.STRING, go.INT), "encode"),
    ([None], GoSlice(GoPointer(POINT)), "nil pointer"),
    ({"a": None}, GoMap(go.STRING, GoPointer(go.INT)), "nil pointer"),
    (None, POINT, "get"),
    ("x", go.TIME, "a str for a time.Time"),
    (3, go.URL, "a int for a text"),
    ({"F": 1}, struct(F=go.BOOL), "a int for a bool"),
    ({"F": 1}, struct(F=STRINGS), "a int for a list"),
    ([object()], GoSlice(go.ANY), "values of object are not registered"),
    ([2**63], GoSlice(go.ANY), "not in -9223372036854775808"),
    ([Interface("p.Unknown", {})], GoSlice(go.ANY), "the name 'p.Unknown' is not registered"),
    ([Interface("int", "x")], GoSlice(go.ANY), "a str for an integer"),
    ([Interface("int", None)], GoSlice(go.ANY), "None for an integer"),
    ([Interface("p.P", None)], GoSlice(go.ANY), "nil pointer in an interface"),
    (3, GoMarshaler(Kind.TEXT_MARSHALER), "a int for bytes"),
]


@pytest.mark.parametrize(("value", "go_type", "reason"), WRONG)
def test_a_wrong_value_is_refused_and_the_stream_is_as_before(value: object, go_type: GoType, reason: str) -> None:
    encoder = Encoder({"p.P": Registered(GoPointer(POINT))})
    before = encoder.encode({"X": 1}, POINT)
    with pytest.raises(GobEncodeError, match=reason):
        encoder.encode(value, go_type)
    kind = struct(P=POINT, L=GoSlice(go.INT16))
    assert read(before + encoder.encode({"L": [1]}, kind)) == [{"X": 1}, {"P": {}, "L": [1]}]


def test_the_path_names_the_field() -> None:
    kind = struct(A=go.INT, B=GoSlice(struct(C=go.STRING)))
    with pytest.raises(GobEncodeError) as caught:
        Encoder().encode({"B": [{"C": "x"}, {"C": 3}]}, kind)
    assert caught.value.path == "S.B.C"
    assert caught.value.offset is None


def test_a_value_that_contains_itself() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(GobEncodeError, match="contains itself"):
        Encoder().encode(loop, GoSlice(go.ANY))


def test_several_values_go_together_or_not_at_all() -> None:
    encoder = Encoder()
    header = struct(Seq=go.INT)
    with pytest.raises(GobEncodeError):
        encoder.encode_all([Item({"Seq": 1}, header), Item({"X": "no"}, POINT)])
    data = encoder.encode_all([Item({"Seq": 1}, header), Item({"X": 2}, POINT)])
    assert read(data) == [{"Seq": 1}, {"X": 2}]
    assert [body[:2].hex() for body in bodies(data)] == ["ff81", "ff82", "ff83", "ff84"]
    assert encoder.encode_all([]) == b""


def test_a_failure_that_is_no_fault_of_the_value_leaves_the_stream_as_it_was() -> None:
    class Stop(BaseException):
        pass

    class Stopping(dict[str, Any]):
        def get(self, *_: object) -> Any:
            raise Stop

    encoder = Encoder()
    with pytest.raises(Stop):
        encoder.encode(Stopping(), POINT)
    assert read(encoder.encode({"X": 1}, POINT)) == [{"X": 1}]


def test_structs_of_many_fields() -> None:
    for count in (126, 127, 128, 129, 300):
        kind = struct(**{f"F{number}": go.INT for number in range(count)})
        for value in ({f"F{count - 1}": 1}, {"F0": 1, f"F{count - 1}": 2}, {f"F{n}": n + 1 for n in range(count)}):
            assert back(value, kind) == value
    flags = struct(**{f"F{number}": go.BOOL for number in range(130)})
    assert back({"F0": True, "F129": True}, flags) == {"F0": True, "F129": True}


def test_deeply_nested_containers() -> None:
    go_type: GoType = go.INT
    value: object = 5
    for _ in range(12):
        go_type, value = GoSlice(GoMap(go.STRING, go_type)), [{"k": value}]
    assert back(value, go_type) == value


def test_floats_of_32_bits_may_be_infinite() -> None:
    assert back([math.inf, -1.5], GoSlice(go.FLOAT32)) == [math.inf, -1.5]


def test_large_values_are_written_once() -> None:
    assert back(b"x" * 1_000_000, go.BYTES) == b"x" * 1_000_000
    assert back(["y" * 70_000], STRINGS) == ["y" * 70_000]
