"""Files that a plugin writes itself whenever it starts. Each of them would restart it for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

__all__ = ["OwnWrites"]

MOST_STARTS: Final = 5
"""After how many starts in a row, each with a change of a file, the plugin counts as the one who writes it."""

CLOSE_S: Final = 1.0
"""How soon after a start the change must come. Nobody saves a file so often in a row so fast."""

_SOURCES: Final = frozenset({".py", ".pyi"})
_MANIFEST: Final = "plugin.json"


class OwnWrites:
    """Tells apart what a plugin writes and what its author does.

    Args:
        now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._started_at: float | None = None
        self._in_a_row: Counter[Path] = Counter()
        self._own: set[Path] = set()

    def start_begins(self) -> None:
        """The plugin is being started."""
        self._started_at = None

    def start_ends(self) -> None:
        """The plugin runs, or did not start."""
        self._started_at = self._now()

    def sift(self, files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
        """Look at files that have changed.

        Args:
            files: the files, relative to the plugin's folder.

        Returns:
            Those that are a reason for a restart, and those that are found out now to be the plugin's own.
        """
        if self._started_at is not None and self._now() - self._started_at > CLOSE_S:
            self._in_a_row.clear()
        suspects = [file for file in files if file.suffix not in _SOURCES and file.name != _MANIFEST]
        self._in_a_row = Counter({file: self._in_a_row[file] + 1 for file in suspects})
        found = [file for file, times in self._in_a_row.items() if times >= MOST_STARTS and file not in self._own]
        self._own.update(found)
        return [file for file in files if file not in self._own], found
