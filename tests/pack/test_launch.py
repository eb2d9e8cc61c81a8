"""How a bundle finds a Python on the server's machine, and what it says if there is none."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin.cli.pack import launch_program
from mattermost_plugin.cli.pack.launch_script import launch_script
from mattermost_plugin.cli.pack.launcher import PythonNeed, write_launcher

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
SYSTEM_FOLDERS = " /usr/local/bin /usr/bin /bin /opt/homebrew/bin"
NEED = PythonNeed(["3.12", "3.11"], and_later=True)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A bundle whose shell script looks into no folder of this machine's, and programs that tell who was started."""
    script = launch_script(NEED.search, str(NEED)).decode()
    assert SYSTEM_FOLDERS in script
    bundle = tmp_path / "plug in" / "python"
    bundle.mkdir(parents=True)
    (bundle / "start").write_text(script.replace(SYSTEM_FOLDERS, ""))
    (bundle / "start").chmod(0o755)
    return tmp_path


def install(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text('#!/bin/sh\necho "$0|$*"\n')
        (folder / name).chmod(0o755)


def start(server: Path, *path: Path, shell: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    program = server / "plug in" / "python" / "start"
    command = [str(program)] if shell is None else [str(shutil.which(shell)), str(program)]
    if shell == "busybox":
        command.insert(1, "sh")
    variables = {"PATH": ":".join(map(str, path)), **env}
    return subprocess.run(command, env=variables, capture_output=True, text=True, cwd="/")


def started(server: Path, *path: Path, shell: str | None = None, **env: str) -> str:
    """The program that was started, relative to the server's folder."""
    done = start(server, *path, shell=shell, **env)
    assert (done.returncode, done.stderr) == (0, "")
    program, _, arguments = done.stdout.strip().partition("|")
    assert arguments == f"-I -S -X utf8 {server}/plug in/python/launch.py"
    return program.removeprefix(f"{server}/")


@pytest.mark.parametrize("shell", [None, *SHELLS])
def test_the_best_version_is_taken(server: Path, shell: str | None) -> None:
    install(server / "a", "python3.11", "python3.14", "python3", "python3.10")
    install(server / "b", "python3.12")
    assert started(server, server / "a", server / "b", shell=shell) == "b/python3.12"
    assert started(server, server / "a", shell=shell) == "a/python3.11"


def test_later_versions_and_plain_names(server: Path) -> None:
    install(server / "a", "python3.13", "python3.14", "python3", "python3.10")
    assert started(server, server / "a") == "a/python3.14"
    install(server / "b", "python3", "python3.10")
    assert started(server, Path("/gone"), server / "b") == "b/python3"


def test_what_is_no_program_is_passed_over(server: Path) -> None:
    (server / "a" / "python3.12").mkdir(parents=True)
    (server / "a" / "python3.11").write_text("")
    install(server / "b", "python3.11")
    assert started(server, server / "a", server / "b") == "b/python3.11"


@pytest.mark.parametrize("shell", [None, *SHELLS])
def test_stand_ins_of_version_managers_are_resolved(server: Path, shell: str | None) -> None:
    install(server / "pyenv" / "shims", "python3.12", "python3.11", "python3")
    install(server / "pyenv" / "versions" / "3.11.7" / "bin", "python3.11")
    install(server / "usr", "python3")
    folders = (server / "pyenv" / "shims", server / "usr")
    assert started(server, *folders, shell=shell) == "pyenv/versions/3.11.7/bin/python3.11"
    install(server / "pyenv" / "installs" / "python" / "3.12.1" / "bin", "python3.12")
    assert started(server, *folders, shell=shell) == "pyenv/installs/python/3.12.1/bin/python3.12"
    shutil.rmtree(server / "pyenv" / "versions")
    shutil.rmtree(server / "pyenv" / "installs")
    assert started(server, *folders, shell=shell) == "usr/python3"


def test_the_administrator_chooses(server: Path) -> None:
    install(server / "a", "python3.12")
    install(server / "my own", "python")
    chosen = str(server / "my own" / "python")
    assert started(server, server / "a", MATTERMOST_PLUGIN_PYTHON=chosen) == "my own/python"
    assert started(server, server / "a", MATTERMOST_PLUGIN_PYTHON="/gone") == "a/python3.12"


@pytest.mark.parametrize("shell", [None, *SHELLS])
def test_there_is_no_python(server: Path, shell: str | None) -> None:
    install(server / "a", "python3.10", "python2")
    (server / "a" / "date").symlink_to(str(shutil.which("date")))
    done = start(server, server / "a", shell=shell)
    assert (done.returncode, done.stdout) == (1, "")
    line = json.loads(done.stderr)
    assert line["@level"] == "error"
    assert line["@message"].startswith("There is no Python 3.11 or newer on this server, which the plugin needs")
    assert "--self-contained" in line["@message"]
    # hclog knows this form only.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z", line["@timestamp"])


def test_there_is_nothing_at_all(server: Path) -> None:
    done = start(server)
    assert done.returncode == 1
    assert set(json.loads(done.stderr)) == {"@level", "@message"}


@pytest.mark.parametrize(
    ("versions", "and_later", "fits", "words"),
    [
        (["3.11"], True, True, ""),
        (["3.12", "3.11"], False, sys.version_info < (3, 13), "3.12 or 3.11"),
        (["3.99"], True, False, "3.99 or newer"),
        (["3.98", "3.99"], False, False, "3.98 or 3.99"),
    ],
)
def test_a_version_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    versions: list[str],
    and_later: bool,
    fits: bool,
    words: str,
) -> None:
    monkeypatch.setattr(launch_program, "VERSIONS", versions)
    monkeypatch.setattr(launch_program, "AND_LATER", and_later)
    if fits:
        launch_program.check_version()
        assert capsys.readouterr().err == ""
        return
    with pytest.raises(SystemExit) as end:
        launch_program.check_version()
    assert end.value.code == 1
    line = json.loads(capsys.readouterr().err)
    assert line["@level"] == "error"
    assert f"needs Python {words}, and {sys.executable} is Python 3." in line["@message"]


def launched(folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run launch.py with a script at folder/server/main.py."""
    (folder / "server").mkdir(parents=True)
    (folder / "server" / "main.py").write_text(script)
    write_launcher(folder, "server/main.py", PythonNeed(["3.11"], and_later=True))
    command = [sys.executable, *options, str(folder / "python" / "launch.py")]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def test_the_script_runs_as_it_does_in_its_folder(tmp_path: Path) -> None:
    script = """
import dataclasses, os, pickle, sys

@dataclasses.dataclass
class Here:
    x: int

assert pickle.loads(pickle.dumps(Here(1))) == Here(1)
assert sys.modules["__main__"].Here is Here
assert callable(quit)
print(__name__, __file__, sys.argv, os.getcwd(), [sys.path[0], sys.path[-1]], os.environ["MATTERMOST_PLUGIN_PATH"])
exit(5)
"""
    done = launched(tmp_path, script, "-I", "-S")
    assert (done.returncode, done.stderr) == (5, "")
    main = f"{tmp_path}/server/main.py"
    path = [f"{tmp_path}/server", f"{tmp_path}/python/packages"]
    assert done.stdout == f"__main__ {main} {[main]} {tmp_path} {path} {tmp_path}\n"


def test_packages_do_not_take_the_place_of_the_standard_library(tmp_path: Path) -> None:
    packages = tmp_path / "python" / "packages"
    packages.mkdir(parents=True)
    (packages / "colorsys.py").write_text("raise SystemExit('the wrong one')\n")
    (packages / "mine.py").write_text("x = 1\n")
    done = launched(tmp_path, "import colorsys, mine; print(mine.x)", "-I", "-S")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_packages_for_this_machine_and_version(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    tagged = tmp_path / "python" / f"packages-{sys.platform}-{os.uname().machine}-{version}"
    tagged.mkdir(parents=True)
    done = launched(tmp_path, "import sys; print(sys.path[-1])")
    assert done.stdout == f"{tagged}\n"


def test_a_traceback_names_the_author_s_line(tmp_path: Path) -> None:
    done = launched(tmp_path, "x = 1\nraise ValueError(x)\n")
    assert done.returncode == 1
    assert (
        f'File "{tmp_path}/server/main.py", line 2, in <module>\n    raise ValueError(x)\nValueError: 1' in done.stderr
    )


def test_old_versions_can_read_the_program() -> None:
    source = Path(launch_program.__file__).read_text()
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source


def test_needs() -> None:
    assert str(PythonNeed(["3.12", "3.11"], and_later=True)) == "Python 3.11 or newer"
    assert str(PythonNeed(["3.12", "3.11"], and_later=False)) == "Python 3.12 or 3.11"
    assert PythonNeed(["3.12"], and_later=False).search == ["3.12"]
    search = PythonNeed(["3.12", "3.11"], and_later=True).search
    assert search[:3] == ["3.12", "3.11", "3.20"]
    assert search[-1] == "3.13"
