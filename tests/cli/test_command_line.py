"""What `mattermost-plugin` says to command lines that it cannot follow, and how it ends."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mattermost_plugin.cli.command_line import main
from tests.cli.dev_process import COMMAND, make_plugin, run_command

ROOT = Path(__file__).parents[2]


def error_of(*arguments: str | Path) -> str:
    """What a command says that could not start."""
    done = run_command(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    start = "mattermost-plugin dev: error: "
    assert done.stderr.startswith(start)
    return done.stderr.removeprefix(start).rstrip()


def test_folders_that_hold_no_plugin(tmp_path: Path) -> None:
    plugin, empty = make_plugin(tmp_path / "plugin"), tmp_path / "empty"
    empty.mkdir()
    assert error_of("dev", tmp_path / "gone") == f"{tmp_path}/gone does not exist"
    assert error_of("dev", empty) == f"{empty} is no plugin: there is no plugin.json in it"
    assert error_of("dev", plugin, plugin / "plugin.py") == (
        f"{plugin}/plugin.py is a file: give the folder that plugin.json is in"
    )
    (empty / "plugin.json").write_text("{")
    assert "plugin.json cannot be used" in error_of("dev", empty)


def test_the_same_plugin_twice(tmp_path: Path) -> None:
    one, two = make_plugin(tmp_path / "one"), make_plugin(tmp_path / "two")
    assert error_of("dev", one, two) == (
        f"{one} and {two} have the same id 'com.example.sample': change it in one plugin.json"
    )
    (tmp_path / "link").symlink_to(one)
    assert error_of("dev", one, tmp_path / "link") == f"{tmp_path}/link is given twice"


def test_a_data_file_that_cannot_be_used(tmp_path: Path) -> None:
    plugin = make_plugin(tmp_path / "plugin")
    text = tmp_path / "notes.txt"
    text.write_text("no database, but long enough to be looked at as one" * 100)
    assert error_of("dev", "--no-page", "--data", text, plugin) == (f"{text} cannot be used: file is not a database")
    gone = tmp_path / "gone"
    assert error_of("dev", "--no-page", "--data", gone / "state", plugin) == (
        f"{gone}/state cannot be used: there is no folder {gone}"
    )
    assert "cannot be used" in error_of("dev", "--no-page", "--data", tmp_path, plugin)
    assert "no database" in text.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "plugin"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "required: COMMAND"),
        (["dev"], "required: PATH"),
        (["dev", "--port", "x", "."], "argument --port: x is no number from 0 to 65535"),
        (["dev", "--port", "65536", "."], "argument --port: 65536 is no number from 0 to 65535"),
        (["deploys"], "invalid choice: 'deploys'"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "usage: mattermost-plugin" in told
    assert text in told


def test_the_help_names_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dev", "--help"])
    assert caught.value.code == 0
    assert "Exit codes: 0 after Ctrl-C" in " ".join(capsys.readouterr().out.split())


def test_missing_libraries_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    plugin = str(make_plugin(tmp_path / "plugin"))
    pip = f"{sys.executable} -m pip install 'mattermost-plugin-sdk[dev]'"
    assert main(["dev", plugin]) == 1
    assert capsys.readouterr().err == (
        "mattermost-plugin dev: error: this needs aiohttp, not installed here: run\n"
        f"    {pip}, or do without the page: --no-page\n"
    )
    assert main(["dev", "--no-page", plugin]) == 1
    error = capsys.readouterr().err
    assert "needs watchfiles" in error
    assert "do without restarts: --no-watch" in error


def test_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    plugin = make_plugin(tmp_path / "plugin")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as out:  # noqa: PTH123 - a descriptor
        command = [*COMMAND, "check", str(plugin)]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_console_script_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["mattermost-plugin"].partition(":")
    assert getattr(importlib.import_module(module), function) is main
    assert {text.partition(">")[0] for text in project["optional-dependencies"]["dev"]} == {"aiohttp", "watchfiles"}


def test_the_help_loads_nothing_heavy() -> None:
    heavy = ["grpc", "sqlite3", "aiohttp", "watchfiles"]
    script = f"""
import json, sys
from mattermost_plugin.cli.command_line import main
try:
    main(["dev", "--help"])
except SystemExit:
    print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
