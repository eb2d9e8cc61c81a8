"""The gRPC channel to the server's plugin API. It belongs to the plugin's event loop, where the first call makes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio

from mattermost_plugin._api_outcome import CallFailed
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

_REQUEST_ID_KEY: Final = "x-request-id"

_FIRST_RECONNECT_MS: Final = 100
_LAST_RECONNECT_MS: Final = 500
"""A server that is back is found within this time: it is on the same machine, so asking often costs nothing."""

_CONNECT_PATIENCE_S: Final = 0.75
"""How long a call waits while the channel reconnects: longer than the longest pause between two attempts, which gRPC
lengthens by up to a fifth."""

_Metadata = tuple[tuple[str, str], ...]


class ApiChannel:
    """Sends requests, each once.

    Args:
        target: address of the server.
        max_message_bytes: largest reply that is taken.
    """

    def __init__(self, target: str, max_message_bytes: int) -> None:
        self._channel = grpc.aio.insecure_channel(
            target,
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                # The host has a limit of its own, and says so.
                ("grpc.max_send_message_length", -1),
                # Repeating a call is decided here, by what the call does.
                ("grpc.enable_retries", 0),
                # The server is on this machine, whatever proxy the environment names for the outside.
                ("grpc.enable_http_proxy", 0),
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
                ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
                # No keepalive: the host would take pings on an idle connection for abuse and cut it.
            ],
        )
        # Any: each method has messages of its own, and gets back what it was registered with.
        self._calls: dict[str, Callable[..., Any]] = {}

    async def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT:
        """Send a request and return the reply.

        Raises:
            CallFailed: no reply came.
            asyncio.CancelledError: the task was cancelled; so is the call.
        """
        if self._channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            timeout_s -= await self._wait_connected(min(timeout_s / 2, _CONNECT_PATIENCE_S))
        call = self._calls.get(method.path) or self._register(method)
        metadata: _Metadata | None = ((_REQUEST_ID_KEY, request_id),) if request_id else None
        try:
            response: ResponseT | None = await call(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            failure = CallFailed(error.code().name, error.details() or "")
        except grpc.aio.UsageError:
            failure = CallFailed("UNAVAILABLE", "failed to connect: the channel is closed")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = CallFailed("UNAVAILABLE", "the channel was closed during the call")
        else:
            if response is not None:
                return response
            failure = CallFailed("DATA_LOSS", "the reply cannot be read")
        # Not chained: the grpc library's exceptions are no part of what authors see.
        raise failure

    async def close(self) -> None:
        """Close the channel. Calls that wait fail."""
        await self._channel.close()

    def _register(self, method: ApiMethod[RequestT, ResponseT]) -> Callable[..., Any]:
        call = self._channel.unary_unary(
            method.path,
            request_serializer=method.request_type.SerializeToString,
            response_deserializer=method.response_type.FromString,
        )
        self._calls[method.path] = call
        return call

    async def _wait_connected(self, patience_s: float) -> float:
        """Wait for the channel while it reconnects. Returns the seconds that this took."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                while (state := self._channel.get_state(try_to_connect=True)) not in (
                    grpc.ChannelConnectivity.READY,
                    grpc.ChannelConnectivity.SHUTDOWN,
                ):
                    await self._channel.wait_for_state_change(state)
        except (TimeoutError, grpc.aio.UsageError):
            pass  # The call itself tells what is wrong.
        return time.monotonic() - started
