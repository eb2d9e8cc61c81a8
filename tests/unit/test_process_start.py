"""What the first import of the package does in a process that a host has started, and in any other."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._handshake import COOKIE_KEY, COOKIE_VALUE

STARTED = {COOKIE_KEY: COOKIE_VALUE}
PIPE = subprocess.PIPE

PLUGIN = """
class MyPlugin(mattermost_plugin.Plugin):
    pass
mattermost_plugin.run_plugin(MyPlugin)
"""


def start(script: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    env = {"PATH": os.environ["PATH"], **environ}
    return subprocess.Popen([sys.executable, "-c", script], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env)


def records(stderr: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def run(script: str, environ: dict[str, str]) -> tuple[int, bytes, bytes]:
    with start(script, environ) as process:
        try:
            out, err = process.communicate()
        finally:
            process.kill()  # or a failed test would wait for ever
    return process.returncode, out, err


IF_STARTED = """
import logging
from mattermost_plugin._start import begin_if_started_by_host
begun = begin_if_started_by_host()
print("begun", begun is not None, begun is begin_if_started_by_host())
logging.getLogger("my").info("logged")
"""


def test_a_process_that_the_host_started_is_guarded_and_logs() -> None:
    code, out, err = run(IF_STARTED, STARTED)
    assert (code, out) == (0, b"")
    assert sorted(record["@message"] for record in records(err)) == ["begun True True", "logged"]


@pytest.mark.parametrize("environ", [{}, {COOKIE_KEY: "wrong"}])
def test_any_other_process_is_left_alone(environ: dict[str, str]) -> None:
    assert run(IF_STARTED, environ) == (0, b"begun False True\n", b"")


def test_ctrl_c_is_for_the_host_during_the_authors_imports_too() -> None:
    code, _, err = run("import mattermost_plugin, os, signal\nos.kill(os.getpid(), signal.SIGINT)", STARTED)
    assert (code, err) == (0, b"")


def test_the_package_may_be_imported_in_a_thread() -> None:
    script = (
        "import threading\nt = threading.Thread(target=__import__, args=['mattermost_plugin'])\nt.start()\nt.join()"
    )
    assert run(script, STARTED) == (0, b"", b"")


@pytest.mark.parametrize("place", ["import", "__init__"])
def test_a_plugin_that_loads_slowly_does_not_outlive_its_host(place: str) -> None:
    wait = "import sys, threading; sys.stderr.write('loading\\n'); threading.Event().wait()"
    script = f"import mattermost_plugin\n{wait}"
    if place == "__init__":
        init = f"class MyPlugin(mattermost_plugin.Plugin):\n    def __init__(self, config):\n        {wait}\n"
        script = f"import mattermost_plugin\n{init}\nmattermost_plugin.run_plugin(MyPlugin)"
    with start(script, STARTED) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert b"loading" in process.stderr.readline()
            process.stdout.close()
            process.stdout = None
            _, err = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 1
    assert "The host is gone" in err.decode()


def test_a_host_that_is_gone_before_the_handshake_leaves_nothing_behind(tmp_path: Path) -> None:
    # The handshake finds the pipe closed before the watch has seen that.
    script = f"""
import mattermost_plugin
from mattermost_plugin import _host_watch, _stdio
_host_watch.HostWatch.take_over = lambda *_, **__: True
def fail(self, line):
    raise mattermost_plugin.errors.HandshakeError("nobody reads it")
_stdio.StdioGuard.write_handshake = fail
{PLUGIN}"""
    code, out, err = run(script, STARTED | {"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})
    assert (code, out) == (1, b"")
    assert [record["@message"] for record in records(err)] == ["nobody reads it"]
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_is_known_to_be_gone_is_not_served(tmp_path: Path) -> None:
    script = f"""
import mattermost_plugin
from mattermost_plugin import _host_watch
_host_watch.HostWatch.take_over = lambda *_, **__: False
{PLUGIN}"""
    code, out, err = run(script, STARTED | {"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})
    assert (code, out) == (1, b"")
    assert [record["@message"] for record in records(err)] == ["The host has gone before the plugin was ready."]


@pytest.mark.parametrize(
    ("way_out", "code"), [("sys.exit(7)", 7), ("sys.exit()", 0), ("raise KeyboardInterrupt", -signal.SIGINT)]
)
def test_a_way_out_in_a_task_stops_the_plugin_in_good_order(tmp_path: Path, way_out: str, code: int) -> None:
    script = f"""
import asyncio, sys
import mattermost_plugin
from mattermost_plugin._plugin_server import PluginServer
class MyPlugin(mattermost_plugin.Plugin):
    pass
async def leave():
    {way_out}
start, stop = PluginServer.start, PluginServer.stop
async def start_and_leave(self):
    line = await start(self)
    self.task = asyncio.create_task(leave())
    return line
async def say_and_stop(self):
    print("stopping")
    await stop(self)
    print("stopped")
PluginServer.start, PluginServer.stop = start_and_leave, say_and_stop
mattermost_plugin.run_plugin(MyPlugin)
"""
    returncode, _, err = run(script, STARTED | {"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})
    assert returncode == code
    found = {record["@message"]: record for record in records(err)}
    assert {"stopping", "stopped"} <= set(found)
    (text,) = [text for text in found if text.startswith("The plugin ends: a task of its own raised")]
    assert "in leave" in found[text]["traceback"]
    assert list(tmp_path.iterdir()) == []
