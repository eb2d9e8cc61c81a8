"""Requests and responses with every field filled that a wire carries."""

from typing import Any

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.stock.methods import HOOKS
from tests.conformance.stock_filled import stock_filled
from tests.peer.filled import filled

CONTENT = bytes(range(256)) * 300
"""Of a file: more than one piece of it."""


def hook_request(wire: WireName, name: HookName) -> Any:
    """The request of a hook."""
    if wire == "grpc":
        return filled(ADAPTERS[name].request_type, "asked")
    request = stock_filled(HOOKS[name][0], "asked")
    if name is HookName.FileWillBeUploaded:
        request.file_content = CONTENT
    return request
