"""An HTTP request to a plugin and its answer, both whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequestInit

__all__ = ["HttpAnswer", "HttpQuestion", "head_of"]

USER_HEADER: Final = "Mattermost-User-Id"
PLUGIN_HEADER: Final = "Mattermost-Plugin-ID"
_SET_BY_SERVER: Final = frozenset({USER_HEADER.lower(), PLUGIN_HEADER.lower()})
"""What the server alone says: it takes these fields out of what clients send."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpQuestion:
    """A request under /plugins/<id>/."""

    method: str = "GET"
    """Its method."""
    path: str = "/"
    """Path and query, without the prefix /plugins/<id>."""
    headers: Headers = ()
    """Names and values; a name may come more than once."""
    body: bytes = b""
    """Its body."""
    user_id: str = ""
    """Who asks, "" for nobody who is logged in."""
    source_plugin_id: str = ""
    """The plugin that asks, "" for none."""


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
        host="localhost:8065",
        remote_addr="127.0.0.1:40000",
        request_uri=f"/plugins/{plugin_id}{question.path}",
        content_length=len(question.body),
    )
