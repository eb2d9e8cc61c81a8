"""Plugin bundles: gzipped tar archives, unpacked without trust in what is in them."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from mattermost_plugin.devhost.errors import DevHostError

__all__ = ["BundleError", "unpack_bundle"]

LARGEST_ARCHIVE: Final = 512 * 1024 * 1024
"""How many bytes an archive may have when it is no longer compressed."""

MOST_ENTRIES: Final = 20_000
"""How many files and folders it may have."""

_PERMISSIONS: Final = 0o755
"""What a file may be for: no bundle needs more."""


class BundleError(DevHostError):
    """A bundle cannot be used. The text says why."""


class _Limited(io.RawIOBase):
    """Reads up to a number of bytes. Without this, a small archive could become one without end."""

    def __init__(self, source: io.BufferedIOBase) -> None:
        self._source = source
        self._left = LARGEST_ARCHIVE

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(self._left + 1 if size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise BundleError(f"the bundle has more than {LARGEST_ARCHIVE} bytes")
        return data


def unpack_bundle(bundle: bytes, folder: Path) -> Path:
    """Unpack a bundle. Links, devices and whatever else is neither file nor folder are left out, as on a server.

    Args:
        bundle: its bytes.
        folder: an empty folder, which is to be deleted if this fails.

    Returns:
        Where the plugin is: the folder, or the only one in it.

    Raises:
        BundleError: it is no gzipped tar archive, too large, or has entries with names that lead out of the folder.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(bundle)) as plain:
            # As a stream, so that nothing is read that has not been counted.
            limited = cast("IO[bytes]", _Limited(plain))
            with tarfile.open(fileobj=limited, mode="r|") as archive:
                for number, entry in enumerate(archive):
                    if number >= MOST_ENTRIES:
                        raise BundleError(f"the bundle has more than {MOST_ENTRIES} entries")
                    _unpack_entry(archive, entry, folder)
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise BundleError(f"the bundle cannot be unpacked: {error}") from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts:
        raise BundleError(f"the bundle has an entry that leads out of its folder: {entry.name[:200]!r}")
    target = folder / name
    if entry.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif entry.isreg():
        content = archive.extractfile(entry)
        if content is None:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(entry.mode & _PERMISSIONS | 0o600)
