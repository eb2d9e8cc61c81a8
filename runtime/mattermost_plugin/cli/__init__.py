"""The command `mattermost-plugin`, for authors of plugins. A plugin's process never imports it."""

from mattermost_plugin.cli.command_line import main

__all__ = ["main"]
