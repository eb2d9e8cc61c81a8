"""Handlers in threads whose outcome is told to a function."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import cast

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
        self.begun, self.release = threading.Event(), threading.Event()
        self.ids: list[str] = []
        self.threads: set[int] = set()

    @hook(HookName.MessageWillBePosted, on_error="reject")
    def act(self, context: PluginContext, post: Post) -> Post | Reject | None:
        return self._obey(post)

    def _obey(self, post: Post) -> Post:
        self.ids.append(REQUEST_ID.get())
        self.threads.add(threading.get_ident())
        self.begun.set()
        match post.message:
            case "hang":
                self.release.wait()
            case "fail":
                raise RuntimeError("secret")
            case "exit":
                raise SystemExit(3)
            case "wrong":
                return cast("Post", 5)
            case "later":
                return cast("Post", self._later(post))
            case "never":
                return cast("Post", self._never())
        post.message += "!"
        return post

    async def _later(self, post: Post) -> Post:
        await asyncio.sleep(0)
        self.ids.append(REQUEST_ID.get())
        self.threads.add(threading.get_ident())
        post.message += "?"
        return post

    async def _never(self) -> None:
        await asyncio.Event().wait()


class Hasty(Sample):
    """Has little time for it."""

    @hook(HookName.MessageWillBePosted, timeout=LIMIT_S, on_error="reject")
    def act(self, context: PluginContext, post: Post) -> Post | Reject | None:
        return self._obey(post)


def run(scenario: Callable[[BoundPlugin, Sample], Awaitable[None]], kind: type[Sample] = Sample) -> None:
    async def main() -> None:
        plugin = kind()
        bound = BoundPlugin(plugin, RuntimeConfig(workers=1))
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


def test_a_result_is_told_on_the_event_loop() -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "now")).modified_post.message == "now!"
        assert plugin.ids == ["r1"]
        assert REQUEST_ID.get() == ""
        assert threading.get_ident() not in plugin.threads

    run(scenario)


def test_a_coroutine_that_comes_back_is_run_on_the_event_loop() -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "later")).modified_post.message == "later?"
        assert plugin.ids == ["r1", "r1"]
        assert threading.get_ident() in plugin.threads

    run(scenario)


def test_a_coroutine_that_comes_back_has_the_handlers_time(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        assert (await start(bound, "never")).rejection_reason

    run(scenario, Hasty)
    assert caplog.records


@pytest.mark.parametrize("message", ["fail", "exit", "wrong"])
def test_a_failure_is_told(message: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        response = await start(bound, message)
        assert response.rejection_reason
        assert "secret" not in response.rejection_reason

    run(scenario)
    assert caplog.records


def test_a_handler_that_takes_too_long_keeps_no_reply(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        answered = start(bound, "hang")
        waiting = start(bound, "no thread for it")
        assert (await answered).rejection_reason
        assert (await waiting).rejection_reason
        assert bound.pool.is_exhausted
        plugin.release.set()
        assert plugin.ids == ["r1"]

    run(scenario, Hasty)
    assert "is stuck in its thread here" in caplog.text
    assert "self.release.wait()" in caplog.text
    assert "got no thread" in caplog.text


@pytest.mark.parametrize("message", ["hang", "never"])
def test_the_end_of_the_plugin_answers_what_runs(message: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        answered = start(bound, message)
        await asyncio.to_thread(plugin.begun.wait)
        await bound.calls.finish(0)
        assert answered.done()
        assert answered.result().rejection_reason

    run(scenario)


def test_a_system_without_threads_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario(bound: BoundPlugin, plugin: Sample) -> None:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert (await start(bound, "now")).rejection_reason
        assert plugin.ids == []

    run(scenario)
