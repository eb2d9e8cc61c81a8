"""Carries HTTP exchanges over the bidirectional gRPC streams of ServeHTTP and ServeMetrics."""

import asyncio
import logging
from abc import abstractmethod
from typing import Final, Protocol

from google.protobuf.message import DecodeError

from mattermost_plugin._http_exchange import BAD_REQUEST, HTTPExchange, HTTPHandler
from mattermost_plugin._http_message import HeaderField
from mattermost_plugin._http_response import ResponseHead
from mattermost_plugin._http_stream import RequestHead
from mattermost_plugin.errors import ClientDisconnected, RequestAborted
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import (
    HTTPHeader,
    ServeHTTPRequest,
    ServeHTTPRequestInit,
    ServeHTTPResponse,
    ServeHTTPResponseInit,
)

_NOTHING: Final = object()


class MessageStream(Protocol):
    """The part of grpc.aio.ServicerContext that an exchange needs."""

    @abstractmethod
    async def read(self) -> object:
        """The next ServeHTTPRequest; any other object means that no more will come."""

    @abstractmethod
    async def write(self, message: ServeHTTPResponse, /) -> None:
        """Send a message, waiting while the peer is slower."""


class GrpcHTTPServer:
    """Answers HTTP requests that arrive over gRPC.

    Args:
        stream_errors: what reading and writing raise when a call is over: (grpc.RpcError, grpc.aio.BaseError).
            Handed in, so that this module needs no grpc.
        logger: where failures of handlers and malformed streams are reported.
    """

    def __init__(self, *, stream_errors: tuple[type[Exception], ...], logger: logging.Logger) -> None:
        self._stream_errors = stream_errors
        self._read_errors: tuple[type[Exception], ...] = (*stream_errors, DecodeError)
        self._logger = logger

    async def serve(self, stream: MessageStream, handler: HTTPHandler, *, label: str = "ServeHTTP") -> bool:
        """Read the request from the stream, let the handler answer and send the response.

        Returns:
            False: the response is cut off. End the call with an error status: the host takes a call that ends
            well for a whole response.

        Raises:
            asyncio.CancelledError: the client has gone.
        """
        sink = _GrpcSink(stream, self._stream_errors)
        first = await self._read_first(stream)
        if first is None or not first.HasField("init"):
            self._logger.warning("%s: the host's first message does not start a request", label)
            return await _refuse(sink)
        context = PluginContext()
        context.CopyFrom(first.init.plugin_context)
        source = _GrpcSource(stream, first, self._read_errors, self._logger, label)
        exchange = HTTPExchange(_request_head(first.init), context, source, sink, label=label, logger=self._logger)
        # The exchange may last for hours: it needs the first message no longer than the source does.
        del first
        try:
            return await exchange.run(handler)
        finally:
            source.close()

    async def _read_first(self, stream: MessageStream) -> ServeHTTPRequest | None:
        try:
            message = await stream.read()
        except self._read_errors:
            return None
        return message if isinstance(message, ServeHTTPRequest) else None


class _GrpcSource:
    """A body that arrives over a gRPC stream.

    From the first chunk that is asked for, one message is read ahead while the handler works on the one before.
    That read is a task, so a handler's wait can be cancelled without losing the message: grpc would.
    """

    def __init__(
        self,
        stream: MessageStream,
        first: ServeHTTPRequest,
        read_errors: tuple[type[Exception], ...],
        logger: logging.Logger,
        label: str,
    ) -> None:
        self._stream = stream
        self._first = first.body_chunk
        self._complete = first.body_complete
        self._errors = read_errors
        self._logger = logger
        self._label = label
        self._reading: asyncio.Task[None] | None = None
        self._arrived: object = _NOTHING
        self._arrival: asyncio.Future[None] | None = None
        self._failure = ""

    @property
    def at_end(self) -> bool:
        """Whether the body is complete and all of it was handed out."""
        return self._complete and not self._first

    async def next_chunk(self) -> bytes:
        """Wait for the next chunk; b"" at the end.

        Raises:
            RequestAborted: the stream ended, or broke its rules, before the body was complete.
        """
        if self._first:
            chunk, self._first = self._first, b""
            return chunk
        while not self._complete:
            if self._failure:
                raise RequestAborted(self._failure)
            if self._reading is None:
                self._start_reading()
            if self._arrived is _NOTHING:
                self._arrival = asyncio.get_running_loop().create_future()
                await self._arrival
            message, self._arrived, self._reading = self._arrived, _NOTHING, None
            chunk = self._accept(message)
            if chunk:
                return chunk
        return b""

    def close(self) -> None:
        """Read no more: the stream must not be touched once its call is over."""
        self._failure = self._failure or "the request is over: its handler has ended"
        if self._reading is not None:
            self._reading.cancel()

    def _start_reading(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        message: object = None
        try:
            message = await self._stream.read()
        except self._errors as error:
            message = error
        finally:
            self._arrived = message
            if self._arrival is not None and not self._arrival.done():
                self._arrival.set_result(None)

    def _accept(self, message: object) -> bytes:
        if self._failure:
            return b""
        if isinstance(message, Exception):
            self._failure = f"the stream broke off before the body was complete ({type(message).__name__})"
            return b""
        if not isinstance(message, ServeHTTPRequest):
            self._failure = "the client stopped before the body was complete"
            return b""
        if message.HasField("init"):
            self._failure = "the host started a second request on the stream of the first"
            self._logger.warning("%s: %s", self._label, self._failure)
            return b""
        self._complete = message.body_complete
        if not self._complete:
            self._start_reading()
        return message.body_chunk


class _GrpcSink:
    """A response that leaves over a gRPC stream. HTTP/2 flow control holds `write` back while the host is slower."""

    def __init__(self, stream: MessageStream, stream_errors: tuple[type[Exception], ...]) -> None:
        self._stream = stream
        self._errors = stream_errors

    async def send(self, head: ResponseHead | None, chunk: bytes, *, flush: bool, complete: bool) -> None:
        """Send one piece of the response.

        Raises:
            ClientDisconnected: the call is over.
        """
        message = ServeHTTPResponse(
            init=None if head is None else _response_init(*head),
            body_chunk=chunk,
            flush=flush,
            body_complete=complete,
        )
        try:
            await self._stream.write(message)
        except self._errors as error:
            raise ClientDisconnected("the client has gone") from error


def _response_init(status: int, fields: list[HeaderField]) -> ServeHTTPResponseInit:
    return ServeHTTPResponseInit(
        status_code=status, headers=[HTTPHeader(key=field.name, values=field.values) for field in fields]
    )


def _request_head(init: ServeHTTPRequestInit) -> RequestHead:
    return RequestHead(
        method=init.method,
        url=init.url,
        proto=init.proto,
        proto_major=init.proto_major,
        proto_minor=init.proto_minor,
        headers=[(header.key, header.values) for header in init.headers],
        host=init.host,
        remote_addr=init.remote_addr,
        request_uri=init.request_uri,
        content_length=init.content_length,
    )


async def _refuse(sink: _GrpcSink) -> bool:
    status, text = BAD_REQUEST
    fields = [HeaderField("Content-Type", ["text/plain; charset=utf-8"])]
    try:
        await sink.send((status, fields), text.encode(), flush=False, complete=True)
    except ClientDisconnected as error:
        raise asyncio.CancelledError("the client has gone") from error
    return True
