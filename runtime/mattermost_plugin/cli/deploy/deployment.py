"""Uploads a bundle, enables the plugin and waits for its start."""

from __future__ import annotations

from pathlib import Path

from mattermost_plugin.cli.bundle.archive import unpack
from mattermost_plugin.cli.bundle.bundle_rules import WANTED, check_archive, manifest_of
from mattermost_plugin.cli.bundle.findings import Severity, has_errors, show
from mattermost_plugin.cli.deploy.refusals import explained
from mattermost_plugin.cli.deploy.server_client import ServerClient, ServerRefusalError
from mattermost_plugin.cli.deploy.status_watch import RUNNING, log_lines, watch
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.report import as_size
from mattermost_plugin.cli.terminal import RED, YELLOW, Terminal, visible

__all__ = ["deploy", "require_sound_archive"]


def require_sound_archive(path: Path, terminal: Terminal) -> None:
    """Check an archive before it is uploaded.

    Raises:
        CommandError: a server would refuse it.
    """
    findings = check_archive(path)
    show([each for each in findings if each.severity is not Severity.NOTE], terminal)
    if has_errors(findings):
        raise CommandError(f"{path} has faults, and nothing was uploaded")


def deploy(client: ServerClient, bundle: Path, wait_s: float, terminal: Terminal) -> int:
    """Bring a bundle to a server.

    Args:
        client: the server.
        bundle: the archive.
        wait_s: how long the plugin may take to start.
        terminal: where it is told.

    Returns:
        The exit code: 0 if the plugin runs on all nodes, 1 if it does not.

    Raises:
        CommandError: the server refuses something, or cannot be reached.
    """
    plugin_id, version = _identity(bundle)
    if client.is_open:
        text = "the token goes over the network as it is: use https"
        terminal.write(f"{terminal.paint(YELLOW, 'warning:')} {text}")
    terminal.write(f"uploading {plugin_id} {version} ({as_size(bundle.stat().st_size)}) to {visible(client.url)}")
    try:
        client.upload("/plugins", "plugin", bundle, {"force": "true"})
        client.post(f"/plugins/{plugin_id}/enable")
        statuses = watch(client, plugin_id, version, wait_s)
    except ServerRefusalError as refusal:
        raise explained(refusal, client) from None
    failed = [status for status in statuses if status.state != RUNNING]
    for status in statuses:
        label = "" if status.state == RUNNING else f"{terminal.paint(RED, 'error:')} "
        terminal.write(f"{label}{plugin_id} {visible(str(status))}")
        for line in (status.error, status.advice()):
            if line:
                terminal.write(f"    {visible(line)}")
    if failed and (lines := log_lines(client, plugin_id)):
        terminal.write("the server's log says:")
        for line in lines:
            terminal.write(f"    {visible(line)}")
    return 1 if failed else 0


def _identity(bundle: Path) -> tuple[str, str]:
    fields = manifest_of(unpack(bundle, WANTED).tree()) or {}
    plugin_id, version = fields.get("id"), fields.get("version")
    if not isinstance(plugin_id, str) or not plugin_id:
        raise CommandError(f"{bundle} has no plugin.json with an id")
    return plugin_id.lower(), version if isinstance(version, str) else ""
