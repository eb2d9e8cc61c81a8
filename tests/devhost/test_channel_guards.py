"""Channels that plugins guard: the guards are asked last, and nothing happens there without them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable

import pytest
from google.protobuf.message import Message

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import LogWritten
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.models import PluginContext, Post
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequestInit, ServeHTTPResponse
from tests.devhost.plugins import Loaded, loaded


class Adder(Plugin):
    """Adds its letter to posts, and has no opinion on anything else."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == f"no {type(self).__name__}":
            return Reject("no")
        post.message += type(self).__name__
        return post


class Alpha(Adder): ...


class Beta(Adder): ...


class Gamma(Adder): ...


class Broken:
    """A connection over which no answer comes."""

    async def call(self, hook: str, request: Message) -> Message:
        raise HookFailedError("it hangs")

    def serve_http(
        self, init: ServeHTTPRequestInit, body: AsyncIterable[bytes]
    ) -> AsyncGenerator[ServeHTTPResponse, None]:
        raise HookFailedError("it hangs")


def run(scenario: Callable[[Loaded], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with loaded([Alpha, Gamma, Beta]) as here:
            await scenario(here)

    asyncio.run(inside())


async def claim(here: Loaded, *names: str) -> None:
    for name in names:
        await here.apis[name]("RegisterChannelGuard", channel_id=here.channel.id)


async def posted(here: Loaded, message: str = "") -> str:
    return (await here.host.act.post(here.ada.id, here.channel.id, message)).message


def test_guards_come_last_and_in_the_order_of_their_ids() -> None:
    async def scenario(here: Loaded) -> None:
        assert await posted(here) == "AlphaGammaBeta"
        await claim(here, "Gamma", "Alpha")
        assert await posted(here) == "BetaAlphaGamma"
        with pytest.raises(ApiError, match="Post rejected by plugin"):
            await posted(here, "no Beta")
        await here.apis["Gamma"]("UnregisterChannelGuard", channel_id=here.channel.id)
        assert await posted(here) == "GammaBetaAlpha"

    run(scenario)


def test_a_guard_that_fails_refuses() -> None:
    async def scenario(here: Loaded) -> None:
        alpha = here.host.plugin("Alpha")
        link, alpha.link = alpha.link, Broken()
        try:
            assert await posted(here) == "GammaBeta"
            await claim(here, "Alpha")
            with pytest.raises(ApiError, match="it hangs") as caught:
                await posted(here)
            assert (caught.value.error_id, caught.value.status_code) == ("app.plugin.guard_hook_failed.app_error", 503)
            assert here.host.store.posts.count() == 1
        finally:
            alpha.link = link

    run(scenario)


def test_nothing_happens_without_a_guard() -> None:
    async def scenario(here: Loaded) -> None:
        await claim(here, "Beta")
        await here.host.disable("Beta")
        with pytest.raises(ApiError) as caught:
            await posted(here)
        assert (caught.value.error_id, caught.value.status_code) == ("app.plugin.inactive_guard.app_error", 503)
        assert "Beta" not in str(caught.value)
        (line,) = (line for line in here.host.events.history(LogWritten) if "guards" in line.message)
        assert line.pairs["plugin_ids"] == ["Beta"]
        square = here.host.store.channels.by_name(here.channel.team_id, "town-square")
        assert square is not None
        assert (await here.host.act.post(here.ada.id, square.id, "")).message == "AlphaGamma"

    run(scenario)
