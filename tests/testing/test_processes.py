"""Plugins as processes of the server under test: started, killed in the middle, and told of."""

import json
import os
import select
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.testing import DeadlineError, LoadError, MisuseError, TestServer, _core, _loop_thread
from mattermost_plugin.testing.messages import KVSetRequest

SOURCE = """
import os
from mattermost_plugin import Plugin, run_plugin

class Made(Plugin):
    def on_activate(self):
        self.logger.info("up", extra={"greeting": self.api.load_plugin_configuration().decode()})

    def message_will_be_posted(self, context, post):
        if post.message == "die":
            os._exit(3)
        if post.message == "wait":
            self.api.get_server_version()
        if post.message == "fail":
            raise RuntimeError("broken")
        post.message += "!"
        return post

    def message_has_been_posted(self, context, post):
        self.api.kv_set("last", post.message.encode())

    def on_deactivate(self):
        self.api.kv_set("ended", b"1")

if __name__ == "__main__":
    run_plugin(Made)
"""


class Second(Plugin):
    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
        post.message += "2"
        return post


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer(timeout_s=20) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugin.py").write_text(SOURCE, encoding="utf-8")
    fields = {"id": "com.example.made", "name": "Made", "server": {"executable": "plugin.py"}}
    (tmp_path / "plugin.json").write_text(json.dumps(fields), encoding="utf-8")
    return tmp_path


def test_a_process_from_start_to_end(folder: Path) -> None:
    with TestServer(timeout_s=20) as server:
        made = server.launch(folder, config={"greeting": "hi"})
        assert made.instance is None
        assert (made.id, made.manifest.name, made.is_healthy()) == ("com.example.made", "Made", True)
        assert server.logs("up").one.pairs["greeting"] == '{"greeting": "hi"}'
        ada = server.user("ada")
        channel = server.channel("lounge", members=[ada])
        assert ada.post(channel, "hi").message == "hi!"
        # What the process was told beside, and the call that it made of it, are over too.
        assert dict(made.kv) == {"last": b"hi!"}
        pid = made.pid
        assert server.restart().id == made.id
        assert made.pid not in (pid, None)
        server.disable()
        assert made.state == "NOT_RUNNING"
        with pytest.raises(MisuseError, match="no process of its own"):
            made.kill()
        assert made.kv["ended"] == b"1"
        server.enable()
        server.unload()
        assert server.plugins == {}
        server.launch(folder)
    assert server.api_calls(KVSetRequest).last.request.key == "ended"


def test_a_process_that_fails_in_a_hook_says_so(server: TestServer, folder: Path) -> None:
    server.launch(folder)
    ada = server.user("ada")
    with server.expect_errors("RuntimeError: broken") as errors:
        assert ada.post(server.channel("lounge", members=[ada]), "fail").message == "fail"
    assert "com.example.made logged: MessageWillBePosted handler Made.message_will_be_posted failed" in errors.texts[0]


def test_a_process_that_ends_in_a_hook(server: TestServer, folder: Path) -> None:
    made = server.launch(folder)
    server.load(Second)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    # Of this hook, and perhaps of the next one: whether the host has seen the end by then is open.
    server.expect_errors(r"of com\.example\.made got no answer")
    server.expect_errors("com.example.made has ended by itself: exit code 3")
    assert ada.post(channel, "die").message == "die2"
    assert made.wait_ended().startswith("exit code 3")
    assert ada.post(channel, "x").message == "x2"
    server.restart(made)
    assert ada.post(channel, "x").message == "x!2"


def test_a_process_that_is_killed_during_a_post(server: TestServer, folder: Path) -> None:
    made = server.launch(folder)
    server.load(Second)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    server.expect_errors("got no answer")
    server.expect_errors("killed by SIGKILL")
    with server.hold("GetServerVersion") as held:
        posting = server.start(ada.post, channel, "wait")
        held.wait()
        made.kill(signal.SIGKILL)
        assert "killed by SIGKILL" in made.wait_ended()
        # The post goes through, with what the other plugin makes of it.
        assert posting.result(20).message == "wait2"
    assert (made.state, made.error) == ("FAILED_TO_STAY_RUNNING", "killed by SIGKILL\nup")
    assert channel.messages == ["wait2"]


def test_a_process_that_does_not_start(server: TestServer, folder: Path) -> None:
    (folder / "plugin.py").write_text("raise SystemExit('no config')", encoding="utf-8")
    with pytest.raises(LoadError, match="no config"):
        server.launch(folder)
    with pytest.raises(LoadError, match=r"plugin\.json cannot be used"):
        server.launch(folder / "nowhere")
    assert server.plugins == {}


def test_no_process_outlives_a_server_that_cannot_end_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    class Blocker(Plugin):
        async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            go_on.wait(60)

    server = TestServer(timeout_s=20)
    server.load(Blocker)
    pid = server.launch(folder).pid
    assert pid is not None
    ended = select.poll()
    ended.register(os.pidfd_open(pid))
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    for limit, module in [("TIMEOUT_S", _core), ("STOP_S", _loop_thread)]:
        monkeypatch.setattr(module, limit, 0.3)
    server._timeout_s = 0.3
    with pytest.raises(DeadlineError, match="The event loop is blocked"):
        ada.post(channel, "hi")
    with pytest.raises(DeadlineError, match=r"close\(\): not done after 0\.3 s"):
        server.close()
    assert ended.poll(20_000)
    go_on.set()


def test_the_same_plugin_twice(server: TestServer, folder: Path) -> None:
    server.launch(folder)
    with pytest.raises(LoadError, match="loaded already"):
        server.load(folder)
    with pytest.raises(MisuseError, match="loaded"):
        server.find_plugin("other")
