"""The load: calls of one plugin by one grpc.aio client, with messages that are bytes already."""

# The stubs make grpc's call types generic; the classes themselves are not.
from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Final, Self

import grpc.aio

from bench.workload import CHUNK_BYTES, http_chunk, http_head
from mattermost_pluginapi.v1.command_pb2 import CommandArgs
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest, ExecuteCommandResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPResponse
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import ImplementedRequest, OnActivateRequest

_SERVICE: Final = "/mattermost.pluginapi.v1.PluginHooks"
_HOOK_DEADLINE_S: Final = 30.0
"""What the host gives each hook. ServeHTTP has no deadline."""

_REQUEST_ID: Final = "request".ljust(26, "x")
_MIB: Final = 1024 * 1024


class WrongAnswerError(Exception):
    """A plugin did not do the work that is measured."""


class PluginClient:
    """A connection to a plugin."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", -1),
                # Two plugins in one run must not share anything.
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        self._implemented: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._unary("Implemented")
        self._on_activate: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._unary("OnActivate")
        self._hook: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._unary("MessageWillBePosted")
        self._command: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._unary("ExecuteCommand")
        self._http: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(
            f"{_SERVICE}/ServeHTTP"
        )

    def _unary(self, name: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        return self._channel.unary_unary(f"{_SERVICE}/{name}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._channel.close()

    async def activate(self) -> None:
        """What a host does first."""
        await self._implemented(ImplementedRequest().SerializeToString(), timeout=_HOOK_DEADLINE_S)
        await self._on_activate(OnActivateRequest().SerializeToString(), timeout=_HOOK_DEADLINE_S)

    async def hook(self, request: bytes) -> bytes:
        """Call MessageWillBePosted."""
        return await self._hook(request, timeout=_HOOK_DEADLINE_S)

    async def command(self, text: str) -> str:
        """Call ExecuteCommand and return the text of its answer."""
        context = PluginContext(request_id=_REQUEST_ID)
        request = ExecuteCommandRequest(plugin_context=context, args=CommandArgs(command=text)).SerializeToString()
        answer = ExecuteCommandResponse.FromString(await self._command(request, timeout=_HOOK_DEADLINE_S))
        if answer.HasField("error"):
            raise WrongAnswerError(answer.error.message)
        return answer.response.text

    async def get(self, head: bytes) -> None:
        """Send a request without a body and read its answer to the end."""
        call = self._http()
        await call.write(head)
        await call.done_writing()
        while (answer := await call.read()) is not grpc.aio.EOF:
            if not answer:
                raise WrongAnswerError("an answer without content")

    async def echo(self, chunks: int) -> float:
        """Send a body of so many chunks and read it back at the same time. Returns MiB/s."""
        head = http_head("POST", chunks * CHUNK_BYTES, complete=False)
        piece, last = http_chunk(complete=False), http_chunk(complete=True)
        call = self._http()

        async def send() -> None:
            await call.write(head)
            for _ in range(chunks - 1):
                await call.write(piece)
            await call.write(last)
            await call.done_writing()

        began = time.perf_counter()
        sender = asyncio.create_task(send())
        received = 0
        while isinstance(answer := await call.read(), bytes):
            received += len(ServeHTTPResponse.FromString(answer).body_chunk)
        took_s = time.perf_counter() - began
        await sender
        if received != chunks * CHUNK_BYTES:
            raise WrongAnswerError(f"{received} of {chunks * CHUNK_BYTES} bytes came back")
        return received / _MIB / took_s
