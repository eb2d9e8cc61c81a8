"""No test hangs: what takes too long says what it is, what goes on, and what the plugins logged."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, Post, User
from mattermost_plugin.testing import DeadlineError, LeftoverWarning, MisuseError, TestServer, TestUser

SHORT_S, LONG_S = 0.3, 20.0


class Stuck(Plugin):
    """Waits for ever, in one way or another, until the test is over."""

    def on_activate(self) -> None:
        self.go_on = threading.Event()

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Reject | None:
        if post.message == "thread":
            self.logger.info("waiting in a thread")
            self.go_on.wait(30)
        return None

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        if post.message == "loop":
            self.logger.info("waiting on the loop")
            await asyncio.Event().wait()
        if post.message == "block":
            self.go_on.wait(2)

    def on_deactivate(self) -> None:
        self.go_on.set()


@pytest.fixture
def server() -> Iterator[TestServer]:
    server = TestServer(timeout_s=LONG_S)
    yield server
    server.close()


@contextmanager
def hurry(server: TestServer) -> Iterator[None]:
    """Let only what is done in here have little time: how fast the machine is must not matter elsewhere."""
    server._timeout_s = SHORT_S
    try:
        yield
    finally:
        server._timeout_s = LONG_S


def test_a_handler_that_hangs_in_a_thread(server: TestServer) -> None:
    stuck = server.load(Stuck)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with hurry(server), pytest.raises(DeadlineError) as caught:
        ada.post(channel, "thread")
    text = str(caught.value)
    assert text.startswith(f"ada.post('thread'): not done after {SHORT_S} s\nUnder way: \n- ")
    assert "MessageWillBePosted of test.stuck" in text
    assert "hook-1 stands here:" in text
    assert "self.go_on.wait(30)" in text
    assert "info test.stuck: waiting in a thread" in text
    assert (caught.value.awaited, caught.value.timeout_s) == ("ada.post('thread')", SHORT_S)
    stuck.go_on.set()


def test_a_hook_that_never_ends_keeps_things_from_settling(server: TestServer) -> None:
    server.load(Stuck)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with hurry(server), pytest.raises(DeadlineError, match=r"MessageHasBeenPosted of test\.stuck"):
        ada.post(channel, "loop")
    assert channel.messages == ["loop"]
    with hurry(server), pytest.raises(DeadlineError, match=r"^settle\(\): not done"):
        server.settle()


def test_a_post_that_is_not_waited_for(server: TestServer) -> None:
    server.load(Stuck)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with server.unsettled():
        assert ada.post(channel, "loop").message == "loop"
    with hurry(server), pytest.warns(LeftoverWarning, match=r"close\(\): not done"):
        server.close()


def test_a_blocked_loop_is_named_with_the_place(server: TestServer) -> None:
    stuck = server.load(Stuck)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with hurry(server), pytest.raises(DeadlineError) as caught:
        ada.post(channel, "block")
    text = str(caught.value)
    assert "The event loop is blocked" in text
    assert "self.go_on.wait(2)" in text
    stuck.go_on.set()


def test_a_condition_that_does_not_become_true(server: TestServer) -> None:
    server.load(Stuck)
    with hurry(server), pytest.raises(DeadlineError, match=r"^a miracle: not done after 0\.3 s\nUnder way: nothing"):
        server.wait_until(lambda: False, "a miracle")
    with hurry(server), pytest.raises(DeadlineError, match=r"never: not done after 0\.1 s"):
        server.wait_until(lambda: False, "never", timeout_s=0.1)
    with (
        hurry(server),
        pytest.raises(DeadlineError, match="It was not true: there is no user 'godot', but none at all"),
    ):
        server.wait_until(lambda: server.find_user("godot"))


def test_a_condition_that_becomes_true(server: TestServer) -> None:
    class Late(Plugin):
        async def on_activate(self) -> None:
            self.task = asyncio.create_task(self.work())

        async def work(self) -> None:
            await asyncio.sleep(0.05)
            await self.api.aio.kv_set("done", b"1")
            await self.api.aio.create_user(User(username="godot", email="godot@example.com", password="waiting-4-him"))

    server.load(Late)
    assert server.wait_until(lambda: server.kv.get("done"), "the end of the work") == b"1"
    assert server.wait_until(lambda: server.find_user("godot")).username == "godot"
    flag = threading.Event()
    setting = threading.Timer(0.05, flag.set)
    setting.start()
    assert server.wait_until(flag.is_set)
    setting.join()


def test_who_waits_for_the_clock_is_told(server: TestServer) -> None:
    class Sleeper(Plugin):
        async def message_will_be_posted(self, context: PluginContext, post: Post) -> None:
            await self.clock.sleep_until(2**40)

    server.load(Sleeper)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with hurry(server), pytest.raises(DeadlineError, match="1 sleep on the clock, which only the test advances"):
        ada.post(channel, "hi")


def test_handlers_may_use_the_server_but_not_on_its_loop() -> None:
    class Inside(Plugin):
        server: TestServer
        ada: TestUser

        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            if not post.root_id:
                self.ada.reply(post, "from a handler")

        async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            try:
                self.ada.log_in()
            except MisuseError as error:
                await writer.awrite(str(error))

    with TestServer() as server:
        inside = server.load(Inside)
        inside.server = server
        inside.ada = ada = server.user("ada")
        channel = server.channel("lounge", members=[ada])
        ada.post(channel, "hi")
        assert channel.messages == ["hi", "from a handler"]
        assert "this is the server's own event loop" in ada.get("/").text


def test_no_limit_for_a_debugger() -> None:
    with TestServer(timeout_s=None) as server:
        server.load(Stuck)
        assert server.user("ada").username == "ada"


def test_users_act_from_many_threads() -> None:
    with TestServer() as server, ThreadPoolExecutor(20) as threads:
        server.load(Stuck)
        ada = server.user("ada")
        channel = server.channel("lounge", members=[ada])
        posts = list(threads.map(lambda number: ada.post(channel, str(number)), range(100)))
        assert len({post.id for post in posts}) == len(channel.posts) == 100


def test_200_parallel_calls_from_handlers() -> None:
    class Caller(Plugin):
        def on_activate(self) -> None:
            self.together = threading.Barrier(200)

        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            self.together.wait(20)
            self.api.kv_set(post.message, b"1")

    with TestServer(timeout_s=30) as server:
        server.load(Caller, runtime=RuntimeConfig(workers=200, drain_s=0.1))
        ada = server.user("ada")
        channel = server.channel("lounge", members=[ada])
        with server.unsettled():
            for number in range(200):
                ada.post(channel, str(number))
        server.settle()
        assert len(server.kv) == 200


def test_two_servers_at_a_time() -> None:
    with TestServer() as one, TestServer() as two:
        for server in (one, two):
            server.load(Stuck)
        users = [server.user("ada") for server in (one, two)]
        for user in users:
            user.log_in()
        assert users[0].id != users[1].id
        assert {call.plugin_id for call in one.hooks()} == {"test.stuck"}
        assert len(one.hooks("OnActivate")) == len(two.hooks("OnActivate")) == 1


def test_time_passes_while_a_test_waits() -> None:
    # The limits are the machine's: a clock that stands still must not turn them off.
    with TestServer() as server, pytest.raises(DeadlineError):
        server.wait_until(lambda: False, timeout_s=0.05)
