"""A plugin as its author has it: the manifest, the script and the other files."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli.bundle.api_mentions import api_mentions
from mattermost_plugin.cli.bundle.executable_rules import executables_of, leads_out
from mattermost_plugin.cli.bundle.findings import Finding, error, has_errors, warning
from mattermost_plugin.cli.bundle.handlers import FoundHandlers
from mattermost_plugin.cli.bundle.hook_rules import check_hooks, check_methods, check_names, check_server_version
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, YAML_MANIFESTS, Fields, read_manifest_fields
from mattermost_plugin.cli.bundle.manifest_rules import check_manifest
from mattermost_plugin.cli.bundle.versions import ServerVersion
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.requirements import REQUIREMENTS, requirements_name
from mattermost_plugin.cli.pack.source_files import SourceFile, find_sources

__all__ = [
    "SourcePlugin",
    "check_calls",
    "check_source",
    "is_source",
    "missing_here",
    "missing_in_bundle",
    "read_source",
    "require_sound",
]


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """What is in a plugin's folder."""

    folder: Path
    """The folder, without symbolic links in its path."""

    fields: Fields
    """The manifest."""

    script: str
    """The script that serves the plugin, relative to the folder; "" if the manifest names none that is there."""

    files: Sequence[SourceFile]
    """What is packed."""

    @property
    def modules(self) -> list[str]:
        """The names of the Python files among those that are packed."""
        return [file.name for file in self.files if file.name.endswith(".py")]


def is_source(fields: Fields) -> bool:
    """Whether a manifest is that of a plugin in Python that is yet to be packed."""
    server = fields.get("server")
    is_python = isinstance(server, Mapping) and server.get("runtime") == "python"
    return is_python or any(path.endswith(".py") for path in executables_of(fields).values())


def read_source(folder: Path, without: Path | None = None) -> SourcePlugin:
    """Read a plugin's folder.

    Args:
        folder: the folder.
        without: the archive that is made of it, which may be there from the last time.

    Raises:
        CommandError: the manifest or a file cannot be read.
    """
    folder = folder.resolve()
    fields = read_manifest_fields(folder)
    files = find_sources(folder, list(_named(fields)), without.resolve() if without is not None else None)
    return SourcePlugin(folder, fields, _script(folder, fields), files)


def check_source(plugin: SourcePlugin) -> Iterator[Finding]:
    """Check what can be told without running the plugin."""
    yield from check_manifest(plugin.fields)
    for name in YAML_MANIFESTS:
        if (plugin.folder / name).exists():
            yield error(name, f"the server reads this file, and {MANIFEST} never", "remove it")
    packed = {file.name for file in plugin.files}
    webapp, icon = plugin.fields.get("webapp"), plugin.fields.get("icon_path")
    bundle = webapp.get("bundle_path") if isinstance(webapp, Mapping) else None
    if isinstance(bundle, str) and posixpath.normpath(bundle) not in packed:
        yield error(f"{MANIFEST}: webapp.bundle_path", f"there is no file {bundle!r}", "build the web app first")
    if isinstance(icon, str) and icon and posixpath.normpath(icon) not in packed:
        yield warning(f"{MANIFEST}: icon_path", f"there is no file {icon!r}", "add or remove it")
    if plugin.script and plugin.script not in packed:
        yield error(plugin.script, "is left out of the bundle by the patterns for files to ignore", "change them")
    elif not plugin.script and (named := executables_of(plugin.fields)):
        programs = " or ".join(map(repr, dict.fromkeys(named.values())))
        yield error(
            f"{MANIFEST}: server.executable",
            f"names no Python script that is in the folder, but {programs}",
            'name the script that calls run_plugin: "executable": "plugin.py"',
        )


def missing_here(plugin: SourcePlugin, module: str) -> str:
    """What to do about a module that is not installed for the Python that runs this."""
    file = requirements_name(plugin.folder)
    if file == REQUIREMENTS:
        return f"install here what the plugin needs: {sys.executable} -m pip install -r {plugin.folder / file}"
    if file:
        return f"install here what {file} names, or add it there if it does not name what has {module}"
    return f"name what has {module} in {REQUIREMENTS}, which `mattermost-plugin pack` reads, and install it here"


def missing_in_bundle(plugin: SourcePlugin, module: str) -> str:
    """What to do about a module that is not in the bundle."""
    file = requirements_name(plugin.folder) or REQUIREMENTS
    return f"the bundle has what {file} names, and nothing else that is installed here: name what has {module} there"


def check_calls(plugin: SourcePlugin, handlers: FoundHandlers, server: ServerVersion | None) -> Iterator[Finding]:
    """Check which servers call the plugin's handlers and have what it calls.

    Args:
        plugin: the plugin.
        handlers: what its class has.
        server: the server that it is for; None for all that the manifest allows.
    """
    if server is not None:
        yield from check_server_version(plugin.fields, server)
    yield from check_hooks(handlers.hooks, plugin.fields, server)
    yield from check_names(handlers)
    yield from check_methods(api_mentions(plugin.folder, plugin.modules), plugin.fields, server)


def require_sound(findings: Sequence[Finding]) -> None:
    """Make sure that nothing has been found that ends in failure.

    Raises:
        CommandError: something has; the findings tell the rest.
    """
    if has_errors(findings):
        raise CommandError("the plugin has faults, and nothing was made of it")


def _named(fields: Fields) -> Iterator[str]:
    """The files that a manifest names, beside programs."""
    webapp = fields.get("webapp")
    for path in (webapp.get("bundle_path") if isinstance(webapp, Mapping) else None, fields.get("icon_path")):
        if isinstance(path, str) and path and not leads_out(path):
            yield posixpath.normpath(path)


def _script(folder: Path, fields: Fields) -> str:
    for path in executables_of(fields).values():
        if path.endswith(".py") and not leads_out(path) and (folder / path).is_file():
            return posixpath.normpath(path)
    return ""
