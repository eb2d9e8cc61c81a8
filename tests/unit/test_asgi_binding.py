"""Which application a plugin object has, and for how long."""

import asyncio
import copy
import gc
import weakref
from dataclasses import dataclass

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.asgi import asgi
from tests.unit.http_link import END, MemoryStream, exchange, head, request_messages, serve
from tests.unit.test_asgi import App, FakePlugin, Receive, Scope, Send, answer, mount_of, mounted


def test_a_factory_gets_the_plugin_once() -> None:
    made: list[object] = []

    def build(plugin: FakePlugin) -> App:
        made.append(plugin)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert scope["mattermost.plugin"] is plugin
            await answer(send)

        return app

    plugin = FakePlugin()
    handler = mounted(asgi(factory=build), plugin)
    for _ in range(2):
        assert exchange(handler, *request_messages(head()))[0].body == b"ok"
    assert made == [plugin]


def test_a_factory_runs_when_the_application_is_needed_and_not_before() -> None:
    made: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)

    def build(plugin: FakePlugin) -> App:
        made.append(plugin)
        return app

    async def run() -> None:
        plugin = FakePlugin()
        method = asgi(factory=build)
        bound = mount_of(method).bind(plugin, HandlerPool(1, "http"))
        await bound.stop_lifespan()
        assert made == []
        await bound.start_lifespan()
        assert await serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin))
        assert made == [plugin]

    asyncio.run(run())


async def name_of_plugin(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, scope["mattermost.plugin"].name.encode())


serve_name = asgi(name_of_plugin)


@dataclass
class DataPlugin(Plugin):
    """Has no hash, as it can be compared."""

    name: str
    serve_http = serve_name


@dataclass(frozen=True)
class FrozenPlugin(Plugin):
    """Refuses new attributes."""

    name: str
    serve_http = serve_name


@pytest.mark.parametrize("plugin", [DataPlugin("data"), FrozenPlugin("frozen")])
def test_plugins_that_are_dataclasses_have_applications(plugin: DataPlugin | FrozenPlugin) -> None:
    response, whole = exchange(mounted(serve_name, plugin), *request_messages(head()))
    assert (response.body, whole) == (plugin.name.encode(), True)


def test_plugins_that_are_equal_and_copies_have_applications_of_their_own() -> None:
    made: list[object] = []

    def build(plugin: DataPlugin) -> App:
        made.append(plugin)
        return name_of_plugin

    method = asgi(factory=build)
    first, second = DataPlugin("a"), DataPlugin("a")
    assert exchange(mounted(method, first), *request_messages(head()))[1]
    third = copy.copy(first)
    for plugin in (second, third, first, second, third):
        assert exchange(mounted(method, plugin), *request_messages(head()))[1]
    assert [id(plugin) for plugin in made] == [id(first), id(second), id(third)]


def test_a_plugin_has_several_applications() -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"other")

    plugin = DataPlugin("a")
    method = asgi(other)
    for _ in range(2):
        assert exchange(mounted(method, plugin), *request_messages(head()))[0].body == b"other"
        assert exchange(mounted(serve_name, plugin), *request_messages(head()))[0].body == b"a"


def test_a_plugin_that_nobody_uses_is_freed() -> None:
    plugin = DataPlugin("free")
    method = asgi(name_of_plugin)
    response, _ = exchange(mounted(method, plugin), *request_messages(head()))
    assert response.body == b"free"
    freed = weakref.ref(plugin)
    del plugin
    gc.collect()
    assert freed() is None


def test_the_method_is_a_plain_function_that_knows_its_application() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    method = asgi(app)
    assert asyncio.iscoroutinefunction(method)
    assert mount_of(method).handler() is not method
    assert mount_of(mount_of(method).handler()) is mount_of(method)
