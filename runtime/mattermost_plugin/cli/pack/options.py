"""What `mattermost-plugin pack` was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli.pack.platforms import Target

__all__ = ["PackOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOptions:
    """The command line, checked."""

    folder: Path
    """The plugin's folder, without symbolic links in its path."""

    output: Path | None
    """The archive; None for dist/ID-VERSION.tar.gz in the plugin's folder."""

    targets: Sequence[Target]
    """What dependencies are installed for; one if the bundle is self-contained."""

    self_contained: bool
    """Whether the bundle carries its Python."""
