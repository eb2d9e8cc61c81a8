"""`mattermost-plugin check`: folders and archives, exit codes, and what it says."""

import sys
from pathlib import Path

import pytest

from mattermost_plugin.cli.bundle import handlers
from mattermost_plugin.cli.bundle.api_mentions import api_mentions
from mattermost_plugin.cli.bundle.hook_rules import check_methods
from mattermost_plugin.cli.command_line import main
from mattermost_plugin.cli.errors import CommandError
from tests.pack.bundles import PROGRAM, SCRIPT, make_archive, make_source, sound_entries


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    assert captured.err == "" or code == 1
    return code, captured.out + captured.err


def test_a_sound_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_source(tmp_path / "plugin")
    assert check(capsys, folder) == (0, f"{folder}: no errors, no warnings\n")
    assert sorted(path.name for path in folder.iterdir()) == ["plugin.json", "plugin.py"]


def test_a_sound_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = make_archive(tmp_path / "bundle.tar.gz", sound_entries())
    code, out = check(capsys, bundle, "--strict")
    assert code == 0
    assert "note: which hooks the plugin handles is unknown" in out


def test_an_unpacked_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for info, content in sound_entries():
        (tmp_path / info.name).write_bytes(content)
    code, out = check(capsys, tmp_path)
    assert code == 1
    assert "'start' has the mode 0644: it is no program" in out
    (tmp_path / "start").chmod(0o755)
    assert check(capsys, tmp_path)[0] == 0
    (tmp_path / "start").rename(tmp_path / "real")
    (tmp_path / "start").symlink_to("real")
    code, out = check(capsys, tmp_path)
    assert code == 1
    assert "'start' is not there" in out


def test_each_finding_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_source(tmp_path / "plugin", version="v1", min_server_version="10")
    code, out = check(capsys, folder)
    assert code == 1
    assert out.splitlines() == [
        "error: plugin.json: version: 'v1' is no semantic version",
        "    write x.y.z, with no 'v' before it",
        "error: plugin.json: min_server_version: '10' is no semantic version, and the server does not start the plugin",
        "    write x.y.z, with three numbers: 10.11.0",
        f"{folder}: 2 errors, no warnings",
    ]


def test_warnings_count_if_they_shall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = SCRIPT.replace("on_activate(self)", "channel_will_be_archived(self, context, channel)")
    folder = make_source(tmp_path / "plugin", script)
    code, out = check(capsys, folder)
    assert code == 0
    assert "which servers before 11.7 never call\n" in out
    assert '    "min_server_version": "11.7.0"\n' in out
    assert out.endswith(": no errors, 1 warning\n")
    assert check(capsys, folder, "--strict")[0] == 1
    assert check(capsys, folder, "--server-version", "11.6")[0] == 1
    assert check(capsys, folder, "--server-version", "11.7.2", "--strict")[0] == 0
    assert check(capsys, folder, "--server-version", "9.11")[0] == 1


def test_hooks_without_a_minimum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = SCRIPT.replace("on_activate(self)", "channel_will_be_archived(self, context, channel)")
    code, out = check(capsys, make_source(tmp_path / "plugin", script, min_server_version=""))
    assert code == 0
    assert "note: servers from 11.7.0 on call all of its handlers" in out


SCRIPTS = {
    "import nothing_like_this": ("plugin.py cannot be started", "No module named 'nothing_like_this'"),
    "x =": ("plugin.py cannot be started", "SyntaxError"),
    "1 / 0": ("plugin.py cannot be started", "ZeroDivisionError"),
    "pass": ("plugin.py serves no plugin when it is run", "correct the script"),
    "import sys; sys.exit('no luck')": (
        "plugin.py cannot be started",
        "it ends with 'no luck' before it serves a plugin",
    ),
    "import os; print('last words', flush=True); os._exit(3)": ("(exit code 3) when it was imported", "last words"),
    SCRIPT.replace("on_activate(self)", "on_activate(self, x)"): ("cannot be started", "must take (self)"),
}


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_scripts_that_do_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str) -> None:
    what, advice = SCRIPTS[script]
    code, out = check(capsys, make_source(tmp_path / "plugin", script))
    assert code == 1
    first, *rest = out.splitlines()[:-1]
    assert first.startswith("error: ")
    assert what in first
    assert any(advice in line for line in rest)


def test_a_script_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handlers, "TIME_LIMIT_S", 0.5)
    code, out = check(capsys, make_source(tmp_path / "plugin", "import threading; threading.Event().wait()"))
    assert code == 1
    assert "does not serve its plugin within 0.5 s" in out


def test_a_plugin_that_is_served_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = SCRIPT.replace("run_plugin(Sample)", "import asyncio\n    asyncio.run(serve_plugin(Sample))")
    script = script.replace(
        "import Plugin, run_plugin", "import Plugin\nfrom mattermost_plugin.server import serve_plugin"
    )
    assert check(capsys, make_source(tmp_path / "plugin", script))[0] == 0


def test_a_script_that_prints_and_keeps_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"import threading\nthreading.Thread(target=threading.Event().wait).start()\nprint('x' * 100000)\n{SCRIPT}"
    assert check(capsys, make_source(tmp_path / "plugin", script))[0] == 0


def test_a_plugin_is_not_started_as_by_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTERMOST_PLUGIN", "Securely message teams, anywhere.")
    script = f"import os\nassert 'MATTERMOST_PLUGIN' not in os.environ\n{SCRIPT}"
    assert check(capsys, make_source(tmp_path / "plugin", script))[0] == 0


def test_an_archive_s_code_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = sound_entries()
    trap = tmp_path / "trap"
    entries[1] = (entries[1][0], PROGRAM.replace(b"exit 1", f"touch {trap}".encode()))
    entries[1][0].size = len(entries[1][1])
    check(capsys, make_archive(tmp_path / "bundle.tar.gz", entries))
    assert not trap.exists()


def test_what_the_manifest_names_must_be_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_source(tmp_path / "plugin", webapp={"bundle_path": "webapp/dist/main.js"}, icon_path="icon.svg")
    (folder / ".mattermostpluginignore").write_text("plugin.py\n")
    code, out = check(capsys, folder)
    assert code == 1
    assert "webapp.bundle_path: there is no file 'webapp/dist/main.js'" in out
    assert "icon_path: there is no file 'icon.svg'" in out
    assert "plugin.py: is left out of the bundle" in out
    for path in ("webapp/dist/main.js", "icon.svg"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x")
    (folder / ".mattermostpluginignore").unlink()
    (folder / "plugin.yml").write_text("id: x")
    code, out = check(capsys, folder)
    assert out.splitlines()[0] == "error: plugin.yml: the server reads this file, and plugin.json never"
    assert code == 1


def test_manifests_without_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for server in ({"executable": "gone.py"}, {"runtime": "python", "executable": "../plugin.py"}):
        code, out = check(capsys, make_source(tmp_path / "plugin", server=server))
        assert code == 1
        assert f"names no Python script that is in the folder, but {server['executable']!r}" in out


def test_a_manifest_that_names_nothing_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = check(capsys, make_source(tmp_path / "plugin", server={"runtime": "python"}))
    assert code == 1
    assert out.count("error: ") == 1
    assert "server.executable: is missing" in out


def test_the_traceback_is_that_of_the_author_s_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_source(tmp_path / "plugin", "import parts\n")
    (folder / "parts.py").write_text(SCRIPT.replace("on_activate(self)", "on_activate(self, x)"))
    said = "Sample.on_activate must take (self) to handle OnActivate, but takes (self, x)"
    _, out = check(capsys, folder)
    assert out.splitlines()[:-1] == [
        "error: plugin.py cannot be started:",
        "    Traceback (most recent call last):",
        '      File "plugin.py", line 1, in <module>',
        "        import parts",
        '      File "parts.py", line 4, in <module>',
        "        class Sample(Plugin):",
        f"    mattermost_plugin.errors.HookRegistrationError: {said}",
    ]
    (folder / "parts.py").write_text("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError(1) from e\n")
    _, out = check(capsys, folder)
    assert out.count('File "parts.py", line ') == 2
    assert str(tmp_path) not in out.replace(f"{folder}: 1 error", "")
    (folder / "parts.py").write_text("x =\n")
    assert 'File "parts.py", line 1\n' in check(capsys, folder)[1]


def test_a_module_that_is_not_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # There is one of this name beside what looks for handlers.
    assert "No module named 'hook_rules'" in check(capsys, make_source(tmp_path / "other", "import hook_rules"))[1]
    folder = make_source(tmp_path / "plugin", "import nothing_like_this")
    for name, text, advice in (
        ("", "", "    name what has nothing_like_this in requirements.txt, which `mattermost-plugin pack` reads, and"),
        ("pyproject.toml", "", "    install here what pyproject.toml names, or add it there if it does not name what"),
        (
            "requirements.txt",
            "x",
            f"    install here what the plugin needs: {sys.executable} -m pip install -r {folder}",
        ),
    ):
        if name:
            (folder / name).write_text(text)
        code, out = check(capsys, folder)
        assert code == 1
        assert out.splitlines()[-2].startswith(advice)


def test_a_misspelt_handler(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = (
        "    def on_activated(self): ...\n    def helper(self): ...\n    def _on_activat(self): ...\n    limit = 3\n"
    )
    script = SCRIPT.replace("class Sample(Plugin):\n", f"class Sample(Plugin):\n{others}")
    # There is one for the hook.
    assert check(capsys, make_source(tmp_path / "plugin", script), "--strict")[0] == 0
    script = script.replace("def on_activate(", "def message_has_been_posted(").replace(
        "posted(self)", "posted(self, a, b)"
    )
    code, out = check(capsys, make_source(tmp_path / "plugin", script))
    assert (code, out.splitlines()[:-1]) == (
        0,
        [
            "warning: the method on_activated handles no hook, so no server calls it",
            "    did you mean on_activate? Else rename it",
        ],
    )


def test_what_cannot_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "gone does not exist" in check(capsys, tmp_path / "gone")[1]
    (tmp_path / "text").write_text("x")
    assert "text cannot be read as a tar.gz" in check(capsys, tmp_path / "text")[1]
    (tmp_path / "empty").mkdir()
    assert "empty is no plugin's folder: there is no plugin.json in it" in check(capsys, tmp_path / "empty")[1]
    assert "give the folder that plugin.json is in" in check(capsys, make_source(tmp_path / "p") / "plugin.py")[1]
    (tmp_path / "plugin.json").write_text("{")
    assert "plugin.json is no JSON" in check(capsys, tmp_path)[1]
    with pytest.raises(SystemExit) as end:
        main(["check", "--server-version", "ten", str(tmp_path)])
    assert end.value.code == 2


def test_what_strangers_wrote_cannot_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = check(capsys, make_source(tmp_path / "plugin", version="\x1b[2J"))
    assert code == 1
    assert "\x1b" not in out


def test_methods_that_sources_mention(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(self):\n    self.api.get_user('x')\n    self.api.aio.save_post(api.count)\n")
    (tmp_path / "b.py").write_text("x = other.api.get_user\ny = self.apis.nothing\nself.kv.get\n")
    (tmp_path / "c.py").write_text("x =")
    found = api_mentions(tmp_path, ["a.py", "b.py", "c.py"])
    assert found == {"get_user": "a.py:2", "aio": "a.py:3", "save_post": "a.py:3", "count": "a.py:3"}


def test_methods_that_servers_lack() -> None:
    from mattermost_pluginapi.api.methods import METHODS

    newest = max(METHODS.values(), key=lambda method: tuple(map(int, method.minimum_server_version.split("."))))
    mentions = {newest.method: "plugin.py:3", "no_method": "plugin.py:4"}
    (found,) = check_methods(mentions, {"min_server_version": "5.2.0"}, None)
    assert f"calls api.{newest.method} in plugin.py:3, which servers before" in found.what
    assert list(check_methods(mentions, {"min_server_version": "99.0.0"}, None)) == []
    assert list(check_methods(mentions, {}, None)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    folder, descriptors = make_source(tmp_path / "plugin", "1 / 0"), Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(3):
        with pytest.raises(CommandError):
            handlers.find_handlers([sys.executable], folder, "plugin.py", [])
    assert len(list(descriptors.iterdir())) == before
