"""Streams for tests of HTTP exchanges: one in memory, one through a real grpc.aio server."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import grpc.aio

from mattermost_plugin._http_exchange import HTTPHandler
from mattermost_plugin._http_grpc import GrpcHTTPServer
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import (
    HTTPHeader,
    ServeHTTPRequest,
    ServeHTTPRequestInit,
    ServeHTTPResponse,
)

STREAM_ERRORS = (grpc.RpcError, grpc.aio.BaseError)
LOGGER = logging.getLogger("tests.http")
PATH = "/mattermost.pluginapi.v1.PluginHooks/ServeHTTP"

END = object()
"""What a stream's read gives after the last message, as grpc.aio.EOF does."""

Call: TypeAlias = grpc.aio.StreamStreamCall[ServeHTTPRequest, ServeHTTPResponse]
RawCall: TypeAlias = grpc.aio.StreamStreamCall[bytes, bytes]


def head(
    method: str = "GET",
    url: str = "/hello?name=x",
    *,
    headers: Iterable[tuple[str, Iterable[str]]] = (),
    content_length: int = -1,
    host: str = "chat.example.com",
    remote_addr: str = "192.0.2.7:50123",
    prefix: str = "/plugins/com.example.test",
) -> ServeHTTPRequestInit:
    """The head of a request as the host sends it."""
    return ServeHTTPRequestInit(
        plugin_context=PluginContext(request_id="req1", session_id="session1"),
        method=method,
        url=url,
        proto="HTTP/1.1",
        proto_major=1,
        proto_minor=1,
        headers=[HTTPHeader(key=name, values=values) for name, values in headers],
        host=host,
        remote_addr=remote_addr,
        request_uri=prefix + url,
        content_length=content_length,
    )


def request_messages(init: ServeHTTPRequestInit, *chunks: bytes, complete: bool = True) -> list[ServeHTTPRequest]:
    """The messages of a request, the way the Go host cuts them: the end in a message of its own."""
    if not chunks:
        return [ServeHTTPRequest(init=init, body_complete=complete)]
    messages = [ServeHTTPRequest(body_chunk=chunk) for chunk in chunks]
    messages[0].init.CopyFrom(init)
    if complete:
        messages.append(ServeHTTPRequest(body_complete=True))
    return messages


@dataclass
class Response:
    """What the host makes of a response stream."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_whole: bool

    def header(self, name: str) -> str:
        """The only value of the header."""
        (value,) = [value for key, value in self.headers if key.lower() == name.lower()]
        return value


def assemble(messages: Iterable[ServeHTTPResponse]) -> Response:
    """Put a response together and check the rules that every stream keeps."""
    messages = list(messages)
    assert messages[0].HasField("init"), "the first message lacks init"
    assert not any(message.HasField("init") for message in messages[1:]), "a second init"
    assert not any(message.body_complete for message in messages[:-1]), "something follows body_complete"
    assert all(len(message.body_chunk) <= 65536 for message in messages), "a chunk is too long"
    init = messages[0].init
    assert 100 <= init.status_code <= 999
    return Response(
        init.status_code,
        [(header.key, value) for header in init.headers for value in header.values],
        b"".join(message.body_chunk for message in messages),
        messages[-1].body_complete,
    )


class MemoryStream:
    """A stream whose host side is in the test. `read` and `write` behave as those of a servicer context."""

    def __init__(self, *messages: ServeHTTPRequest | object) -> None:
        self.incoming: asyncio.Queue[object] = asyncio.Queue()
        self.reads = 0
        self.sent: list[ServeHTTPResponse] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.is_broken = False
        for message in messages:
            self.incoming.put_nowait(message)

    async def read(self) -> object:
        """The next message that the test has put in."""
        self.reads += 1
        return await self.incoming.get()

    async def write(self, message: ServeHTTPResponse, /) -> None:
        """Take a message as soon as the test lets it."""
        await self.writable.wait()
        # Others get their turn in between, as with a real stream.
        await asyncio.sleep(0)
        if self.is_broken:
            raise grpc.aio.InternalError("broken")
        self.sent.append(message)

    @property
    def response(self) -> Response:
        """All that was sent."""
        return assemble(self.sent)


async def serve(stream: MemoryStream, handler: HTTPHandler) -> bool:
    """Run one exchange over a stream in memory."""
    return await GrpcHTTPServer(stream_errors=STREAM_ERRORS, logger=LOGGER).serve(stream, handler)


def exchange(handler: HTTPHandler, *messages: ServeHTTPRequest, ended: bool = True) -> tuple[Response, bool]:
    """Run one exchange from its messages to its response, and what `serve` returned."""

    async def run() -> tuple[Response, bool]:
        stream = MemoryStream(*messages, *([END] if ended else []))
        whole = await serve(stream, handler)
        return stream.response, whole

    return asyncio.run(run())


def in_thread(function: Callable[[ResponseWriter, HTTPRequest], None]) -> HTTPHandler:
    """A handler that runs the function in a thread, as the plugin does with `def` handlers."""

    async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await asyncio.to_thread(function, writer, request)

    return handler


def _serialized(message: ServeHTTPRequest) -> bytes:
    return message.SerializeToString()


class GrpcHost:
    """The host's end of a connection to a real server."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._open: Callable[[], Call] = channel.stream_stream(
            PATH,
            request_serializer=_serialized,
            response_deserializer=ServeHTTPResponse.FromString,
        )
        self._open_raw: Callable[[], RawCall] = channel.stream_stream(PATH)

    def call(self) -> Call:
        """Start a call."""
        return self._open()

    def raw_call(self) -> RawCall:
        """Start a call whose messages the test makes itself, byte by byte."""
        return self._open_raw()

    async def send(self, messages: Iterable[ServeHTTPRequest]) -> Call:
        """Start a call, send a request and half-close, as the host does."""
        call = self.call()
        for message in messages:
            await call.write(message)
        await call.done_writing()
        return call

    async def wait_stalled(self, progress: Callable[[], int]) -> None:
        """Return when many requests in a row were answered without any progress of what is watched.

        They must be answered by the handler under test, which knows them by their method OPTIONS.
        """
        before, idle = -1, 0
        while idle < 50:
            idle = idle + 1 if before == progress() else 0
            before = progress()
            await read_response(await self.send(request_messages(head("OPTIONS"))))


@asynccontextmanager
async def grpc_host(handler: HTTPHandler) -> AsyncIterator[GrpcHost]:
    """A real server with the handler, and a host that is connected to it."""

    async def handle(_requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        if not await GrpcHTTPServer(stream_errors=STREAM_ERRORS, logger=LOGGER).serve(context, handler):
            await context.abort(grpc.StatusCode.INTERNAL, "the response was cut off")

    method = grpc.stream_stream_rpc_method_handler(
        handle,
        request_deserializer=ServeHTTPRequest.FromString,
        response_serializer=ServeHTTPResponse.SerializeToString,
    )
    service, _, name = PATH.removeprefix("/").partition("/")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: method}),))
    with tempfile.TemporaryDirectory() as folder:
        target = f"unix:{Path(folder) / 'plugin.sock'}"
        server.add_insecure_port(target)
        await server.start()
        try:
            async with grpc.aio.insecure_channel(target) as channel:
                yield GrpcHost(channel)
        finally:
            await server.stop(None)


async def read_response(call: Call) -> Response:
    """Read until body_complete, as the host does."""
    messages: list[ServeHTTPResponse] = []
    while not messages or not messages[-1].body_complete:
        message = await call.read()
        if not isinstance(message, ServeHTTPResponse):
            break
        messages.append(message)
    return assemble(messages)
