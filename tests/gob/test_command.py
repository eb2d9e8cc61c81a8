"""`python -m mattermost_plugin.gob`."""

import io
import json
import math
import subprocess
import sys

import pytest

from mattermost_plugin._gob import GoTime, Interface, Marshaled, Pairs
from mattermost_plugin._gob.json_form import JSON, json_form
from mattermost_plugin.gob import convert
from tests.gob.craft import INT, INTERFACE, STRING, define_slice, define_struct, name_bytes, plain, raw, stream, value
from tests.gob.streams import vector

POINT = define_struct(64, "Point", X=INT)


def run(*lines: bytes) -> tuple[list[JSON], list[str], bool]:
    """Values, complaints, and whether all was well."""
    output, complaints = io.BytesIO(), io.StringIO()
    is_good = convert([line.hex().encode() + b"\n" for line in lines], output, complaints)
    return [json.loads(line) for line in output.getvalue().splitlines()], complaints.getvalue().splitlines(), is_good


def test_the_command() -> None:
    case = vector("Z_MessageWillBePostedArgs")
    done = subprocess.run(
        [sys.executable, "-m", "mattermost_plugin.gob"],
        input=f"{case.data.hex()}\nzz\n".encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout) == case.value
    assert "日本語" in done.stdout.decode()
    assert done.stderr.decode() == "line 2: not hexadecimal digits\n"


def test_it_ends_well_without_a_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mattermost_plugin.gob"], input=b"\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_line_may_be_a_stream_or_a_message() -> None:
    one = value(64, raw("01 02 00"))
    two = value(64, raw("01 04 00"))
    streams = run(stream(POINT, one), stream(POINT, two, one))
    assert streams == ([{"X": 1}, {"X": 2}, {"X": 1}], [], True)
    messages = run(stream(POINT), stream(one), stream(two), stream(POINT), stream(one))
    assert messages == ([{"X": 1}, {"X": 2}, {"X": 1}], [], True)


def test_a_value_may_go_on_in_the_next_line() -> None:
    first = stream(define_struct(64, "Box", V=INTERFACE), value(64, b"\x01" + name_bytes("x") + define_slice(65, INT)))
    rest = stream(raw("ff82 03 00 01 02 00"))
    expected = {"V": {"$type": "x", "value": [1]}}
    assert run(first, rest, first, rest) == ([expected] * 2, [], True)
    found, complaints, is_good = run(first)
    assert (found, is_good) == ([], False)
    assert complaints == [f"line 1: gob: the stream ends inside a value at byte {len(first)}"]


def test_a_broken_line_spoils_no_other() -> None:
    good = stream(POINT, value(64, raw("01 02 00")))
    found, complaints, is_good = run(good, stream(value(64, raw("05 02 00"))), good, good[:-1], good)
    assert found == [{"X": 1}] * 3
    assert [line.partition(":")[0] for line in complaints] == ["line 2", "line 4"]
    assert "field 4 of a struct of 1 fields" in complaints[0]
    assert "ends inside" in complaints[1]
    assert not is_good


def test_texts_that_are_no_utf8() -> None:
    assert run(stream(plain(STRING, raw("03 61ff62")))) == (["a�b"], [], True)


FORMS: list[tuple[object, JSON]] = [
    ({"B": True, "A": 1}, {"B": True, "A": 1}),
    ([], None),
    ((), []),
    ([None, 1.5, "x"], [None, 1.5, "x"]),
    (b"\x00\xff", {"$bytes": "AP8="}),
    (Interface("int", 5), {"$type": "int", "value": 5}),
    (Marshaled(b"https://x"), "https://x"),
    (Marshaled(b"\xff"), {"$bytes": "/w=="}),
    (GoTime(0, 5), "1970-01-01T00:00:00.000000005Z"),
    (math.inf, {"$float": "inf"}),
    (1 - 2j, {"$complex": [1.0, -2.0]}),
    ({1: "a", -2: "b"}, {"1": "a", "-2": "b"}),
    ({False: 1}, {"false": 1}),
    ({0.5: 1}, {"0.5": 1}),
    (Pairs([((1,), "x")]), {"$map": [[[1], "x"]]}),
    ({"\udcff": "\udcff"}, {"�": "�"}),
]


@pytest.mark.parametrize(("decoded", "form"), FORMS)
def test_forms(decoded: object, form: JSON) -> None:
    assert json_form(decoded) == form


@pytest.mark.parametrize("time", [GoTime(2**60), GoTime(2**60, 5, -119)])
def test_times_that_no_text_can_tell_are_numbers(time: GoTime) -> None:
    assert json_form(time) == {"$time": list(time)}


def test_other_values_have_no_form() -> None:
    with pytest.raises(TypeError, match="a object is nothing"):
        json_form(object())
