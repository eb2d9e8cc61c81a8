"""Checks a plugin, whatever form it has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.bundle_rules import WANTED, check_archive, check_tree
from mattermost_plugin.cli.bundle.findings import Finding, error, has_errors
from mattermost_plugin.cli.bundle.handlers import MissingModuleError, find_handlers
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, YAML_MANIFESTS, read_manifest_fields
from mattermost_plugin.cli.bundle.tree import read_tree
from mattermost_plugin.cli.bundle.versions import ServerVersion
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.source_plugin import (
    SourcePlugin,
    check_calls,
    check_source,
    is_source,
    missing_here,
    read_source,
)

__all__ = ["inspect_path"]

_OF_A_FOLDER: Final = (".py", ".json")


def inspect_path(path: Path, server: ServerVersion | None) -> list[Finding]:
    """Check a folder with a plugin's sources, a folder with an unpacked bundle, or an archive.

    Args:
        path: the folder or archive.
        server: the server that it is for; None for all that its manifest allows.

    Raises:
        CommandError: it cannot be read.
    """
    if not path.is_dir():
        if path.suffix in _OF_A_FOLDER:
            raise CommandError(f"{path} is a file of a plugin: give the folder that plugin.json is in, or the tar.gz")
        return check_archive(path, server)
    if not any((path / name).exists() for name in (MANIFEST, *YAML_MANIFESTS)):
        raise CommandError(f"{path} is no plugin's folder: there is no {MANIFEST} in it")
    if (path / MANIFEST).is_file() and is_source(read_manifest_fields(path)):
        return _inspect_source(read_source(path), server)
    try:
        return list(check_tree(read_tree(path, WANTED), server))
    except OSError as failure:
        raise CommandError(f"{failure.filename or path} cannot be read: {failure.strerror}") from failure


def _inspect_source(plugin: SourcePlugin, server: ServerVersion | None) -> list[Finding]:
    findings = list(check_source(plugin))
    if has_errors(findings):
        return findings
    try:
        handlers = find_handlers([sys.executable, "-B", "-P"], plugin.folder, plugin.script, [])
    except CommandError as failure:
        first, _, rest = str(failure).partition("\n")
        advice = f"{rest}\n{missing_here(plugin, failure.module)}" if isinstance(failure, MissingModuleError) else rest
        return [*findings, error("", first, advice or "correct the script")]
    return [*findings, *check_calls(plugin, handlers, server)]
