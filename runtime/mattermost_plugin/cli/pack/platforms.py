"""The machines that servers run on, as the server, Python and pip call them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mattermost_plugin.cli.bundle.layout import packages_folder

__all__ = ["OLDEST_PYTHON", "PLATFORMS", "Platform", "Target", "platform_here", "python_here"]

OLDEST_PYTHON: Final = "3.11"
"""What this package needs."""

_NEWEST_GLIBC: Final = 28
"""The second number of glibc's version that foreign wheels may need: 2.28 is that of the oldest systems that are still
looked after. glibc of the server's own container image is 2.36."""

_OLDEST_GLIBC: Final = 17


@dataclass(frozen=True, slots=True)
class Platform:
    """A kind of machine."""

    name: str
    """As manifests have it: GOOS-GOARCH."""

    system: str
    """`sys.platform` there."""

    machine: str
    """`os.uname().machine` there."""

    def wheel_tags(self) -> Iterator[str]:
        """The platform tags of the wheels that run there, the newest first."""
        if self.system == "linux":
            yield from (f"manylinux_2_{minor}_{self.machine}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1))
            yield f"manylinux2014_{self.machine}"
            if self.machine == "x86_64":
                yield from ("manylinux2010_x86_64", "manylinux1_x86_64")
            return
        systems = [f"{major}_0" for major in (14, 13, 12, 11)]
        if self.machine == "x86_64":
            systems += [f"10_{minor}" for minor in range(15, 8, -1)]
        for version in systems:
            yield from (f"macosx_{version}_{self.machine}", f"macosx_{version}_universal2")


PLATFORMS: Final = {
    each.name: each
    for each in (
        Platform("linux-amd64", "linux", "x86_64"),
        Platform("linux-arm64", "linux", "aarch64"),
        Platform("darwin-amd64", "darwin", "x86_64"),
        Platform("darwin-arm64", "darwin", "arm64"),
    )
}
"""By name. Released servers run on Linux; the others are for servers on developers' machines."""


@dataclass(frozen=True, slots=True)
class Target:
    """What dependencies are installed for."""

    platform: Platform

    python: str
    """The first two numbers of Python's version: "3.11"."""

    @property
    def is_here(self) -> bool:
        """Whether it is this machine and the Python that runs this."""
        return self.platform == platform_here() and self.python == python_here()

    @property
    def folder(self) -> str:
        """Where its dependencies are in a bundle that has those of several."""
        return packages_folder(self.platform.system, self.platform.machine, self.python)

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform.name}"


def platform_here() -> Platform | None:
    """The machine that this runs on; None if no server runs on such a machine."""
    machine = os.uname().machine
    return next((each for each in PLATFORMS.values() if (each.system, each.machine) == (sys.platform, machine)), None)


def python_here() -> str:
    """The first two numbers of the version of the Python that runs this."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
