"""Serves the plugin API to one plugin over gRPC, at an address that nobody else knows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Literal

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from mattermost_plugin.devhost.errors import DevHostError, NoAnswerError
from mattermost_plugin.devhost.service import API_METHODS, ApiService

__all__ = ["ApiServer", "Network"]

Network = Literal["unix", "tcp"]

REQUEST_ID_METADATA: Final = "x-request-id"
"""Where a client says in which request it makes a call."""

STOP_S: Final = 1.0
"""How long calls that are under way may go on when the server stops."""

LONGEST_TEMPORARY: Final = 70
"""A longer temporary folder leaves no room for a socket's name: the whole path has 107 bytes at most."""

_PREFIX: Final = "/mattermost.pluginapi.v1.PluginAPI/"
_OPTIONS: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


class ApiServer(grpc.GenericRpcHandler):
    """The API as one plugin sees it. Who reaches the address is that plugin: each one has its own.

    Args:
        service: answers the calls.
        network: "unix" for a socket in a folder that only this user can enter, "tcp" for a port on 127.0.0.1.
    """

    def __init__(self, service: ApiService, network: Network = "unix") -> None:
        self._service = service
        self._network = network
        self._server: grpc.aio.Server | None = None
        self._folder: Path | None = None

    async def start(self) -> str:
        """Listen and serve. Returns the address as gRPC takes it.

        Raises:
            DevHostError: there is no address to be had.
        """
        server = grpc.aio.server(handlers=(self,), options=_OPTIONS)
        if self._network == "unix":
            temporary = tempfile.gettempdir()
            where = temporary if len(temporary) <= LONGEST_TEMPORARY else "/tmp"  # noqa: S108 - mkdtemp is safe there
            self._folder = Path(tempfile.mkdtemp(prefix="mm-api-", dir=where))
            address = f"unix:{self._folder / 'api.sock'}"
            bound = server.add_insecure_port(address)
        else:
            bound = server.add_insecure_port("127.0.0.1:0")
            address = f"127.0.0.1:{bound}"
        if not bound:
            raise DevHostError(f"nothing can listen at {address}")
        await server.start()
        self._server = server
        return address

    async def stop(self) -> None:
        """Stop serving; legal before `start` and more than once."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(STOP_S)
        self.remove_socket()

    def remove_socket(self) -> None:
        """Leave nothing in the temporary folder. Nobody can connect any more."""
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The method that a call names; None if the API has no such method."""
        path = handler_call_details.method
        name = path.removeprefix(_PREFIX)
        method = API_METHODS.get(name)
        if method is None or not path.startswith(_PREFIX):
            return None
        # Read and written here, as gRPC's own log of what is no message is a stack trace.
        return grpc.unary_unary_rpc_method_handler(self._answer(name, GetMessageClass(method.input_type)))

    def _answer(self, name: str, request_type: type[Message]) -> Callable[[bytes, Any], Awaitable[bytes]]:
        async def answer(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            try:
                request = request_type.FromString(data)
            except DecodeError as error:
                await context.abort(grpc.StatusCode.INTERNAL, f"the request cannot be read: {error}")
            metadata = dict(context.invocation_metadata() or ())
            try:
                response = await self._service.answer(name, request, str(metadata.get(REQUEST_ID_METADATA, "")))
            except NoAnswerError as error:
                await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
            return response.SerializeToString()

        return answer
