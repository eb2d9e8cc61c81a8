"""Checks a plugin, whatever form it has."""

from __future__ import annotations

import sys
from pathlib import Path

from mattermost_plugin.cli.bundle.bundle_rules import WANTED, check_archive, check_tree
from mattermost_plugin.cli.bundle.findings import Finding, error, has_errors
from mattermost_plugin.cli.bundle.handlers import find_hooks
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, read_manifest_fields
from mattermost_plugin.cli.bundle.tree import read_tree
from mattermost_plugin.cli.bundle.versions import ServerVersion
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.source_plugin import SourcePlugin, check_calls, check_source, is_source, read_source

__all__ = ["inspect_path"]


def inspect_path(path: Path, server: ServerVersion | None) -> list[Finding]:
    """Check a folder with a plugin's sources, a folder with an unpacked bundle, or an archive.

    Args:
        path: the folder or archive.
        server: the server that it is for; None for all that its manifest allows.

    Raises:
        CommandError: it cannot be read.
    """
    if not path.is_dir():
        return check_archive(path, server)
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
        hooks = find_hooks([sys.executable, "-B"], plugin.folder, plugin.script, [])
    except CommandError as failure:
        first, _, rest = str(failure).partition("\n")
        return [*findings, error("", first, rest or "correct the script")]
    return [*findings, *check_calls(plugin, hooks, server)]
