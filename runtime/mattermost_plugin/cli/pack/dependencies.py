"""Installs what a plugin needs into its bundle, with pip."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.platforms import Target

__all__ = ["install"]

MOST_LINES: Final = 15
"""Of pip's output, when it fails: its end says why."""

_OPTIONS: Final = (
    "--no-compile",
    "--no-warn-script-location",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--quiet",
)

_SETTINGS: Final = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
"""Settings of this machine that do not go with a folder of one's own."""

_LEFTOVERS: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip notes for itself, paths of this machine among it."""


def install(wheel: Path, requirements: Path | None, target: Target, source: Path, folder: Path) -> None:
    """Install this package and a plugin's requirements into a folder.

    For a machine or a Python other than these, pip takes wheels and builds nothing.

    Args:
        wheel: this package.
        requirements: a requirements file, or None.
        target: what they are installed for.
        source: the plugin's folder, which paths in requirements are relative to.
        folder: where they go.

    Raises:
        CommandError: pip is not there, or fails.
    """
    if importlib.util.find_spec("pip") is None:
        raise CommandError(
            f"this needs pip, which {sys.executable} does not have: run\n    {sys.executable} -m ensurepip\n"
            "or, if uv made the environment,\n    uv pip install pip"
        )
    command = [sys.executable, "-m", "pip", "install", "--target", str(folder), *_OPTIONS, str(wheel)]
    if not target.is_here:
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}"]
        command += [f"--platform={tag}" for tag in target.platform.wheel_tags()]
    if requirements is not None:
        command += ["-r", str(requirements)]
    done = subprocess.run(  # noqa: S603 - pip, with the author's requirements
        command,
        cwd=source,
        env=os.environ | _SETTINGS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.rstrip().splitlines()[-MOST_LINES:])
        raise CommandError(f"pip could not install the dependencies for {target}:\n{said}")
    _tidy(folder)


def _tidy(folder: Path) -> None:
    """Leave out what is of no use on a server, or differs from one run to the next."""
    # Scripts, whose first lines name the Python of this machine.
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for cache in sorted(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for info in folder.glob("*.dist-info"):
        for name in _LEFTOVERS:
            (info / name).unlink(missing_ok=True)
