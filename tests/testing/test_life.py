"""The life of plugins in the test's process: started anew, disabled, and ended in good order."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.devhost import DevHostError
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.testing import LeftoverWarning, MisuseError, TestServer
from mattermost_plugin.testing._control import Control
from mattermost_plugin.testing.messages import DisablePluginRequest
from tests.testing.plugins import Counter, Strict


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def test_a_restart_makes_a_new_object_with_the_same_state(server: TestServer) -> None:
    first = server.load(Counter())
    second = server.restart(first)
    assert second is not first
    assert (server.kv["starts"], server.kv["ended"]) == (b"2", b"1")
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hi")
    assert (first.posts, second.posts) == ([], ["hi"])
    with pytest.raises(MisuseError, match="a restart makes a new object"):
        server.disable(first)
    assert server.restart().instance is not second


def test_a_disabled_plugin_hears_nothing(server: TestServer) -> None:
    counter = server.load(Counter)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    server.disable(counter)
    assert (server.plugin.state, server.plugin.is_healthy()) == ("NOT_RUNNING", False)
    ada.post(channel, "unheard")
    server.disable()
    server.enable()
    server.enable()
    assert server.plugin.is_healthy()
    ada.post(channel, "heard")
    again = server.plugin.instance
    assert isinstance(again, Counter)
    assert (counter.posts, again.posts) == ([], ["heard"])


def test_plugins_end_and_start_each_other_and_themselves(server: TestServer) -> None:
    class Manager(Plugin):
        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            verb, _, plugin_id = post.message.partition(" ")
            {"stop": self.api.disable_plugin, "start": self.api.enable_plugin}[verb](plugin_id)

    server.load(Counter)
    server.load(Manager)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    ada.post(channel, "stop test.counter")
    assert server.plugins["test.counter"].state == "NOT_RUNNING"
    ada.post(channel, "start test.counter")
    assert server.plugins["test.counter"].is_running
    ada.post(channel, "stop test.manager")
    assert not server.plugins["test.manager"].is_running
    assert server.api_calls(DisablePluginRequest)[0].request.id == "test.counter"


def test_plugins_end_in_the_reverse_order() -> None:
    ended: list[str] = []

    class First(Plugin):
        def on_deactivate(self) -> None:
            ended.append(type(self).__name__)

    class Second(First): ...

    with TestServer() as server:
        server.load(First)
        server.load(Second)
    assert ended == ["Second", "First"]


def test_the_end_of_a_plugin_may_use_the_api() -> None:
    with TestServer() as server:
        server.load(Counter)
    assert server.logs("goodbye").one.plugin_id == "test.counter"
    server.close()
    with pytest.raises(MisuseError, match="has been closed"):
        server.user("ada")


def test_an_error_at_the_end_fails_the_test() -> None:
    class Clumsy(Plugin):
        def on_deactivate(self) -> None:
            raise RuntimeError("cannot let go")

    with pytest.raises(AssertionError, match="cannot let go"), TestServer() as server:
        server.load(Clumsy)


def test_what_a_plugin_leaves_running_is_told() -> None:
    go_on = threading.Event()

    class Careless(Plugin):
        async def on_activate(self) -> None:
            self.task = asyncio.create_task(self.wait())
            threading.Thread(target=go_on.wait, name="careless", daemon=True).start()

        async def wait(self) -> None:
            await asyncio.Event().wait()

    with pytest.warns(LeftoverWarning) as caught, TestServer() as server:
        server.load(Careless)
    go_on.set()
    texts = sorted(str(warning.message) for warning in caught)
    assert len(texts) == 2
    assert "Careless.wait" in texts[0]
    assert __file__ in texts[0] or "locks.py" in texts[0]
    assert texts[1] == "the thread 'careless' was still running"


def test_a_handler_that_hangs_is_told_once() -> None:
    go_on = threading.Event()

    class Hanging(Plugin):
        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            go_on.wait(60)

    server = TestServer()
    server.load(Hanging)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with server.unsettled():
        ada.post(channel, "hi")
    server._timeout_s = 0.2
    with server.expect_errors(), pytest.warns(LeftoverWarning) as caught:
        server.close()
    texts = sorted(str(warning.message).partition("\n")[0] for warning in caught)
    assert texts == ["a handler was still running: hook-1 stands here:", "close(): not done after 0.2 s"]
    # The next server finds the thread as it is, and does not take it for its own.
    with TestServer() as other:
        other.load(Counter)
    go_on.set()


def test_one_end_that_fails_keeps_no_other_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    remove = Control.remove

    async def fail(control: Control, plugin_id: str) -> None:
        await remove(control, plugin_id)
        if plugin_id == "test.strict":
            raise OSError("no")

    monkeypatch.setattr(Control, "remove", fail)
    server = TestServer()
    server.load(Counter)
    server.load(Strict)
    server.close()
    assert server.logs("goodbye")
    with pytest.raises(AssertionError, match=r"test\.strict could not be unloaded: OSError: no"):
        server.check()


def test_a_state_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(DevHostError, match="cannot be used"):
        TestServer(path=tmp_path / "state.sqlite")
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("mattermost-test")] == []


def test_a_state_that_is_kept(tmp_path: Path) -> None:
    for starts in (b"1", b"2"):
        with TestServer(path=tmp_path / "state.sqlite") as server:
            server.load(Counter)
            assert server.kv["starts"] == starts
