"""One HTTP request and its response over the stream of ServeHTTP, piece by piece as the server sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from demo.client import HTTPCall, PluginClient
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequest, ServeHTTPRequestInit, ServeHTTPResponse

PIECE_BYTES: Final = 64 * 1024
"""How much of a body the server sends in one message."""


class BrokenResponseError(Exception):
    """A response is not what the contract allows. The text says how."""


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """A whole response."""

    status: int
    content_type: str
    body: bytes


def request_head(
    method: str,
    path: str,
    *,
    plugin_id: str,
    user_id: str = "",
    content_length: int = 0,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> ServeHTTPRequestInit:
    """What the server says about a request before its body."""
    fields = {"Accept": "*/*", "User-Agent": "demo", **headers}
    if user_id:
        # Set by the server alone: it removes what a client sends under this name.
        fields["Mattermost-User-Id"] = user_id
    return ServeHTTPRequestInit(
        plugin_context=PluginContext(request_id="request1", ip_address="192.0.2.7", user_agent="demo"),
        method=method,
        url=path,
        proto="HTTP/1.1",
        proto_major=1,
        proto_minor=1,
        headers=[HTTPHeader(key=name, values=[value]) for name, value in fields.items()],
        host="chat.example.com",
        remote_addr="192.0.2.7:50505",
        request_uri=f"/plugins/{plugin_id}{path}",
        content_length=content_length,
    )


async def fetch(client: PluginClient, head: ServeHTTPRequestInit, body: bytes = b"") -> HTTPResponse:
    """Send a request with a body of one piece at most, and read the whole response.

    Raises:
        BrokenResponseError: the response broke the contract.
        grpc.RpcError: the stream failed.
    """

    async def requests() -> AsyncIterator[ServeHTTPRequest]:
        # The server sends the first piece of a body together with the head.
        yield ServeHTTPRequest(init=head, body_chunk=body, body_complete=True)

    return _response([piece async for piece in _pieces(client.serve_http(requests()))])


async def converse(client: PluginClient, head: ServeHTTPRequestInit, body: bytes) -> HTTPResponse:
    """Send a body piece by piece, each only after as many bytes have come back: a plugin that waits for all fails.

    Raises:
        BrokenResponseError: the response broke the contract.
        grpc.RpcError: the stream failed; DEADLINE_EXCEEDED, if the plugin does not answer piece by piece.
    """
    received: list[ServeHTTPResponse] = []
    caught_up = asyncio.Event()
    sent_bytes = received_bytes = 0

    async def requests() -> AsyncIterator[ServeHTTPRequest]:
        nonlocal sent_bytes
        for piece in _cut(body):
            caught_up.clear()
            sent_bytes += len(piece)
            yield ServeHTTPRequest(init=None if sent_bytes > len(piece) else head, body_chunk=piece)
            await caught_up.wait()
        yield ServeHTTPRequest(body_complete=True)

    try:
        async for answer in _pieces(client.serve_http(requests())):
            received.append(answer)
            received_bytes += len(answer.body_chunk)
            if received_bytes >= sent_bytes:
                caught_up.set()
    finally:
        # A response that ended early leaves nothing to wait for.
        caught_up.set()
    return _response(received)


def _cut(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


async def _pieces(call: HTTPCall) -> AsyncIterator[ServeHTTPResponse]:
    """The response's messages, up to the one that says that it is the last."""
    async for piece in call:
        yield piece
        if piece.body_complete:
            return
    raise BrokenResponseError("the response ended without saying that it is complete")


def _response(pieces: list[ServeHTTPResponse]) -> HTTPResponse:
    first = pieces[0]
    if not first.HasField("init"):
        raise BrokenResponseError("the response starts without status and header fields")
    headers = {header.key.lower(): header.values[0] for header in first.init.headers}
    return HTTPResponse(
        first.init.status_code, headers.get("content-type", ""), b"".join(piece.body_chunk for piece in pieces)
    )
