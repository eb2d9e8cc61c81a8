"""The exceptions of the plugin API by status."""

from mattermost_plugin.api import (
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

BY_STATUS: dict[int, type[PluginAPIError]] = {
    400: InvalidArgumentError,
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: InvalidArgumentError,
    429: RateLimitedError,
    500: ServerError,
    501: NotImplementedByServerError,
    503: ServerError,
}
