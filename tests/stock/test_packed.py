"""A packed plugin under Go's own go-plugin: installed and started as a stock server does with an upload."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin.cli.bundle.bundle_rules import check_archive
from mattermost_plugin.cli.bundle.findings import Severity
from tests.pack.bundles import MANIFEST, PROGRAM, Entry, entry, make_archive, sound_entries
from tests.pack.conftest import run_command
from tests.pack.server_side import executable_of, unpack
from tests.pack.wheelhouse import NEEDED, make_wheelhouse, pip_settings
from tests.stock.gostock import GoStock, GoStockError

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
PLUGIN = "plugins/com.example.greeter"
CONTEXT = {"RequestId": "r1"}
API: dict[str, object] = {"RegisterCommand": {}}
HOOKS = [
    "ExecuteCommand",
    "FileWillBeUploaded",
    "MessageWillBePosted",
    "OnActivate",
    "OnDeactivate",
    "ServeHTTP",
    "UserWillLogIn",
]

pytestmark = [
    pytest.mark.go,
    pytest.mark.skipif(sys.platform != "linux", reason="servers run on Linux"),
    pytest.mark.timeout(180, func_only=True),
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheelhouse(tmp_path_factory.mktemp("wheels") / "all", NEEDED)


def packed(folder: Path, wheels: Path, *options: str) -> Path:
    """The example, packed from a copy, and nothing of it left but the archive."""
    source, bundle = folder / "source", folder / "greeter.tar.gz"
    shutil.copytree(GREETER, source, ignore=shutil.ignore_patterns("__pycache__"))
    done = run_command("pack", source, "--output", bundle, *options, env=pip_settings(wheels))
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source)
    return bundle


@pytest.fixture(scope="module")
def system_bundle(program: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("system"), wheels, "--python", "system")


@pytest.fixture(scope="module")
def carrying_bundle(program: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("carrying"), wheels, "--self-contained")


class Server:
    """A server's machine: its folder, and its environment, which its plugins get.

    The server runs in its folder and names its plugins relative to it, as with its default settings. Nothing there
    leads to this checkout or to what is installed for it.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self.folder = folder
        self.env = {"PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin", "MM_CONFIG": "config.json"}

    def run(self, **env: str) -> GoStock:
        return GoStock(self._program, cwd=self.folder, env={**self.env, **env})

    def install(self, bundle: Path) -> Path:
        with self.run() as host:
            return self.folder / host.install(bundle, "plugins")


@pytest.fixture
def server(program: Path, tmp_path: Path) -> Server:
    folder = tmp_path / "mattermost server"
    folder.mkdir()
    return Server(program, folder)


@pytest.fixture(params=["system_bundle", pytest.param("carrying_bundle", marks=pytest.mark.slow)])
def host(request: pytest.FixtureRequest, server: Server) -> Iterator[GoStock]:
    """A server with the example installed and active."""
    bundle: Path = request.getfixturevalue(request.param)
    server.install(bundle)
    if request.param == "carrying_bundle":
        # As in the server's own image.
        server.env["PATH"] = "/nowhere"
    with server.run() as running:
        assert running.start_installed(PLUGIN, api=API)["implemented"] == HOOKS
        assert running.activate() == ""
        yield running


def messages(host: GoStock, *levels: str) -> list[str]:
    return [str(record["@message"]) for record in host.log() if record["@level"] in levels]


def post(host: GoStock, message: str) -> Any:
    return host.hook("MessageWillBePosted", A=CONTEXT, B={"Id": "p1", "Message": message})


def test_the_example_answers(host: GoStock) -> None:
    assert [call["method"] for call in host.api_calls()] == ["RegisterCommand"]
    assert host.api_calls()[0]["args"]["A"]["Trigger"] == "greet"
    assert post(host, "hello")["A"]["Message"] == "hello :wave:"
    assert post(host, "PLEASE LISTEN TO ME") == {"A": None, "B": "Please do not shout."}
    assert post(host, "as it is") == {"A": None, "B": ""}
    assert host.hook("UserWillLogIn", A=CONTEXT, B={"Username": "mallory"}) == {"A": "This account is closed."}
    assert host.hook("ExecuteCommand", A=CONTEXT, B={"Command": "/greet Ada"})["A"]["Text"] == "Hello, Ada!"
    assert host.hook("ExecuteCommand", A=CONTEXT, B={"Command": "/greet"})["B"]["StatusCode"] == 400
    host.ping()


def test_files_and_http(host: GoStock) -> None:
    content = os.urandom(300_000)
    _, replacement = host.upload({"Id": "f1", "Name": "a.txt", "Extension": "txt"}, content)
    assert replacement == content + b"\n-- signed by the greeter\n"
    connection = http.client.HTTPConnection(host.front(), timeout=30)
    connection.request("GET", "/hello")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"Hello, stranger!\n")
    # Go's server drops what is unread of a small request when its response begins, over HTTP/1.
    connection.request("POST", "/echo", body=content)
    assert connection.getresponse().read() == content
    connection.close()


def test_it_ends_by_itself_when_it_is_disabled(host: GoStock) -> None:
    # A plugin that is not gone 2 s after it was asked is killed, and has no exit code of its own.
    assert host.deactivate() == {"error": "", "exit_code": 0}
    assert messages(host, "warn", "error") == []
    assert {"activated", "deactivated"} <= set(messages(host, "info"))


def test_it_is_started_anew_after_a_crash(host: GoStock) -> None:
    assert host.check_health() == {"restarted": False}
    first = host.pid()
    os.kill(first, signal.SIGKILL)
    checked = host.check_health()
    assert checked["restarted"]
    # OnDeactivate was called, and nobody answered.
    assert checked["ended"]["error"] in ("connection is shut down", "stream closed")
    assert checked["ended"]["exit_code"] == -1
    assert host.pid() != first
    assert post(host, "hello")["A"]["Message"] == "hello :wave:"
    assert host.deactivate()["exit_code"] == 0


def test_what_it_runs_on_is_in_its_bundle(host: GoStock, server: Server) -> None:
    maps = Path(f"/proc/{host.pid()}/maps").read_text()
    loaded = {line[line.index("/") :] for line in maps.splitlines() if "/" in line}
    assert any(path.startswith(f"{server.folder}/{PLUGIN}/python/packages") for path in loaded)
    assert [path for path in loaded if "site-packages" in path or "dist-packages" in path] == []
    environment = Path(f"/proc/{host.pid()}/environ").read_bytes().split(b"\0")
    assert b"MM_CONFIG=config.json" in environment
    assert not any(variable.startswith(b"PYTHON") for variable in environment)


def test_a_program_that_was_changed_is_not_started(server: Server, system_bundle: Path) -> None:
    executable = executable_of(server.install(system_bundle))
    expected = hashlib.sha256(executable.read_bytes()).digest()
    with server.run() as host:
        host.start_installed(PLUGIN, api=API, checksum=expected)
        assert host.activate() == ""
        host.deactivate()
        with executable.open("a") as file:
            file.write("\n")
        with pytest.raises(GoStockError, match="checksums did not match"):
            host.start_installed(PLUGIN, checksum=expected)
        assert messages(host, "info").count("activated") == 1


def refused(host: GoStock) -> str:
    """The one error that a plugin has put into the log, which does not start."""
    with pytest.raises(GoStockError):
        host.start_installed(PLUGIN)
    [record] = [record for record in host.log() if record["@level"] == "error" and record.get("@module") == "start"]
    # The server took the line for a record of its own form, with its time.
    assert record["timestamp"] > "2020"
    return str(record["@message"])


def test_there_is_no_python(server: Server, system_bundle: Path) -> None:
    start = executable_of(server.install(system_bundle))
    script = start.read_text()
    assert " /usr/local/bin /usr/bin /bin " in script
    start.write_text(script.replace(" /usr/local/bin /usr/bin /bin ", " "))
    tools = server.folder / "tools"
    tools.mkdir()
    (tools / "date").symlink_to(str(shutil.which("date")))
    server.env["PATH"] = str(tools)
    with server.run() as host:
        said = refused(host)
    assert re.match(r"There is no Python 3\.\d+ on this server, which the plugin needs: install it, ", said)


def test_python_is_too_old(server: Server, system_bundle: Path) -> None:
    launch = server.install(system_bundle) / "python" / "launch.py"
    launch.write_text(re.sub(r"(?m)^VERSIONS = .*", 'VERSIONS = ["3.99"]', launch.read_text()))
    with server.run(MATTERMOST_PLUGIN_PYTHON=sys.executable) as host:
        said = refused(host)
    assert said.startswith(f"The plugin needs Python 3.99, and {sys.executable} is Python 3.")


@pytest.mark.slow
def test_the_python_in_a_bundle_is_gone(server: Server, carrying_bundle: Path) -> None:
    installed = server.install(carrying_bundle)
    (installed / "python" / "runtime" / "bin" / "python3").unlink()
    with server.run() as host:
        with pytest.raises(GoStockError, match="Unrecognized remote plugin message"):
            host.start_installed(PLUGIN)
        assert "The Python in the plugin's bundle cannot be started." in messages(host, "error")


def test_unpacking_in_go_and_in_the_other_tests_is_the_same(
    server: Server, system_bundle: Path, tmp_path: Path
) -> None:
    installed = server.install(system_bundle)
    os.umask(umask := os.umask(0o022))
    assert modes(installed) == modes(unpack(system_bundle, tmp_path / "unpacked", umask))


def modes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mode for path in folder.rglob("*")}


def test_links_are_left_out(server: Server, tmp_path: Path) -> None:
    links = [entry(f"top/{name}", kind=kind) for name, kind in (("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE))]
    installed = server.install(make_archive(tmp_path / "x.tar.gz", [*sound_entries("top/"), *links]))
    assert sorted(path.name for path in installed.iterdir()) == ["plugin.json", "start"]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ([entry("../../outside", PROGRAM)], "leads out"),
        ([entry("a/b", kind=tarfile.DIRTYPE)], "no such file or directory"),
        ([entry("a"), entry("a/b")], "not a directory"),
        ([entry("a/b"), entry("a")], "is a directory"),
    ],
    ids=["outside", "order", "file then folder", "folder then file"],
)
def test_what_a_server_does_not_unpack(server: Server, tmp_path: Path, odd: list[Entry], said: str) -> None:
    bundle = make_archive(tmp_path / "x.tar.gz", [*sound_entries(), *odd])
    assert [finding for finding in check_archive(bundle) if finding.severity is Severity.ERROR]
    with server.run() as host, pytest.raises(GoStockError, match=said):
        host.install(bundle, "plugins")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"min_server_version": "99.0.0"}, "needs a server from 99.0.0 on"),
        ({"server": {"executables": {"plan9-amd64": "start"}}}, "backend executable not found for environment: linux/"),
        ({"server": {"executables": {}, "executable": "../start"}}, "invalid backend executable"),
    ],
)
def test_what_a_server_does_not_start(server: Server, tmp_path: Path, changed: dict[str, object], said: str) -> None:
    bundle = make_archive(tmp_path / "x.tar.gz", sound_entries(manifest={**MANIFEST, **changed}))
    with server.run() as host:
        plugin = host.install(bundle, "plugins")
        assert json.loads((server.folder / plugin / "plugin.json").read_text())["id"] == MANIFEST["id"]
        with pytest.raises(GoStockError, match=said):
            host.start_installed(plugin)
