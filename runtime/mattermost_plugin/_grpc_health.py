"""The health service that go-plugin hosts ping.

A host looks only at whether a Check succeeds; it reads neither SERVING nor NOT_SERVING. So a plugin that cannot work
any more fails the rpc, and the host starts it again.
"""

import asyncio
from collections.abc import Callable

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mattermost_plugin._handler_pool import STUCK_TEXT

SERVICE = "grpc.health.v1.Health"
# "plugin" is what go-plugin asks for, "" is the server as a whole.
_KNOWN = ("plugin", "")
_WATCH_INTERVAL_S = 1.0
"""How soon a watcher learns of a change. Hosts do not watch; tools do."""

_ServicerContext = grpc.aio.ServicerContext[HealthCheckRequest, HealthCheckResponse]


def health_handler(is_stuck: Callable[[], bool], stopping: asyncio.Event) -> grpc.GenericRpcHandler:
    """Make the health service.

    Args:
        is_stuck: tells whether the plugin's handlers can no longer run.
        stopping: set when the plugin stops; it ends what watches.
    """

    async def check(request: HealthCheckRequest, context: _ServicerContext) -> HealthCheckResponse:
        if request.service not in _KNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"There is no service {request.service!r} here")
        if is_stuck():
            await context.abort(grpc.StatusCode.UNAVAILABLE, STUCK_TEXT)
        return HealthCheckResponse(status=HealthCheckResponse.SERVING)

    async def watch(request: HealthCheckRequest, context: _ServicerContext) -> None:
        last: int | None = None
        while not stopping.is_set():
            status = _status(request.service, is_stuck())
            if status != last:
                await context.write(HealthCheckResponse(status=status))
                last = status
            try:
                await asyncio.wait_for(stopping.wait(), _WATCH_INTERVAL_S)
            except TimeoutError:
                continue

    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Check": grpc.unary_unary_rpc_method_handler(
                check,
                request_deserializer=HealthCheckRequest.FromString,
                response_serializer=HealthCheckResponse.SerializeToString,
            ),
            "Watch": grpc.unary_stream_rpc_method_handler(
                watch,
                request_deserializer=HealthCheckRequest.FromString,
                response_serializer=HealthCheckResponse.SerializeToString,
            ),
        },
    )


def _status(service: str, stuck: bool) -> int:
    if service not in _KNOWN:
        return HealthCheckResponse.SERVICE_UNKNOWN
    return HealthCheckResponse.NOT_SERVING if stuck else HealthCheckResponse.SERVING
