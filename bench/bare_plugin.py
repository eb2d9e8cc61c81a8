"""The opponent: the hooks of sdk_plugin written straight on grpc.aio, with nothing that a plugin needs around them.

Takes one argument: "async" or "sync", for where the hook's handler runs.
"""

# The stubs make grpc's handler types generic; the classes themselves are not.
from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse, ServeHTTPResponseInit
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import (
    ImplementedRequest,
    ImplementedResponse,
    OnActivateRequest,
    OnActivateResponse,
)
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse

SERVICE = "mattermost.pluginapi.v1.PluginHooks"
HOOKS = ["MessageWillBePosted", "OnActivate", "ServeHTTP"]

PostContext = grpc.aio.ServicerContext[MessageWillBePostedRequest, MessageWillBePostedResponse]
HTTPContext = grpc.aio.ServicerContext[ServeHTTPRequest, ServeHTTPResponse]


def answer(request: MessageWillBePostedRequest) -> MessageWillBePostedResponse:
    post = request.post
    if post.is_pinned:
        return MessageWillBePostedResponse()
    post.hashtags = "#seen"
    return MessageWillBePostedResponse(modified_post=post)


async def implemented(
    request: ImplementedRequest, context: grpc.aio.ServicerContext[ImplementedRequest, ImplementedResponse]
) -> ImplementedResponse:
    return ImplementedResponse(hooks=HOOKS)


async def on_activate(
    request: OnActivateRequest, context: grpc.aio.ServicerContext[OnActivateRequest, OnActivateResponse]
) -> OnActivateResponse:
    return OnActivateResponse()


async def message_will_be_posted(
    request: MessageWillBePostedRequest, context: PostContext
) -> MessageWillBePostedResponse:
    return answer(request)


async def message_will_be_posted_in_thread(
    request: MessageWillBePostedRequest, context: PostContext
) -> MessageWillBePostedResponse:
    return await asyncio.get_running_loop().run_in_executor(None, answer, request)


async def serve_http(
    requests: AsyncIterator[ServeHTTPRequest], context: HTTPContext
) -> AsyncIterator[ServeHTTPResponse]:
    first = await anext(requests)
    head = ServeHTTPResponseInit(status_code=200)
    if first.init.method == "GET":
        yield ServeHTTPResponse(init=head, body_chunk=b"Hello!\n", body_complete=True)
        return
    yield ServeHTTPResponse(init=head, body_chunk=first.body_chunk, body_complete=first.body_complete)
    async for request in requests:
        yield ServeHTTPResponse(body_chunk=request.body_chunk, body_complete=request.body_complete)


def hook_service(mode: str) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Implemented": grpc.unary_unary_rpc_method_handler(
                implemented,
                request_deserializer=ImplementedRequest.FromString,
                response_serializer=ImplementedResponse.SerializeToString,
            ),
            "OnActivate": grpc.unary_unary_rpc_method_handler(
                on_activate,
                request_deserializer=OnActivateRequest.FromString,
                response_serializer=OnActivateResponse.SerializeToString,
            ),
            "MessageWillBePosted": grpc.unary_unary_rpc_method_handler(
                message_will_be_posted_in_thread if mode == "sync" else message_will_be_posted,
                request_deserializer=MessageWillBePostedRequest.FromString,
                response_serializer=MessageWillBePostedResponse.SerializeToString,
            ),
            "ServeHTTP": grpc.stream_stream_rpc_method_handler(
                serve_http,
                request_deserializer=ServeHTTPRequest.FromString,
                response_serializer=ServeHTTPResponse.SerializeToString,
            ),
        },
    )


async def serve(mode: str) -> None:
    server = grpc.aio.server(
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    server.add_generic_rpc_handlers((hook_service(mode),))
    checker = health.aio.HealthServicer()
    await checker.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checker, server)
    socket = f"{os.environ.get('PLUGIN_UNIX_SOCKET_DIR', '/tmp')}/bare-{os.getpid()}.sock"
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    print(f"1|1|unix|{socket}|grpc", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
