"""`self.api` of a served plugin: from its first use to the end, in every kind of handler."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin._hclog import format_record
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin.api import APIUnavailable, PluginAPI
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import ConfigError
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import FileInfo, PluginContext, Post, RemoteCluster, Team, User
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.v1.api_user_pb2 import GetUserResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPRequestInit
from tests.unit.api_host import ApiHost, Hanging, api_host
from tests.unit.test_plugin_server import Client

PARALLEL = 200


class Asking(Plugin):
    """Asks the server in its handlers and keeps what it heard."""

    def __init__(self, api: PluginAPI | None = None, config: RuntimeConfig | None = None) -> None:
        super().__init__(api, config)
        self.heard: list[str] = []

    def on_deactivate(self) -> None:
        self.heard.append(self.api.get_user("at the end").username)

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post:
        self.logger.info("in a coroutine")
        post.message = (await self.api.aio.get_user(post.message)).username
        return post

    def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post:
        self.logger.info("in a thread")
        new_post.message = self.api.get_user(new_post.message).username
        return new_post

    async def user_has_joined_team(self, context: PluginContext, member: Any, actor: User | None) -> None:
        # Wrong on purpose: this would block the event loop.
        try:
            self.api.get_user("never sent")
        except RuntimeError as error:
            self.heard.append(str(error))
        try:
            self.kv.get("never sent")
        except RuntimeError as error:
            self.heard.append(str(error))

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite((await self.api.aio.get_user("web")).username)

    @hook(HookName.FileWillBeUploaded)
    def upload(self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile) -> FileInfo:
        info.name = self.api.get_user("upload").username
        return info

    @hook(HookName.OnSharedChannelsPing)
    async def without_context(self, remote_cluster: RemoteCluster) -> bool:
        await self.api.aio.get_user("ping")
        return True


async def greet(request: Any, context: Any) -> GetUserResponse:
    return GetUserResponse(user=User(username=f"hello {request.user_id}"))


@asynccontextmanager
async def serving(plugin: type[Plugin] = Asking) -> AsyncIterator[tuple[ApiHost, PluginServer, Client]]:
    async with api_host() as host:
        host.answers["GetUser"] = greet
        server = PluginServer(plugin, RuntimeConfig(api_target=host.target, workers=PARALLEL, drain_s=0))
        client = Client(await server.start())
        await client.hook(HookName.OnActivate)
        try:
            yield host, server, client
        finally:
            await client.channel.close()
            await server.stop()


def test_handlers_ask_the_server() -> None:
    async def scenario() -> None:
        async with serving() as (host, server, client):
            posted = await client.hook(HookName.MessageWillBePosted, post=Post(message="ann"))
            updated = await client.hook(HookName.MessageWillBeUpdated, new_post=Post(message="bob"))
            assert posted.modified_post.message == "hello ann"
            assert updated.modified_post.message == "hello bob"
            await client.hook(HookName.UserHasJoinedTeam)
            await server.stop()
            plugin = server.plugin
            assert isinstance(plugin, Asking)
            blocked, blocked_kv, at_the_end = plugin.heard
            assert "self.api.aio.get_user" in blocked
            assert "`await self.api.aio.kv_get(...)`, or `self.kv.aio` in the place of `self.kv`," in blocked_kv
            # OnDeactivate runs before the connection is closed.
            assert at_the_end == "hello at the end"
            assert len(host.calls) == 3
            with pytest.raises(APIUnavailable, match="the plugin has stopped"):
                await plugin.api.aio.get_user("too late")

    asyncio.run(scenario())


class Leaving(Plugin):
    """Asks the server while it is being deactivated."""

    async def on_deactivate(self) -> None:
        await self.api.aio.get_user("async")
        await asyncio.to_thread(self.api.get_user, "sync")


def test_a_plugin_asks_while_it_is_being_deactivated() -> None:
    async def scenario() -> None:
        async with serving(Leaving) as (host, server, client):
            reply = await client.hook(HookName.OnDeactivate)
            assert not reply.HasField("error")
            assert [call.request.user_id for call in host.calls] == ["async", "sync"]
            # The host has asked for it; nothing is left to do at the end.
            await server.stop()
            assert len(host.calls) == 2

    asyncio.run(scenario())


def test_a_server_that_is_away_at_the_start() -> None:
    class Early(Plugin):
        def on_activate(self) -> None:
            self.api.get_user("u", timeout=0.01)

    async def scenario() -> None:
        server = PluginServer(Early, RuntimeConfig(api_target="unix:/no/such/socket"))
        client = Client(await server.start())
        reply = await client.hook(HookName.OnActivate)
        assert "APIUnavailable: get_user: failed to connect" in reply.error.message
        assert "the server never got the call" in reply.error.message
        await client.channel.close()
        await server.stop()

    asyncio.run(scenario())


def test_the_end_wakes_handlers_that_wait_for_the_server() -> None:
    woken: SimpleQueue[APIUnavailable] = SimpleQueue()

    class Patient(Plugin):
        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            try:
                self.api.get_user("sync")
            except APIUnavailable as error:
                woken.put(error)

        async def message_has_been_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None:
            # It goes on after the handler, so that nothing but the end of the connection ends the call.
            self.task = asyncio.create_task(self.ask())

        async def ask(self) -> None:
            try:
                await self.api.aio.get_user("async")
            except APIUnavailable as error:
                woken.put(error)

    async def scenario() -> None:
        async with serving(Patient) as (host, server, client):
            hanging = [Hanging(), Hanging()]
            names = {"sync": hanging[0], "async": hanging[1]}

            async def hang(request: Any, context: Any) -> Any:
                return await names[request.user_id](request, context)

            host.answers["GetUser"] = hang
            hooks = asyncio.gather(
                client.hook(HookName.MessageHasBeenPosted),
                client.hook(HookName.MessageHasBeenUpdated),
                return_exceptions=True,
            )
            await asyncio.gather(*(call.started.wait() for call in hanging))
            await server.stop()
            await asyncio.gather(hooks, *(call.cancelled.wait() for call in hanging))
            for _ in hanging:
                error = await asyncio.to_thread(woken.get)
                assert str(error).startswith("get_user: the plugin has stopped (after ")
                assert error.may_have_taken_effect

    asyncio.run(scenario())


def test_a_handler_that_runs_out_of_time_takes_its_call_along() -> None:
    class Hasty(Plugin):
        @hook(HookName.MessageHasBeenPosted, timeout=0.05)
        async def ask(self, context: PluginContext, post: Post) -> None:
            await self.api.aio.get_user("u")

    async def scenario() -> None:
        async with serving(Hasty) as (host, _, client):
            hanging = Hanging()
            host.answers["GetUser"] = hanging
            await client.hook(HookName.MessageHasBeenPosted)
            await hanging.cancelled.wait()

    asyncio.run(scenario())


def test_the_api_is_first_used_after_the_end() -> None:
    async def scenario() -> None:
        async with serving(Leaving) as (host, server, client):
            link = server.plugin._api_link
            assert link is not None
            await link.close()
            with pytest.raises(APIUnavailable, match="api: the plugin has stopped"):
                _ = server.plugin.api
            assert host.calls == []
            reply = await client.hook(HookName.OnDeactivate)
            assert "the server never got the call" in reply.error.message

    asyncio.run(scenario())


def test_the_id_of_the_request_goes_where_its_work_goes() -> None:
    class Busy(Plugin):
        async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            await asyncio.create_task(self.api.aio.get_user("task"))
            await asyncio.to_thread(self.api.get_user, "thread")
            await asyncio.get_running_loop().run_in_executor(None, self.api.get_user, "no context")

    async def scenario() -> None:
        async with serving(Busy) as (host, _, client):
            await client.hook(HookName.MessageHasBeenPosted, plugin_context=PluginContext(request_id="r1"))
            assert [(call.request.user_id, call.metadata.get("x-request-id")) for call in host.calls] == [
                ("task", "r1"),
                ("thread", "r1"),
                # asyncio.to_thread takes the context along, run_in_executor does not.
                ("no context", None),
            ]

    asyncio.run(scenario())


def test_many_handlers_ask_in_parallel() -> None:
    async def scenario() -> None:
        async with serving() as (_, _, client):
            names = [str(number) for number in range(PARALLEL)]
            replies = await asyncio.gather(
                *(client.hook(HookName.MessageWillBeUpdated, new_post=Post(message=name)) for name in names)
            )
            assert [reply.modified_post.message for reply in replies] == [f"hello {name}" for name in names]

    asyncio.run(scenario())


def test_the_id_of_the_request_goes_along(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[dict[str, Any]] = []

    class Sink(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(format_record(record)))

    async def scenario() -> None:
        async with serving() as (host, server, client):
            server.plugin.logger.setLevel(logging.INFO)
            server.plugin.logger.addHandler(sink)
            context = {name: PluginContext(request_id=f"id of {name}") for name in ("post", "edit", "file")}
            await client.hook(HookName.MessageWillBePosted, plugin_context=context["post"])
            await client.hook(HookName.MessageWillBeUpdated, plugin_context=context["edit"])
            await client.hook(HookName.FileWillBeUploaded, plugin_context=context["file"])
            await client.hook(HookName.OnSharedChannelsPing)
            await client.hook(HookName.MessageWillBePosted)
            await client.hook(HookName.MessageWillBePosted, plugin_context=PluginContext(request_id="é\n"))
            await serve_http(client, "id of web")
            sent = [call.metadata.get("x-request-id") for call in host.calls]
            assert sent == ["id of post", "id of edit", "id of file", None, None, None, "id of web"]
            server.plugin.logger.removeHandler(sink)

    sink = Sink()
    asyncio.run(scenario())
    assert [(line["@message"], line.get("request_id")) for line in lines] == [
        ("in a coroutine", "id of post"),
        ("in a thread", "id of edit"),
        ("in a coroutine", None),
        ("in a coroutine", "é\n"),
    ]


async def serve_http(client: Client, request_id: str) -> None:
    adapter = ADAPTERS[HookName.ServeHTTP]
    call = client.channel.stream_stream(
        adapter.path,
        request_serializer=ServeHTTPRequest.SerializeToString,
        response_deserializer=adapter.response_type.FromString,
    )()
    context = PluginContext(request_id=request_id)
    init = ServeHTTPRequestInit(plugin_context=context, method="GET", url="/")
    await call.write(ServeHTTPRequest(init=init, body_complete=True))
    await call.done_writing()
    assert [response async for response in call]


def test_a_log_line_keeps_an_id_of_its_own() -> None:
    record = logging.LogRecord("name", logging.INFO, "", 0, "text", (), None)
    record.request_id = "mine"
    token = REQUEST_ID.set("of the hook")
    try:
        assert json.loads(format_record(record))["request_id"] == "mine"
    finally:
        REQUEST_ID.reset(token)


def test_handlers_that_are_told_the_context_get_it_first() -> None:
    for adapter in ADAPTERS.values():
        if "plugin_context" in adapter.request_type.DESCRIPTOR.fields_by_name:
            assert adapter.parameters[0] == "context"


def test_a_plugin_that_is_not_served_has_no_api() -> None:
    with pytest.raises(RuntimeError, match="The plugin API is there once the plugin is served"):
        _ = Asking().api


def test_a_host_without_a_plugin_api() -> None:
    class Plain(Plugin):
        pass

    async def scenario() -> None:
        server = PluginServer(Plain, RuntimeConfig())
        await server.start()
        with pytest.raises(ConfigError, match="MATTERMOST_PLUGIN_API_TARGET='': the host gave no address"):
            _ = server.plugin.api
        await server.stop()

    asyncio.run(scenario())


def test_a_substitute_takes_the_place_of_the_server() -> None:
    class Teams(PluginAPI):
        @property
        def aio(self) -> Any:
            raise NotImplementedError

        def _call(self, method: Any, request: Any, timeout: float | None) -> Any:
            raise NotImplementedError(method.name)

        def get_team(self, team_id: str, *, timeout: float | None = None) -> Team:
            return Team(id=team_id)

    plugin = Asking(Teams())
    assert plugin.api.get_team("t").id == "t"
    with pytest.raises(NotImplementedError, match="GetUser"):
        plugin.api.get_user("u")


def test_there_is_one_client() -> None:
    async def scenario() -> None:
        async with serving() as (_, server, _):
            apis = await asyncio.gather(*(asyncio.to_thread(lambda: server.plugin.api) for _ in range(20)))
            assert {id(api) for api in apis} == {id(server.plugin.api)}
            assert server.plugin.api.aio is server.plugin.api.aio

    asyncio.run(scenario())


def test_the_clients_are_loaded_by_now() -> None:
    """Guards the tests of what is not loaded: they look for these names."""
    assert {"mattermost_pluginapi.api.client", "mattermost_plugin._grpc_api"} <= set(sys.modules)
