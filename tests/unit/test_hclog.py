"""hclog lines: any record gives one line that a host can read and survives."""

import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._hclog import (
    MAX_LINE_BYTES,
    TRACE,
    HclogHandler,
    captured_line,
    configure_logging,
    format_record,
    level_number,
    sanitize_foreign_line,
)

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LEVELS = {"trace", "debug", "info", "warn", "error"}


def parsed(line: bytes) -> dict[str, Any]:
    """Read a line as the host does, and check what must hold for every line."""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_LINE_BYTES

    def no_duplicates(items: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(items)) == len(items)
        return dict(items)

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    value = json.loads(line.decode(), object_pairs_hook=no_duplicates, parse_constant=no_constant)
    at_keys = {key: type(item) for key, item in value.items() if key.startswith("@")}
    assert at_keys == dict.fromkeys(("@level", "@message", "@timestamp", "@module"), str)
    assert value["@level"] in LEVELS
    assert TIMESTAMP.fullmatch(value["@timestamp"])
    return dict(value)


def record(msg: object = "text", /, *args: object, **extra: object) -> logging.LogRecord:
    result = logging.LogRecord("my.module", logging.INFO, __file__, 1, msg, args, None)
    vars(result).update(extra)
    return result


def logged(msg: object = "text", /, *args: object, **extra: object) -> dict[str, Any]:
    return parsed(format_record(record(msg, *args, **extra)))


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Odd(dict[str, object]):
    def items(self) -> Any:
        raise RuntimeError("no items")


def cyclic() -> list[object]:
    result: list[object] = []
    result.append(result)
    return result


def test_a_record_becomes_level_message_timestamp_module_and_pairs() -> None:
    value = logged("hello %s", "wörld", channel="town-square", count=3, ratio=0.5, flag=True, nothing=None)
    assert value.pop("@timestamp")
    assert value == {
        "@level": "info",
        "@message": "hello wörld",
        "@module": "my.module",
        "channel": "town-square",
        "count": 3,
        "ratio": 0.5,
        "flag": True,
        "nothing": None,
    }


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (1, "trace"),
        (TRACE, "trace"),
        (10, "debug"),
        (15, "debug"),
        (20, "info"),
        (30, "warn"),
        (40, "error"),
        (50, "error"),
    ],
)
def test_levels(level: int, name: str) -> None:
    assert logged(levelno=level)["@level"] == name


def test_the_timestamp_is_utc_with_six_decimals() -> None:
    assert logged(created=0.0)["@timestamp"] == "1970-01-01T00:00:00.000000Z"
    for odd in (float("nan"), float("inf"), 1e300):
        logged(created=odd)


def test_an_exception_becomes_error_and_traceback() -> None:
    try:
        raise ValueError("bad \ud800 thing")
    except ValueError:
        value = logged("failed", exc_info=sys.exc_info(), error="the author's", stack_info="Stack:")
    assert value["error"] == "ValueError: bad \\ud800 thing"
    assert value["traceback"].startswith("Traceback (most recent call last):\n")
    assert value["extra_error"] == "the author's"
    assert value["stack"] == "Stack:"


@pytest.mark.parametrize("exc_info", [True, (None, None, None), "nonsense"])
def test_odd_exc_info_loses_no_record(exc_info: object) -> None:
    assert logged("kept", exc_info=exc_info)["@message"] == "kept"


@pytest.mark.parametrize(
    ("key", "renamed"),
    [
        ("@level", "extra_level"),
        ("@@x", "extra_x"),
        ("@", "extra_"),
        ("level", "extra_level"),
        ("timestamp", "extra_timestamp"),
        ("fine", "fine"),
    ],
)
def test_keys_of_the_host_are_renamed(key: str, renamed: str) -> None:
    assert logged(**{key: 7})[renamed] == 7


def test_renamed_keys_that_collide_keep_both_values() -> None:
    value = logged(**{"@level": 1, "level": 2, "extra_level": 3})
    assert sorted(item for key, item in value.items() if key.startswith("extra_")) == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (-(2**70), str(-(2**70))),
        pytest.param(10**5000, "<int: no text (ValueError)>", id="huge"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (b"a\xff", "a\\xff"),
        (Path("/tmp"), "/tmp"),
        (HTTPStatus.OK, 200),
        ({1: {"@level": 3}}, {"1": {"@level": 3}}),
        ((1, "b"), [1, "b"]),
        ({5}, [5]),
        (range(2), [0, 1]),
        (Unprintable(), "<Unprintable: no text (RuntimeError)>"),
        (Odd(a=1), "<Odd: no text (RuntimeError)>"),
        ([[[[[1]]]]], [[[["[1]"]]]]),
        ("\ud800", "\ud800"),
    ],
)
def test_values_that_are_not_json(value: object, expected: object) -> None:
    assert logged(value=value)["value"] == expected


def test_cyclic_and_endless_values_end() -> None:
    logged(value=cyclic())
    logged("%s %s", range(10**15), cyclic(), value=range(10**15))


@pytest.mark.parametrize(
    ("msg", "args"), [("%d", ("x",)), ("%s %s", (1,)), ("%", (1,)), ("none", (1,)), ("%s", (Unprintable(),))]
)
def test_arguments_that_do_not_fit_lose_no_record(msg: str, args: tuple[object, ...]) -> None:
    value = logged(msg, *args, levelno=logging.WARNING)
    assert (value["@message"], value["@level"]) == (msg, "warn")
    assert value["log_format_error"].startswith("the log arguments do not fit")


def test_a_message_that_is_no_text() -> None:
    assert logged(ValueError("an error"))["@message"] == "an error"
    assert logged(Unprintable())["@message"] == "<Unprintable>"


def test_a_record_that_cannot_be_formatted_at_all_says_so() -> None:
    value = parsed(format_record(record("the template", levelno="high")))
    assert value["@level"] == "error"
    assert "could not be formatted" in value["@message"]
    assert value["template"] == "the template"


@pytest.mark.parametrize("text", ["x" * 10_000_000, "\0" * 100_000, "€" * 50_000, "\ud800" * 50_000, '"' * 60_000])
def test_long_texts_are_cut_visibly(text: str) -> None:
    message = logged(text)["@message"]
    assert re.search(r"\.\.\.\[\d+ bytes cut\]", message)
    assert message.encode("utf-8", "backslashreplace")[:10] == text.encode("utf-8", "backslashreplace")[:10]
    assert "bytes cut]" in logged(value=text)["value"]


def test_a_long_traceback_keeps_its_end() -> None:
    try:
        raise ValueError("x" * 100_000 + " the end")
    except ValueError:
        value = logged(exc_info=sys.exc_info())
    assert value["traceback"].endswith("the end")
    assert "bytes cut]" in value["traceback"]


def test_many_values_are_cut_visibly() -> None:
    value = logged(**{f"key_{number}_{'k' * 100}": "v" * 100 for number in range(5000)})
    assert "pairs_cut" in value
    nested = logged(value=[["\0" * 50] * 100] * 100)["value"]
    assert re.fullmatch(r"\.\.\. \d+ more", nested[-1])
    assert re.fullmatch(r"\d+ more", logged(value={str(n): "v" * 9 for n in range(5000)})["value"]["..."])


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.text(st.characters())
    | st.builds(object)
    | st.builds(Unprintable)
    | st.builds(cyclic),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=20,
)
any_text = st.text(st.characters())


@given(
    msg=any_text | anything,
    args=st.lists(anything, max_size=3),
    extra=st.dictionaries(any_text | st.sampled_from(["@level", "@message", "@timestamp", "level"]), anything),
    level=st.integers(0, 60),
    created=st.floats(),
)
def test_any_record_gives_one_safe_line(
    msg: object, args: list[object], extra: dict[str, object], level: int, created: float
) -> None:
    try:
        made = logging.LogRecord("name", level, "path", 1, msg, tuple(args), None)
    except Exception:  # noqa: BLE001 - what the logging module itself refuses never becomes a record
        return
    vars(made).update({key: value for key, value in extra.items() if key not in vars(made)}, created=created)
    parsed(format_record(made))


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.sampled_from(sorted(LEVELS)),
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
    max_leaves=20,
)


@given(
    st.dictionaries(any_text | st.sampled_from(["@level", "@message", "@timestamp", "@module", "@caller"]), json_value)
)
def test_any_foreign_object_gives_a_safe_line_or_none(pairs: dict[str, object]) -> None:
    safe = sanitize_foreign_line(json.dumps(pairs).encode())
    if isinstance(pairs.get("@level"), str) and pairs["@level"] in LEVELS and isinstance(pairs.get("@message"), str):
        assert safe is not None
    if safe is not None:
        parsed_foreign(safe)


def parsed_foreign(line: bytes) -> dict[str, Any]:
    return parsed(re.sub(rb'("@timestamp": "[^"]*)[+-]\d\d:\d\d"', rb'\1Z"', line))


@given(st.binary())
def test_any_bytes_are_a_safe_line_or_none(line: bytes) -> None:
    for candidate in (line, b'{"@level":"info","@message":"m","x":' + line + b"}"):
        safe = sanitize_foreign_line(candidate)
        if safe is not None:
            parsed_foreign(safe)


@pytest.mark.parametrize(
    "line",
    [
        b"plain",
        b"{}",
        b"null",
        b"[1]",
        b'{"@level": 3, "@message": "m"}',
        b'{"@level": null, "@message": "m"}',
        b'{"@level": "info", "@message": 3}',
        b'{"@level": "info"}',
        b'{"@level": "off", "@message": "m"}',
        b'{"@level": "info", "@message": "m"',
        b'{"@level": "info", "@message": "m", "x": ' + b"[" * 20_000,
        b'{"@level": "info", "@message": "m", "x": ' + b"9" * 5_000 + b"}",
    ],
)
def test_lines_that_are_not_hclog(line: bytes) -> None:
    assert sanitize_foreign_line(line) is None


def test_a_childs_line_keeps_what_is_good_in_it() -> None:
    line = (
        b'{"@level": " WARN ", "@message": "m", "@timestamp": "2026-01-02T03:04:05.000006+01:00", "@module": 5,'
        b' "@caller": 7, "id": "x", "@level": "error"}'
    )
    safe = sanitize_foreign_line(line)
    assert safe is not None
    assert json.loads(safe) == {
        "@level": "error",
        "@message": "m",
        "@timestamp": "2026-01-02T03:04:05.000006+01:00",
        "@module": "5",
        "extra_caller": 7,
        "id": "x",
    }


@pytest.mark.parametrize("timestamp", ['"today"', "3", "null", '"2026-01-02T03:04:05.006Z"'])
def test_a_childs_wrong_timestamp_is_replaced(timestamp: str) -> None:
    safe = sanitize_foreign_line(f'{{"@level": "info", "@message": "m", "@timestamp": {timestamp}}}'.encode())
    assert safe is not None
    parsed(safe)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    before = (logger.level, logger.handlers[:])
    yield logger
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]
    logging.captureWarnings(False)


def test_configuring_twice_leaves_one_handler_and_the_authors(root: logging.Logger) -> None:
    lines: list[bytes] = []
    author = logging.NullHandler()
    root.addHandler(author)
    configure_logging("DEBUG", lambda line: None)
    configure_logging("trace", lines.append)
    assert author in root.handlers
    assert len([handler for handler in root.handlers if isinstance(handler, HclogHandler)]) == 1
    logging.getLogger("my").info("hello", extra={"@level": 3})
    logging.getLogger("my").log(TRACE, "fine-grained")
    assert [parsed(line)["@message"] for line in lines] == ["hello", "fine-grained"]
    assert parsed(lines[0])["extra_level"] == 3
    assert logging.getLevelName(TRACE) == "TRACE"


def test_warnings_are_logged(root: logging.Logger) -> None:
    lines: list[bytes] = []
    with warnings.catch_warnings():
        # pytest has put its own function there; the module takes what it finds when capturing starts.
        logging.captureWarnings(False)
        configure_logging("INFO", lines.append)
        warnings.simplefilter("always")
        warnings.warn("old thing", stacklevel=1)
        logging.captureWarnings(False)
    (value,) = map(parsed, lines)
    assert (value["@level"], value["@module"]) == ("warn", "py.warnings")
    assert "old thing" in value["@message"]


@pytest.mark.parametrize("level", ["loud", "", 0, -1, True])
def test_wrong_levels_are_refused(level: str | int) -> None:
    with pytest.raises(ValueError, match="must be one of TRACE"):
        level_number(level)


def test_captured_output_follows_the_level_of_its_logger(root: logging.Logger) -> None:
    root.setLevel(logging.ERROR)
    early = captured_line("stdout", logging.INFO, "before logging is set up")
    assert early is not None
    assert parsed(early)["@module"] == "stdout"
    configure_logging("WARN", lambda line: None)
    assert captured_line("stdout", logging.INFO, "text") is None
    assert captured_line("stderr", logging.WARNING, "text") is not None


def test_arguments_without_messages_stay_as_they_are() -> None:
    assert logged("%(a)s", {"a": 1})["@message"] == "1"
    assert logged("%s %s %d", [1, (2,)], {"a": 1}, 3)["@message"] == "[1, (2,)] {'a': 1} 3"
