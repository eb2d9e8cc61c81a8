"""A plugin on its gRPC server, with a real client on a real socket."""

import asyncio
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty as WellKnownEmpty
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import HandshakeError
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, Post, RemoteCluster
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.goplugin.grpc_broker_pb2 import ConnInfo
from mattermost_pluginapi.goplugin.grpc_controller_pb2 import Empty
from mattermost_pluginapi.goplugin.grpc_stdio_pb2 import StdioData
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.servicer import IMPLEMENTED_PATH, SERVICE, ImplementedRequest, ImplementedResponse


class Sample(Plugin):
    """Answers, hangs, or waits."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.release = threading.Event()
        self.deactivations = 0

    def on_deactivate(self) -> None:
        self.deactivations += 1

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post:
        post.message += "!"
        return post

    @hook(HookName.OnSharedChannelsPing, timeout=0.05)
    def hang(self, remote_cluster: RemoteCluster) -> bool:
        self.release.wait()
        return True


class Client:
    """Calls a served plugin by path."""

    def __init__(self, line: str) -> None:
        self.line = line
        _, _, network, address, _ = line.split("|")
        self.channel = grpc.aio.insecure_channel(f"unix:{address}" if network == "unix" else address)

    async def call(self, path: str, request: Any, response: Any) -> Any:
        method = self.channel.unary_unary(
            path, request_serializer=type(request).SerializeToString, response_deserializer=response.FromString
        )
        return await method(request, timeout=20)

    async def hook(self, name: HookName, **fields: Any) -> Any:
        adapter = ADAPTERS[name]
        return await self.call(adapter.path, adapter.request_type(**fields), adapter.response_type)

    async def health(self, service: str = "plugin") -> Any:
        return await self.call("/grpc.health.v1.Health/Check", HealthCheckRequest(service=service), HealthCheckResponse)


@asynccontextmanager
async def served(config: RuntimeConfig | None = None) -> AsyncIterator[tuple[PluginServer, Client]]:
    server = PluginServer(Sample, config or RuntimeConfig(drain_s=0.9, deactivate_s=0.5))
    client = Client(await server.start())
    try:
        await client.hook(HookName.OnActivate)
        yield server, client
    finally:
        sample = server.plugin
        assert isinstance(sample, Sample)
        sample.release.set()
        await client.channel.close()
        await server.stop()


def test_serves_hooks_on_a_private_socket() -> None:
    async def scenario() -> None:
        async with served() as (_, client):
            core, app, network, address, protocol = client.line.split("|")
            assert (core, app, network, protocol) == ("1", "1", "unix", "grpc")
            folder = Path(address).parent
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            implemented = await client.call(IMPLEMENTED_PATH, ImplementedRequest(), ImplementedResponse)
            assert list(implemented.hooks) == [
                "MessageWillBePosted",
                "OnActivate",
                "OnDeactivate",
                "OnSharedChannelsPing",
            ]
            response = await client.hook(HookName.MessageWillBePosted, post=Post(message="hi"))
            assert response.modified_post.message == "hi!"
        assert not folder.exists()

    asyncio.run(scenario())


def test_serves_on_a_local_port_if_told_to() -> None:
    async def scenario() -> None:
        async with served(RuntimeConfig(listen="tcp")) as (_, client):
            assert client.line.startswith("1|1|tcp|127.0.0.1:")
            assert (await client.hook(HookName.MessageWillBePosted)).modified_post.message == "!"

    asyncio.run(scenario())


def test_a_hook_that_the_plugin_lacks_is_unimplemented() -> None:
    async def scenario() -> None:
        async with served() as (_, client):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.hook(HookName.UserWillLogIn)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    asyncio.run(scenario())


def test_an_oversize_request_is_refused_and_the_next_one_served() -> None:
    async def scenario() -> None:
        async with served(RuntimeConfig(max_message_bytes=64 * 1024)) as (_, client):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.hook(HookName.MessageWillBePosted, post=Post(message="x" * 70_000))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert (await client.hook(HookName.MessageWillBePosted)).modified_post.message == "!"

    asyncio.run(scenario())


def test_health_knows_plugin_and_server_and_nothing_else() -> None:
    async def scenario() -> None:
        async with served() as (_, client):
            for service in ("plugin", ""):
                assert (await client.health(service)).status == HealthCheckResponse.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.health("other")
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(scenario())


def test_health_fails_while_every_thread_is_stuck_and_recovers() -> None:
    async def scenario() -> None:
        async with served(RuntimeConfig(workers=2, drain_s=0.1)) as (server, client):
            hung = [client.hook(HookName.OnSharedChannelsPing) for _ in range(20)]
            assert not any(response.healthy for response in await asyncio.gather(*hung))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.health()
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert (await client.hook(HookName.MessageWillBePosted)).modified_post.message == "!"
            sample = server.plugin
            assert isinstance(sample, Sample)
            sample.release.set()
            assert (await client.hook(HookName.OnSharedChannelsPing)).healthy
            assert (await client.health()).status == HealthCheckResponse.SERVING

    asyncio.run(scenario())


def test_watchers_of_health_are_told_and_let_go_at_the_end() -> None:
    async def scenario() -> None:
        async with served() as (server, client):
            watch = client.channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            known, unknown = watch(HealthCheckRequest(service="")), watch(HealthCheckRequest(service="x"))
            assert await known.read() == HealthCheckResponse(status=HealthCheckResponse.SERVING)
            assert await unknown.read() == HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
            await server.stop()
            assert await known.read() is grpc.aio.EOF

    asyncio.run(scenario())


def test_the_hosts_streams_stay_open_until_the_end() -> None:
    async def scenario() -> None:
        async with served() as (server, client):
            stdio = client.channel.unary_stream(
                "/plugin.GRPCStdio/StreamStdio",
                request_serializer=WellKnownEmpty.SerializeToString,
                response_deserializer=StdioData.FromString,
            )(WellKnownEmpty())
            broker = client.channel.stream_stream(
                "/plugin.GRPCBroker/StartStream",
                request_serializer=ConnInfo.SerializeToString,
                response_deserializer=ConnInfo.FromString,
            )()
            await broker.write(ConnInfo(service_id=1))
            assert not stdio.done()
            await server.stop()
            assert await stdio.read() is grpc.aio.EOF
            assert await broker.read() is grpc.aio.EOF

    asyncio.run(scenario())


def test_a_request_to_a_plugin_that_is_not_active_is_answered_503() -> None:
    class Site(Plugin):
        async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            await writer.awrite("never reached")

    async def scenario() -> None:
        server = PluginServer(Site, RuntimeConfig(hook_timeout_s=0.1))
        client = Client(await server.start())
        adapter = ADAPTERS[HookName.ServeHTTP]
        stream = client.channel.stream_stream(
            adapter.path,
            request_serializer=adapter.request_type.SerializeToString,
            response_deserializer=adapter.response_type.FromString,
        )()
        await stream.write(adapter.request_type(init={"method": "GET", "url": "/"}, body_complete=True))
        answer: Any = await stream.read()
        assert (answer.init.status_code, answer.body_chunk) == (503, b"Service Unavailable\n")
        await client.channel.close()
        await server.stop()

    asyncio.run(scenario())


def test_shutdown_is_answered_and_asks_for_the_end() -> None:
    async def scenario() -> None:
        async with served() as (server, client):
            waiting = asyncio.create_task(server.wait_stop_requested())
            assert await client.call("/plugin.GRPCController/Shutdown", Empty(), Empty) == Empty()
            await waiting
            await server.stop()
            await server.stop()
            sample = server.plugin
            assert isinstance(sample, Sample)
            assert sample.deactivations == 1

    asyncio.run(scenario())


def test_stopping_a_server_that_never_started() -> None:
    async def scenario() -> None:
        server = PluginServer(Sample(RuntimeConfig()), RuntimeConfig())
        await server.stop()
        await server.wait_stop_requested()

    asyncio.run(scenario())


def test_reflection_describes_the_services_where_it_is_switched_on() -> None:
    from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

    async def listed(config: RuntimeConfig) -> tuple[set[str], bytes]:
        async with served(config) as (_, client):
            stream = client.channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                request_serializer=ServerReflectionRequest.SerializeToString,
                response_deserializer=ServerReflectionResponse.FromString,
            )()
            await stream.write(ServerReflectionRequest(list_services="*"))
            names: Any = await stream.read()
            await stream.write(ServerReflectionRequest(file_containing_symbol=SERVICE))
            file: Any = await stream.read()
            await stream.done_writing()
            described = b"".join(file.file_descriptor_response.file_descriptor_proto)
            return {service.name for service in names.list_services_response.service}, described

    names, described = asyncio.run(listed(RuntimeConfig(reflection=True)))
    assert SERVICE in names
    assert b"MessageWillBePosted" in described
    with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
        asyncio.run(listed(RuntimeConfig()))


def test_the_hosts_folder_and_group_are_honoured(tmp_path: Path) -> None:
    group = str(tmp_path.stat().st_gid)

    async def scenario() -> None:
        server = PluginServer(Sample, RuntimeConfig(), socket_folder=str(tmp_path), socket_group=group)
        address = Path((await server.start()).split("|")[3])
        try:
            assert address.is_relative_to(tmp_path)
            assert stat.S_IMODE(address.stat().st_mode) == 0o660
            assert stat.S_IMODE(address.parent.stat().st_mode) == 0o710
        finally:
            await server.stop()
        assert list(tmp_path.iterdir()) == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("folder", "group"), [("/no/such/folder", ""), ("", "no-such-group-here")])
def test_a_folder_or_group_that_cannot_be_had_is_an_error(folder: str, group: str) -> None:
    async def scenario() -> None:
        server = PluginServer(Sample, RuntimeConfig(), socket_folder=folder, socket_group=group)
        await server.start()

    with pytest.raises(HandshakeError, match=folder or group):
        asyncio.run(scenario())


def test_a_folder_with_too_long_a_path_falls_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()

    async def scenario() -> None:
        server = PluginServer(Sample, RuntimeConfig(), socket_folder=str(deep))
        address = (await server.start()).split("|")[3]
        assert address.startswith("/tmp/")
        await server.stop()

    asyncio.run(scenario())
    assert "too long" in caplog.text
