"""From what comes back of an API call to the exception that it means.

Hosts report failures in two forms: as an AppError in the reply, and as a gRPC status with the text "id: message".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

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
from mattermost_plugin._api_wire import PLUGIN_STOPPED, CallFailed
from mattermost_plugin.config import ENVIRONMENT_VARIABLES
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT
from mattermost_pluginapi.api.values import to_dict
from mattermost_pluginapi.models import AppError

_BY_STATUS: Final[Mapping[int, type[PluginAPIError]]] = {
    400: InvalidArgumentError,
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    429: RateLimitedError,
    501: NotImplementedByServerError,
}

_STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
"""The HTTP status that a host has turned into the gRPC code; 500 for all others."""

_TRANSPORT_CODES: Final = frozenset({"CANCELLED", "DATA_LOSS"})

_ID_AND_MESSAGE: Final = re.compile(r"(?P<id>[A-Za-z]\w*(?:\.\w+)+): (?P<message>.*)", re.DOTALL)
"""An AppError as the host puts it into a status."""

_TOO_LARGE: Final = re.compile(r"message larger than max", re.IGNORECASE)
_SIZE_WORDS: Final = re.compile(r"too[ _]large|message larger than", re.IGNORECASE)
_OWN_LIMIT: Final = "CLIENT:"
"""How gRPC marks a limit that this side has set."""

_MAX_REASON: Final = 500
"""Longest text of gRPC's in an error."""


def is_failure(error: AppError) -> bool:
    """Whether the error of a reply says that the call failed; an empty one means success."""
    return bool(error.id or error.message or error.status_code or error.detailed_error or error.where)


def error_in_reply(method: ApiMethod[RequestT, ResponseT], error: AppError, request_id: str) -> PluginAPIError:
    """The exception for the error of a reply."""
    status = error.status_code or 500
    return _error_class(status)(
        method.method,
        error.message or error.id,
        id=error.id,
        detailed_error=error.detailed_error,
        where=error.where,
        status_code=status,
        request_id=error.request_id or request_id,
        params=to_dict(error.params),
    )


def error_of_failure(
    method: ApiMethod[RequestT, ResponseT],
    request: RequestT,
    failure: CallFailed,
    *,
    elapsed_s: float,
    request_id: str,
    was_sent: bool,
) -> PluginAPIError | APITransportError:
    """The exception for what came in place of a reply.

    Args:
        method: what was called.
        request: what was sent.
        failure: what came.
        elapsed_s: seconds since the call.
        request_id: the id that went with it.
        was_sent: whether any try of it may have reached the server.
    """
    transport = _transport_error(method.method, failure, elapsed_s, was_sent=was_sent)
    if transport is not None:
        return transport
    if failure.code == "RESOURCE_EXHAUSTED" and _TOO_LARGE.search(failure.details):
        text = _limit_text(request.ByteSize(), failure.details)
        return PayloadTooLargeError(method.method, text, status_code=413, request_id=request_id)
    answer = _ID_AND_MESSAGE.fullmatch(failure.details)
    if failure.code == "UNIMPLEMENTED" and answer is None:
        return _no_such_method(method, failure, request_id)
    status = _STATUS_OF_CODE.get(failure.code, 500)
    if status == 429 and _SIZE_WORDS.search(failure.details):
        status = 413
    error_id, message = (answer["id"], answer["message"]) if answer else ("", failure.details[:_MAX_REASON])
    return _error_class(status)(method.method, message, id=error_id, status_code=status, request_id=request_id)


def _transport_error(method: str, failure: CallFailed, elapsed_s: float, *, was_sent: bool) -> APITransportError | None:
    """The exception for what is no answer of the server; None if it may be one."""
    reason = failure.details[:_MAX_REASON]
    code = failure.code
    if code == "DEADLINE_EXCEEDED":
        return APIDeadlineExceeded(method, "no answer in time", elapsed_s=elapsed_s, may_have_taken_effect=was_sent)
    if code == PLUGIN_STOPPED or (code == "UNAVAILABLE" and not _ID_AND_MESSAGE.fullmatch(failure.details)):
        return APIUnavailable(method, reason, elapsed_s=elapsed_s, may_have_taken_effect=was_sent)
    if code in _TRANSPORT_CODES:
        reason = f"{code}: {reason}"
        return APITransportError(method, reason, elapsed_s=elapsed_s, may_have_taken_effect=was_sent)
    return None


def _error_class(status: int) -> type[PluginAPIError]:
    # As in HTTP, a status of this range that has no meaning of its own counts as 400.
    return _BY_STATUS.get(status, InvalidArgumentError if 400 < status < 500 else ServerError)


def _no_such_method(
    method: ApiMethod[RequestT, ResponseT], failure: CallFailed, request_id: str
) -> NotImplementedByServerError:
    version = method.minimum_server_version
    text = f"the server has no {method.name}, which servers have from {version} on: {failure.details[:_MAX_REASON]}"
    error = NotImplementedByServerError(method.method, text, status_code=501, request_id=request_id)
    error.minimum_server_version = version
    return error


def _limit_text(request_size: int, details: str) -> str:
    if _OWN_LIMIT in details:
        variable = ENVIRONMENT_VARIABLES["max_message_bytes"]
        return (
            "the server did what it was asked to do, but its reply is larger than this plugin takes "
            f"({variable}): {details[:_MAX_REASON]}"
        )
    return (
        f"the request ({request_size} bytes) is larger than the host takes, which is 4 MiB unless it was built with "
        f"another limit; send files in parts, with create_upload_session and upload_data: {details[:_MAX_REASON]}"
    )
