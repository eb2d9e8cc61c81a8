"""What a plugin needs to have installed, as its author wrote it down."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.errors import CommandError

__all__ = ["REQUIREMENTS", "requirements_file", "requirements_name"]

REQUIREMENTS: Final = "requirements.txt"
PROJECT: Final = "pyproject.toml"


def requirements_name(folder: Path) -> str:
    """The file that a plugin's requirements are in; "" if it has none."""
    return next((name for name in (REQUIREMENTS, PROJECT) if (folder / name).is_file()), "")


def requirements_file(folder: Path, scratch: Path) -> Path | None:
    """The requirements of a plugin, as a file for pip.

    They come from requirements.txt, or without one from the dependencies of the project in pyproject.toml. Paths in
    them are relative to the plugin's folder.

    Args:
        folder: the plugin's folder.
        scratch: where a file may be written.

    Returns:
        The file; None if the plugin requires nothing.

    Raises:
        CommandError: the file cannot be read.
    """
    if (folder / REQUIREMENTS).is_file():
        return folder / REQUIREMENTS
    path = folder / PROJECT
    if not path.is_file():
        return None
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    if not isinstance(project, dict) or "dependencies" in project.get("dynamic", []):
        raise CommandError(f"{path} leaves its dependencies to a build tool: write them down in {REQUIREMENTS}")
    lines = project.get("dependencies", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise CommandError(f"{path}: project.dependencies is no list of texts")
    file = scratch / REQUIREMENTS
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file
