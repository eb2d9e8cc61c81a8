"""The bounds on what a peer may make an end hold."""

from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Bounds of one stream, beside those of gob."""

    open_calls: int = 16 * 1024
    """Requests that are not answered yet. Go has no bound; a host has a call under way for each post, login or request
    that it works on."""

    method_chars: int = 256
    """Longest name of a method. The longest of the server's has 45 characters."""
