"""What `mattermost-plugin dev` was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli.plugin_folders import PluginFolder

__all__ = ["DevOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """The command line, checked."""

    plugins: Sequence[PluginFolder]
    """The plugins, in the order in which hooks go round."""

    data: Path | None
    """The SQLite file to keep; None for one that goes away."""

    port: int | None
    """Port of the page, 0 for any; None for no page."""

    watch: bool
    """Whether plugins are restarted when their files change."""

    verbose: bool
    """Whether hook calls and API calls are shown."""
