"""The logins of the users as whom the page acts, and who it is that asks a plugin's routes."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from mattermost_plugin.devhost.actions import Actions
from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.host import DevHost
from mattermost_plugin.devhost.web.problems import RequestError
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["CSRF_COOKIE", "TOKEN_COOKIE", "USER_HEADER", "Login", "Logins"]

USER_HEADER: Final = "X-Devhost-User"
"""In which a tab says as whom it acts: tabs may act as different users."""

# The server's own names: a plugin's page may look for the last two.
TOKEN_COOKIE: Final = "MMAUTHTOKEN"  # noqa: S105 - a name
USER_COOKIE: Final = "MMUSERID"
CSRF_COOKIE: Final = "MMCSRF"
COOKIE_PATH: Final = "/plugins"
"""Only a plugin's routes look at the cookies. The page's own requests are not made by them."""

_CSRF: Final = "csrf"


@dataclass(frozen=True, slots=True)
class Login:
    """A user who is logged in."""

    user: User
    """Who."""
    session: Session
    """The session, with its token."""
    act: Actions
    """Acts in it."""


class Logins:
    """Logs users in, each once.

    Args:
        host: the host.
    """

    def __init__(self, host: DevHost) -> None:
        self._host = host
        self._session_ids: dict[str, str] = {}

    async def log_in(self, user_id: str) -> Login:
        """Log a user in, as on a server: a plugin may refuse.

        Raises:
            ApiError: there is no such user, the account is deactivated, or a plugin refuses.
        """
        if self._live(self._session_ids.get(user_id, ""), user_id) is None:
            session = await self._host.act.log_in(user_id)
            session.props[_CSRF] = secrets.token_urlsafe(16)
            self._host.store.sessions.put(session)
            self._session_ids[user_id] = session.id
        return self.of(user_id)

    def of(self, user_id: str) -> Login:
        """The login of a user.

        Raises:
            ApiError: there is none, or it has ended.
        """
        session = self._live(self._session_ids.get(user_id, ""), user_id)
        user = self._host.store.users.get(user_id)
        if session is None or user is None:
            detail = f"user_id={user_id} is not logged in"
            raise ApiError("api.context.session_expired.app_error", HTTPStatus.UNAUTHORIZED, detail)
        return Login(user, session, Actions(self._host.world, session.id))

    def of_request(self, request: web.Request) -> Login:
        """The login of the user as whom a tab acts.

        Raises:
            ApiError: that user is not logged in.
            RequestError: the request does not say which user.
        """
        user_id = request.headers.get(USER_HEADER, "")
        if not user_id:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"the header {USER_HEADER} is missing")
        return self.of(user_id)

    def by_token(self, token: str) -> Session | None:
        """The session that a token opens, if it has not ended."""
        found = self._host.store.sessions.one("token = ?", [token]) if token else None
        return None if found is None else self._live(found.id, found.user_id)

    def _live(self, session_id: str, user_id: str) -> Session | None:
        session = self._host.store.sessions.get(session_id)
        user = self._host.store.users.get(user_id)
        if session is None or session.user_id != user_id or user is None or user.delete_at:
            return None
        ended = session.expires_at and session.expires_at <= self._host.world.now_ms()
        return None if ended else session

    def set_cookies(self, response: web.Response, session: Session) -> None:
        """Have a browser act as a session's user on plugins' routes."""
        response.set_cookie(TOKEN_COOKIE, session.token, path=COOKIE_PATH, httponly=True, samesite="Lax")
        response.set_cookie(USER_COOKIE, session.user_id, path=COOKIE_PATH, samesite="Lax")
        response.set_cookie(CSRF_COOKIE, session.props[_CSRF], path=COOKIE_PATH, samesite="Lax")


def passes_csrf_check(request: web.Request, session: Session) -> bool:
    """Whether a request with a cookie comes from a page that may make it, as the server judges it.

    The server also takes the token from a field `csrf` of a form; here it must be in the header.
    """
    if request.method == "GET":
        return True
    given, expected = request.headers.get("X-CSRF-Token", ""), session.props[_CSRF]
    if expected and hmac.compare_digest(given.encode(), expected.encode()):
        return True
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"
