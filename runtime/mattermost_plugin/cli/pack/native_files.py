"""Files that run on one kind of machine only, and what they need there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["GlibcVersion", "NativeFiles", "find_native", "is_elf", "newest_glibc"]

_ELF: Final = b"\x7fELF"
_MAGIC: Final = (_ELF, b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""Of programs for Linux and macOS. Those for Windows are in many packages that run anywhere."""

_ONE_VERSION: Final = re.compile(r"\.(cpython-\d+|cp\d+|pypy\d+)[^/]*\.(so|pyd)$")
"""Names of modules for one version of Python. Those called .abi3.so fit all later ones."""

_GLIBC: Final = re.compile(rb"\0GLIBC_2\.(\d{1,3})(?:\.\d+)?(?=\0)")
"""How a program names the versions of the C library's functions that it needs, in its table of texts."""

GlibcVersion = int
"""The second number of glibc's version; the first has been 2 since 1997."""


@dataclass(frozen=True, slots=True)
class NativeFiles:
    """The files in a folder of packages that are no Python."""

    packages: Sequence[str]
    """What they belong to: the first parts of their paths."""

    one_version: bool
    """Whether one of them fits no other version of Python."""

    glibc: GlibcVersion | None
    """The oldest glibc that has all they need; None if they need none."""


def find_native(folder: Path) -> NativeFiles:
    """Look through a folder of packages."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_native(path)]
    names = [path.relative_to(folder) for path in files]
    return NativeFiles(
        packages=list(dict.fromkeys(name.parts[0] for name in names)),
        one_version=any(_ONE_VERSION.search(name.name) for name in names),
        glibc=newest_glibc(files),
    )


def is_elf(path: Path) -> bool:
    """Whether a file is a program or a library for Linux."""
    return _magic(path) == _ELF


def newest_glibc(files: Iterable[Path]) -> GlibcVersion | None:
    """The oldest glibc that has all that some programs and libraries need; None if they need none."""
    versions = (int(found) for path in files if is_elf(path) for found in _GLIBC.findall(path.read_bytes()))
    return max(versions, default=None)


def _is_native(path: Path) -> bool:
    return _magic(path) in _MAGIC


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)
