"""A plugin that calls the server in its command handler and answers how long each call took.

A command is a side and a number of calls: "ours 100" calls through the plugin API's client, "bare 100" through a bare
gRPC stub on a connection of its own, from the same thread or task. Takes one argument: "async" or "sync".
"""

# The stubs make grpc's call types generic; the classes themselves are not.
from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext
from mattermost_pluginapi.v1.api_kv_pb2 import KVGetRequest, KVGetResponse

METHOD = "/mattermost.pluginapi.v1.PluginAPI/KVGet"
KEY = "a key that nobody has set"
TIMEOUT_S = 30.0
# As our client has it; and two connections to one server must not become one.
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]


def answer(latencies_s: list[float]) -> CommandResponse:
    return CommandResponse(text=json.dumps(latencies_s))


def sync_plugin() -> type[Plugin]:
    class SyncPlugin(Plugin):
        def on_activate(self) -> None:
            channel = grpc.insecure_channel(self.config.api_target, OPTIONS)
            self.stub: grpc.UnaryUnaryMultiCallable[KVGetRequest, KVGetResponse] = channel.unary_unary(
                METHOD,
                request_serializer=KVGetRequest.SerializeToString,
                response_deserializer=KVGetResponse.FromString,
            )

        def bare(self) -> bytes:
            return self.stub(KVGetRequest(key=KEY), timeout=TIMEOUT_S).value

        def ours(self) -> bytes | None:
            return self.api.kv_get(KEY)

        def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
            side, count = args.command.split()
            call: Callable[[], object] = self.bare if side == "bare" else self.ours
            clock, latencies_s = time.perf_counter, []
            for _ in range(int(count)):
                began = clock()
                call()
                latencies_s.append(clock() - began)
            return answer(latencies_s)

    return SyncPlugin


def async_plugin() -> type[Plugin]:
    class AsyncPlugin(Plugin):
        async def on_activate(self) -> None:
            channel = grpc.aio.insecure_channel(self.config.api_target, OPTIONS)
            self.stub: grpc.aio.UnaryUnaryMultiCallable[KVGetRequest, KVGetResponse] = channel.unary_unary(
                METHOD,
                request_serializer=KVGetRequest.SerializeToString,
                response_deserializer=KVGetResponse.FromString,
            )

        async def bare(self) -> bytes:
            return (await self.stub(KVGetRequest(key=KEY), timeout=TIMEOUT_S)).value

        async def ours(self) -> bytes | None:
            return await self.api.aio.kv_get(KEY)

        async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
            side, count = args.command.split()
            call: Callable[[], Awaitable[object]] = self.bare if side == "bare" else self.ours
            clock, latencies_s = time.perf_counter, []
            for _ in range(int(count)):
                began = clock()
                await call()
                latencies_s.append(clock() - began)
            return answer(latencies_s)

    return AsyncPlugin


if __name__ == "__main__":
    run_plugin(sync_plugin() if sys.argv[1] == "sync" else async_plugin())
