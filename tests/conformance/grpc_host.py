"""A host that speaks gRPC. See `hosts`."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mattermost_plugin import HookName, Plugin
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.api.methods import METHODS, SERVICE
from mattermost_pluginapi.goplugin.grpc_controller_pb2 import Empty
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.servicer import IMPLEMENTED_PATH, ImplementedRequest, ImplementedResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse
from tests.conformance.hosts import PATIENCE_S, Host, NotAnsweredError
from tests.conformance.http_seen import HTTPAsked, HTTPSeen
from tests.conformance.server_api import ServerApi

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_PIECE = 64 * 1024


class GrpcHost:
    """See Host."""

    def __init__(self, server: PluginServer | None, address: str) -> None:
        self.server = cast("PluginServer", server)
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self.channel = grpc.aio.insecure_channel(f"unix:{address}", options=options)

    async def implemented(self) -> list[str]:
        """See Host."""
        return list((await self._call(IMPLEMENTED_PATH, ImplementedRequest(), ImplementedResponse)).hooks)

    async def hook(self, name: HookName, request: Any) -> Any:
        """See Host."""
        adapter = ADAPTERS[name]
        return await self._call(adapter.path, request, adapter.response_type)

    async def http(self, name: HookName, asked: HTTPAsked) -> HTTPSeen:
        """See Host."""
        adapter = ADAPTERS[name]
        open_stream = self.channel.stream_stream(
            adapter.path,
            request_serializer=ServeHTTPRequest.SerializeToString,
            response_deserializer=ServeHTTPResponse.FromString,
        )
        call: Any = open_stream(timeout=PATIENCE_S)
        sending = asyncio.create_task(_send(call, asked))
        messages: list[ServeHTTPResponse] = []
        try:
            # Never grpc's EOF, which is no message.
            while isinstance(message := await call.read(), ServeHTTPResponse):
                messages.append(message)
                received = sum(len(each.body_chunk) for each in messages)
                if message.body_complete:
                    break
                if asked.leaves_after is not None and received >= asked.leaves_after:
                    call.cancel()
                    break
        except grpc.aio.AioRpcError:
            pass
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return _seen(messages)

    async def ping(self) -> str:
        """See Host."""
        try:
            await self._call("/grpc.health.v1.Health/Check", HealthCheckRequest(service="plugin"), HealthCheckResponse)
        except NotAnsweredError as error:
            return str(error)
        return ""

    async def quit(self) -> None:
        """See Host."""
        await self._call("/plugin.GRPCController/Shutdown", Empty(), Empty)

    async def close(self) -> None:
        """See Host."""
        await self.channel.close()

    async def _call(self, path: str, request: Any, response_type: Any) -> Any:
        method = self.channel.unary_unary(
            path, request_serializer=type(request).SerializeToString, response_deserializer=response_type.FromString
        )
        try:
            return await method(request, timeout=PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            raise NotAnsweredError(error.details()) from error


async def _send(call: Any, asked: HTTPAsked) -> None:
    """As the host does: the head with a first piece, pieces, and the end in a message of its own."""
    pieces = [asked.body[start : start + _PIECE] for start in range(0, len(asked.body), _PIECE)] or [b""]
    await call.write(ServeHTTPRequest(init=asked.init, body_chunk=pieces[0]))
    for piece in pieces[1:]:
        await call.write(ServeHTTPRequest(body_chunk=piece))
    if not asked.is_broken_off:
        await call.write(ServeHTTPRequest(body_complete=True))
    await call.done_writing()


def _seen(messages: list[ServeHTTPResponse]) -> HTTPSeen:
    first = messages[0] if messages else ServeHTTPResponse()
    headers: dict[str, list[str]] = {}
    for field in first.init.headers:
        headers.setdefault(field.key, []).extend(field.values)
    return HTTPSeen(
        first.init.status_code,
        headers,
        b"".join(message.body_chunk for message in messages),
        bool(messages) and messages[-1].body_complete,
        any(message.flush for message in messages),
    )


@asynccontextmanager
async def hosted_by_grpc(
    plugin: Plugin | type[Plugin], config: RuntimeConfig, api: ServerApi | None
) -> AsyncIterator[Host]:
    """A plugin on the gRPC wire with its host."""
    async with _served_api(api) as target:
        server = PluginServer(plugin, replace(config, api_target=target), wire="grpc")
        line = await server.start()
        host = GrpcHost(server, line.split("|")[3])
        try:
            yield host
        finally:
            await server.stop()
            await host.close()


@asynccontextmanager
async def _served_api(api: ServerApi | None) -> AsyncIterator[str]:
    if api is None:
        yield ""
        return
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)])
    if api.has_methods:
        server.add_generic_rpc_handlers([_handlers(api)])
    with tempfile.TemporaryDirectory(prefix="mmapi") as folder:
        target = f"unix:{Path(folder) / 'api.sock'}"
        server.add_insecure_port(target)
        await server.start()
        try:
            yield target
        finally:
            await server.stop(None)


def _handlers(api: ServerApi) -> grpc.GenericRpcHandler:
    def handler(name: str) -> Any:
        async def handle(request: Any, context: object) -> Any:
            return await api.answer(name, request)

        return handle

    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            handler(name), method.request_type.FromString, method.response_type.SerializeToString
        )
        for name, method in METHODS.items()
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)
