"""The files that a plugin's author wrote."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.layout import FOLDER
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.ignore_patterns import IGNORE_FILE, IgnorePatterns

__all__ = ["SourceFile", "copy_sources", "find_sources"]

_OWNER_RUNS: Final = 0o100
_PROGRAM, _PLAIN = 0o755, 0o644


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be packed."""

    name: str
    """Relative to the plugin's folder, divided by slashes."""

    path: Path
    """Where its content is."""

    mode: int
    """The mode that it has in the bundle: 0755 or 0644."""


def find_sources(folder: Path, kept: Sequence[str] = (), without: Path | None = None) -> list[SourceFile]:
    """The files of a plugin, sorted by name.

    Args:
        folder: the plugin's folder, without symbolic links in its path.
        kept: paths of files that are taken, with what lies beside them, whatever patterns say: those that the manifest
            names.
        without: a path that is left out: the archive that is made, which may be there from the last time.

    Raises:
        CommandError: a file cannot be packed.
    """
    ignore_file = folder / IGNORE_FILE
    try:
        lines = ignore_file.read_text(encoding="utf-8").splitlines() if ignore_file.is_file() else []
    except (OSError, ValueError) as error:
        raise CommandError(f"{ignore_file} cannot be read: {error}") from error
    if (folder / FOLDER).exists():
        raise CommandError(f"{folder / FOLDER}: this name is taken in bundles: rename it")
    patterns = IgnorePatterns(lines)
    files = {file.name: file for file in _walk(folder, folder, patterns)}
    for path in kept:
        if (folder / path).is_file():
            beside = _walk(folder, (folder / path).parent, IgnorePatterns()) if "/" in path else ()
            files.update({file.name: file for file in (*beside, _source(folder, folder / path))})
    return [files[name] for name in sorted(files) if files[name].path != without]


def copy_sources(files: Sequence[SourceFile], stage: Path) -> None:
    """Copy the files of a plugin to where its bundle is made."""
    for file in files:
        to = stage / file.name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, to)
        to.chmod(file.mode)


def _walk(folder: Path, below: Path, patterns: IgnorePatterns) -> Iterator[SourceFile]:
    for path in sorted(below.iterdir()):
        name, is_folder = path.relative_to(folder).as_posix(), path.is_dir()
        if patterns.ignores(name, is_folder) or (path / "pyvenv.cfg").exists():
            continue
        if not is_folder:
            yield _source(folder, path)
        elif path.is_symlink():
            raise CommandError(f"{path} is a link to a folder, which bundles cannot hold: {_ADVICE}")
        else:
            yield from _walk(folder, path, patterns)


_ADVICE: Final = f"copy what it leads to, or name it in {IGNORE_FILE}"


def _source(folder: Path, path: Path) -> SourceFile:
    target = path.resolve()
    if not target.exists():
        raise CommandError(f"{path} is a link to nothing: remove it")
    if not target.is_relative_to(folder):
        raise CommandError(f"{path} is a link that leads out of the plugin's folder: {_ADVICE}")
    if not target.is_file():
        raise CommandError(f"{path} is no file: remove it, or name it in {IGNORE_FILE}")
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise CommandError(f"{name!a} has a name that is no UTF-8: rename it") from error
    return SourceFile(name, target, _PROGRAM if target.stat().st_mode & _OWNER_RUNS else _PLAIN)
