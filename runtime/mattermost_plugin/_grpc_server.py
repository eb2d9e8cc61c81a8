"""The gRPC wire: the hook service and what a go-plugin host needs beside it, on one grpc.aio server."""

# The stubs make grpc's handler types generic; the classes themselves are not.
from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._dispatch import UnaryHook
from mattermost_plugin._grpc_goplugin import goplugin_handlers
from mattermost_plugin._grpc_health import SERVICE as HEALTH_SERVICE
from mattermost_plugin._grpc_health import health_handler
from mattermost_plugin._http_exchange import HTTPHandler
from mattermost_plugin._http_grpc import GrpcHTTPServer
from mattermost_plugin._listener import Listener
from mattermost_plugin.config import ENVIRONMENT_VARIABLES, RuntimeConfig
from mattermost_plugin.errors import ConfigError, PluginError
from mattermost_pluginapi.hooks.adapter import HookAdapter
from mattermost_pluginapi.hooks.servicer import RPCS, SERVICE, ImplementedRequest, ImplementedResponse

if TYPE_CHECKING:
    from mattermost_plugin._api_wire import CoroutineWire, ThreadWire
    from mattermost_plugin._db_wire import DatabaseWire

_log = logging.getLogger(__name__)

_FLUSH_S = 0.1
"""How long the last replies may take to leave."""

_Context = grpc.aio.ServicerContext[Any, Any]


class GrpcServer:
    """Serves a plugin over gRPC.

    Args:
        plugin: the plugin.
        config: the runtime's settings.
        shutdown: called when the host asks the plugin to end.
    """

    def __init__(self, plugin: BoundPlugin, config: RuntimeConfig, shutdown: Callable[[], None]) -> None:
        self._plugin = plugin
        self._config = config
        self._stopping = asyncio.Event()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", config.max_message_bytes),
                # The host takes any size.
                ("grpc.max_send_message_length", -1),
                # Two plugins must never share a port by accident.
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers = (
            self._hook_service(),
            health_handler(lambda: plugin.is_stuck, self._stopping),
            *goplugin_handlers(shutdown, self._stopping),
        )
        self._server.add_generic_rpc_handlers(handlers)
        if config.reflection:
            self._add_reflection()

    async def start(self, listener: Listener) -> str:
        """Listen and serve. Returns the address as the handshake line has it."""
        port = self._server.add_insecure_port(listener.target)
        await self._server.start()
        return listener.address(port)

    def connect_api(self) -> tuple[CoroutineWire, ThreadWire]:
        """See HookWire."""
        target, max_message_bytes = self._config.api_target, self._config.max_message_bytes
        if not target:
            raise ConfigError(ENVIRONMENT_VARIABLES["api_target"], "", "the host gave no address of its plugin API")
        from mattermost_plugin._grpc_api import GrpcCoroutineWire, GrpcThreadWire

        return GrpcCoroutineWire(target, max_message_bytes), GrpcThreadWire(target, max_message_bytes)

    def connect_database(self) -> DatabaseWire:
        """See HookWire."""
        from mattermost_plugin._db_errors import NotSupportedError

        raise NotSupportedError("the gRPC host offers no database to its plugins; released servers, over net/rpc, do")

    async def stop(self, drain_s: float) -> None:
        """See HookWire."""
        self._stopping.set()
        stopped = asyncio.ensure_future(self._server.stop(drain_s + _FLUSH_S))
        await self._plugin.calls.finish(drain_s)
        await stopped

    async def close(self) -> None:
        """See HookWire. gRPC's server has ended the connections with its calls."""

    def _hook_service(self) -> grpc.GenericRpcHandler:
        methods = {"Implemented": _unary_method(self._implemented, ImplementedRequest, ImplementedResponse)}
        for rpc, adapter in RPCS.items():
            if (hook := self._plugin.unary.get(adapter.hook)) is not None:
                methods[rpc] = _unary_method(_reply(hook), adapter.request_type, adapter.response_type)
            elif (handler := self._plugin.http.get(adapter.hook)) is not None:
                methods[rpc] = _stream_method(adapter, self._plugin.http_handler(handler))
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _implemented(self, request: ImplementedRequest, context: _Context) -> ImplementedResponse:
        return ImplementedResponse(hooks=self._plugin.announced_hooks)

    def _add_reflection(self) -> None:
        try:
            from grpc_reflection.v1alpha import reflection
        except ImportError as error:
            raise PluginError(
                "Reflection is switched on but grpcio-reflection is not installed: "
                "pip install mattermost-plugin-sdk[reflection]"
            ) from error
        # Registers the service's description, which nothing else needs.
        from mattermost_pluginapi.v1 import hooks_pb2

        names = (
            hooks_pb2.DESCRIPTOR.services_by_name[SERVICE.rpartition(".")[2]].full_name,
            HEALTH_SERVICE,
            "plugin.GRPCController",
            "plugin.GRPCStdio",
            "plugin.GRPCBroker",
        )
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), self._server)


def _reply(hook: UnaryHook[Any, Any]) -> Callable[[Any, _Context], Awaitable[Any]]:
    reply = hook.reply

    async def handle(request: Any, context: _Context) -> Any:
        return await reply(request, context.time_remaining())

    return handle


def _unary_method(
    handle: Callable[[Any, _Context], Awaitable[Any]], request_type: Any, response_type: Any
) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=request_type.FromString,
        response_serializer=response_type.SerializeToString,
    )


def _stream_method(adapter: HookAdapter[Any, Any], handler: HTTPHandler) -> grpc.RpcMethodHandler[Any, Any]:
    server = GrpcHTTPServer(stream_errors=(grpc.RpcError, grpc.aio.BaseError), logger=_log)

    async def handle(_requests: object, context: _Context) -> None:
        if not await server.serve(context, handler, label=adapter.hook):
            await context.abort(grpc.StatusCode.ABORTED, "The response is cut off")

    return grpc.stream_stream_rpc_method_handler(
        handle,
        request_deserializer=adapter.request_type.FromString,
        response_serializer=adapter.response_type.SerializeToString,
    )
