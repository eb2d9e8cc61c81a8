"""How each API method is sent and its reply read, and what must not be sent.

A stock server trusts its plugins: it dies where a call lacks a struct that it looks into.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._api_wire import CallFailed
from mattermost_plugin._gob import Source, Target
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.stock import shapes
from mattermost_pluginapi.stock.methods import API_METHODS

__all__ = ["ApiRoute", "api_route", "refusal"]

_BY_HAND: Final = frozenset({"PluginHTTP"})

_CONFIG_TEXT: Final = (
    "stock.save_config.lossy: a configuration loses every false, 0 and empty text on its way to this server, which "
    "would reset those settings to their defaults; use save_plugin_config for the plugin's own settings"
)
"""In the form of a server's error, whose text is shown as it is."""


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One method."""

    rpc: str
    type: GoType
    """Type of its arguments."""
    source: Source
    target: Target[Message]
    """What its results become."""
    required: tuple[str, ...]
    """Fields of the request for which the server needs a struct."""


@cache
def api_route(name: str) -> ApiRoute:
    """The route of a method.

    Raises:
        KeyError: stock servers have no such method.
    """
    arguments, results = API_METHODS[name]
    mapping = shapes.struct_map(arguments)
    pointers = {field.name for field in shapes.go_type(mapping.go).fields if field.type.startswith("*")}
    required = tuple(
        [field.field for field in mapping.fields if field.conversion == "message" and field.go in pointers]
    )
    return ApiRoute(f"Plugin.{name}", go_type(mapping.go), struct_source(arguments), struct_target(results), required)


def refusal(method: ApiMethod[Any, Any], request: Any) -> CallFailed | None:
    """Why a request is not sent; None if it is."""
    name = method.name
    if name == "SaveConfig":
        return CallFailed("UNIMPLEMENTED", _CONFIG_TEXT, was_sent=False)
    if name in _BY_HAND:
        return None
    if name not in API_METHODS:
        return CallFailed("UNIMPLEMENTED", "this server's protocol does not have it", was_sent=False)
    for field in api_route(name).required:
        if field not in method.nullable and not request.HasField(field):
            return CallFailed("INVALID_ARGUMENT", f"{field} must be set: the server needs it", was_sent=False)
    return None
