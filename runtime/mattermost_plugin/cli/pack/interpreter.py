"""Copies the Python that runs this into a bundle, so that the server's machine needs none.

That is its program, its standard library, and the shared libraries that they and the dependencies need, but for the C
library: that one belongs to the kernel's loader, and must not be older on the server than here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.layout import RUNTIME, SHARED
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.native_files import is_elf
from mattermost_plugin.cli.pack.platforms import python_here

__all__ = ["copy_interpreter", "copy_libraries", "loader_of"]

PROGRAM: Final = f"{RUNTIME}/bin/python3"

_LEFT_OUT: Final = frozenset(
    {"__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "tkinter"}
    | {"turtledemo", "pydoc_data", "curses"}
)
"""Parts of the standard library that are for developers, or need a screen."""

_MODULES_LEFT_OUT: Final = re.compile(
    r"_(tkinter|test\w+|xxtestfuzz|ctypes_test|curses|curses_panel)\..*|xxlimited.*|turtle\.py|(readline|nis|_g?dbm)\..*"
)
"""Modules of those parts, and modules whose libraries have terms that a bundle does not meet, or nobody uses."""

_OF_THE_SYSTEM: Final = re.compile(
    r"(ld-linux.*|ld-musl.*|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|BrokenLocale|thread_db|nss_\w+|mvec)|linux-vdso)"
    r"\.so(\.\d+)*"
)
"""glibc's own libraries. They fit each other and nothing else."""

_LDD: Final = re.compile(r"^\s+(\S+) => (?:(/\S+)|not found)")
_LOADER: Final = re.compile(rb"/[\w./-]*/ld-[\w.-]+\.so\.\d+")


def copy_interpreter(stage: Path) -> None:
    """Copy the interpreter and its standard library.

    Raises:
        CommandError: it is not put together in a way that can be copied.
    """
    base = Path(sys.base_prefix)
    library = Path(sysconfig.get_path("stdlib", vars={"base": str(base), "installed_base": str(base)}))
    if not library.is_relative_to(base) or not (library / "os.py").is_file():
        raise CommandError(f"the standard library of {sys.executable} is not below {base}: use another Python")
    program = stage / PROGRAM
    program.parent.mkdir(parents=True)
    shutil.copyfile(_program(base), program)
    program.chmod(0o755)
    to = stage / RUNTIME / library.relative_to(base)
    shutil.copytree(library, to, ignore=_ignored, ignore_dangling_symlinks=True)
    _strip([program])


def copy_libraries(stage: Path, sources: Sequence[Path]) -> list[str]:
    """Copy the shared libraries that programs and libraries need.

    Args:
        stage: the bundle's root.
        sources: folders in it with programs and libraries, and programs beside it.

    Returns:
        The names of those that are needed and are not on this machine.

    Raises:
        CommandError: this machine has no ldd.
    """
    to = stage / SHARED
    to.mkdir(parents=True, exist_ok=True)
    missing: list[str] = []
    copied: list[Path] = []
    for name, path in _needed(sorted(file for each in sources for file in _files(each) if is_elf(file))):
        if _OF_THE_SYSTEM.fullmatch(name) or (path is not None and path.resolve().is_relative_to(stage.resolve())):
            continue
        if path is None:
            missing.append(name)
        elif not (to / name).exists():
            shutil.copyfile(path, to / name)
            copied.append(to / name)
    _strip(copied)
    return sorted(set(missing))


def loader_of(program: Path) -> str:
    """The path of the loader that a program asks for; "" if it asks for none."""
    with program.open("rb") as file:
        found = _LOADER.search(file.read(4096))
    return found[0].decode() if found else ""


def _program(base: Path) -> Path:
    for path in (base / "bin" / f"python{python_here()}", Path(sys.executable)):
        if path.is_file() and is_elf(path.resolve()):
            return path.resolve()
    raise CommandError(f"{sys.executable} is no program that can be copied: use the Python itself, not a script")


def _ignored(folder: str, names: list[str]) -> list[str]:
    return [
        name for name in names if name in _LEFT_OUT or name.startswith("config-") or _MODULES_LEFT_OUT.fullmatch(name)
    ]


def _files(path: Path) -> Iterable[Path]:
    return (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _needed(files: Sequence[Path]) -> Iterator[tuple[str, Path | None]]:
    """The libraries that files need, directly or not, by name."""
    if not files:
        return
    ldd = shutil.which("ldd")
    if ldd is None:
        raise CommandError(
            "--self-contained needs ldd, which finds the libraries to carry: install the C library's tools"
        )
    done = subprocess.run([ldd, *map(str, files)], capture_output=True, text=True, check=False)  # noqa: S603 - see above
    for line in done.stdout.splitlines():
        if found := _LDD.match(line):
            yield found[1], Path(found[2]) if found[2] else None


def _strip(files: Sequence[Path]) -> None:
    """Leave out what only debuggers read: most of a Python that was built on this machine."""
    strip = shutil.which("strip")
    for file in files if strip else ():
        # It is no loss if it does not work.
        subprocess.run([str(strip), "--strip-debug", str(file)], capture_output=True, check=False)  # noqa: S603 - see above
