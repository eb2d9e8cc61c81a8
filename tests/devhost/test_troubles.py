"""Plugins that loop, hang, or do not activate: the host goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook
from mattermost_plugin.devhost import StartError
from mattermost_plugin.devhost.events import HookCalled, LogWritten, PluginChanged
from mattermost_plugin.devhost.hook_rounds import DEPTH_LIMIT
from mattermost_plugin.devhost.plugins import PluginState
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.v1.api_post_pb2 import CreatePostRequest
from mattermost_pluginapi.v1.post_pb2 import Post as PostMessage
from tests.devhost.plugins import CONFIG, Loaded, Talker, loaded


class Second(Plugin):
    """Works."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.message += "2"
        return post


class Echo(Talker):
    """Answers every post, its own included: a mistake that fills the database of a server."""

    @hook(HookName.MessageHasBeenPosted)
    async def echo(self, context: PluginContext, post: Post) -> None:
        answer = PostMessage(user_id=post.user_id, channel_id=post.channel_id, message="again")
        request = CreatePostRequest(post=answer)
        await self.api_calls.send("CreatePost", request, (("x-request-id", context.request_id),))


class Stuck(Plugin):
    """Never answers."""

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        await asyncio.Event().wait()
        return None


class Unwilling(Plugin):
    def on_activate(self) -> None:
        raise HookError("no database")


def run(scenario: Callable[[Loaded], Awaitable[None]], *plugins: type[Plugin]) -> None:
    async def inside() -> None:
        async with loaded(plugins) as here:
            await scenario(here)

    asyncio.run(inside())


def test_a_plugin_that_answers_itself_is_stopped() -> None:
    async def scenario(here: Loaded) -> None:
        await here.host.act.post(here.ada.id, here.channel.id, "x")
        await here.host.settle()
        assert here.host.store.posts.count() == DEPTH_LIMIT + 1

    run(scenario, Echo)


def test_a_plugin_that_does_not_activate() -> None:
    async def scenario(here: Loaded) -> None:
        server = PluginServer(Unwilling, CONFIG)
        try:
            with pytest.raises(StartError, match="no database"):
                await here.host.attach("Unwilling", await server.start())
        finally:
            await server.stop()
        assert here.host.plugin("Unwilling").state is PluginState.FAILED_TO_START
        states = [event.state for event in here.host.events.history(PluginChanged)]
        assert states == ["STARTING", "FAILED_TO_START"]
        assert not here.host.events.history(LogWritten)
        post = await here.host.act.post(here.ada.id, here.channel.id, "x")
        assert post.message == "x2"

    run(scenario, Second)


def test_a_plugin_that_is_ended_in_a_hook() -> None:
    async def scenario(here: Loaded) -> None:
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(here.host.act.post(here.ada.id, here.channel.id, "x"))
            # The call is under way once the plugin answers another one that was made after it.
            await asyncio.sleep(0)
            assert await here.host.is_healthy("Stuck")
            await here.host.disable("Stuck")
        assert posting.result().message == "x2"
        (failed,) = (event for event in here.host.events.history(HookCalled) if event.failure)
        assert failed.plugin_id == "Stuck"

    run(scenario, Stuck, Second)
