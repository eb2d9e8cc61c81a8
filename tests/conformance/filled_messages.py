"""Requests and responses with every field filled that a wire carries."""

from typing import Any

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.stock.methods import API_METHODS, HOOKS
from tests.conformance.stock_filled import stock_filled
from tests.peer.filled import filled

CONTENT = bytes(range(256)) * 300
"""Of a file: more than one piece of it."""

CONTENT_FIELDS = {"InstallPlugin": "file_data", "UploadData": "data"}
"""Methods of the plugin API whose content travels beside the arguments on the stock wire, and its field."""


def hook_request(wire: WireName, name: HookName) -> Any:
    """The request of a hook."""
    if wire == "grpc":
        return filled(ADAPTERS[name].request_type, "asked")
    request = stock_filled(HOOKS[name][0], "asked")
    if name is HookName.FileWillBeUploaded:
        request.file_content = CONTENT
    return request


def api_request(wire: WireName, name: str) -> Any:
    """The request of a method of the plugin API."""
    if wire == "grpc":
        return filled(METHODS[name].request_type, "asked")
    if name == "PluginHTTP":
        request: Any = METHODS[name].request_type(method="POST", url="/other/path?q=1", body=CONTENT)
        request.headers["X-One"] = "1"
        request.header_values.add(key="X-Many", values=["1", "2"])
        return request
    request = stock_filled(API_METHODS[name][0], "asked")
    if name in CONTENT_FIELDS:
        setattr(request, CONTENT_FIELDS[name], CONTENT)
    return request


def api_response(wire: WireName, name: str) -> Any:
    """The response of a method of the plugin API, without an error."""
    if wire == "netrpc" and name == "PluginHTTP":
        response: Any = METHODS[name].response_type(status_code=201, body=CONTENT)
        response.headers["X-Many"] = "1, 2"
        response.header_values.add(key="X-Many", values=["1", "2"])
        return response
    if wire == "grpc":
        response = filled(METHODS[name].response_type, "told")
    else:
        response = stock_filled(API_METHODS[name][1], "told")
    response.ClearField("error")
    return response
