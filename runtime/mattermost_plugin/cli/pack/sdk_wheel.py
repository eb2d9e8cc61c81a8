"""This package as a wheel, so that pip can install it with whatever else a plugin needs.

It is made of the very files that run here: what the author has tried is what the server gets, installed from an index
or from a checkout. What only authors need is left out.
"""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import mattermost_plugin
import mattermost_pluginapi
from mattermost_plugin.cli.distribution import DISTRIBUTION
from mattermost_plugin.cli.errors import CommandError

__all__ = ["make_sdk_wheel", "sdk_version"]

FOR_AUTHORS: Final = frozenset({"cli", "devhost", "testing"})
"""Parts of the package that no plugin's process imports."""

_SUFFIXES: Final = frozenset({".pyc", ".pyi"})
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: mattermost-plugin pack\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def sdk_version() -> str:
    """The version of this package.

    Raises:
        CommandError: it is not installed, but found by a path.
    """
    return _distribution().version


def make_sdk_wheel(folder: Path) -> Path:
    """Write the wheel into a folder.

    Returns:
        Its path.

    Raises:
        CommandError: this package is not installed, so that nobody knows what it needs.
    """
    distribution = _distribution()
    metadata = distribution.read_text("METADATA")
    if metadata is None:
        raise CommandError(f"{DISTRIBUTION} is installed without its metadata: install it again with pip")
    name = f"{DISTRIBUTION.replace('-', '_')}-{distribution.version}"
    wheel = folder / f"{name}-py3-none-any.whl"
    record: list[str] = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for path, inside in _files():
            archive.write(path, inside)
            record.append(f"{inside},,")
        for file, text in (("METADATA", metadata), ("WHEEL", _WHEEL), *_licenses(distribution)):
            archive.writestr(f"{name}.dist-info/{file}", text)
            record.append(f"{name}.dist-info/{file},,")
        archive.writestr(f"{name}.dist-info/RECORD", "\n".join([*record, f"{name}.dist-info/RECORD,,", ""]))
    return wheel


def _distribution() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise CommandError(
            f"{DISTRIBUTION} is not installed for the Python that runs this, so its dependencies are unknown: "
            "install it with pip"
        ) from error


def _licenses(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    for file in distribution.files or ():
        if file.parts[0].endswith(".dist-info") and "licenses" in file.parts:
            yield f"licenses/{file.name}", file.read_text()


def _files() -> Iterator[tuple[Path, str]]:
    for package in (mattermost_plugin, mattermost_pluginapi):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root.parent)
            if inside.parts[1] in FOR_AUTHORS or "__pycache__" in inside.parts or path.suffix in _SUFFIXES:
                continue
            if path.is_file():
                yield path, inside.as_posix()
