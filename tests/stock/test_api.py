"""The plugin API over the stock wire, answered by a host in Python."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from google.protobuf.struct_pb2 import Value

from mattermost_plugin import Plugin
from mattermost_plugin._api_wire import CallFailed
from mattermost_plugin._stock.api_routes import api_route, refusal
from mattermost_plugin._stock.io_reader import varint
from mattermost_plugin.api import (
    APIDeadlineExceeded,
    APIUnavailable,
    InvalidArgumentError,
    NotFoundError,
    NotImplementedByServerError,
    ServerError,
)
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import KeyValuePair, PluginContext, Post
from mattermost_pluginapi.api import methods
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.stock.methods import API_METHODS
from tests.stock.stand_in import Refusal, go_error, served

ALL_METHODS = {each.name: each for each in vars(methods).values() if isinstance(each, ApiMethod)}


class Idle(Plugin):
    """Calls what its tests tell it to call."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.in_thread: Callable[[Plugin], object] = lambda _: None
        self.result: object = None

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.result = self.in_thread(self)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def user(arguments: Any) -> object:
    if arguments.get("A") == "missing":
        return {"B": {"Id": "app.user.missing", "Message": "no such user", "StatusCode": 404, "Where": "GetUser"}}
    return {"A": {"Id": arguments["A"], "Username": "joe", "Props": {"k": "v"}}}


def test_coroutines_and_threads_call() -> None:
    async def scenario() -> None:
        async with served(Idle, {"GetUser": user}) as (host, server):
            plugin = cast("Idle", server.plugin)
            assert (await plugin.api.aio.get_user("u1")).username == "joe"
            plugin.in_thread = lambda plugin: plugin.api.get_user("u2").id
            await host.hook("MessageHasBeenPosted")
            assert plugin.result == "u2"
            assert host.api_calls == [("GetUser", {"A": "u1"}), ("GetUser", {"A": "u2"})]

    run(scenario)


def test_calls_from_on_activate() -> None:
    class Early(Plugin):
        name = ""

        async def on_activate(self) -> None:
            self.name = (await self.api.aio.get_user("u1")).username

    async def scenario() -> None:
        async with served(Early, {"GetUser": user}) as (_, server):
            assert cast("Early", server.plugin).name == "joe"

    run(scenario)


def test_a_call_before_the_activation_says_when_to_call() -> None:
    async def scenario() -> None:
        async with served(Idle, {"GetUser": user}, activate=False) as (host, server):
            with pytest.raises(APIUnavailable, match="on_activate") as error:
                await server.plugin.api.aio.get_user("u1")
            assert not error.value.may_have_taken_effect
            assert await host.activate() == ""
            assert (await server.plugin.api.aio.get_user("u1")).username == "joe"

    run(scenario)


def test_errors_of_the_server() -> None:
    def fail(_arguments: object) -> object:
        raise Refusal("gob: something of Go's")

    api = {
        "GetUser": user,
        "DeleteUser": fail,
        "CreateCommand": lambda _: {"B": go_error("a command needs a trigger")},
    }

    async def scenario() -> None:
        async with served(Idle, api) as (_, server):
            aio = server.plugin.api.aio
            with pytest.raises(NotFoundError, match="no such user") as missing:
                await aio.get_user("missing")
            assert missing.value.id == "app.user.missing"
            assert missing.value.where == "GetUser"
            with pytest.raises(ServerError, match="something of Go's"):
                await aio.delete_user("u1")
            with pytest.raises(ServerError, match="a command needs a trigger"):
                await aio.create_command(cast("Any", methods.CREATE_COMMAND.request_type().cmd))
            with pytest.raises(NotImplementedByServerError, match="which servers have from") as lacking:
                await aio.get_team("t1")
            assert lacking.value.minimum_server_version

    run(scenario)


def test_a_call_that_is_not_answered_in_time() -> None:
    held = asyncio.Event()

    async def hold(_arguments: object) -> object:
        await held.wait()
        return {}

    async def scenario() -> None:
        async with served(Idle, {"GetTeam": hold, "GetUser": user}) as (host, server):
            plugin = cast("Idle", server.plugin)
            with pytest.raises(APIDeadlineExceeded):
                await plugin.api.aio.get_team("t1", timeout=0.02)

            def call(plugin: Plugin) -> object:
                try:
                    return plugin.api.get_team("t1", timeout=0.02)
                except APIDeadlineExceeded:
                    return "too late"

            plugin.in_thread = call
            await host.hook("MessageHasBeenPosted")
            assert plugin.result == "too late"
            held.set()
            # The late answers are nobody's, and the stream goes on.
            assert (await plugin.api.aio.get_user("u1")).username == "joe"

    run(scenario)


def test_the_end_of_the_stream_fails_what_waits_and_what_comes() -> None:
    reached = asyncio.Event()

    async def hold(_arguments: object) -> object:
        reached.set()
        await asyncio.Event().wait()
        return {}

    async def scenario() -> None:
        async with served(Idle, {"GetTeam": hold}) as (host, server):
            waiting = asyncio.create_task(server.plugin.api.aio.get_team("t1"))
            await reached.wait()
            assert host.api_stream is not None
            host.api_stream.reset()
            with pytest.raises(APIUnavailable) as error:
                await waiting
            assert error.value.may_have_taken_effect
            with pytest.raises(APIUnavailable) as error:
                await server.plugin.api.aio.get_team("t1")
            assert not error.value.may_have_taken_effect

    run(scenario)


def test_many_calls_at_once_are_answered_in_any_order() -> None:
    async def answer(arguments: Any) -> object:
        await asyncio.sleep(0)
        if int(arguments["A"]) % 2:
            await asyncio.sleep(0)
        return {"A": {"Id": arguments["A"]}}

    async def scenario() -> None:
        async with served(Idle, {"GetUser": answer}) as (_, server):
            ids = [str(number) for number in range(300)]
            users = await asyncio.gather(*[server.plugin.api.aio.get_user(each) for each in ids])
            assert [each.id for each in users] == ids

    run(scenario)


def test_the_configuration_and_logs() -> None:
    api = {
        "LoadPluginConfiguration": lambda _: {"A": b'{"greeting":"hello"}'},
        "LogInfo": lambda _: {},
    }

    async def scenario() -> None:
        async with served(Idle, api) as (host, server):
            aio = server.plugin.api.aio
            assert json.loads(cast("Any", await aio.load_plugin_configuration())) == {"greeting": "hello"}
            pairs = [
                KeyValuePair(key="answer", value=Value(number_value=42)),
                KeyValuePair(key="key", value=Value(string_value="value")),
            ]
            await aio.log_info("activated", pairs)
            ((_, _), (_, arguments)) = host.api_calls
            assert arguments["A"] == "activated"
            # Texts only: the server panics at some other values.
            assert arguments["B"] == ["answer", "42", "key", "value"]

    run(scenario)


def test_a_configuration_is_not_saved() -> None:
    async def scenario() -> None:
        async with served(Idle, {"SaveConfig": lambda _: {}}) as (host, server):
            with pytest.raises(NotImplementedByServerError, match="reset those settings"):
                await server.plugin.api.aio.save_config(b"{}")
            assert host.api_calls == []

    run(scenario)


@pytest.mark.parametrize("body", [b"", b"question" * 100_000])
def test_requests_to_other_plugins_are_streamed(body: bytes) -> None:
    seen: list[Any] = []

    async def scenario() -> None:
        async def answer(arguments: Any) -> object:
            seen.append(arguments)
            response = await host.broker.dial(arguments["ResponseBodyStream"])
            asked = b""
            if number := arguments.get("RequestBodyStream", 0):
                stream = await host.broker.dial(number)
                stream.write(varint(1 << 40))
                while data := await stream.read():
                    asked += data
                stream.close()
            await response.send(b"answer to " + asked)
            response.close()
            return {"StatusCode": 201, "Header": {"X-Many": ["a", "b"]}}

        async with served(Idle, {"PluginHTTPStream": answer}) as (running, server):
            host = running
            response = await server.plugin.api.aio.plugin_http(
                "POST", "/other/path", headers={"content-type": "text/plain"}, body=body
            )
            assert response.status_code == 201
            assert response.body == b"answer to " + body
            assert response.headers == {"X-Many": "a, b"}
            assert list(response.header_values[0].values) == ["a", "b"]

    run(scenario)
    (arguments,) = seen
    assert arguments["Request"]["Header"] == {"Content-Type": ["text/plain"]}
    assert arguments["Request"]["URL"] == b"/other/path"
    assert ("RequestBodyStream" in arguments) is bool(body)


def test_older_servers_get_requests_to_other_plugins_whole() -> None:
    def answer(arguments: Any) -> object:
        assert arguments["RequestBody"] == b"question"
        return {"Response": {"StatusCode": 200, "Header": {"X": ["1"]}}, "ResponseBody": b"answer"}

    async def scenario() -> None:
        async with served(Idle, {"PluginHTTP": answer}) as (_, server):
            response = await server.plugin.api.aio.plugin_http("GET", "/other/path", body=b"question")
            assert (response.status_code, response.body) == (200, b"answer")

    run(scenario)


@pytest.mark.parametrize("name", sorted(API_METHODS))
def test_every_method_of_the_table_has_its_route(name: str) -> None:
    route = api_route(name)
    assert route.rpc == f"Plugin.{name}"
    method = ALL_METHODS[name]
    required = [field for field in route.required if field not in method.nullable]
    refused = refusal(method, method.request_type())
    # A server dies where it gets nothing for a struct that it needs.
    assert (refused is not None) is (bool(required) or name == "SaveConfig")


def test_a_call_without_what_the_server_needs_is_not_sent() -> None:
    refused = refusal(methods.CREATE_POST, methods.CREATE_POST.request_type())
    assert refused == CallFailed("INVALID_ARGUMENT", "post must be set: the server needs it", was_sent=False)


def test_arguments_that_cannot_be_sent_are_refused() -> None:
    async def scenario() -> None:
        async with served(Idle, {"LogAuditRecWithLevel": lambda _: {}}) as (host, server):
            record = cast("Any", methods.LOG_AUDIT_REC_WITH_LEVEL.request_type()).record
            with pytest.raises(InvalidArgumentError, match="must be one of"):
                await server.plugin.api.aio.log_audit_rec_with_level(record, "loud")
            assert host.api_calls == []

    run(scenario)
