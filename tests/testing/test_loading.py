"""Plugins in the test's process: found, made, set up and called."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin import HookError, Plugin
from mattermost_plugin.models import Manifest, Post
from mattermost_plugin.testing import LoadError, MisuseError, RejectedByPlugin, TestServer
from mattermost_plugin.testing.messages import (
    MessageWillBePostedRequest,
    MessageWillBePostedResponse,
)
from tests.testing.plugins import Counter, Strict

EXAMPLES = Path(__file__).parents[2] / "examples"
GREETER_ID = "com.example.greeter"


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
    with pytest.raises(LoadError, match=r"plugin\.py is a file: give the folder"):
        server.load(folder / "plugin.py")
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
