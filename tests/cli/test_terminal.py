"""Text of strangers on a terminal: whatever it is, it moves no cursor."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.cli.terminal import RED, Terminal, visible


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text(alphabet=st.characters()))
def test_no_control_character_gets_through(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\ud800", "\\ud800"),
        ("\u2028\u202e", "\\u2028\\u202e"),
        ("\U000e0041", "\\ue0041"),
        ("é 漢 👩\u200d💻", "é 漢 👩\u200d💻"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("out", "environment", "coloured"),
    [
        (FakeTerminal(), {}, True),
        (FakeTerminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (FakeTerminal(), {"NO_COLOR": "1"}, False),
        (FakeTerminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(out: io.StringIO, environment: dict[str, str], coloured: bool) -> None:
    terminal = Terminal(out, environment)
    terminal.write(terminal.paint(RED, "text") + terminal.paint("", "more"))
    assert out.getvalue() == ("\033[31mtext\033[0mmore\n" if coloured else "textmore\n")


def test_a_stream_with_few_characters_is_written_to_all_the_same() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Terminal(stream, {}).write("é")
    assert raw.getvalue() == b"\\xe9\n"
