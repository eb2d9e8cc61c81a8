"""What a bundle holds, for whoever made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.layout import FOLDER, PACKAGES, RUNTIME

__all__ = ["BundleReport", "as_size", "size_lines"]

MOST_LINES: Final = 8
"""The largest parts; the others are one line."""

_KB: Final = 1000


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What came of packing."""

    output: Path
    """The archive."""

    plugin_id: str
    version: str

    hooks: Sequence[str]
    """The hooks that the plugin handles."""

    needs: str
    """What the server's machine must have, for people."""

    sizes: Sequence[str]
    """Lines about what takes how much room."""


def size_lines(stage: Path) -> list[str]:
    """Lines about the sizes of a bundle's parts, the largest first."""
    parts = Counter[str]()
    for path in stage.rglob("*"):
        if path.is_file():
            parts[_part(path.relative_to(stage))] += path.stat().st_size
    rows = [*_rows(parts)]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:{width}}  {as_size(size):>8}" for name, size in rows]


def _rows(parts: Counter[str]) -> Iterator[tuple[str, int]]:
    ordered = parts.most_common()
    yield from ordered[:MOST_LINES]
    if len(ordered) > MOST_LINES:
        yield f"{len(ordered) - MOST_LINES} more", sum(size for _, size in ordered[MOST_LINES:])


def _part(path: Path) -> str:
    name = path.as_posix()
    if name.startswith(f"{RUNTIME}/"):
        return "Python itself"
    if name.startswith(PACKAGES):
        # A module of its own has its bytecode beside it, in a folder for all of them.
        return path.name.partition(".")[0] if path.parts[2] == "__pycache__" else path.parts[2].removesuffix(".py")
    return "the start" if path.parts[0] == FOLDER else "the plugin"


def as_size(size: int) -> str:
    """A number of bytes, for people."""
    if size < _KB:
        return f"{size} B"
    return f"{size / _KB:.0f} kB" if size < _KB * _KB else f"{size / _KB / _KB:.1f} MB"
