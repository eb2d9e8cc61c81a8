"""Finds out about a plugin: its manifest, its folder, and its class if it is given as a folder."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from google.protobuf.json_format import ParseDict, ParseError

from mattermost_plugin.devhost.errors import StartError
from mattermost_plugin.devhost.manifest import executable_of, read_manifest
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.testing.errors import LoadError
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["ManifestLike", "Script", "manifest_of"]

__tracebackhide__ = True  # pytest shows the line of the test

ManifestLike = Manifest | Mapping[str, object]
"""A manifest, or its fields as plugin.json has them."""

_FILE: Final = "plugin.json"
_numbers: Final = itertools.count(1)


def manifest_of(plugin: type[Plugin], given: ManifestLike | None) -> tuple[Manifest, Path]:
    """A plugin's manifest and folder.

    The folder is the one of the class's module, or if that is in a package the one around the package. Its plugin.json
    is the manifest; without one the manifest is an id made of the class's name.

    Args:
        plugin: the plugin's class.
        given: the manifest to use instead.

    Raises:
        LoadError: the manifest cannot be used.
    """
    folder = _folder_of(plugin)
    if given is not None:
        return _made(given), folder
    try:
        if (folder / _FILE).is_file():
            return read_manifest(folder), folder
    except StartError as error:
        raise LoadError(str(error)) from error
    plugin_id = f"test.{plugin.__name__.lower()}"
    return Manifest(id=plugin_id, name=plugin.__name__), folder


def _folder_of(plugin: type[Plugin]) -> Path:
    try:
        folder = Path(inspect.getfile(plugin)).parent
    except (TypeError, OSError):
        # Made by exec, or at a prompt.
        return Path.cwd()
    while (folder / "__init__.py").is_file() and not (folder / _FILE).is_file():
        folder = folder.parent
    return folder.absolute()


def _made(given: ManifestLike) -> Manifest:
    manifest = Manifest()
    if isinstance(given, Manifest):
        manifest.CopyFrom(given)
    else:
        try:
            ParseDict(dict(given), manifest, ignore_unknown_fields=True)
        except ParseError as error:
            raise LoadError(f"the manifest cannot be used: {error}") from error
    if not manifest.id:
        raise LoadError("the manifest has no id")
    return manifest


class Script:
    """A plugin's script, imported into this process as a plugin's process would run it, and dropped afterwards.

    Args:
        folder: the plugin's folder.

    Raises:
        LoadError: the manifest or the script cannot be used, or there is not one plugin class in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        if self.folder.is_file():
            raise LoadError(f"{folder} is a file: give the folder that plugin.json is in, or the plugin's class")
        try:
            self.manifest = read_manifest(self.folder)
            script = self.folder / executable_of(self.folder, self.manifest)
        except StartError as error:
            raise LoadError(str(error)) from error
        self._path_entry = str(script.parent)
        self._modules_before = set(sys.modules)
        sys.path.insert(0, self._path_entry)
        try:
            self.plugin_class = self._import(script)
        except BaseException:
            self.drop()
            raise

    def _import(self, script: Path) -> type[Plugin]:
        name = f"plugin_under_test_{next(_numbers)}"
        spec = importlib.util.spec_from_file_location(name, script)
        if spec is None or spec.loader is None:
            raise LoadError(f"{script} is no Python module")
        module = importlib.util.module_from_spec(spec)
        # Dataclasses and pickles look their modules up.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except SystemExit as error:
            raise LoadError(
                f'{script} ends when it is imported: put run_plugin(...) under `if __name__ == "__main__":`'
            ) from error
        except Exception as error:
            raise LoadError(f"{script} cannot be imported: {error!r}") from error
        found = [each for each in vars(module).values() if inspect.isclass(each) and issubclass(each, Plugin)]
        own = [each for each in dict.fromkeys(found) if each.__module__ == name]
        last = [each for each in own if not any(each in other.__mro__[1:] for other in own)]
        if len(last) != 1:
            names = ", ".join(each.__name__ for each in last) or "none"
            raise LoadError(f"{script} must have one plugin class, and has {names}: load the class itself")
        return last[0]

    def drop(self) -> None:
        """Forget the script and what it has imported from its folder; legal more than once."""
        if self._path_entry in sys.path:
            sys.path.remove(self._path_entry)
        for name in set(sys.modules) - self._modules_before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(self.folder) and not _is_installed(Path(file)):
                del sys.modules[name]


def _is_installed(file: Path) -> bool:
    """Whether a module belongs to an environment, such as a .venv in the plugin's folder."""
    return "site-packages" in file.parts
