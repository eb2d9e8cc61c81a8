"""HTTP requests as hosts of either wire pass them on, and what they see of the responses."""

from collections.abc import Iterable
from typing import NamedTuple

from mattermost_plugin.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequestInit


class HTTPAsked(NamedTuple):
    """A request."""

    init: ServeHTTPRequestInit
    body: bytes = b""
    is_broken_off: bool = False
    """Whether the client stops after this part of the body."""
    leaves_after: int | None = None
    """Bytes of the response after which the client goes."""
    can_hijack: bool = True
    """Whether a stock host can break the client's connection, which it cannot over HTTP/2."""


class HTTPSeen(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    is_whole: bool
    """False: the client sees that it broke off."""
    has_flushed: bool


def asked(
    method: str = "GET",
    url: str = "/x",
    body: bytes = b"",
    *,
    headers: Iterable[tuple[str, list[str]]] = (),
    length: int | None = None,
    is_broken_off: bool = False,
    leaves_after: int | None = None,
    can_hijack: bool = True,
) -> HTTPAsked:
    """A request as a host passes it on.

    Args:
        method: of the request.
        url: with query, without the plugin's part of the path.
        body: the part of it that comes.
        headers: with their values.
        length: what the client has announced; default is the body's.
        is_broken_off: see HTTPAsked, and so are the others.
    """
    announced = len(body) if length is None else length
    fields = [HTTPHeader(key=name, values=values) for name, values in headers]
    init = ServeHTTPRequestInit(
        plugin_context=PluginContext(
            session_id="s1", request_id="r1", ip_address="192.0.2.7", accept_language="de", user_agent="tests"
        ),
        method=method,
        url=url,
        proto="HTTP/1.1",
        proto_major=1,
        proto_minor=1,
        # Go's server leaves the field in the header, where stock servers have it alone.
        headers=[*fields, HTTPHeader(key="Content-Length", values=[str(announced)])],
        host="chat.example.com",
        remote_addr="192.0.2.7:50123",
        request_uri=f"/plugins/com.example.test{url}",
        content_length=announced,
    )
    return HTTPAsked(init, body, is_broken_off, leaves_after, can_hijack)
