"""Streams of Go's encoder that show what gob can do, with what they mean."""

import math

import pytest

from mattermost_plugin._gob import SKIP, GobLimitError, GoTime, Interface, Limits, Marshaled, Pairs
from tests.gob.streams import features, read, read_in_pieces

MOMENT = GoTime(1_700_000_000, 123_456_789)


def point(x: int, y: int) -> Interface:
    return Interface("gobpeer.Point", {name: value for name, value in (("X", x), ("Y", y)) if value})


def box(inner: Interface) -> Interface:
    return Interface("*gobpeer.Box", {"Inner": inner})


def crate(*boxes: Interface | None) -> Interface:
    return Interface("*gobpeer.Crate", {"Boxes": list(boxes)})


def text(value: str) -> Interface:
    return Interface("string", value)


def deep(levels: int) -> list[object]:
    value: object = text("end")
    for _ in range(levels):
        value = Interface("[]interface {}", [value])
    assert isinstance(value, Interface)
    assert isinstance(value.value, list)
    return value.value


EXPECTED: dict[str, list[object]] = {
    "bad text": [["a\udcffb", "\udced\udca0\udc80"], {"\udcc3": "\udc80"}],
    "containers": [
        {
            "Names": ["a"],
            "Bytes": b"\x00\xff",
            "Small": (1, 2, 200),
            "Matrix": ((1, 2), (3, 4)),
            "Nothing": [{}, {}],
            "Header": {"K": []},
            "Counts": {-5: True},
            "Empty": {},
            "Lists": [[], ["x"]],
            "Words": [1, 65535],
        },
        {"Small": (0, 0, 0), "Matrix": ((0, 0), (0, 0))},
    ],
    "embedded": [{"Base": {"Id": "i"}, "Name": "n"}],
    "integers": [[0, 63, 64, -64, -65, 255, 256, 1_700_000_000_000, 2**63 - 1, -(2**63)]],
    "interface": [
        {"Name": "n", "Value": point(1, 2), "After": 3},
        {"Name": "m", "Value": point(3, 4), "After": 5},
        {},
        {"Value": Interface("int", 0)},
    ],
    "interface basic": [
        [
            Interface("bool", True),
            Interface("int", -7),
            Interface("int8", 1),
            Interface("uint8", 2),
            Interface("float64", 2.5),
            Interface("float32", 1.0),
            text("s"),
            Interface("[]uint8", b"b"),
            Interface("complex128", 1j),
            None,
            Interface("[]string", ["x"]),
            Interface("[]int", []),
        ]
    ],
    "interface deep 2": [
        {"Name": "n", "Value": box(point(1, 2)), "After": 3},
        {"Name": "m", "Value": box(point(3, 4)), "After": 5},
    ],
    "interface deep 3": [
        {
            "Name": "n",
            "Value": box(crate(Interface("int", 1), point(1, 2), Interface("gobpeer.Nothing", {}), text("x"))),
            "After": 3,
        }
    ],
    "interface many": [
        [
            point(1, 0),
            box(Interface("gobpeer.Node", {"Name": "a"})),
            text("between"),
            crate(Interface("gobpeer.Nothing", {})),
            point(2, 0),
        ],
        {"X": 9, "Y": 9},
    ],
    "interface map": [
        {
            "m": Interface(
                "map[string]interface {}",
                {
                    "deep": Interface(
                        "[]interface {}", [text("a"), Interface("float64", 2.5), Interface("bool", True), None]
                    )
                },
            )
        }
    ],
    "interface self": [{"Value": Interface("gobpeer.Node", {"Name": "a", "Kids": [{"Name": "b"}]})}],
    "interface top": [deep(21)],
    "list of itself": [[[], [[]]]],
    "lists": [["a", ""], [], {"X": ["1", "2"]}, (1, 200, 3), [{"X": 1}, {}]],
    "long": ["long " * 14_000, ["x" * 127, "y" * 128]],
    "marshaled": [
        {"Number": Marshaled(bytes.fromhex("03018ee90ff6c373e0ee4e3f0ad2")), "Address": Marshaled(b"\n\x00\x00\x01")}
    ],
    "mutual": [{"Right": {"Lefts": {"a": {"Right": {}}}}}],
    "nothing": [{}, [{}, {}]],
    "numbers": [
        {
            "I8": -128,
            "I": -1,
            "I64": -(2**63),
            "U8": 255,
            "U64": 2**64 - 1,
            "F": 1.5,
            "D": -0.1,
            "C": -1 - 2j,
            "B": True,
        },
        {"I": 64, "D": math.inf},
    ],
    "odd keys": [
        {
            "ByPoint": Pairs([({"X": 1, "Y": 2}, "p")]),
            "ByPair": Pairs([((1, -1), "q")]),
            "ByAny": Pairs([(point(3, 0), 4)]),
            "ByFloat": {0.5: "h"},
        }
    ],
    "plain": [True, False, 0, -1, 200, 17.0, "text", b"abc", 1 + 2j, 2**64 - 1],
    "pointers": [{"Flag": True, "Point": {}, "List": [1]}, {}],
    "points": [{"X": 22, "Y": 33}, {"Y": 5}, {}],
    "recursive": [{"Name": "root", "Kids": [{"Name": "kid"}, {"Next": {"Name": "next"}}]}],
    "same names": [{"A": {"A": 1}}],
    "times": [
        {
            "At": MOMENT,
            "Maybe": MOMENT,
            "All": [GoTime(-62_135_596_800), MOMENT._replace(offset_seconds=19_800)],
            "Link": Marshaled(b"https://user@example.test/a%20b?x=1#y"),
            "Plain": Marshaled(b"/p"),
        },
        {"At": GoTime(-1, 0, -28_800), "Link": Marshaled(b""), "Plain": Marshaled(b"")},
        GoTime(0, 0, 3625),
        {"Plain": Marshaled(b"")},
    ],
    "wide 127": [{"F0": 1, "F126": 127}, {"F126": 127}],
    "wide 128": [{"F0": 1, "F127": 128}, {"F127": 128}, {}],
    "wide 300": [{"F0": 1, "F1": 2, "F129": 130, "F299": 300}, {"F299": 300}],
}
OTHERS = {"floats"}
"""Equality does not do for these."""


def test_every_stream_is_expected() -> None:
    assert features().keys() == EXPECTED.keys() | OTHERS


@pytest.mark.parametrize("name", EXPECTED)
def test_a_stream_means_what_go_wrote(name: str) -> None:
    found = read(features()[name])
    assert found == EXPECTED[name]
    assert repr(found) == repr(EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_stream_can_be_skipped(name: str) -> None:
    assert read(features()[name], SKIP) == [None] * len(EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED.keys() - {"long"})
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_stream_in_pieces_is_the_same(name: str, size: int) -> None:
    assert read_in_pieces(features()[name], size) == EXPECTED[name]
    assert read_in_pieces(features()[name], size, SKIP) == [None] * len(EXPECTED[name])


def test_floats() -> None:
    floats, nan = read(features()["floats"])
    assert repr(floats) == "[0.0, -0.0, 1.0, -1.5, 0.1, 1.7976931348623157e+308, 5e-324, -inf]"
    assert isinstance(nan, float)
    assert math.isnan(nan)


def test_values_may_be_as_deep_as_allowed() -> None:
    # Twenty lists in interfaces within a list: each is two levels, as is a value that stands alone.
    data = features()["interface top"]
    assert read(data, limits=Limits(max_depth=42)) == EXPECTED["interface top"]
    with pytest.raises(GobLimitError, match="max_depth"):
        read(data, limits=Limits(max_depth=41))
