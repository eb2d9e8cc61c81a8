"""Text for a terminal that strangers have had a hand in."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Mapping
from typing import Final, TextIO

__all__ = ["BOLD", "DIM", "RED", "YELLOW", "Colour", "Terminal", "visible"]

_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, but parts of what scripts and emoji show."""

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that move the cursor, turn the direction of text or cannot be written."""

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """A text on one line, with an escape sequence in the place of each character that could drive a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _ESCAPED:
        return character
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


Colour = str
"""Parameters of the terminal's sequence for a way to write: "31" for red, "" for the usual one."""

RED: Final[Colour] = "31"
YELLOW: Final[Colour] = "33"
DIM: Final[Colour] = "2"
BOLD: Final[Colour] = "1"


class Terminal:
    """Where a command writes.

    Args:
        out: the stream.
        environment: says whether colour is wanted: NO_COLOR, if it is not empty, forbids it (see no-color.org).
    """

    def __init__(self, out: TextIO, environment: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self.coloured = out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        if isinstance(out, io.TextIOWrapper):
            # A terminal with few characters is no reason to stop.
            out.reconfigure(errors="backslashreplace")

    def write(self, line: str) -> None:
        """Write a line.

        Raises:
            OSError: nobody reads it any more.
        """
        self._out.write(f"{line}\n")
        self._out.flush()

    def abandon(self) -> None:
        """Write to nowhere from now on: nobody reads it, and the interpreter's end would fail over what is left."""
        self.coloured = False
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._out.fileno())
        os.close(nowhere)

    def paint(self, colour: Colour, text: str) -> str:
        """The text in a colour, if colour is wanted. What strangers wrote has gone through `visible` before."""
        return f"\033[{colour}m{text}\033[0m" if self.coloured and colour else text
