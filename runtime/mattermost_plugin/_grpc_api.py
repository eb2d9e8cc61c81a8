"""The plugin API's calls over gRPC. Coroutines and threads have a channel each, made at the first call.

Two channels, because a thread that waits in gRPC itself gets its reply without the event loop: sooner, and even while
the loop is busy or blocked.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Final, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from mattermost_plugin._api_wire import PLUGIN_STOPPED, STOPPED_TEXT, CallFailed
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

_REQUEST_ID_KEY: Final = "x-request-id"

_FIRST_RECONNECT_MS: Final = 100
_LAST_RECONNECT_MS: Final = 500
"""A server that is back is found within this time and a fifth: it is on the same machine, so asking often costs
nothing."""

_NEVER_SENT: Final = "failed to connect to all addresses"
"""How gRPC's text begins for a call that found no connection. Nothing else tells it from one that was cut off."""


_ChannelOptions: TypeAlias = list[tuple[str, int]]
_Metadata: TypeAlias = tuple[tuple[str, str], ...]


class GrpcCoroutineWire:
    """Sends requests for coroutines. It belongs to the event loop on which it is first used.

    Args:
        target: address of the server.
        max_message_bytes: largest reply that is taken.
    """

    def __init__(self, target: str, max_message_bytes: int) -> None:
        self._target = target
        self._options = _options(max_message_bytes)
        self._channel: grpc.aio.Channel | None = None
        self._calls: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._is_closed = False

    async def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """See CoroutineWire."""
        if self._is_closed:
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
        call = self._calls.get(method.path) or self._register(method.path)
        try:
            reply = await call(request.SerializeToString(), timeout=timeout_s, metadata=_metadata(request_id))
        except grpc.aio.AioRpcError as error:
            return _failure(error.code(), error.details())
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_closed or task is None or task.cancelling():
                raise
            # gRPC cancels calls, and so their tasks, when their channel is closed.
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT)
        return _decoded(method, reply)

    async def close(self) -> None:
        """See CoroutineWire."""
        self._is_closed = True
        if self._channel is not None:
            await self._channel.close()

    def _register(self, path: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._target, self._options)
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
        self._calls[path] = call
        return call


class GrpcThreadWire:
    """Sends requests for threads, any number of them.

    Args:
        target: address of the server.
        max_message_bytes: largest reply that is taken.
    """

    def __init__(self, target: str, max_message_bytes: int) -> None:
        self._target = target
        self._options = _options(max_message_bytes)
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._calls: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._is_closed = False

    def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """See ThreadWire."""
        call = self._calls.get(method.path) or self._register(method.path)
        if call is None:
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
        try:
            reply = call(request.SerializeToString(), timeout=timeout_s, metadata=_metadata(request_id))
        except grpc.RpcError as error:
            if self._is_closed:
                return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT)
            if not isinstance(error, grpc.Call):
                raise
            return _failure(error.code(), error.details())
        except ValueError:
            # What gRPC has for a call on a channel that is closed.
            if not self._is_closed:
                raise
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
        return _decoded(method, reply)

    def close(self) -> None:
        """See ThreadWire."""
        with self._lock:
            self._is_closed = True
            if self._channel is not None:
                self._channel.close()
                self._channel = None
                self._calls.clear()

    def _register(self, path: str) -> grpc.UnaryUnaryMultiCallable[bytes, bytes] | None:
        with self._lock:
            if self._is_closed:
                return None
            if self._channel is None:
                self._channel = grpc.insecure_channel(self._target, self._options)
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
            self._calls[path] = call
            return call


def _options(max_message_bytes: int) -> _ChannelOptions:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        # The host has a limit of its own, and says so.
        ("grpc.max_send_message_length", -1),
        # Repeating a call is decided elsewhere, by what the call does.
        ("grpc.enable_retries", 0),
        # The server is on this machine, whatever proxy the environment names for the outside.
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LAST_RECONNECT_MS),
        # No keepalive: the host would take pings on an idle connection for abuse and cut it.
    ]


def _metadata(request_id: str) -> _Metadata | None:
    return ((_REQUEST_ID_KEY, request_id),) if request_id else None


def _decoded(method: ApiMethod[RequestT, ResponseT], reply: bytes) -> ResponseT | CallFailed:
    try:
        return method.response_type.FromString(reply)
    except DecodeError:
        return CallFailed("DATA_LOSS", "the reply cannot be read")


def _failure(code: grpc.StatusCode, details: str | None) -> CallFailed:
    text = details or ""
    return CallFailed(code.name, text, was_sent=not (code.name == "UNAVAILABLE" and text.startswith(_NEVER_SENT)))
