"""Describes an HTTP request the way ASGI applications expect it."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from mattermost_plugin._http_message import decode_percent, parse_target
from mattermost_pluginapi.hooks.streams import HTTPRequest

# 2.3 and not 2.4: frameworks that see the older one listen for http.disconnect while they stream, and so notice
# that the client has gone even when they have nothing to send.
ASGI_VERSIONS: Final = {"version": "3.0", "spec_version": "2.3"}

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def http_scope(request: HTTPRequest, plugin: object, state: Mapping[str, object]) -> dict[str, object]:
    """The scope of a request, with what only Mattermost knows under "mattermost." keys."""
    target = parse_target(request.url)
    prefix = mount_prefix(request)
    scheme = _scheme(request)
    server = split_address(request.host)
    return {
        "type": "http",
        "asgi": dict(ASGI_VERSIONS),
        "http_version": _http_version(request),
        "method": request.method,
        "scheme": scheme,
        "path": decode_percent(prefix) + target.path,
        "raw_path": _ascii(prefix + target.raw_path),
        "query_string": _ascii(target.query_string),
        "root_path": decode_percent(prefix),
        "headers": _headers(request),
        "client": _with_port(split_address(request.remote_addr), 0),
        "server": _with_port(server, _DEFAULT_PORTS[scheme]),
        "state": dict(state),
        "extensions": {},
        "mattermost.plugin": plugin,
        "mattermost.context": request.context,
        "mattermost.user_id": request.user_id,
        "mattermost.request": request,
    }


def mount_prefix(request: HTTPRequest) -> str:
    """The part of the path that the server cut off, such as "/plugins/com.example.plugin", still encoded.

    It is what the target that the client sent has before the path that the host sends. "" if they do not fit:
    requests that other plugins make have no such target.
    """
    if not request.request_uri:
        return ""
    sent = parse_target(request.request_uri)
    served = parse_target(request.url)
    if served.raw_path == "/":
        return sent.raw_path.rstrip("/")
    if sent.raw_path.endswith(served.raw_path):
        return sent.raw_path.removesuffix(served.raw_path)
    # The server may have encoded the path anew, with other choices than the client's.
    if sent.path.endswith(served.path):
        return quote(sent.path.removesuffix(served.path))
    return ""


def split_address(address: str) -> tuple[str, int | None] | None:
    """Host and port of "host:port", "[ipv6]:port" or either without the port; None if there is no host."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    else:
        host, port = address, ""
    if not host:
        return None
    return host, int(port) if port.isascii() and port.isdigit() else None


def _with_port(address: tuple[str, int | None] | None, default: int) -> tuple[str, int] | None:
    if address is None:
        return None
    host, port = address
    return host, default if port is None else port


def _scheme(request: HTTPRequest) -> str:
    # The first proxy's word counts: that is the one the client talks to.
    forwarded = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return "https" if forwarded == "https" else "http"


def _http_version(request: HTTPRequest) -> str:
    if request.proto_major >= 2:
        return str(request.proto_major)
    return "1.0" if (request.proto_major, request.proto_minor) == (1, 0) else "1.1"


def _headers(request: HTTPRequest) -> list[tuple[bytes, bytes]]:
    # Header text is what the client's bytes say in UTF-8; encoding it gives those bytes back.
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items_all()]
    if request.host and "Host" not in request.headers:
        headers.insert(0, (b"host", request.host.encode()))
    return headers


def _ascii(text: str) -> bytes:
    if not text.isascii():
        text = "".join(character if character.isascii() else quote(character) for character in text)
    return text.encode("ascii")
