"""The demo: what a newcomer sees first, and that it notices what goes wrong."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GREETER = ROOT / "examples" / "greeter"
ALL_WELL = "everything came back as expected."
TIMEOUT_S = 60  # for what takes a second at most, on a machine that is busy with other things

PluginFolder = Callable[[str], Path]


def run_demo(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, env=os.environ | (env or {})
    )


@pytest.fixture
def plugin_folder(tmp_path: Path) -> PluginFolder:
    """Makes a plugin of a script's text."""

    def make(script: str) -> Path:
        (tmp_path / "plugin.json").write_text((GREETER / "plugin.json").read_text())
        (tmp_path / "plugin.py").write_text(script)
        return tmp_path

    return make


def test_the_greeter_answers_as_expected() -> None:
    done = run_demo()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.rstrip().endswith(ALL_WELL)
    assert "\033" not in done.stdout
    lines = done.stdout.splitlines()
    # The socket's path is as long as the temporary folder's, and log lines are as long as what is logged.
    assert all(len(line) <= 120 for line in lines if line.startswith("  ok ") and "plugin.sock" not in line)
    steps = [line[18:37].rstrip() for line in lines if line.startswith("  ok ")]
    assert steps[:5] == ["process", "handshake", "Implemented", "OnActivate", "health"]
    # What each hook answers, and what users see of it.
    post, command, upload, login = "MessageWillBePosted", "ExecuteCommand", "FileWillBeUploaded", "UserWillLogIn"
    told = "ada is told"
    assert steps[5:13] == [post, "all read", post, "all read", post, told, post, "nobody sees"]
    assert steps[13:19] == [command, "all read", command, "ada alone reads", command, told]
    assert steps[19:25] == [upload, "bob downloads", upload, told, upload, "bob downloads"]
    assert steps[25:30] == [login, "ada gets", login, "mallory is told", "the channel keeps"]
    assert steps[30:34] == ["GET /hello", "GET /hello", "GET /nowhere", "POST /echo"]
    assert steps[34:] == ["OnDeactivate", "end of process", "its socket"]
    assert lines[-1].startswith(f"{len(steps)} steps in ")


def test_the_plugin_s_log_is_shown_with_its_values() -> None:
    lines = [line.split() for line in run_demo().stdout.splitlines()]
    assert ["log", "info", "activated", "hooks=7"] in lines
    assert ["log", "info", "deactivated", "greeted=1"] in lines


def test_variables_for_another_plugin_do_not_get_through() -> None:
    done = run_demo(env={"PLUGIN_CLIENT_CERT": "a certificate", "PLUGIN_UNIX_SOCKET_DIR": "/nowhere"})
    assert done.returncode == 0, done.stdout


DOCTORED = {
    "another answer": (":wave:", ":tada:", 'got changed to "Hello, everybody :tada:", expected changed to'),
    "another field": ("com.example.greeter.no_name", "com.example.other", 'id: "com.example.other"'),
    "a failing hook": (
        'return Reject("This account is closed.") if',
        "return 1 / 0 if",
        "the plugin logged an error: UserWillLogIn handler",
    ),
    "a missing hook": ("def serve_http", "def serve", "got 6 hooks, but without ServeHTTP, expected 7 hooks"),
    "a surplus hook": (
        "    async def execute_command",
        "    def on_install(self, context: PluginContext, event: object) -> None: ...\n\n    async def execute_command",
        "got 8 hooks, but with OnInstall, expected 7 hooks",
    ),
    "a plugin that refuses to start": (
        "self.greeted = 0",
        'raise HookError("No.", status_code=501)',
        "OnActivate failed: No.",
    ),
    "another status": ("write_header(404)", "write_header(410)", "GET /nowhere without a session: got 410"),
    "a body that is not the same": (
        "awrite(bytes(body))",
        "awrite(bytes(body[::-1]))",
        "got 200, 1048576 bytes, different from byte 0 on",
    ),
    "a body that is cut short": (
        "awrite(bytes(body))",
        "awrite(bytes(body[:65536]))",
        "got 200, 65536 bytes, different from byte 65536 on",
    ),
    "a response that breaks off": (
        "awrite(bytes(body))",
        "awrite(bytes(body))\n        raise OSError",
        "POST /echo 1 MiB: got 502, 12 bytes, different from byte 0 on, expected 200, 1048576 bytes, the same",
    ),
    "a command that is not declared": (
        'trigger="greet"',
        'trigger="hail"',
        "ExecuteCommand /greet Ada: got called 0 times, expected called once",
    ),
    "an answer to all in place of one to the user": (
        'response_type="ephemeral"',
        'response_type="in_channel"',
        'what is seen: got all read ada: "`/greet NAME` greets NAME.", expected ada alone reads',
    ),
    "a post that should not be there": (
        "return Reject(DISMISS)",
        "return None",
        'what is seen: got all read ada: "/shrug whatever", expected nobody sees anything',
    ),
    "a file that somebody else changed": (
        "signed by the greeter",
        "signed by somebody",
        'bob downloads 32 bytes, ending in "-- signed by somebody"',
    ),
    "a process that dies": (
        "self.greeted += 1",
        "import os; os._exit(3)",
        "the plugin's process has ended by itself, with exit code 3",
    ),
    "a bad end": (
        '"""Say goodbye in the log."""',
        "import atexit, os; atexit.register(os._exit, 7)",
        "end of process: got exit code 7, expected exit code 0",
    ),
    "no end": (
        '"""Say goodbye in the log."""',
        "import atexit, signal; atexit.register(signal.pause)",
        "The plugin did not end in time and is ended by force.",
    ),
}


@pytest.mark.parametrize("case", DOCTORED)
def test_a_difference_is_named_and_fails_the_demo(case: str, plugin_folder: PluginFolder) -> None:
    before, after, text = DOCTORED[case]
    script = (GREETER / "plugin.py").read_text()
    assert before in script
    done = run_demo(plugin_folder(script.replace(before, after)))
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    _, _, verdict = done.stdout.partition("not everything came back as expected.")
    assert text in verdict


NOT_STARTED = {
    "a print before the handshake": ("print('Hello')", "the first line on stdout is no handshake: 'Hello'"),
    "an early end": ("raise SystemExit(3)", "the plugin ended before the handshake: exit code 3"),
    "another protocol": ("print('1|1|tcp|127.0.0.1:1|netrpc')", "the protocol is 'netrpc', not 'grpc'"),
    "an endless line": ("print('x' * 100_000)", "the first line on stdout is longer than 65536 bytes"),
}


@pytest.mark.parametrize("case", NOT_STARTED)
def test_a_plugin_that_does_not_start(case: str, plugin_folder: PluginFolder) -> None:
    script, text = NOT_STARTED[case]
    done = run_demo(plugin_folder(script))
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert text in done.stdout.splitlines()[-1]


def test_a_folder_without_a_plugin(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert "plugin.json cannot be used" in done.stdout.splitlines()[-1]
