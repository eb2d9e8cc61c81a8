"""Who may talk to the front: nobody but the page, in a browser of this machine.

- The Host header must be this address: a name that was made to point to 127.0.0.1 (DNS rebinding) gets nothing.
- The API wants the key, in a header that no other site can set, and an Origin header must be this address too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from mattermost_plugin.devhost.errors import DevHostError
from mattermost_plugin.devhost.web.keys import Keys
from mattermost_plugin.devhost.web.problems import RequestError, problem

__all__ = ["FEED", "KEY_HEADER", "OWN_HEADERS", "own_address", "with_key"]

KEY_HEADER: Final = "X-Devhost-Key"

FEED: Final = "feed"
"""Name of the websocket's route. A browser sets no header there, so its first message has the key."""

OWN_NAMES: Final = ("127.0.0.1", "localhost")

OWN_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What goes out with all that is the front's own."""

_log = logging.getLogger(__name__)


def own_address(port: Callable[[], int]) -> Middleware:
    """Answer only those who call the front by its own name.

    Args:
        port: tells where the front listens.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        names = {f"{name}:{port()}" for name in OWN_NAMES} | (set(OWN_NAMES) if port() == 80 else set())
        if request.headers.get("Host", "").lower() not in names:
            text = f"the only name of this host is http://{OWN_NAMES[0]}:{port()}/"
            return _protected(problem(RequestError(HTTPStatus.FORBIDDEN, text)))
        return await handler(request)

    return middleware


def with_key(keys: Keys) -> Middleware:
    """Answer only the page, and turn what goes wrong into JSON.

    Args:
        keys: tells which keys are right.
    """

    # A post that is being made, or a plugin's start, goes on when the page that asked for it has gone.
    running: set[asyncio.Task[web.StreamResponse]] = set()

    def check(request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() != f"http://{request.headers.get('Host', '').lower()}":
            raise RequestError(HTTPStatus.FORBIDDEN, "another site cannot use this host")
        if request.match_info.route.name != FEED and not keys.accept(request.headers.get(KEY_HEADER, "")):
            raise RequestError(HTTPStatus.FORBIDDEN, "the key is missing: open the link that the host printed")

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check(request)
        except RequestError as error:
            return _protected(problem(error))
        if request.match_info.route.name == FEED:
            return await handler(request)
        task = asyncio.create_task(_answer(request, handler))
        running.add(task)
        task.add_done_callback(running.discard)
        return _protected(await asyncio.shield(task))

    return middleware


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a handler answers, and whatever it raises as JSON."""
    try:
        return await handler(request)
    except DevHostError as error:
        return problem(error)
    except web.HTTPException as error:
        return problem(RequestError(HTTPStatus(error.status), error.reason))
    except Exception:  # noqa: BLE001 - the page gets a fixed text, and the log what happened
        _log.exception("%s %s failed", request.method, request.path)
        return problem(RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "the host failed; its log says how"))


def _protected(response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        for name, value in OWN_HEADERS.items():
            response.headers.setdefault(name, value)
    return response
