"""Passes what comes to /plugins/<id>/ on to the plugin's ServeHTTP, both ways piece by piece, as the server does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.http_exchange import BodyCutError, HttpQuestion, HttpReply
from mattermost_plugin.devhost.web.asker import asker_of, utf8
from mattermost_plugin.devhost.web.content_type import sniffed_type
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.world import World

__all__ = ["Forward"]

_NOT_THE_PLUGINS: Final = frozenset(
    {
        # Between two neighbours only: this front and the browser talk to each other in their own way.
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # Would let a plugin's page put itself before this one.
        "service-worker-allowed",
    }
)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Forward:
    """Serves the routes of plugins.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    @property
    def _world(self) -> World:
        return self._parts.world

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [
            web.get("/plugins/{plugin_id}/public/{path:.*}", self._public),
            web.route("*", "/plugins/{plugin_id}", self._serve),
            web.route("*", "/plugins/{plugin_id}/{path:.*}", self._serve),
        ]

    async def _public(self, request: web.Request) -> web.StreamResponse:
        """The plugin's public files come from its folder, whether it runs or not."""
        plugin = self._world.plugins.get(request.match_info["plugin_id"])
        if plugin is None:
            return _text(HTTPStatus.NOT_FOUND)
        file = _public_file(plugin.folder, request.match_info["path"])
        return _text(HTTPStatus.NOT_FOUND) if file is None else web.FileResponse(file)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        plugin = self._world.plugins.get(request.match_info["plugin_id"])
        if plugin is None:
            return _text(HTTPStatus.NOT_FOUND)
        if plugin.link is None:
            # A server says 404 here too; this is for those who wonder why.
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"{plugin.plugin_id} does not run\n")
        if "ServeHTTP" not in plugin.hooks:
            return _text(HTTPStatus.NOT_FOUND)
        asker = asker_of(request, self._parts.logins)
        question = HttpQuestion(
            method=request.method,
            path=utf8(_path_below(request.raw_path)) + asker.query,
            headers=asker.headers,
            body=_body(request),
            content_length=_length(request),
            user_id=asker.user_id,
            host=request.host,
            remote_addr=_address(request),
        )
        context = self._world.hooks.new_context(
            session_id=asker.session_id,
            ip_address=request.remote or "",
            user_agent=utf8(request.headers.get("User-Agent", "")),
            accept_language=utf8(request.headers.get("Accept-Language", "")),
            connection_id=utf8(request.headers.get("Connection-Id", "")),
        )
        response: web.StreamResponse | None = None
        try:
            async with self._world.hooks.open_http(plugin, question, context) as reply:
                response = _start_of(reply)
                await _copy(reply, request, response)
        except HookFailedError:
            if response is None or not response.prepared:
                return _text(HTTPStatus.BAD_GATEWAY)
            _cut(request, response)
        return response


def _start_of(reply: HttpReply) -> web.StreamResponse:
    """Status and header fields of an answer."""
    if not 100 <= reply.status <= 999 or reply.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return _text(HTTPStatus.INTERNAL_SERVER_ERROR)
    # Go takes what is below 200 as an announcement, after which 200 is the answer.
    response = web.StreamResponse(status=reply.status if reply.status >= 200 else HTTPStatus.OK)
    for name, value in reply.headers:
        if name.lower() == "content-length":
            response.content_length = int(value) if value.isascii() and value.isdecimal() else None
        elif name.lower() == "connection" and value.lower() == "close":
            response.force_close()
        elif _NAME.fullmatch(name) and name.lower() not in _NOT_THE_PLUGINS:
            response.headers.add(name, re.sub(r"[\r\n\0]", " ", value))
    return response


async def _copy(reply: HttpReply, request: web.Request, response: web.StreamResponse) -> None:
    """Write an answer as it comes; a client that is slow makes the plugin wait."""
    if isinstance(response, web.Response):
        return
    silent = request.method == hdrs.METH_HEAD or response.status in _WITHOUT_BODY
    written = 0
    async for piece in reply.pieces:
        if not response.prepared:
            if not silent and hdrs.CONTENT_TYPE not in response.headers:
                response.headers[hdrs.CONTENT_TYPE] = sniffed_type(piece.data)
            await response.prepare(request)
        if piece.data and not silent:
            await response.write(piece.data)
            written += len(piece.data)
    if not silent and written < (response.content_length or 0):
        # Promised more than it wrote: the client must not wait for the rest.
        _cut(request, response)


def _cut(request: web.Request, response: web.StreamResponse) -> None:
    """End an answer so that the client sees that it is not whole."""
    response.force_close()
    if request.transport is not None:
        request.transport.close()


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.content.iter_any():
            yield piece
    except (web.PayloadAccessError, web.RequestPayloadError, HttpProcessingError, OSError) as error:
        raise BodyCutError("the client broke off") from error


def _length(request: web.Request) -> int:
    if request.content_length is not None:
        return request.content_length
    return -1 if request.body_exists else 0


def _path_below(raw_path: str) -> str:
    """What follows /plugins/<id>, percent-encoded as it came, without the query."""
    path = re.sub(r"^https?://[^/?]*", "", raw_path).partition("?")[0]
    _, slash, below = path.removeprefix("/plugins/").partition("/")
    return slash + below


def _address(request: web.Request) -> str:
    peer: Sequence[object] | None = request.transport.get_extra_info("peername") if request.transport else None
    return f"{peer[0]}:{peer[1]}" if peer else ""


def _public_file(folder: Path, path: str) -> Path | None:
    """A file below public/, which no ".." and no link leaves."""
    public = (folder / "public").resolve()
    try:
        file = (public / path).resolve()
        return file if file.is_relative_to(public) and file.is_file() else None
    except (OSError, ValueError):  # too long, or with a NUL
        return None


def _text(status: HTTPStatus, text: str = "") -> web.Response:
    body = text or ("404 page not found\n" if status == HTTPStatus.NOT_FOUND else f"{status.phrase}\n")
    return web.Response(status=status, text=body, headers={"X-Content-Type-Options": "nosniff"})
