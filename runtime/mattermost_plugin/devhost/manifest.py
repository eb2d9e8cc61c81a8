"""A plugin's plugin.json."""

import json
from pathlib import Path

from google.protobuf.json_format import ParseDict, ParseError

from mattermost_plugin.devhost.errors import StartError
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["executable_of", "read_manifest"]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the plugin in a folder. What this host does not know is left out.

    Raises:
        StartError: there is none, or it cannot be used.
    """
    path = folder / "plugin.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(fields, dict):
            raise StartError(f"{path} is no JSON object")
        manifest = ParseDict(fields, Manifest(), ignore_unknown_fields=True)
    except (OSError, ValueError, ParseError) as error:
        raise StartError(f"{path} cannot be used: {error}") from error
    if not manifest.id:
        raise StartError(f"{path} has no id")
    return manifest


def executable_of(folder: Path, manifest: Manifest) -> str:
    """The script to be started, relative to the folder.

    Raises:
        StartError: the manifest names none, or it is not there.
    """
    executable = manifest.server.executable
    if not executable:
        raise StartError(f"{manifest.id}: plugin.json names no server.executable")
    script = (folder / executable).resolve()
    if not script.is_file() or not script.is_relative_to(folder.resolve()):
        raise StartError(f"{manifest.id}: plugin.json names {executable!r} as executable, which is not in the folder")
    return executable
