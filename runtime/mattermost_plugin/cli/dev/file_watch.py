"""Tells which plugin's files have changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Final

from mattermost_plugin.devhost import DevHost

__all__ = ["FileWatch", "counts"]

DEBOUNCE_MS: Final = 1600
"""How long changes that follow each other are collected at most, as when a branch is checked out."""

QUIET_MS: Final = 100
"""How long nothing must change before what was collected is told."""

_FOLDERS: Final = frozenset({"__pycache__", "build", "dist", "node_modules", "venv"})
_FILES: Final = re.compile(r".*\.(py[cod]|log|tmp|(db|sqlite3?)(-\w+)?)|.*~|#.*#|4913", re.IGNORECASE)
"""What compilers, logs, databases and editors write beside the sources. 4913 is how vim tries out a folder."""

_BESIDE_DATA: Final = ("-wal", "-shm", "-journal", ".lock")
"""Ends of the names of the files that SQLite and the host keep beside the data."""

_INSTALLED: Final = ".plugins"
"""End of the name of the folder beside the data in which the host keeps the plugins that were installed."""

OnChange = Callable[[Path, Sequence[Path]], None]
"""Called with a plugin's folder and the files that have changed, relative to it."""


def counts(folder: Path, path: Path) -> bool:
    """Whether a change of a file is a change of the plugin in a folder."""
    relative = path.relative_to(folder)
    if _FILES.fullmatch(relative.name):
        return False
    if any(part in _FOLDERS or part.startswith(".") or part.endswith(".egg-info") for part in relative.parts):
        return False
    # Plugins that are installed on a host whose file is here.
    if any(part.endswith(_INSTALLED) for part in relative.parts):
        return False
    return not any((folder / parent / "pyvenv.cfg").exists() for parent in relative.parents if parent != Path())


class FileWatch:
    """Watches the folders of plugins.

    Args:
        host: told when nothing can be watched.
        folders: the folders, without symbolic links in their paths.
        data: the host's file, which does not count, nor what belongs to it.
        on_change: called on the event loop, after a burst of changes once for each plugin.
    """

    def __init__(self, host: DevHost, folders: Sequence[Path], data: Path | None, on_change: OnChange) -> None:
        self._host = host
        # The innermost of nested folders first: a file belongs to one plugin.
        self._folders = sorted(folders, key=lambda folder: len(folder.parts), reverse=True)
        self._ignored = set[str]()
        if data is not None:
            self._ignored = {f"{data.resolve()}{suffix}" for suffix in ("", *_BESIDE_DATA)}
        self._on_change = on_change
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Watch. What changes after this has returned is told."""
        self._task = asyncio.create_task(self._watch())
        # watchfiles begins to collect before it first waits.
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """Watch no more; legal before `start` and more than once."""
        task, self._task = self._task, None
        self._end.set()
        if task is not None:
            await task

    async def _watch(self) -> None:
        # Late, as `--no-watch` does without it.
        from watchfiles import awatch

        try:
            async for changes in awatch(
                *self._folders, watch_filter=None, debounce=DEBOUNCE_MS, step=QUIET_MS, stop_event=self._end
            ):
                self._tell(_lasting(changes))
        except (OSError, RuntimeError) as error:
            advice = "restart the command after it is mended, or watch nothing with --no-watch"
            self._host.world.log("error", f"the plugins' files cannot be watched: {error}; {advice}")

    def _tell(self, paths: Iterable[Path]) -> None:
        changed: dict[Path, list[Path]] = {}
        for path in sorted(paths):
            folder = next((each for each in self._folders if path.is_relative_to(each)), None)
            if folder is not None and counts(folder, path) and str(path) not in self._ignored:
                changed.setdefault(folder, []).append(path.relative_to(folder))
        for folder, files in changed.items():
            self._on_change(folder, files)


def _lasting(changes: Iterable[tuple[IntEnum, str]]) -> set[Path]:
    """The paths, but for those that were made and deleted within the burst, as editors do to save a file."""
    kinds: dict[str, set[str]] = {}
    for kind, path in changes:
        kinds.setdefault(path, set()).add(kind.name)
    return {Path(path) for path, seen in kinds.items() if not seen >= {"added", "deleted"} or Path(path).exists()}
