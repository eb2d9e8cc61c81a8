"""Faults that a test wants, and errors that it expects."""

import asyncio
from collections.abc import Iterator

import pytest

from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin.api import (
    APIDeadlineExceeded,
    APITransportError,
    APIUnavailable,
    ConflictError,
    NotFoundError,
    PluginAPIError,
    ServerError,
)
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.testing import MisuseError, TestServer, UnexpectedErrors
from mattermost_plugin.testing.messages import KVSetRequest


class Careful(Plugin):
    """Stores each post's text, and keeps what the server says to that."""

    def on_activate(self) -> None:
        self.failures: list[PluginAPIError | APITransportError] = []

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        try:
            self.api.kv_set_with_expiry(post.message, b"seen", 60, timeout=5)
            self.api.get_group_channel([post.user_id])
        except (PluginAPIError, APITransportError) as error:
            self.failures.append(error)


class Fragile(Plugin):
    """Does not catch anything."""

    @hook(HookName.MessageHasBeenPosted)
    async def store(self, context: PluginContext, post: Post) -> None:
        await self.api.aio.kv_set("last", post.message.encode())


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def write(server: TestServer, *texts: str) -> None:
    ada = server.user(f"ada{len(server.transcript())}")
    channel = server.channel(f"lounge-{ada.id}", members=[ada])
    for text in texts:
        ada.post(channel, text)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (409, ConflictError), (500, ServerError)])
def test_a_method_fails_as_the_test_wants(server: TestServer, status: int, kind: type[PluginAPIError]) -> None:
    plugin = server.load(Careful)
    fault = server.fail("KVSetWithExpiry", status=status, id="test.id", message="no", detail="why", times=2)
    write(server, "one", "two", "three")
    first, second, third = plugin.failures
    assert type(first) is type(second) is kind
    assert isinstance(first, PluginAPIError)
    assert (first.id, first.message, first.detailed_error, first.status_code) == ("test.id", "no", "why", status)
    # The third went through, up to what nobody wanted to fail.
    assert isinstance(third, PluginAPIError)
    assert third.id == "api.channel.create_group.bad_size.app_error"
    assert list(server.kv) == ["three"]
    assert len(fault.requests) == 2


def test_only_some_calls_fail(server: TestServer) -> None:
    plugin = server.load(Careful)
    server.load(Fragile)
    with server.fail("kv_set", when=lambda request: isinstance(request, KVSetRequest), times=None, plugin=plugin):
        write(server, "passes")
    assert server.plugins["test.fragile"].kv["last"] == b"passes"
    with server.fail("*", times=None, plugin=plugin) as fault:
        write(server, "fails")
    assert [error.method for error in plugin.failures] == ["get_group_channel", "kv_set_with_expiry"]
    assert len(fault.requests) == 1
    fault.end()


def test_of_two_faults_the_newer_decides(server: TestServer) -> None:
    plugin = server.load(Careful)
    server.fail("KVSetWithExpiry", status=404)
    server.fail("KVSetWithExpiry", status=409)
    write(server, "one", "two")
    assert [type(error) for error in plugin.failures] == [ConflictError, NotFoundError]


def test_a_fault_that_is_not_met_fails_the_test(server: TestServer) -> None:
    server.load(Careful)
    server.fail("GetUser", times=3)
    with pytest.raises(UnexpectedErrors, match="made GetUser fail, and no plugin called it"):
        server.check()
    server.check()
    with server.fail("GetUser"):
        pass
    with pytest.raises(UnexpectedErrors, match="GetUser"):
        server.check()


def test_a_fault_ends_with_its_block(server: TestServer) -> None:
    plugin = server.load(Careful)
    with server.fail("KVSetWithExpiry", times=2):
        write(server, "one")
    write(server, "two")
    assert [error.method for error in plugin.failures] == ["kv_set_with_expiry", "get_group_channel"]
    with pytest.raises(UnexpectedErrors, match="made KVSetWithExpiry fail, and no plugin called it as often"):
        server.check()


def test_a_condition_of_the_test_that_fails(server: TestServer) -> None:
    server.load(Careful)

    def broken(request: object) -> bool:
        raise LookupError("a mistake of the test")

    with server.fail("KVSetWithExpiry", when=broken, times=None):
        write(server, "one")
    assert list(server.kv) == ["one"]
    with pytest.raises(UnexpectedErrors, match="`when` of a fault of KVSetWithExpiry failed: LookupError: a mistake"):
        server.check()


def test_a_method_that_is_none(server: TestServer) -> None:
    with pytest.raises(MisuseError, match="no method 'GetUsr'; is it 'GetUser'"):
        server.fail("GetUsr")
    with pytest.raises(MisuseError, match=r"no method 'x'$"):
        server.slow("x", 1)


def test_the_server_goes_away_and_comes_back(server: TestServer) -> None:
    plugin = server.load(Careful)
    with server.disconnect():
        write(server, "one")
    write(server, "two")
    (failure, _) = plugin.failures
    assert isinstance(failure, APIUnavailable)
    assert not failure.may_have_taken_effect
    assert list(server.kv) == ["two"]
    call = server.api_calls("KVSetWithExpiry")[0]
    assert call.error is not None
    assert call.error.id == "dev.no_answer"


def test_the_connection_breaks_after_the_effect(server: TestServer) -> None:
    class Answerer(Plugin):
        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            if not post.root_id:
                answer = Post(user_id=post.user_id, channel_id=post.channel_id, root_id=post.id, message="answer")
                with pytest.raises(APIUnavailable) as caught:
                    self.api.create_post(answer)
                self.is_unsure = caught.value.may_have_taken_effect

    plugin = server.load(Answerer)
    server.disconnect("CreatePost", after_effect=True, times=1)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    ada.post(channel, "hi")
    assert channel.messages == ["hi", "answer"]
    assert plugin.is_unsure


def test_a_repeatable_call_outlives_a_short_absence(server: TestServer) -> None:
    server.load(Fragile)
    server.disconnect("KVSet", times=2)
    write(server, "one")
    assert server.kv["last"] == b"one"
    assert [call.error is None for call in server.api_calls("KVSet")] == [False, False, True]


def test_a_slow_server(server: TestServer) -> None:
    class Hasty(Plugin):
        def on_activate(self) -> None:
            with pytest.raises(APIDeadlineExceeded):
                self.api.get_server_version(timeout=0.05)

    server.slow("GetServerVersion", 60, times=1)
    server.load(Hasty)
    assert server.plugin.is_running


def test_held_calls_make_a_race_certain(server: TestServer) -> None:
    class Reader(Plugin):
        async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            before = await self.api.aio.kv_get("list") or b""
            await self.api.aio.kv_set("list", before + post.message.encode())

    server.load(Reader)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with server.hold("KVSet") as held:
        # Both posts return though their hooks wait: nothing settles while calls are held.
        ada.post(channel, "a")
        ada.post(channel, "b")
        held.wait(2)
        assert held.waiting == 2
        assert "list" not in server.kv
        held.release()
    server.settle()
    # One of the two has overwritten the other: the plugin needs a lock.
    assert server.kv["list"] in (b"a", b"b")


def test_an_action_beside_the_test(server: TestServer) -> None:
    class Gate(Plugin):
        def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
            self.api.get_server_version()
            return None

    server.load(Gate)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    held = server.hold("GetServerVersion")
    posting = server.start(ada.post, channel, "hi")
    held.wait()
    assert channel.posts == []
    held.release()
    assert posting.result(10).message == "hi"
    server.close()
    late = server.start(ada.post, channel, "late")
    with pytest.raises(MisuseError, match="closed"):
        late.result(10)


def test_an_error_that_a_plugin_logs_fails_the_test(server: TestServer) -> None:
    server.load(Fragile)
    server.fail("KVSet")
    write(server, "one")
    with pytest.raises(UnexpectedErrors) as caught:
        server.check()
    (text,) = caught.value.errors
    assert text.startswith("test.fragile logged: MessageHasBeenPosted handler Fragile.store failed")
    assert "error: ServerError: kv_set: The test wants this to fail. (test.failure, status 500)" in text
    assert "self.api.aio.kv_set" in text
    # It is told once.
    server.check()


def test_errors_that_are_expected(server: TestServer) -> None:
    server.load(Fragile)
    server.fail("KVSet", times=3)
    with server.expect_errors("wants this to fail") as errors:
        write(server, "one")
    assert len(errors.texts) == 1
    server.expect_errors("kv_set")
    write(server, "two", "three")
    server.check()


def test_expected_errors_that_do_not_come(server: TestServer) -> None:
    server.load(Fragile)
    text = "expected an error that matches 'no such', and none came"
    with pytest.raises(AssertionError, match=text), server.expect_errors("no such"):
        write(server, "one")
    server.expect_errors("another")
    with pytest.raises(UnexpectedErrors, match="expected an error that matches 'another'"):
        server.check()
    with server.expect_errors(required=False):
        write(server, "two")


def test_other_errors_than_the_expected_ones(server: TestServer) -> None:
    server.load(Fragile)
    server.fail("KVSet")
    with pytest.raises(AssertionError, match="'no such', and none came"), server.expect_errors("no such"):
        write(server, "one")
    with pytest.raises(UnexpectedErrors, match="wants this to fail"):
        server.check()
    server.fail("KVSet")
    with server.expect_errors():
        write(server, "two")


def test_errors_of_the_end() -> None:
    class Clumsy(Plugin):
        def on_deactivate(self) -> None:
            raise RuntimeError("cannot let go")

    server = TestServer()
    server.load(Clumsy)
    with server.expect_errors("cannot let go") as errors:
        server.close()
    # The plugin's own line, and the server's.
    assert len(errors.texts) == 2
    server.check()


def test_an_error_after_the_block_is_not_expected(server: TestServer) -> None:
    server.load(Fragile)
    server.fail("KVSet", times=2)
    with server.expect_errors():
        write(server, "one")
    write(server, "two")
    with pytest.raises(UnexpectedErrors):
        server.check()


def test_lost_tasks_are_errors(server: TestServer) -> None:
    class Forgetful(Plugin):
        async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            async def fail() -> None:
                raise RuntimeError("nobody listens")

            task = asyncio.create_task(fail())
            await asyncio.wait([task])

    server.load(Forgetful)
    with server.expect_errors("nobody listens"):
        write(server, "one")
