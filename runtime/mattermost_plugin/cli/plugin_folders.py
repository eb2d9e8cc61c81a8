"""The folders of plugins that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli.errors import CommandError

__all__ = ["PluginFolder", "find_plugins"]


@dataclass(frozen=True, slots=True)
class PluginFolder:
    """A plugin and where it is."""

    folder: Path
    """The folder, without symbolic links in its path."""

    given: str
    """The folder as it was given."""

    plugin_id: str
    """The plugin's id."""


def find_plugins(paths: Sequence[str]) -> list[PluginFolder]:
    """Look at the folders of a command line.

    Raises:
        CommandError: one of them is no plugin's, or two plugins have the same id.
    """
    plugins: dict[str, PluginFolder] = {}
    for path in paths:
        found = _look(path)
        other = plugins.setdefault(found.plugin_id, found)
        if other.folder != found.folder:
            raise CommandError(
                f"{other.given} and {path} have the same id {found.plugin_id!r}: change it in one plugin.json"
            )
        if other is not found:
            raise CommandError(f"{path} is given twice")
    return list(plugins.values())


def _look(path: str) -> PluginFolder:
    # Late, as it loads protobuf, which the help does not need.
    from mattermost_plugin.devhost.errors import StartError
    from mattermost_plugin.devhost.manifest import read_manifest

    folder = Path(path)
    if not folder.exists():
        raise CommandError(f"{path} does not exist")
    if not folder.is_dir():
        raise CommandError(f"{path} is a file: give the folder that plugin.json is in")
    if not (folder / "plugin.json").is_file():
        raise CommandError(f"{path} is no plugin: there is no plugin.json in it")
    try:
        manifest = read_manifest(folder)
    except StartError as error:
        raise CommandError(str(error)) from error
    return PluginFolder(folder.resolve(), path, manifest.id)
