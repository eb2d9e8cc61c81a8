"""Writes the archive: the same bytes for the same files."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.errors import CommandError

__all__ = ["write_archive"]

DEFAULT_TIME: Final = 315532800
"""1980-01-01, the first day that zip files know too: plugins may pack their own files."""

_PROGRAM, _PLAIN, _FOLDER = 0o755, 0o644, 0o755
_OWNER_RUNS: Final = 0o100


def write_archive(stage: Path, top_folder: str, output: Path) -> None:
    """Write a tar.gz, in whole or not at all.

    Args:
        stage: the folder that is packed.
        top_folder: the folder that it becomes in the archive.
        output: the archive; its folder is made.

    Raises:
        CommandError: it cannot be written.
    """
    time = _time()
    half = output.with_name(f".{output.name}.{os.getpid()}.half")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with (
            half.open("wb") as file,
            # No name and no time in gzip's header.
            gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            _add_all(archive, stage, top_folder, time)
        half.replace(output)
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        half.unlink(missing_ok=True)


def _add_all(archive: tarfile.TarFile, stage: Path, top_folder: str, time: int) -> None:
    archive.addfile(_folder_entry(top_folder, time))
    for path in sorted(stage.rglob("*"), key=lambda path: path.relative_to(stage).parts):
        name = f"{top_folder}/{path.relative_to(stage).as_posix()}"
        if path.is_dir():
            archive.addfile(_folder_entry(name, time))
            continue
        entry = tarfile.TarInfo(name)
        entry.mtime, entry.size = time, path.stat().st_size
        entry.mode = _PROGRAM if path.stat().st_mode & _OWNER_RUNS else _PLAIN
        with path.open("rb") as file:
            archive.addfile(entry, file)


def _folder_entry(name: str, time: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, _FOLDER, time
    return entry


def _time() -> int:
    """The time of all entries: SOURCE_DATE_EPOCH, if it is set (see reproducible-builds.org)."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise CommandError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {text!r}")
    return int(text) if text else DEFAULT_TIME
