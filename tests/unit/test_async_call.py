"""Async handlers whose outcome is told to a function."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import HookName, Plugin, Reject, hook
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import PluginContext, Post
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse

LIMIT_S = 0.02


class Sample(Plugin):
    """Does what the post's text says."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.begun, self.release = asyncio.Event(), asyncio.Event()
        self.ids: list[str] = []
        self.ended: list[str] = []

    @hook(HookName.MessageWillBePosted, timeout=LIMIT_S, on_error="reject")
    async def act(self, context: PluginContext, post: Post) -> Post | Reject | None:
        self.ids.append(REQUEST_ID.get())
        self.begun.set()
        match post.message:
            case "hang":
                await self.release.wait()
            case "stay":
                while not self.release.is_set():
                    try:
                        await self.release.wait()
                    except asyncio.CancelledError:
                        self.ended.append("heeds nothing")
            case "fall":
                try:
                    await self.release.wait()
                finally:
                    raise LookupError("fell when it was cancelled")
            case "fail":
                raise RuntimeError("secret")
            case "exit":
                raise SystemExit(3)
            case "wrong":
                return cast("Post", 5)
            case "wait":
                await asyncio.sleep(0)
        post.message += "!"
        return post


def run(scenario: Callable[[BoundPlugin, Sample], Awaitable[None]]) -> None:
    async def main() -> None:
        plugin = Sample()
        bound = BoundPlugin(plugin, RuntimeConfig())
        await bound.lifecycle.activate(None)
        try:
            async with asyncio.timeout(20):
                await scenario(bound, plugin)
        finally:
            plugin.release.set()
            bound.close()

    asyncio.run(main())


def start(bound: BoundPlugin, message: str) -> "asyncio.Future[MessageWillBePostedResponse]":
    answered: asyncio.Future[MessageWillBePostedResponse] = asyncio.get_running_loop().create_future()
    request = MessageWillBePostedRequest(post=Post(message=message), plugin_context=PluginContext(request_id="r1"))
    # A second answer would raise.
    assert bound.unary[HookName.MessageWillBePosted].start(request, answered.set_result) is None
    return answered


@pytest.mark.parametrize("message", ["now", "wait"])
def test_a_result_is_told(message: str) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, message)).modified_post.message == f"{message}!"
        assert plugin.ids == ["r1"]
        assert REQUEST_ID.get() == ""

    run(scenario)


@pytest.mark.parametrize("message", ["fail", "exit", "wrong"])
def test_a_failure_is_told(message: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        response = await start(bound, message)
        assert response.rejection_reason
        assert "secret" not in response.rejection_reason

    run(scenario)
    assert caplog.records


def test_a_handler_that_takes_too_long_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "hang")).rejection_reason

    run(scenario)
    assert "waited here and was cancelled" in caplog.text
    assert "self.release.wait()" in caplog.text


def test_what_a_cancelled_handler_raises_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "fall")).rejection_reason
        gc.collect()

    run(scenario)
    assert "never retrieved" not in caplog.text
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "Sample.act failed after its reply"
    ]


def test_a_handler_that_heeds_no_cancellation_keeps_no_reply(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "stay")).rejection_reason
        assert plugin.ended == ["heeds nothing"]

    run(scenario)
    assert "goes on though it was cancelled" in caplog.text


@pytest.mark.parametrize("message", ["hang", "stay"])
def test_the_end_of_the_plugin_answers_what_runs(message: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        answered = start(bound, message)
        await plugin.begun.wait()
        await bound.calls.finish(0)
        assert answered.done()
        assert answered.result().rejection_reason

    run(scenario)


def test_a_plugin_that_is_not_active_answers_in_a_task() -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        await bound.lifecycle.deactivate(None)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        task = bound.unary[HookName.MessageWillBePosted].start(MessageWillBePostedRequest(), answered.set_result)
        assert task is not None
        await task
        assert (await answered).rejection_reason
        assert plugin.ids == []

    run(scenario)
