"""What the development host raises."""

from collections.abc import Mapping
from http import HTTPStatus

from mattermost_plugin.errors import PluginError
from mattermost_pluginapi.v1.common_pb2 import AppError

__all__ = [
    "ApiError",
    "DevHostError",
    "NoAnswerError",
    "StartError",
    "bad_request",
    "conflict",
    "forbidden",
    "not_found",
    "not_implemented",
    "rejected",
]


class DevHostError(PluginError):
    """The development host cannot do what it was asked for."""


class StartError(DevHostError):
    """A plugin did not start. The text says why."""


class NoAnswerError(DevHostError):
    """An API call gets no answer, as if the connection had broken. The text is what gRPC reports."""


class ApiError(DevHostError):
    """What the server would answer as AppError.

    Args:
        error_id: the error's id, such as "app.user.missing_account.const".
        status_code: HTTP status that goes with it.
        detail: technical details.
        message: what a user is told; default is the id, as on a server without a translation for it.
        where: function that failed; "" for the API method that was called.
        params: values for the message.
    """

    def __init__(
        self,
        error_id: str,
        status_code: int,
        detail: str = "",
        *,
        message: str = "",
        where: str = "",
        params: Mapping[str, str] | None = None,
    ) -> None:
        explanation = detail or message
        super().__init__(f"{int(status_code)} {error_id}" + (f": {explanation}" if explanation else ""))
        self.error_id = error_id
        self.status_code = int(status_code)
        self.detail = detail
        self.message = message or error_id
        self.where = where
        self.params = dict(params or {})

    def to_app_error(self, where: str = "", request_id: str = "") -> AppError:
        """The error as the wire has it.

        Args:
            where: function that failed, if the error does not say it.
            request_id: id of the request that failed.
        """
        error = AppError(
            id=self.error_id,
            message=self.message,
            detailed_error=self.detail,
            status_code=self.status_code,
            where=self.where or where,
            request_id=request_id,
        )
        if self.params:
            error.params.update(self.params)
        return error


def bad_request(error_id: str, detail: str = "") -> ApiError:
    """A value breaks a rule."""
    return ApiError(error_id, HTTPStatus.BAD_REQUEST, detail)


def forbidden(error_id: str, detail: str = "") -> ApiError:
    """It is not allowed."""
    return ApiError(error_id, HTTPStatus.FORBIDDEN, detail)


def not_found(error_id: str, detail: str = "") -> ApiError:
    """There is no such thing."""
    return ApiError(error_id, HTTPStatus.NOT_FOUND, detail)


def conflict(error_id: str, detail: str = "") -> ApiError:
    """It is there already."""
    return ApiError(error_id, HTTPStatus.CONFLICT, detail)


def not_implemented(error_id: str, detail: str = "") -> ApiError:
    """It is switched off, or not there at all."""
    return ApiError(error_id, HTTPStatus.NOT_IMPLEMENTED, detail)


def rejected(error_id: str, reason: str, where: str) -> ApiError:
    """A plugin refuses.

    Args:
        error_id: the error's id.
        reason: what the plugin says; a server puts it into the message of this id.
        where: function that asked the plugin.
    """
    message = f"Rejected by plugin: {reason}"
    return ApiError(error_id, HTTPStatus.BAD_REQUEST, message=message, where=where, params={"Reason": reason})
