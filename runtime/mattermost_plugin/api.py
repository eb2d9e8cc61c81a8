"""The server's plugin API: the types of the clients behind `self.api` and `self.api.aio`, and what calls raise."""

from typing import TYPE_CHECKING

from mattermost_plugin._api_errors import (
    APIDeadlineExceeded,
    APITransportError,
    APIUnavailable,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    NotImplementedByServerError,
    PayloadTooLargeError,
    PermissionDeniedError,
    PluginAPIError,
    RateLimitedError,
    ServerError,
    UnauthenticatedError,
)

if TYPE_CHECKING:
    from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI
    from mattermost_pluginapi.api.pages import RepeatedPageError

__all__ = [
    "APIDeadlineExceeded",
    "APITransportError",
    "APIUnavailable",
    "AsyncPluginAPI",
    "ConflictError",
    "InvalidArgumentError",
    "NotFoundError",
    "NotImplementedByServerError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PluginAPI",
    "PluginAPIError",
    "RateLimitedError",
    "RepeatedPageError",
    "ServerError",
    "UnauthenticatedError",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Loaded when asked for: the clients are large, and who catches errors does not need them.
        if name in ("AsyncPluginAPI", "PluginAPI"):
            from mattermost_pluginapi.api import client

            return getattr(client, name)
        if name == "RepeatedPageError":
            from mattermost_pluginapi.api.pages import RepeatedPageError

            return RepeatedPageError
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
