"""Gzipped tar archives for tests."""

import io
import tarfile
from collections.abc import Iterable, Mapping

__all__ = ["archive", "entry", "tar_gz"]


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, target: str = "", mode: int = 0o644
) -> tarfile.TarInfo:
    """An entry of an archive."""
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname, made.mode = kind, size, target, mode
    return made


def archive(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """An archive of any entries, also of such that no honest one has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """An archive of files."""
    return archive((entry(name, size=len(content)), content) for name, content in files.items())
