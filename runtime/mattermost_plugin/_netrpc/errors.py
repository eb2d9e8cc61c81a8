"""What goes wrong with calls."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError

__all__ = ["NetRPCError", "NoSuchMethodError", "StreamEndedError"]


class NetRPCError(PluginError):
    """Base of all errors of net/rpc."""


class NoSuchMethodError(NetRPCError):
    """Raised by whoever chooses where a request's body goes: there is no such method. The text is the answer."""


class StreamEndedError(NetRPCError):
    """The stream has ended, or was given up because of what the peer sent. No call can be made or answered on it."""
