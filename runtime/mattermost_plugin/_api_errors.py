"""What a call of the server's plugin API raises.

Two kinds: the server answered and said no (`PluginAPIError`), or no answer came (`APITransportError`). Their texts
never hold what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from mattermost_plugin.errors import PluginError


class PluginAPIError(PluginError):
    """The server refused an API call or failed in it. Subclasses say why; catch those that mean something to you.

    Attributes:
        method: Name of the client's method, such as "get_user".
        id: The server's name for the kind of failure, such as "app.user.missing_account.const"; "" if it gave none.
        message: The server's text.
        detailed_error: More detail for the log. Not part of the exception's own text.
        where: The place in the server that failed.
        status_code: HTTP status that fits the failure.
        request_id: Id under which the server's log has the request; "" if it is not known.
        params: Values of the translated message.
    """

    def __init__(
        self,
        method: str,
        message: str,
        *,
        id: str = "",  # noqa: A002 - the name that the server's AppError has
        detailed_error: str = "",
        where: str = "",
        status_code: int = 500,
        request_id: str = "",
        params: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(method, message)
        self.method = method
        self.message = message
        self.id = id
        self.detailed_error = detailed_error
        self.where = where
        self.status_code = status_code
        self.request_id = request_id
        self.params: dict[str, object] = dict(params or {})

    def __str__(self) -> str:
        known_as = f"{self.id}, " if self.id and self.id != self.message else ""
        return f"{self.method}: {self.message or 'the server gave no reason'} ({known_as}status {self.status_code})"


class InvalidArgumentError(PluginAPIError):
    """The server does not take what it was given (400, and statuses from 400 on that nothing else stands for)."""


class UnauthenticatedError(PluginAPIError):
    """The server does not know the caller, or a session is over (401)."""


class PermissionDeniedError(PluginAPIError):
    """The server does not allow it (403)."""


class NotFoundError(PluginAPIError):
    """There is no such thing (404)."""


class ConflictError(PluginAPIError):
    """Something else is there already, or was changed in between (409)."""


class PayloadTooLargeError(PluginAPIError):
    """Request or reply are larger than the other side takes (413). The text says which limit it was.

    If it was the reply, the server has done what it was asked to do.
    """


class RateLimitedError(PluginAPIError):
    """Too many calls (429). Try again later."""


class NotImplementedByServerError(PluginAPIError):
    """The server is too old to have the method, or what it is about is switched off or not licensed (501).

    Attributes:
        minimum_server_version: First server version that has the method; "" if this server has it.
    """

    minimum_server_version: str = ""


class ServerError(PluginAPIError):
    """The server failed (500 and above). Its log says more."""


class APITransportError(PluginError):
    """No answer of the server came. What was called may have happened all the same: see `may_have_taken_effect`.

    Attributes:
        method: Name of the client's method, such as "get_user".
        reason: What went wrong.
        elapsed_s: Seconds from the call to this error.
        may_have_taken_effect: False if the server certainly never got the request: the same call may then be made
            again, whatever it does.
    """

    def __init__(self, method: str, reason: str, *, elapsed_s: float = 0.0, may_have_taken_effect: bool = True) -> None:
        super().__init__(method, reason)
        self.method = method
        self.reason = reason
        self.elapsed_s = elapsed_s
        self.may_have_taken_effect = may_have_taken_effect

    def __str__(self) -> str:
        effect = "the call may have taken effect" if self.may_have_taken_effect else "the server never got the call"
        return f"{self.method}: {self.reason} (after {self.elapsed_s:.2f} s; {effect})"


class APIDeadlineExceeded(APITransportError):  # noqa: N818 - names what happened
    """The server did not answer in time."""


class APIUnavailable(APITransportError):  # noqa: N818 - names what happened
    """The server cannot be reached, or went away in the middle of the call."""
