"""The lifespan of ASGI applications, from the plugin's activation to its end."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.asgi import BoundMount, LifespanError, LifespanMode, asgi
from tests.unit.http_link import END, MemoryStream, head, request_messages, serve
from tests.unit.test_asgi import FakePlugin, answer, mount_of, mounted

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class App:
    """Plays the lifespan messages that a test gives it, and notes what it received."""

    def __init__(self, startup: Scope | None = None, shutdown: Scope | None = None) -> None:
        self.startup = startup or {"type": "lifespan.startup.complete"}
        self.shutdown = shutdown or {"type": "lifespan.shutdown.complete"}
        self.seen: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.append(scope["state"])
            scope["state"]["request"] = "own"
            await answer(send)
            return
        assert isinstance(scope["mattermost.plugin"], FakePlugin)
        self.seen.append((await receive())["type"])
        scope["state"]["pool"] = "open"
        await send(self.startup)
        self.seen.append((await receive())["type"])
        await send(self.shutdown)


def mount(app: Callable[..., Awaitable[None]], lifespan: LifespanMode = "auto") -> BoundMount:
    """The application as one of a plugin."""
    return mount_of(asgi(app, lifespan=lifespan)).bind(FakePlugin(), HandlerPool(1, "http"))


def test_the_application_is_told_of_start_and_stop_once() -> None:
    async def run() -> None:
        app = App()
        lifespan = mount(app)
        await lifespan.start_lifespan()
        await lifespan.start_lifespan()
        assert app.seen == ["lifespan.startup"]
        await lifespan.stop_lifespan()
        await lifespan.stop_lifespan()
        assert app.seen == ["lifespan.startup", "lifespan.shutdown"]

    asyncio.run(run())


def test_every_request_gets_a_copy_of_the_state() -> None:
    async def run() -> None:
        app, plugin = App(), FakePlugin()
        method = asgi(app)
        lifespan = mount_of(method).bind(plugin, HandlerPool(1, "http"))
        await lifespan.start_lifespan()
        for _ in range(2):
            assert await serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin))
        assert app.seen[1:] == [{"pool": "open", "request": "own"}] * 2
        await lifespan.stop_lifespan()

    asyncio.run(run())


def test_a_failed_startup_is_raised_with_the_applications_words() -> None:
    async def run() -> None:
        app = App(startup={"type": "lifespan.startup.failed", "message": "no database"})
        with pytest.raises(LifespanError, match="startup failed: no database"):
            await mount(app).start_lifespan()

    asyncio.run(run())


def test_a_failed_shutdown_is_raised_with_the_applications_words() -> None:
    async def run() -> None:
        app = App(shutdown={"type": "lifespan.shutdown.failed", "message": "still busy"})
        lifespan = mount(app)
        await lifespan.start_lifespan()
        with pytest.raises(LifespanError, match="shutdown failed: still busy"):
            await lifespan.stop_lifespan()

    asyncio.run(run())


async def http_only(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await answer(send)


async def ignorant(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns at once, whatever it is asked."""


@pytest.mark.parametrize("app", [http_only, ignorant])
def test_auto_goes_on_without_an_application_that_takes_no_part(app: Callable[..., Awaitable[None]]) -> None:
    async def run() -> None:
        lifespan = mount(app)
        await lifespan.start_lifespan()
        await lifespan.stop_lifespan()

    asyncio.run(run())


@pytest.mark.parametrize("app", [http_only, ignorant])
def test_on_demands_that_the_application_takes_part(app: Callable[..., Awaitable[None]]) -> None:
    async def run() -> None:
        with pytest.raises(LifespanError, match="does not take part"):
            await mount(app, "on").start_lifespan()

    asyncio.run(run())


def test_off_does_not_call_the_application() -> None:
    async def run() -> None:
        app = App()
        lifespan = mount(app, "off")
        await lifespan.start_lifespan()
        await lifespan.stop_lifespan()
        assert app.seen == []

    asyncio.run(run())


def test_an_application_that_dies_in_between_is_reported_at_the_end() -> None:
    async def dying(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise ValueError("lost the database")

    async def run() -> None:
        lifespan = mount(dying)
        await lifespan.start_lifespan()
        with pytest.raises(LifespanError, match="lost the database"):
            await lifespan.stop_lifespan()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["lifespan.nonsense", "lifespan.startup.complete"])
def test_messages_out_of_turn_are_errors(kind: str) -> None:
    async def run() -> None:
        lifespan = mount(App(shutdown={"type": kind}))
        await lifespan.start_lifespan()
        with pytest.raises(LifespanError, match="out of turn"):
            await lifespan.stop_lifespan()

    asyncio.run(run())


def test_a_start_that_is_cancelled_ends_the_application() -> None:
    async def run() -> None:
        ended, waiting = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                waiting.set()
                await asyncio.Event().wait()
            finally:
                ended.set()

        lifespan = mount(slow)
        starting = asyncio.create_task(lifespan.start_lifespan())
        await waiting.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert ended.is_set()
        await lifespan.stop_lifespan()

    asyncio.run(run())


def test_stopping_what_never_started_does_nothing() -> None:
    async def run() -> None:
        app = App()
        await mount(app).stop_lifespan()
        assert app.seen == []

    asyncio.run(run())
