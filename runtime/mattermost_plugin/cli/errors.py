"""What ends a command."""

from mattermost_plugin.errors import PluginError

__all__ = ["CommandError"]


class CommandError(PluginError):
    """A command cannot do what it was asked for. The text says why, and what to do about it; its user must act."""
