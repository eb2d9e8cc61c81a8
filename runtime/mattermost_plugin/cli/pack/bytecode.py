"""Compiles the modules of a bundle.

A server unpacks a bundle at each of its own starts, and without bytecode a plugin's start takes twice as long. The
bytecode is of the kind that Python does not compare with the sources: unpacking gives those times of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mattermost_plugin.cli.pack.platforms import python_here

__all__ = ["compile_modules", "find_python"]


def find_python(version: str) -> str | None:
    """An interpreter of a version, such as "3.12", on this machine; None if there is none that runs."""
    if version == python_here():
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    # A shim of a version manager can be there for versions that are not.
    done = subprocess.run([found, "-I", "-S", "-c", ""], capture_output=True, check=False)  # noqa: S603 - from PATH
    return None if done.returncode else found


def compile_modules(python: str, stage: Path, folders: Sequence[Path]) -> list[str]:
    """Compile all modules in folders.

    Args:
        python: the interpreter that they are compiled for.
        stage: the bundle's root, which paths in tracebacks are relative to until Python puts the real ones in.
        folders: the folders; those below them are compiled, too.

    Returns:
        What the compiler had to say about modules that it could not compile.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(stage), "-p", ""]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    # Sets of constants are written in the order of their hashes.
    env["PYTHONHASHSEED"] = "0"
    done = subprocess.run(  # noqa: S603 - the interpreter found above
        [python, "-m", "compileall", *options, *map(str, folders)],
        cwd=stage,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout.splitlines() if done.returncode else []
