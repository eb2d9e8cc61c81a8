"""What both ends know of a method: the types of its argument and its result, and what they are in Python."""

from __future__ import annotations

from typing import Final, NamedTuple

from mattermost_plugin._gob import DICTS, PLAIN, SKIP, Source
from mattermost_plugin._gob.go_types import GoStruct, GoType
from mattermost_plugin._gob.targets import AnyTarget

__all__ = ["NOTHING", "RpcMethod", "Value"]


class Value(NamedTuple):
    """An argument or a result."""

    type: GoType
    """Its Go type, as which it is sent."""
    source: Source = DICTS
    """How it is got from what Python has, when it is sent."""
    target: AnyTarget = PLAIN
    """What becomes of it, when it is received."""


NOTHING: Final = Value(GoStruct(""), DICTS, SKIP)
"""An empty struct: no argument, no result."""


class RpcMethod(NamedTuple):
    """A method."""

    name: str
    """Service and name, such as "Plugin.GetUser"."""
    argument: Value = NOTHING
    result: Value = NOTHING
