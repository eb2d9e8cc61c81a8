"""Follows a plugin's start on a server, on each of its nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mattermost_plugin.cli.deploy.server_client import ServerClient
from mattermost_plugin.cli.errors import CommandError

__all__ = ["NodeStatus", "log_lines", "watch"]

RUNNING: Final = 2
FAILED: Final = {3: "failed to start", 4: "failed to stay running"}
_STATES: Final = {0: "is not running", 1: "is starting", RUNNING: "runs", **FAILED, 5: "is stopping"}

INTERVAL_S: Final = 0.5
"""Between two looks."""

MOST_LINES: Final = 10
"""Of the server's log."""

_READ_LINES: Final = 200

ADVICE: Final = {
    "no such file or directory": "the server's machine may have no /bin/sh, as the server's own container image, which "
    "has no Python either: pack with --self-contained",
    "permission denied": "the server may not run programs in its plugins' folder: see its owner and its mount options",
    "exec format error": "the bundle is for another kind of machine: pack with --platform",
    "unsupported plugin protocol": "this server cannot talk to plugins over the protocol that this SDK speaks",
    "timeout while waiting for plugin to start": "the plugin's imports took longer than the server waits (3 s)",
}
"""What to do about errors, by a part of their text."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How a plugin is on one node."""

    node: str
    """The node's id; "" if there is one node only."""

    state: int
    error: str

    @property
    def is_over(self) -> bool:
        """Whether the start has succeeded or failed."""
        return self.state == RUNNING or self.state in FAILED

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else ""
        return f"{_STATES.get(self.state, f'is in state {self.state}')}{where}"

    def advice(self) -> str:
        """What to do about the error; "" if that is not known."""
        return next((advice for text, advice in ADVICE.items() if text in self.error), "")


def watch(
    client: ServerClient,
    plugin_id: str,
    version: str,
    limit_s: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[NodeStatus]:
    """Wait until a plugin runs, or has failed, on all nodes.

    Args:
        client: the server.
        plugin_id: the plugin.
        version: the version that was uploaded; other versions are those of nodes that have yet to install it.
        limit_s: how long to wait.
        sleep: waits between two looks.
        clock: tells the time.

    Returns:
        How the plugin is, on each node.

    Raises:
        CommandError: neither has happened in time, or the server does not answer.
    """
    end = clock() + limit_s
    while True:
        found = _statuses(client.get("/plugins/statuses"), plugin_id)
        statuses = [status for status, _ in found]
        if found and all(status.is_over and (not version or told == version) for status, told in found):
            return statuses
        if clock() >= end:
            how = ", ".join(map(str, statuses)) or "is not installed"
            raise CommandError(f"{plugin_id} {how} after {limit_s:g} s: see the server's log")
        sleep(INTERVAL_S)


def log_lines(client: ServerClient, plugin_id: str) -> Sequence[str]:
    """The last lines of the server's log that name a plugin; none if they cannot be had."""
    try:
        lines = client.get(f"/logs?page=0&logs_per_page={_READ_LINES}")
    except CommandError:
        return []
    if not isinstance(lines, list):
        return []
    return [line.strip() for line in lines if isinstance(line, str) and plugin_id in line][-MOST_LINES:]


def _statuses(answer: object, plugin_id: str) -> list[tuple[NodeStatus, str]]:
    rows = [each for each in answer if isinstance(each, Mapping)] if isinstance(answer, list) else []
    own = [row for row in rows if row.get("plugin_id") == plugin_id]
    found: list[tuple[NodeStatus, str]] = []
    for row in own:
        state = row.get("state")
        node = str(row.get("cluster_id") or "") if len(own) > 1 else ""
        status = NodeStatus(node, state if isinstance(state, int) else -1, str(row.get("error") or ""))
        found.append((status, str(row.get("version") or "")))
    return found
