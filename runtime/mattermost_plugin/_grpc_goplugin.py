"""go-plugin's own gRPC services: the host's way to stop the plugin, and two streams that it opens at the start."""

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
from google.protobuf.empty_pb2 import Empty as WellKnownEmpty

from mattermost_pluginapi.goplugin.grpc_broker_pb2 import ConnInfo
from mattermost_pluginapi.goplugin.grpc_controller_pb2 import Empty
from mattermost_pluginapi.goplugin.grpc_stdio_pb2 import StdioData


def goplugin_handlers(shutdown: Callable[[], None], stopping: asyncio.Event) -> tuple[grpc.GenericRpcHandler, ...]:
    """Make GRPCController, GRPCStdio and GRPCBroker.

    Args:
        shutdown: called when the host asks the plugin to end. It must return at once: the answer goes out first.
        stopping: set when the plugin stops; it ends the streams.
    """

    async def stop(request: Empty, context: grpc.aio.ServicerContext[Empty, Empty]) -> Empty:
        shutdown()
        return Empty()

    async def stream_stdio(
        request: WellKnownEmpty, context: grpc.aio.ServicerContext[WellKnownEmpty, StdioData]
    ) -> None:
        # Output goes to the log on stderr, so this stream stays silent; a host only wants it to exist.
        await stopping.wait()

    async def start_stream(
        requests: AsyncIterator[ConnInfo], context: grpc.aio.ServicerContext[ConnInfo, ConnInfo]
    ) -> None:
        # Mattermost brokers no connections over gRPC, so what a host announces here is never read.
        await stopping.wait()

    return (
        grpc.method_handlers_generic_handler(
            "plugin.GRPCController",
            {
                "Shutdown": grpc.unary_unary_rpc_method_handler(
                    stop, request_deserializer=Empty.FromString, response_serializer=Empty.SerializeToString
                )
            },
        ),
        grpc.method_handlers_generic_handler(
            "plugin.GRPCStdio",
            {
                "StreamStdio": grpc.unary_stream_rpc_method_handler(
                    stream_stdio,
                    request_deserializer=WellKnownEmpty.FromString,
                    response_serializer=StdioData.SerializeToString,
                )
            },
        ),
        grpc.method_handlers_generic_handler(
            "plugin.GRPCBroker",
            {
                "StartStream": grpc.stream_stream_rpc_method_handler(
                    start_stream,
                    request_deserializer=ConnInfo.FromString,
                    response_serializer=ConnInfo.SerializeToString,
                )
            },
        ),
    )
