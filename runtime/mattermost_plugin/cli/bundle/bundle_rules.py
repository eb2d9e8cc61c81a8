"""All rules for a bundle as a whole: what a server does with it, told before it is uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.archive import unpack
from mattermost_plugin.cli.bundle.executable_rules import check_executables, check_paths
from mattermost_plugin.cli.bundle.findings import Finding, error, has_errors, note, warning
from mattermost_plugin.cli.bundle.hook_rules import check_hooks, check_server_version
from mattermost_plugin.cli.bundle.layout import RECORD
from mattermost_plugin.cli.bundle.manifest_fields import (
    MANIFEST,
    MANIFEST_LIMIT,
    YAML_MANIFESTS,
    Fields,
    parse_manifest,
)
from mattermost_plugin.cli.bundle.manifest_rules import check_manifest
from mattermost_plugin.cli.bundle.record import RECORD_LIMIT, read_record
from mattermost_plugin.cli.bundle.tree import PluginTree
from mattermost_plugin.cli.bundle.versions import ServerVersion

__all__ = ["WANTED", "check_archive", "check_tree", "manifest_of"]

WANTED: Final = {MANIFEST: MANIFEST_LIMIT, RECORD: RECORD_LIMIT}
"""What is read whole of a bundle's files."""

LARGE_BYTES: Final = 50_000_000
"""What the proxy that the server's documentation sets up lets through."""


def check_archive(path: Path, server: ServerVersion | None = None) -> list[Finding]:
    """Check an archive, without running anything in it.

    Args:
        path: the tar.gz.
        server: the server that it is for; None for all that its manifest allows.

    Raises:
        CommandError: it cannot be read.
    """
    unpacked = unpack(path, WANTED)
    findings = [*unpacked.findings, *check_tree(unpacked.tree(), server)]
    size = path.stat().st_size
    if size > LARGE_BYTES:
        what = f"has {size / 1_000_000:.0f} MB, and proxies before servers often let no more than 50 MB through"
        findings.append(
            warning("", f"the bundle {what}", "raise client_max_body_size there if the upload ends with 413")
        )
    return findings


def check_tree(tree: PluginTree, server: ServerVersion | None) -> Iterator[Finding]:
    """Check the files of a plugin as a server has them.

    Args:
        tree: the files.
        server: the server; None for all that the manifest allows.

    Raises:
        CommandError: the manifest cannot be read.
    """
    for name in YAML_MANIFESTS:
        if name in tree.files:
            yield error(name, f"the server reads this file, and {MANIFEST} never", "remove it")
    fields = manifest_of(tree)
    if fields is None:
        top = sorted({name.partition("/")[0] for name in tree.files})
        found = ", ".join(top[:10]) or "nothing"
        yield error(
            MANIFEST,
            f"is not at the top, where there is: {found}",
            "pack it at the top, or with all else in one folder, and nothing beside that folder",
        )
        return
    problems = list(check_manifest(fields))
    yield from problems
    if has_errors(problems):
        return
    yield from check_executables(fields, tree)
    yield from check_paths(fields, tree)
    if server is not None:
        yield from check_server_version(fields, server)
    record = read_record(tree.contents.get(RECORD, b""))
    if record is not None:
        yield from check_hooks(record.hooks, fields, server)
    elif fields.get("server") is not None:
        yield note("", "which hooks the plugin handles is unknown: `mattermost-plugin pack` has not made this bundle")


def manifest_of(tree: PluginTree) -> Fields | None:
    """The manifest among a plugin's files; None if there is none.

    Raises:
        CommandError: it cannot be read.
    """
    text = tree.contents.get(MANIFEST)
    return None if text is None else parse_manifest(text, MANIFEST)
