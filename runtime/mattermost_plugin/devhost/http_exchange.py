"""An HTTP request to a plugin and its answer, whole or as they come."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mattermost_plugin.devhost.errors import DevHostError
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequestInit

__all__ = ["BodyCutError", "HttpAnswer", "HttpPiece", "HttpQuestion", "HttpReply", "body_pieces", "head_of"]

USER_HEADER: Final = "Mattermost-User-Id"
PLUGIN_HEADER: Final = "Mattermost-Plugin-ID"
_SET_BY_SERVER: Final = frozenset({USER_HEADER.lower(), PLUGIN_HEADER.lower()})
"""What the server alone says: it takes these fields out of what clients send."""

UNKNOWN_LENGTH: Final = -1
"""Stands for the length of a body that nobody knows beforehand."""

Headers = Sequence[tuple[str, str]]


class BodyCutError(DevHostError):
    """The client broke off while it was sending a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpQuestion:
    """A request under /plugins/<id>/."""

    method: str = "GET"
    """Its method."""
    path: str = "/"
    """Path and query, without the prefix /plugins/<id>."""
    headers: Headers = ()
    """Names and values; a name may come more than once."""
    body: bytes | AsyncIterable[bytes] = b""
    """Its body, whole or piece by piece. Pieces may raise BodyCutError; the plugin then learns that the body is not
    complete."""
    content_length: int = UNKNOWN_LENGTH
    """Length of a body that comes piece by piece, in bytes; -1 if it is not known. A whole one has its own."""
    user_id: str = ""
    """Who asks, "" for nobody who is logged in."""
    source_plugin_id: str = ""
    """The plugin that asks, "" for none."""
    host: str = "localhost:8065"
    """What the client calls the server."""
    remote_addr: str = "127.0.0.1:40000"
    """Address and port of the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What the plugin answered."""

    status: int
    """Its status."""
    headers: Headers = field(default_factory=tuple)
    """Names and values; a name may come more than once."""
    body: bytes = b""
    """Its body."""

    def header(self, name: str) -> str:
        """The first value of a header field, "" if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class HttpPiece:
    """The next part of an answer's body."""

    data: bytes
    """Its bytes; there may be none."""
    flush: bool
    """Whether the client is to get at once what has come so far."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer of which the body is still to come."""

    status: int
    """Its status, as the plugin gave it: hosts answer 500 in the place of one that is not from 100 to 999."""
    headers: Headers
    """Names and values; a name may come more than once."""
    pieces: AsyncIterator[HttpPiece]
    """The body. Raises HookFailedError if it breaks off."""


async def body_pieces(question: HttpQuestion) -> AsyncIterator[bytes]:
    """The body of a request, piece by piece."""
    if isinstance(question.body, bytes):
        yield question.body
        return
    async for piece in question.body:
        yield piece


def head_of(question: HttpQuestion, plugin_id: str, context: PluginContext) -> ServeHTTPRequestInit:
    """What the server says about a request before its body.

    Args:
        question: the request.
        plugin_id: whom it is for.
        context: context of the hook.
    """
    by_name: dict[str, list[str]] = {}
    for name, value in question.headers:
        if name.lower() not in _SET_BY_SERVER:
            by_name.setdefault(name, []).append(value)
    if question.user_id:
        by_name[USER_HEADER] = [question.user_id]
    if question.source_plugin_id:
        by_name[PLUGIN_HEADER] = [question.source_plugin_id]
    return ServeHTTPRequestInit(
        plugin_context=context,
        method=question.method,
        url=question.path,
        proto="HTTP/1.1",
        proto_major=1,
        proto_minor=1,
        headers=[HTTPHeader(key=name, values=values) for name, values in by_name.items()],
        host=question.host,
        remote_addr=question.remote_addr,
        request_uri=f"/plugins/{plugin_id}{question.path}",
        content_length=len(question.body) if isinstance(question.body, bytes) else question.content_length,
    )
