"""Writes what starts the plugin on a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.layout import LAUNCH, START
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack import launch_program
from mattermost_plugin.cli.pack.launch_script import launch_script
from mattermost_plugin.cli.pack.starter import make_starter

__all__ = ["PythonNeed", "write_launcher", "write_starter"]

NEWEST_MINOR: Final = 20
"""How far the shell's script looks for versions of Python that are newer than any there is today."""


@dataclass(frozen=True, slots=True)
class PythonNeed:
    """The versions of Python that a bundle runs with."""

    versions: Sequence[str]
    """Versions that it is made for, such as "3.11"; at least one, the best first."""

    and_later: bool
    """Whether those later than the lowest of them do, too."""

    def __str__(self) -> str:
        if self.and_later:
            return f"Python {min(self.versions, key=_minor)} or newer"
        return "Python " + " or ".join(self.versions)

    @property
    def search(self) -> list[str]:
        """The versions to look for, the best first."""
        later = range(NEWEST_MINOR, min(map(_minor, self.versions)), -1) if self.and_later else ()
        return list(dict.fromkeys([*self.versions, *(f"3.{minor}" for minor in later)]))


def write_launcher(stage: Path, script: str, need: PythonNeed) -> None:
    """Write a start with a Python of the server's machine.

    Args:
        stage: the bundle's root.
        script: the plugin's script, relative to it.
        need: the versions of Python that will do.
    """
    _write(stage / START, launch_script(need.search, str(need)), 0o755)
    _write(stage / LAUNCH, _program(script, need), 0o644)


def write_starter(stage: Path, script: str, need: PythonNeed, platform: str) -> None:
    """Write a start with the Python in the bundle.

    Args:
        stage: the bundle's root.
        script: the plugin's script, relative to it.
        need: the version of that Python.
        platform: the machine: "linux-amd64" or "linux-arm64".
    """
    _write(stage / START, make_starter(platform.removeprefix("linux-")), 0o755)
    _write(stage / LAUNCH, _program(script, need), 0o644)


def _program(script: str, need: PythonNeed) -> bytes:
    text = Path(launch_program.__file__).read_text(encoding="utf-8")
    for name, sample, value in (
        ("SCRIPT", launch_program.SCRIPT, script),
        ("VERSIONS", launch_program.VERSIONS, list(need.versions)),
        ("AND_LATER", launch_program.AND_LATER, need.and_later),
    ):
        before = f"\n{name} = {_literal(sample)}\n"
        if text.count(before) != 1:
            raise CommandError(f"{launch_program.__file__} has been changed: it sets no {name}")
        text = text.replace(before, f"\n{name} = {_literal(value)}\n")
    return text.encode()


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _write(path: Path, text: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
