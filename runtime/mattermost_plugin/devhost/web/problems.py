"""What goes wrong in a request of the page, as it is answered."""

from http import HTTPStatus

from aiohttp import web

from mattermost_plugin.devhost.errors import ApiError, DevHostError
from mattermost_plugin.devhost.hook_rounds import HookFailedError

__all__ = ["RequestError", "problem"]


class RequestError(DevHostError):
    """A request that the page would not make. The text says what is wrong with it.

    Args:
        status: the status to answer with.
        message: what is wrong.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def problem(error: DevHostError) -> web.Response:
    """An error as JSON: an id, a message, details, and the status also as a number."""
    fields = {"id": "", "message": str(error), "detail": ""}
    if isinstance(error, ApiError):
        status = error.status_code if 400 <= error.status_code <= 599 else HTTPStatus.INTERNAL_SERVER_ERROR
        fields = {"id": error.error_id, "message": error.message, "detail": error.detail}
    elif isinstance(error, RequestError):
        status = error.status
    elif isinstance(error, HookFailedError):
        status = HTTPStatus.BAD_GATEWAY
    else:
        status = HTTPStatus.CONFLICT
    return web.json_response({"error": fields | {"status": int(status)}}, status=status)
