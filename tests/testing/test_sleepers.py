"""Handlers that wait for the clock: they go on when the test lets time pass, and keep nothing from settling."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.cluster import LockTimeoutError
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext, Post
from mattermost_plugin.testing import RequestRefused, TestChannel, TestServer, TestUser

LOCK = "pysdk:lock:mutex:pot"


class Patient(Plugin):
    """Waits in one way or another, by its clock if the message does not say otherwise."""

    def on_activate(self) -> None:
        self.heard: list[str] = []

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        match post.message:
            case "sleep":
                await self.clock.sleep_until(self.clock.now() + 3)
                await self.kv.aio.set("half", True)
                await self.clock.sleep_until(self.clock.now() + 5)
            case "wait_for":
                await asyncio.wait_for(self.clock.sleep_until(self.clock.now() + 3), 30)
            case "wait":
                await asyncio.wait([asyncio.create_task(self.clock.sleep_until(self.clock.now() + 3))])
            case "mutex":
                with pytest.raises(LockTimeoutError):
                    await self.cluster.aio.mutex("pot", timeout=10).__aenter__()
            case "pause":
                await asyncio.sleep(0.05)
        self.heard.append(post.message)

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        with self.cluster.mutex("pot", timeout=10):
            return CommandResponse(text="done")

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await self.clock.sleep_until(self.clock.now() + 3)
        await writer.awrite("late")


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


@pytest.fixture
def plugin(server: TestServer) -> Patient:
    return server.load(Patient)


@pytest.fixture
def ada(server: TestServer) -> TestUser:
    return server.user("ada")


@pytest.fixture
def channel(server: TestServer, ada: TestUser, plugin: Patient) -> TestChannel:
    return server.channel("lounge", members=[ada])


def test_a_handler_that_sleeps_goes_on_when_time_passes(
    server: TestServer, plugin: Patient, ada: TestUser, channel: TestChannel
) -> None:
    ada.post(channel, "sleep")
    assert plugin.heard == []
    server.clock.advance(seconds=3)
    assert (plugin.heard, list(server.kv)) == ([], ["half"])
    server.clock.advance(seconds=5)
    assert plugin.heard == ["sleep"]
    ada.post(channel, "sleep")
    server.clock.advance(minutes=1)
    assert plugin.heard == ["sleep", "sleep"]


@pytest.mark.parametrize("message", ["wait", "wait_for", "mutex"])
def test_a_handler_that_sleeps_beside_other_things(
    server: TestServer, plugin: Patient, ada: TestUser, channel: TestChannel, message: str
) -> None:
    server.kv[LOCK] = b"another node"
    ada.post(channel, message)
    assert plugin.heard == []
    server.clock.advance(seconds=11)
    assert plugin.heard == [message]


def test_a_command_that_waits_in_a_thread(server: TestServer, ada: TestUser, channel: TestChannel) -> None:
    server.register_command("turn")
    server.kv[LOCK] = b"another node"
    waiting = server.start(ada.command, "/turn", channel)
    with server.expect_errors("LockTimeoutError"):
        server.clock.advance(seconds=11)
    with pytest.raises(RequestRefused, match="the lock pot was not free within 10 s"):
        waiting.result(10)


def test_a_command_that_gets_its_lock_in_time(server: TestServer, ada: TestUser, channel: TestChannel) -> None:
    server.register_command("turn")
    server.kv.set(LOCK, b"another node", expires_in_s=5)
    waiting = server.start(ada.command, "/turn", channel)
    server.clock.advance(seconds=8)
    assert waiting.result(10).text == "done"


def test_a_request_that_waits(server: TestServer, plugin: Patient, ada: TestUser) -> None:
    waiting = server.start(ada.get, "/")
    server.clock.advance(seconds=3)
    assert waiting.result(10).text == "late"


def test_a_real_pause_is_waited_for_beside_one_who_sleeps(
    server: TestServer, plugin: Patient, ada: TestUser, channel: TestChannel
) -> None:
    ada.post(channel, "sleep")
    ada.post(channel, "pause")
    assert plugin.heard == ["pause"]
    with server.unsettled():
        ada.post(channel, "pause")
    server.clock.advance(seconds=3)
    assert plugin.heard == ["pause", "pause"]
    server.clock.advance(seconds=5)


def test_what_waits_for_the_test_may_be_started(server: TestServer) -> None:
    go_on = threading.Event()
    waiting = server.start(go_on.wait, 10)
    looking = server.start(server.wait_until, go_on.is_set)
    go_on.set()
    assert waiting.result(10)
    assert looking.result(10)
