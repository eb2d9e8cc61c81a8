"""Plugins in the test's process: loaded, set up, started anew, and ended in good order."""

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin import HookError, Plugin, Reject
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHostError
from mattermost_plugin.models import Manifest, PluginContext, Post
from mattermost_plugin.testing import LeftoverWarning, LoadError, MisuseError, RejectedByPlugin, TestServer
from mattermost_plugin.testing._control import Control
from mattermost_plugin.testing.messages import (
    DisablePluginRequest,
    MessageWillBePostedRequest,
    MessageWillBePostedResponse,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
GREETER_ID = "com.example.greeter"


class Counter(Plugin):
    """Counts posts, and how often it was started."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.posts: list[str] = []
        self.events: list[str] = []

    def on_configuration_change(self) -> None:
        self.events.append(json.loads(self.api.load_plugin_configuration()).get("greeting", "none"))

    def on_activate(self) -> None:
        starts = int(self.api.kv_get("starts") or b"0") + 1
        self.api.kv_set("starts", str(starts).encode())

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.posts.append(post.message)

    def on_deactivate(self) -> None:
        # Called while the plugin ends: the API must still be there.
        self.api.kv_set("ended", b"1")
        self.api.log_info("goodbye")


class Strict(Plugin):
    def message_will_be_posted(self, context: PluginContext, post: Post) -> Reject | None:
        return Reject("no")


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def folder_with(tmp_path: Path, source: str, **manifest: object) -> Path:
    folder = tmp_path / "plugin"
    folder.mkdir(exist_ok=True)
    (folder / "plugin.py").write_text(source, encoding="utf-8")
    fields = {"id": "com.example.made", "name": "Made", "server": {"executable": "plugin.py"}} | manifest
    (folder / "plugin.json").write_text(json.dumps(fields), encoding="utf-8")
    return folder


def test_a_class_is_made_and_the_object_is_the_one_that_serves(server: TestServer) -> None:
    counter = server.load(Counter)
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hi")
    assert counter.posts == ["hi"]
    assert server.plugin.instance is counter
    assert counter.config.plugin_id == server.plugin.id == "test.counter"


def test_an_object_is_served_itself(server: TestServer) -> None:
    given = Counter()
    assert server.load(given) is given
    assert given.events == ["none"]


def test_settings_of_manifest_and_test(server: TestServer) -> None:
    schema = {"settings": [{"key": "Greeting", "type": "text", "default": "hello"}]}
    manifest = {"id": "com.example.counter", "settings_schema": schema}
    counter = server.load(Counter, manifest=manifest, config={"Other": 5})
    assert server.plugin.config == {"greeting": "hello", "other": 5}
    server.set_plugin_config({"Greeting": "hi"})
    assert counter.events == ["hello", "hi"]
    server.configure("TeamSettings", SiteName="Test")
    assert len(counter.events) == 3


def test_a_manifest_as_a_message(server: TestServer) -> None:
    server.load(Counter, manifest=Manifest(id="com.example.counter", version="1.2.3"))
    assert server.plugin.manifest.version == "1.2.3"


def test_the_manifest_beside_the_module(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("the_greeter", EXAMPLES / "greeter" / "plugin.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "the_greeter", module)
    spec.loader.exec_module(module)
    plugin = server.load(module.Greeter)
    assert server.plugin.id == GREETER_ID
    assert plugin.config.plugin_path == EXAMPLES / "greeter"


def test_the_manifest_around_a_package(server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder_with(tmp_path, "", id="com.example.packed") / "packed_plugin"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "main.py").write_text("from mattermost_plugin import Plugin\nclass Packed(Plugin): ...\n")
    monkeypatch.syspath_prepend(package.parent)
    from packed_plugin.main import Packed  # type: ignore[import-not-found]  # written above

    server.load(Packed)
    assert server.plugin.id == "com.example.packed"
    monkeypatch.delitem(sys.modules, "packed_plugin.main")
    monkeypatch.delitem(sys.modules, "packed_plugin")


def test_a_folder_is_imported_anew_each_time(server: TestServer, tmp_path: Path) -> None:
    source = "import words\nfrom mattermost_plugin import Plugin\nclass Made(Plugin):\n    word = words.WORD\n"
    folder = folder_with(tmp_path, source)
    for word in ("one", "three"):
        (folder / "words.py").write_text(f"WORD = {word!r}\n", encoding="utf-8")
        assert vars(type(server.load(folder)))["word"] == word
        server.unload()
        assert "words" not in sys.modules
        assert str(folder) not in sys.path


def test_what_was_imported_before_stays(server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_with(
        tmp_path, "import other_words\nfrom mattermost_plugin import Plugin\nclass Made(Plugin): ...\n"
    )
    for name in ("test_made", "other_words"):
        (folder / f"{name}.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    module = importlib.import_module("test_made")
    server.load(folder)
    assert "other_words" in sys.modules
    server.unload()
    assert "other_words" not in sys.modules
    assert sys.modules["test_made"] is module
    assert str(folder) in sys.path
    monkeypatch.delitem(sys.modules, "test_made")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "has none"),
        ("import nothing_of_that_name", "cannot be imported: ModuleNotFoundError"),
        ("from mattermost_plugin import run_plugin, Plugin\nclass A(Plugin): ...\nrun_plugin(A)", "__main__"),
        ("from mattermost_plugin import Plugin\nclass A(Plugin): ...\nclass B(Plugin): ...", "has A, B"),
    ],
)
def test_a_script_that_cannot_be_used(server: TestServer, tmp_path: Path, source: str, reason: str) -> None:
    folder = folder_with(tmp_path, source)
    with pytest.raises(LoadError, match=reason):
        server.load(folder)
    assert str(folder) not in sys.path
    assert server.plugins == {}


def test_a_class_and_the_one_that_derives_from_it(server: TestServer, tmp_path: Path) -> None:
    source = "from mattermost_plugin import Plugin\nclass Base(Plugin): ...\nclass Made(Base): ...\n"
    assert type(server.load(folder_with(tmp_path, source))).__name__ == "Made"


@pytest.mark.parametrize(
    ("manifest", "reason"), [({}, "has no id"), ({"id": 5}, "cannot be used"), ({"id": "x", "name": []}, "cannot")]
)
def test_a_manifest_that_cannot_be_used(server: TestServer, manifest: dict[str, object], reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        server.load(Counter, manifest=manifest)


def test_settings_that_json_cannot_hold(server: TestServer) -> None:
    with pytest.raises(MisuseError, match="JSON"):
        server.load(Counter, config={"when": object()})


def test_a_plugin_that_does_not_activate_says_why(server: TestServer) -> None:
    class Unwilling(Plugin):
        async def on_activate(self) -> None:
            raise KeyError("no database")

    with pytest.raises(LoadError, match=r"does not activate: .*no database") as caught:
        server.load(Unwilling)
    assert isinstance(caught.value.__cause__, KeyError)
    assert server.plugins == {}
    # Told by the exception, and so no error that nobody expected.
    server.check()


def test_a_plugin_that_refuses_to_activate(server: TestServer) -> None:
    class Refusing(Plugin):
        willing = False

        def on_activate(self) -> None:
            if not self.willing:
                raise HookError("not yet")

    with pytest.raises(LoadError, match="not yet"):
        server.load(Refusing)
    Refusing.willing = True
    server.load(Refusing)
    assert server.plugin.is_running


def test_a_plugin_that_cannot_be_made(server: TestServer) -> None:
    class Demanding(Plugin):
        def __init__(self) -> None:
            raise OSError("no file")

    with pytest.raises(LoadError, match=r"cannot be made: OSError\('no file'\)"):
        server.load(Demanding)


def test_the_same_id_twice(server: TestServer) -> None:
    server.load(Counter)
    with pytest.raises(LoadError, match="loaded already"):
        server.load(Counter)
    server.load(Counter, manifest={"id": "test.second"})
    assert list(server.plugins) == ["test.counter", "test.second"]


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


def test_which_plugin(server: TestServer) -> None:
    with pytest.raises(MisuseError, match="there are none"):
        _ = server.plugin
    counter = server.load(Counter)
    server.load(Strict)
    with pytest.raises(MisuseError, match=r"test\.counter, test\.strict"):
        server.disable()
    with pytest.raises(MisuseError, match="no plugin 'other' is loaded"):
        server.disable("other")
    with pytest.raises(MisuseError, match="Strict is not loaded here"):
        server.disable(Strict())
    assert server.find_plugin(counter).id == "test.counter"
    assert server.find_plugin("test.strict").hooks >= {"MessageWillBePosted"}


def test_the_order_of_two_plugins(server: TestServer) -> None:
    counter = server.load(Counter)
    server.load(Strict)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with pytest.raises(RejectedByPlugin) as caught:
        ada.post(channel, "hi")
    assert (caught.value.plugin_id, caught.value.hook) == ("test.strict", "MessageWillBePosted")
    server.disable("test.strict")
    ada.post(channel, "hi")
    assert counter.posts == ["hi"]


def test_a_hook_that_nothing_here_causes(server: TestServer) -> None:
    server.load(Strict)
    request = MessageWillBePostedRequest(post=Post(message="x"))
    assert server.call_hook(request, MessageWillBePostedResponse).rejection_reason == "no"
    with pytest.raises(MisuseError, match="answers MessageWillBePostedResponse"):
        server.call_hook(request, MessageWillBePostedRequest)


def test_a_process_is_needed_for_a_signal(server: TestServer) -> None:
    server.load(Counter)
    assert server.plugin.pid is None
    with pytest.raises(MisuseError, match="no process of its own"):
        server.plugin.kill()
