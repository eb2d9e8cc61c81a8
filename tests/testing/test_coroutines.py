"""The same in coroutines: a host of the test's own loop, and plugins served on it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import HookCalled, LogWritten
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.testing import DevHost, LoadError, quiet, serving


class Echo(Plugin):
    async def on_activate(self) -> None:
        self.logger.info("up")
        logging.getLogger("some.library").info("connected")

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        return Reject("no") if post.message == "no" else None

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        # Answered before its work is done.
        self.task = asyncio.create_task(self.api.aio.kv_set("last", post.message.encode()))

    async def on_deactivate(self) -> None:
        logging.getLogger("some.library").debug("not at this level")
        self.logger.info("down")


def run(scenario: Callable[[DevHost], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with DevHost() as host:
            await scenario(host)

    asyncio.run(inside())


def test_a_plugin_is_served_in_a_block() -> None:
    async def scenario(host: DevHost) -> None:
        user = await host.act.create_user("ada")
        team = await host.act.create_team("crew")
        channel = await host.act.create_channel(team.id, "lounge", creator_id=user.id)
        async with serving(host, Echo, config={"Greeting": "hi"}) as echo:
            assert echo.config.plugin_id == "test.echo"
            await host.act.post(user.id, channel.id, "hello")
            with pytest.raises(ApiError, match="no"):
                await host.act.post(user.id, channel.id, "no")
            await quiet(host)
            assert host.store.kv.get("test.echo", "last") == b"hello"
        await host.act.post(user.id, channel.id, "unheard")
        assert host.store.kv.get("test.echo", "last") == b"hello"
        lines = [(line.plugin_id, line.level, line.message) for line in host.events.history(LogWritten)]
        assert lines == [
            ("test.echo", "info", "up"),
            ("test.echo", "info", "connected"),
            ("test.echo", "info", "down"),
        ]

    run(scenario)


def test_two_plugins_keep_their_log_lines_apart() -> None:
    async def scenario(host: DevHost) -> None:
        async with serving(host, Echo), serving(host, Echo(), manifest={"id": "second"}):
            pass
        lines = [(line.plugin_id, line.message) for line in host.events.history(LogWritten)]
        assert lines.count(("test.echo", "connected")) == lines.count(("second", "connected")) == 1
        hooks = {event.plugin_id for event in host.events.history(HookCalled)}
        assert hooks == {"test.echo", "second"}

    run(scenario)


def test_the_log_levels_are_as_before() -> None:
    root = logging.getLogger()
    before, handlers = root.level, list(root.handlers)

    async def scenario(host: DevHost) -> None:
        async with serving(host, Echo, runtime=RuntimeConfig(log_level="DEBUG", drain_s=0.1)):
            assert root.level == logging.DEBUG
        assert "not at this level" in [line.message for line in host.events.history(LogWritten)]

    run(scenario)
    assert (root.level, root.handlers) == (before, handlers)


def test_a_root_that_lets_everything_through_still_does() -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.NOTSET)

    async def scenario(host: DevHost) -> None:
        async with serving(host, Echo):
            assert root.level == logging.NOTSET
        # The plugin's own level counts all the same.
        assert "not at this level" not in [line.message for line in host.events.history(LogWritten)]

    try:
        run(scenario)
        assert root.level == logging.NOTSET
    finally:
        root.setLevel(before)


def test_a_plugin_that_does_not_activate() -> None:
    class Unwilling(Plugin):
        def on_activate(self) -> None:
            raise OSError("no network")

    async def scenario(host: DevHost) -> None:
        with pytest.raises(LoadError, match="no network") as caught:
            async with serving(host, Unwilling):
                pass
        assert isinstance(caught.value.__cause__, OSError)

    run(scenario)
