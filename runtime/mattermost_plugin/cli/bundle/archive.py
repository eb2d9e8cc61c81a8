"""An archive as the server unpacks it.

The server keeps regular files with the mode that the archive has, less its umask, and folders, which get 0744 whatever
the archive says. It leaves out everything else with no more than a line in its log, symbolic links above all. A path
that leads out of the folder makes it refuse the archive. If there is one folder and nothing else at the top, that is
the plugin's folder.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.findings import Finding, error
from mattermost_plugin.cli.bundle.tree import HEAD_BYTES, PluginFile, PluginTree
from mattermost_plugin.cli.errors import CommandError

__all__ = ["UnpackedArchive", "unpack"]

MOST_ENTRIES: Final = 200_000
"""A plugin with a large web app and its own Python has some ten thousand."""

MOST_BYTES: Final = 4 * 1024 * 1024 * 1024
"""Unpacked; beyond it this is no plugin, but something that fills disks."""

_KINDS: Final = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.XGLTYPE: "a comment",
}
_REGULAR: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
_OWNER_READS: Final = 0o400


class UnpackedArchive:
    """Goes through an archive without writing anything.

    Args:
        wanted: the files whose contents are wanted, relative to the manifest's folder, with the most bytes to read.
    """

    def __init__(self, wanted: Mapping[str, int]) -> None:
        self.findings: list[Finding] = []
        self._wanted = wanted
        self._files: dict[str, PluginFile] = {}
        self._contents: dict[str, bytes] = {}
        self._folders = {""}

    def read(self, archive: tarfile.TarFile) -> None:
        """Take in all of its entries."""
        total = 0
        for number, entry in enumerate(archive):
            total += entry.size
            if number >= MOST_ENTRIES or total > MOST_BYTES:
                raise CommandError(f"more than {MOST_ENTRIES} entries or {MOST_BYTES} bytes: this is no plugin")
            self._take(archive, entry)

    def tree(self) -> PluginTree:
        """The plugin's files."""
        top = self.top_folder
        files = {name.removeprefix(top): file for name, file in self._files.items()}
        return PluginTree(files, {name.removeprefix(top): text for name, text in self._contents.items()})

    @property
    def top_folder(self) -> str:
        """The folder that everything is in, with a slash at its end; "" if there is none."""
        names = sorted({name.partition("/")[0] for name in (*self._files, *self._folders) if name})
        return f"{names[0]}/" if len(names) == 1 and names[0] in self._folders else ""

    def _take(self, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        if not entry.isdir() and entry.type not in _REGULAR:
            if entry.type != tarfile.XGLTYPE:
                what = f"is {_KINDS.get(entry.type, 'no regular file')}, and the server leaves it out"
                self._found(entry, what, "put the file itself in its place")
            return
        path = _inside(entry.name)
        if path is None:
            self._found(entry, "leads out of the plugin's folder, and the server refuses the archive", "pack it anew")
        elif entry.isdir():
            self._take_folder(entry, path)
        else:
            self._take_file(archive, entry, path)

    def _take_folder(self, entry: tarfile.TarInfo, path: str) -> None:
        if path.rpartition("/")[0] not in self._folders:
            self._found(entry, "comes before the folder that it is in, and the server refuses the archive", "sort it")
        self._folders.add(path)

    def _take_file(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
        if path in self._folders or any(parent in self._files for parent in _parents(path)):
            self._found(entry, "is a file in one place and a folder in another, and the server refuses it", "rename it")
            return
        if not entry.mode & _OWNER_READS:
            self._found(entry, f"has the mode {entry.mode:04o}: the server cannot read it", "pack it with 0644")
        self._folders.update(_parents(path))
        file = archive.extractfile(entry)
        head = file.read(HEAD_BYTES) if file else b""
        self._files[path] = PluginFile(entry.mode & 0o777, entry.size, head)
        for name, limit in self._wanted.items():
            # Whether there is a top folder is known in the end.
            if file is not None and path in (name, f"{path.partition('/')[0]}/{name}"):
                self._contents[path] = head + file.read(limit + 1 - len(head))

    def _found(self, entry: tarfile.TarInfo, what: str, advice: str) -> None:
        self.findings.append(error(entry.name, what, advice))


def unpack(path: Path, wanted: Mapping[str, int]) -> UnpackedArchive:
    """Read an archive.

    Args:
        path: the archive.
        wanted: see `UnpackedArchive`.

    Raises:
        CommandError: it is no tar.gz, or has no end.
    """
    unpacked = UnpackedArchive(wanted)
    try:
        with tarfile.open(path, "r:gz") as archive:
            unpacked.read(archive)
    except (OSError, tarfile.TarError, EOFError, zlib.error) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise CommandError(f"{path} cannot be read as a tar.gz: {reason}") from failure
    return unpacked


def _inside(name: str) -> str | None:
    """A path in an archive, cleaned; None if it leads out."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _parents(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path
