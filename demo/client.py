"""The host's end of a plugin's gRPC connection: the hook service, go-plugin's own services, and the health check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty as WellKnownEmpty
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mattermost_pluginapi.goplugin.grpc_broker_pb2 import ConnInfo
from mattermost_pluginapi.goplugin.grpc_controller_pb2 import Empty
from mattermost_pluginapi.goplugin.grpc_stdio_pb2 import StdioData
from mattermost_pluginapi.hooks.adapter import HookAdapter
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.servicer import IMPLEMENTED_PATH, ImplementedRequest, ImplementedResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse

HOOK_TIMEOUT_S: Final = 30.0
"""How long the server waits for a hook."""

HEALTH_TIMEOUT_S: Final = 5.0
"""The server sets no limit of its own; without one a plugin that hangs would hang its host."""

HTTPCall = grpc.aio.StreamStreamCall[ServeHTTPRequest, ServeHTTPResponse]

_BY_REQUEST: Final[Mapping[type[Message], HookAdapter[Any, Any]]] = {
    adapter.request_type: adapter for adapter in ADAPTERS.values()
}


def hook_of(request: Message) -> HookName:
    """The hook that a request message belongs to."""
    return _BY_REQUEST[type(request)].hook


class PluginClient:
    """Calls a plugin over one connection.

    Args:
        target: where the plugin listens, as gRPC takes it.
    """

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(
            target,
            options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
        )
        self._streams: list[tuple[str, asyncio.Task[grpc.StatusCode]]] = []

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
        for name, call in (("StreamStdio", stdio(WellKnownEmpty())), ("StartStream", broker())):
            self._streams.append((name, asyncio.create_task(_outcome(call))))

    def ended_streams(self) -> dict[str, grpc.StatusCode]:
        """The streams of `open_streams` that are over, with their status."""
        return {name: task.result() for name, task in self._streams if task.done()}

    async def check_health(self) -> HealthCheckResponse:
        """Ping the plugin as the server does every 30 s.

        Raises:
            grpc.RpcError: the plugin is not well.
        """
        check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        return await check(HealthCheckRequest(service="plugin"), timeout=HEALTH_TIMEOUT_S)

    async def implemented(self) -> list[str]:
        """Ask which hooks the plugin has.

        Raises:
            grpc.RpcError: the call failed.
        """
        implemented = self._channel.unary_unary(
            IMPLEMENTED_PATH,
            request_serializer=ImplementedRequest.SerializeToString,
            response_deserializer=ImplementedResponse.FromString,
        )
        return list((await implemented(ImplementedRequest(), timeout=HOOK_TIMEOUT_S)).hooks)

    async def call(self, request: Message) -> Message:
        """Call the hook that the request belongs to.

        Raises:
            grpc.RpcError: the call failed.
        """
        adapter = _BY_REQUEST[type(request)]
        method = self._channel.unary_unary(
            adapter.path,
            request_serializer=adapter.request_type.SerializeToString,
            response_deserializer=adapter.response_type.FromString,
        )
        response: Message = await method(request, timeout=HOOK_TIMEOUT_S)
        return response

    def serve_http(self, requests: AsyncIterator[ServeHTTPRequest]) -> HTTPCall:
        """Open the stream of one HTTP exchange. The server lets it last; here a limit ends what hangs."""
        adapter = ADAPTERS[HookName.ServeHTTP]
        method: grpc.aio.StreamStreamMultiCallable[ServeHTTPRequest, ServeHTTPResponse] = self._channel.stream_stream(
            adapter.path,
            request_serializer=ServeHTTPRequest.SerializeToString,
            response_deserializer=ServeHTTPResponse.FromString,
        )
        return method(requests, timeout=HOOK_TIMEOUT_S)

    async def shutdown(self) -> None:
        """Ask the plugin to end.

        Raises:
            grpc.RpcError: the call failed.
        """
        shutdown = self._channel.unary_unary(
            "/plugin.GRPCController/Shutdown",
            request_serializer=Empty.SerializeToString,
            response_deserializer=Empty.FromString,
        )
        await shutdown(Empty(), timeout=HOOK_TIMEOUT_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()
        if self._streams:
            await asyncio.wait([task for _, task in self._streams])


async def _outcome(call: grpc.aio.Call) -> grpc.StatusCode:
    return await call.code()
