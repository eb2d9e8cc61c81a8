"""What a plugin's process says to its host: the handshake, the log, and more than anybody wants to read."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from mattermost_plugin.devhost import StartError
from mattermost_plugin.devhost import process as process_module
from mattermost_plugin.devhost.handshake import target_of
from mattermost_plugin.devhost.process import PluginProcess

LogLine = tuple[str, str, Mapping[str, object]]


async def spawn(folder: Path, script: str, log: list[LogLine]) -> PluginProcess:
    (folder / "plugin.py").write_text(script, encoding="utf-8")
    return await PluginProcess.spawn(folder, "plugin.py", "", lambda *line: log.append(line))


def logged(folder: Path, script: str) -> list[LogLine]:
    """What a script that says nothing else has in its log."""
    log: list[LogLine] = []

    async def run() -> None:
        process = await spawn(folder, "print('1|1|unix|/s|grpc', flush=True)\n" + script, log)
        try:
            await process.read_handshake()
            assert await process.wait_end() == 0
        finally:
            await process.kill()

    asyncio.run(run())
    return log


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("1|1|unix|/tmp/a b.sock|grpc", "unix:/tmp/a b.sock"),
        (" 1|1|tcp|127.0.0.1:80|grpc|\r", "127.0.0.1:80"),
        ("1|1|unix|/s|grpc||true", "unix:/s"),
    ],
)
def test_handshake_lines(line: str, target: str) -> None:
    assert target_of(line) == target


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
        target_of(line)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"@level": "warn", "@message": "m", "@timestamp": "t", "a": 1}', ("warn", "m", {"a": 1})),
        (b'{"@level": "info"}', ("info", "", {})),
        (b'{"@level": "loud", "@message": "m"}', ("debug", '{"@level": "loud", "@message": "m"}', {})),
        (b'{"@level": []}', ("debug", '{"@level": []}', {})),
        (b"[1]", ("debug", "[1]", {})),
        (b"plain \xff\r", ("debug", "plain \ufffd", {})),
    ],
)
def test_log_lines(tmp_path: Path, line: bytes, expected: LogLine) -> None:
    assert logged(tmp_path, f"import os; os.write(2, {line!r} + b'\\n')") == [expected]


def test_output_is_read_to_its_end_however_much_it_is(tmp_path: Path) -> None:
    script = """
import sys
print("x" * 1_000_000)
print("y" * 1_000_000, file=sys.stderr)
print("[INFO] last", file=sys.stderr)
"""
    assert logged(tmp_path, script)[-1] == ("debug", "[INFO] last", {})


def test_a_first_line_without_end_is_given_up(tmp_path: Path) -> None:
    async def run() -> None:
        process = await spawn(tmp_path, "print('x' * 100_000, flush=True)\nimport signal; signal.pause()", [])
        try:
            with pytest.raises(StartError, match="longer than 65536 bytes"):
                await process.read_handshake()
        finally:
            await process.kill()
        assert process.exit_code == -signal.SIGKILL
        assert process.how_it_ended() == "killed by SIGKILL"

    asyncio.run(run())


def test_a_plugin_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "START_TIMEOUT_S", 0.01)

    async def run() -> None:
        process = await spawn(tmp_path, "import signal; signal.pause()", [])
        try:
            with pytest.raises(StartError, match=r"no handshake line within 0\.01 s"):
                await process.read_handshake()
            assert process.exit_code is None
        finally:
            await process.kill()

    asyncio.run(run())


def test_a_plugin_that_does_not_end_is_killed_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "EXIT_PATIENCE_S", 0.01)
    log: list[LogLine] = []

    async def run() -> None:
        script = "import signal; print('1|1|unix|/s|grpc', flush=True); signal.pause()"
        process = await spawn(tmp_path, script, log)
        assert await process.read_handshake() == "1|1|unix|/s|grpc"
        await process.end()
        assert process.exit_code == -signal.SIGKILL

    asyncio.run(run())
    assert log == [("warn", "the plugin did not end within 0.01 s and is killed", {})]
