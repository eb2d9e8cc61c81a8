"""A plugin's files as the server has them after it has unpacked a bundle."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["HEAD_BYTES", "PluginFile", "PluginTree", "read_tree"]

HEAD_BYTES: Final = 4096
"""How much of each file is remembered: enough for a program's header and for the first line of a script."""


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A regular file."""

    mode: int
    """The permissions."""

    size: int
    """Bytes."""

    head: bytes
    """The first HEAD_BYTES."""


@dataclass(slots=True)
class PluginTree:
    """The files of a plugin by their paths, which are relative to the manifest's folder and divided by slashes."""

    files: Mapping[str, PluginFile]

    contents: Mapping[str, bytes] = field(default_factory=dict)
    """All of the small files that checks read: the manifest, and the record of what is in the bundle."""

    def find(self, path: str) -> PluginFile | None:
        """The file that a manifest's path leads to, or None."""
        return self.files.get(posixpath.normpath(path))

    def has_folder(self, path: str) -> bool:
        """Whether there is a file below a path."""
        start = f"{posixpath.normpath(path)}/"
        return any(name.startswith(start) for name in self.files)


def read_tree(folder: Path, wanted: Mapping[str, int]) -> PluginTree:
    """The files in a folder of this machine. Symbolic links are left out, as a server leaves them out.

    Args:
        folder: the folder.
        wanted: the paths whose contents are wanted, with the most bytes to read.

    Raises:
        OSError: a file cannot be read.
    """
    files: dict[str, PluginFile] = {}
    contents: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name, status = path.relative_to(folder).as_posix(), path.stat()
        with path.open("rb") as file:
            files[name] = PluginFile(status.st_mode & 0o777, status.st_size, file.read(HEAD_BYTES))
            if name in wanted:
                file.seek(0)
                contents[name] = file.read(wanted[name] + 1)
    return PluginTree(files, contents)
