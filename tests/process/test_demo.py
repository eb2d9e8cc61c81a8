"""The demo: what a newcomer sees first, and that it notices what goes wrong."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.handshake import Handshake, StartError, parse_handshake
from demo.logs import LogLine, parse_log_line
from demo.process import PluginProcess, read_manifest

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
    steps = [line.split()[3] for line in lines if line.startswith("  ok ")]
    assert steps[:6] == ["process", "handshake", "health", "StreamStdio,", "Implemented", "Implemented"]
    assert steps[6:19] == [
        "OnActivate",
        *["MessageWillBePosted"] * 4,
        *["ExecuteCommand"] * 2,
        *["FileWillBeUploaded"] * 3,
        *["UserWillLogIn"] * 2,
        "GET",
    ]
    assert steps[19:] == ["GET", "GET", "POST", "OnDeactivate", "Shutdown", "end"]


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
        'OnActivate: got error 501: "No.", expected active',
    ),
    "another status": ("write_header(404)", "write_header(410)", "GET /nowhere without a session: got 410"),
    "a body that is not the same": (
        "awrite(piece)\n            return",
        "awrite(piece[::-1])\n            return",
        "got 200, 1048576 bytes, different from byte 0 on",
    ),
    "a body that is cut short": (
        "awrite(piece)\n            return",
        "awrite(piece)\n                return",
        "got 200, 65536 bytes, different from byte 65536 on",
    ),
    "a response that breaks off": (
        "awrite(piece)\n            return",
        "awrite(piece)\n                raise OSError",
        "POST /echo 1 MiB, 16 pieces: got gRPC status ",
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
    "an early end": ("raise SystemExit(3)", "the plugin ended with exit code 3 before the handshake"),
    "another protocol": ("print('1|1|tcp|127.0.0.1:1|netrpc')", "the protocol is 'netrpc', not 'grpc'"),
    "an endless line": ("print('x' * 100_000)", "the first line on stdout is longer than 65536 bytes"),
}


@pytest.mark.parametrize("case", NOT_STARTED)
def test_a_plugin_that_does_not_start(case: str, plugin_folder: PluginFolder) -> None:
    script, text = NOT_STARTED[case]
    done = run_demo(plugin_folder(script))
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert text in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        (None, "No such file or directory"),
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"id": "a", "server": {}}', "KeyError('executable')"),
        ('{"id": "a", "server": {"executable": "gone.py"}}', "names 'gone.py' as executable, which is not there"),
    ],
)
def test_a_folder_without_a_plugin(tmp_path: Path, manifest: str | None, text: str) -> None:
    if manifest is not None:
        (tmp_path / "plugin.json").write_text(manifest)
    with pytest.raises(StartError) as caught:
        read_manifest(tmp_path)
    assert text in str(caught.value)


def test_a_plugin_that_says_nothing_is_given_up_and_killed(plugin_folder: PluginFolder) -> None:
    async def wait_for_handshake() -> int | None:
        process = await PluginProcess.spawn(read_manifest(plugin_folder("import signal; signal.pause()")), print)
        try:
            with pytest.raises(StartError, match=r"no handshake line within 0\.01 s"):
                await process.read_handshake(0.01)
        finally:
            await process.kill()
        return process.exit_code

    assert asyncio.run(wait_for_handshake()) == -signal.SIGKILL


def test_a_plugin_that_does_not_end_is_killed(plugin_folder: PluginFolder) -> None:
    script = "import signal; print('1|1|unix|/s|grpc', flush=True); signal.pause()"

    async def wait_for_end() -> int | None:
        process = await PluginProcess.spawn(read_manifest(plugin_folder(script)), print)
        try:
            assert await process.read_handshake() == "1|1|unix|/s|grpc"
            with pytest.raises(TimeoutError):
                await process.wait_end(0.01)
        finally:
            await process.kill()
        return process.exit_code

    assert asyncio.run(wait_for_end()) == -signal.SIGKILL


def test_output_is_read_to_its_end_however_much_it_is(plugin_folder: PluginFolder) -> None:
    script = """
import sys
print("1|1|unix|/s|grpc")
print("x" * 1_000_000)
print("y" * 1_000_000, file=sys.stderr)
print("[INFO] last", file=sys.stderr)
"""
    log: list[LogLine] = []

    async def wait_for_end() -> int:
        process = await PluginProcess.spawn(read_manifest(plugin_folder(script)), log.append)
        try:
            await process.read_handshake()
            return await process.wait_end(TIMEOUT_S)
        finally:
            await process.kill()

    assert asyncio.run(wait_for_end()) == 0
    assert log[-1] == LogLine("debug", "[INFO] last")


def test_handshake_lines() -> None:
    assert parse_handshake("1|1|unix|/tmp/a b.sock|grpc") == Handshake("unix", "/tmp/a b.sock")
    assert parse_handshake(" 1|1|tcp|127.0.0.1:80|grpc|\r") == Handshake("tcp", "127.0.0.1:80")
    assert parse_handshake("1|1|unix|/s|grpc||true").target == "unix:/s"
    assert parse_handshake("1|1|tcp|127.0.0.1:80|grpc").target == "127.0.0.1:80"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("", "no handshake"),
        ("1|1|unix", "no handshake"),
        ("2|1|unix|/s|grpc", "core protocol version is '2', not '1'"),
        ("1|2|unix|/s|grpc", "app protocol version is '2', not '1'"),
        ("1|1|pipe|/s|grpc", "network is 'pipe'"),
        ("1|1|unix||grpc", "address is empty"),
        ("1|1|unix|/s", "protocol is 'netrpc', not 'grpc'"),
        ("1|1|unix|/s|", "protocol is '', not 'grpc'"),
        ("1|1|unix|/s|grpc|" + "A" * 51, "TLS certificate"),
    ],
)
def test_handshake_lines_that_are_refused(line: str, text: str) -> None:
    with pytest.raises(StartError) as caught:
        parse_handshake(line)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"@level": "warn", "@message": "m", "@timestamp": "t", "a": 1}\n', LogLine("warn", "m", {"a": 1})),
        (b'{"@level": "info"}', LogLine("info", "")),
        (b'{"@level": "loud", "@message": "m"}', LogLine("debug", '{"@level": "loud", "@message": "m"}')),
        (b'{"@level": []}', LogLine("debug", '{"@level": []}')),
        (b"[1]", LogLine("debug", "[1]")),
        (b"plain \xff\r\n", LogLine("debug", "plain \ufffd")),
    ],
)
def test_log_lines(line: bytes, expected: LogLine) -> None:
    assert parse_log_line(line) == expected
