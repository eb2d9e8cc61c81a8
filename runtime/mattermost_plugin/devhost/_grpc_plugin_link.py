"""The host's end of a plugin's gRPC connection: the hooks, go-plugin's own services, and the health check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty as WellKnownEmpty
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.http_exchange import BodyCutError
from mattermost_pluginapi.goplugin.grpc_broker_pb2 import ConnInfo
from mattermost_pluginapi.goplugin.grpc_controller_pb2 import Empty
from mattermost_pluginapi.goplugin.grpc_stdio_pb2 import StdioData
from mattermost_pluginapi.hooks.adapter import HookAdapter
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.servicer import IMPLEMENTED_PATH, ImplementedRequest, ImplementedResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPRequestInit, ServeHTTPResponse

__all__ = ["GrpcPluginLink"]

HOOK_TIMEOUT_S: Final = 30.0
"""How long the server waits for a hook."""

HEALTH_TIMEOUT_S: Final = 5.0
"""The server sets no limit of its own; without one a plugin that hangs would hang its host."""

PIECE_BYTES: Final = 64 * 1024
"""How much of a body the server sends in one message."""

_OPTIONS: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_ADAPTERS: Final[dict[str, HookAdapter[Any, Any]]] = {str(hook): adapter for hook, adapter in ADAPTERS.items()}


class GrpcPluginLink:
    """Calls a plugin over one connection.

    Args:
        target: where the plugin listens, as gRPC takes it.
    """

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        self._streams: list[asyncio.Task[grpc.StatusCode]] = []

    def open_streams(self) -> None:
        """Open what go-plugin opens first: the plugin's synced output, and the broker of further connections."""
        stdio = self._channel.unary_stream(
            "/plugin.GRPCStdio/StreamStdio",
            request_serializer=WellKnownEmpty.SerializeToString,
            response_deserializer=StdioData.FromString,
        )
        broker = self._channel.stream_stream(
            "/plugin.GRPCBroker/StartStream",
            request_serializer=ConnInfo.SerializeToString,
            response_deserializer=ConnInfo.FromString,
        )
        for call in (stdio(WellKnownEmpty()), broker()):
            self._streams.append(asyncio.create_task(_outcome(call)))

    async def implemented(self) -> frozenset[str]:
        """Ask which hooks the plugin has.

        Raises:
            HookFailedError: there is no answer.
        """
        call = self._channel.unary_unary(
            IMPLEMENTED_PATH,
            request_serializer=ImplementedRequest.SerializeToString,
            response_deserializer=ImplementedResponse.FromString,
        )
        with _failures():
            response = await call(ImplementedRequest(), timeout=HOOK_TIMEOUT_S)
        if response.HasField("error"):
            raise HookFailedError(response.error.detailed_error or response.error.message)
        return frozenset(response.hooks)

    async def is_healthy(self) -> bool:
        """Ping the plugin, as the server does every 30 s."""
        call = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            await call(HealthCheckRequest(service="plugin"), timeout=HEALTH_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
        return True

    async def call(self, hook: str, request: Message) -> Message:
        """Call a hook.

        Raises:
            HookFailedError: there is no answer.
        """
        adapter = _ADAPTERS[hook]
        method = self._channel.unary_unary(
            adapter.path,
            request_serializer=adapter.request_type.SerializeToString,
            response_deserializer=adapter.response_type.FromString,
        )
        with _failures():
            response: Message = await method(request, timeout=HOOK_TIMEOUT_S)
        return response

    async def serve_http(
        self, init: ServeHTTPRequestInit, body: AsyncIterable[bytes]
    ) -> AsyncGenerator[ServeHTTPResponse, None]:
        """Have the plugin answer an HTTP request, both piece by piece; closing the generator ends the call.

        Neither way is read ahead: a side that stands still makes the other one wait, up to what the connection holds.

        Args:
            init: the request without its body.
            body: its body; BodyCutError says that the client broke off.

        Raises:
            HookFailedError: there is no answer, or it breaks off.
        """
        method: grpc.aio.StreamStreamMultiCallable[ServeHTTPRequest, ServeHTTPResponse] = self._channel.stream_stream(
            ADAPTERS[HookName.ServeHTTP].path,
            request_serializer=ServeHTTPRequest.SerializeToString,
            response_deserializer=ServeHTTPResponse.FromString,
        )
        call = method(_request(init, body))
        try:
            with _failures():
                async for piece in call:
                    yield piece
                    if piece.body_complete:
                        return
        finally:
            call.cancel()

    async def shutdown(self) -> None:
        """Ask the plugin to end. One that is gone already is no failure."""
        call = self._channel.unary_unary(
            "/plugin.GRPCController/Shutdown",
            request_serializer=Empty.SerializeToString,
            response_deserializer=Empty.FromString,
        )
        try:
            await call(Empty(), timeout=HEALTH_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return

    async def close(self) -> None:
        """Close the connection; legal more than once."""
        await self._channel.close()
        if self._streams:
            await asyncio.wait(self._streams)


async def _request(init: ServeHTTPRequestInit, body: AsyncIterable[bytes]) -> AsyncIterator[ServeHTTPRequest]:
    head: ServeHTTPRequestInit | None = init
    try:
        async for piece in body:
            for start in range(0, len(piece), PIECE_BYTES):
                yield ServeHTTPRequest(init=head, body_chunk=piece[start : start + PIECE_BYTES])
                head = None
    except BodyCutError:
        # As the host does: the stream ends, and what is missing is the word that the body is complete.
        if head is not None:
            yield ServeHTTPRequest(init=head)
        return
    yield ServeHTTPRequest(init=head, body_complete=True)


async def _outcome(call: grpc.aio.Call) -> grpc.StatusCode:
    return await call.code()


@contextmanager
def _failures() -> Iterator[None]:
    """Tell every end of a call without an answer in one way."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise HookFailedError(f"{error.code().name}: {error.details()}") from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled who waits: the connection was closed, as the plugin was ended.
        raise HookFailedError("the plugin was ended") from None
