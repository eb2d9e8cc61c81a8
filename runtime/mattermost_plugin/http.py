"""What handlers of ServeHTTP, ServeMetrics and FileWillBeUploaded are given."""

from mattermost_pluginapi.hooks.streams import (
    HTTPHeaders,
    HTTPRequest,
    MutableHTTPHeaders,
    ReplacementFile,
    RequestBody,
    ResponseWriter,
    UploadedFile,
)

__all__ = [
    "HTTPHeaders",
    "HTTPRequest",
    "MutableHTTPHeaders",
    "ReplacementFile",
    "RequestBody",
    "ResponseWriter",
    "UploadedFile",
]
