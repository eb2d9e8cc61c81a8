"""Which of a plugin's files stay out of its bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["IGNORE_FILE", "IgnorePatterns"]

IGNORE_FILE: Final = ".mattermostpluginignore"

_ALWAYS: Final = (
    ".*",
    "__pycache__/",
    "node_modules/",
    "*.egg-info/",
    "*.py[cod]",
    "*.log",
    "*.tmp",
    "*~",
    "/build/",
    "/dist/",
)
"""What tools and editors leave beside the sources. Hidden files are those that hold secrets, too: .env, .netrc."""


class IgnorePatterns:
    """Patterns as .gitignore has them.

    A line is a pattern, or empty, or a comment that begins with "#". "*", "?" and "[...]" do not match a slash, "**"
    does. A slash before the end ties a pattern to the plugin's folder, one at the end to folders. "!" takes back what a
    line before has ignored, the built-in lines included. The last line that matches counts; nothing below an ignored
    folder comes back.

    Args:
        lines: the lines of the ignore file, which follow the built-in ones.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._patterns = list(_read([*_ALWAYS, *lines]))

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether a path is left out, as far as its folders are not.

        Args:
            path: relative to the plugin's folder, divided by slashes.
            is_folder: whether it is a folder.
        """
        ignored = False
        for pattern, ignores, folders_only in self._patterns:
            if (is_folder or not folders_only) and pattern.fullmatch(path):
                ignored = ignores
        return ignored


def _read(lines: Iterable[str]) -> Iterator[tuple[re.Pattern[str], bool, bool]]:
    for raw in lines:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        ignores = not line.startswith("!")
        text = line if ignores else line[1:]
        folders_only = text.endswith("/")
        text = text.rstrip("/")
        expression = _expression(text.lstrip("/"))
        yield re.compile(expression if "/" in text else f"(?:.*/)?{expression}", re.DOTALL), ignores, folders_only


_TOKENS: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/!][^\]/]*\]|.", re.DOTALL)


def _expression(pattern: str) -> str:
    return "".join(_translated(token) for token in _TOKENS.findall(pattern))


def _translated(token: str) -> str:
    simple = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in simple:
        return simple[token]
    if len(token) > 1:
        inner = token[1:-1]
        if inner.startswith("!"):
            return f"[^/{_set(inner[1:])}]"
        return f"[{_set(inner)}]" if _set(inner) else "(?!)"
    return re.escape(token)


def _set(characters: str) -> str:
    """The characters between brackets, with ranges such as a-z, for a regular expression."""
    parts = re.findall(r"(.)-(.)|(.)", characters, re.DOTALL)
    ranges = [f"{re.escape(first)}-{re.escape(last)}" for first, last, _ in parts if first and first <= last]
    return "".join([*ranges, *(re.escape(single) for *_, single in parts if single)])
