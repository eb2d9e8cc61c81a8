"""A plugin's process: started, listened to and ended as the server's gRPC host does it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from mattermost_plugin.devhost.errors import StartError
from mattermost_plugin.devhost.handshake import APP_VERSION

__all__ = ["LogListener", "PluginProcess"]

START_TIMEOUT_S: Final = 10.0
"""How long the server waits for a Python plugin's handshake line."""

EXIT_PATIENCE_S: Final = 2.0
"""How long go-plugin waits between asking a plugin to end and SIGKILL."""

REMEMBERED_LINES: Final = 20
"""How much of its log is told when a plugin ends by itself."""

_LINE_LIMIT: Final = 64 * 1024
"""go-plugin reads no longer line from a plugin."""

_LEVELS: Final = frozenset({"trace", "debug", "info", "warn", "error"})
_INTERPRETERS: Final = ("venv/bin/python", "venv/bin/python3", ".venv/bin/python", ".venv/bin/python3")

_HOST_VARIABLES: Final = {
    # The proof that a server started the process, and not somebody by hand.
    "MATTERMOST_PLUGIN": "Securely message teams, anywhere.",
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": APP_VERSION,
}

LogListener = Callable[[str, str, Mapping[str, object]], None]
"""Called with level, text and values of each line of the log."""


class PluginProcess:
    """A running plugin process, with both of its output pipes read to their ends.

    Args:
        process: the process.
        on_log: called with each line of its log.
    """

    def __init__(self, process: Process, on_log: LogListener) -> None:
        self._process = process
        self._on_log = on_log
        self._last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)
        # A plugin must never stand still because nobody reads what it says, so both are read for ever.
        self._stderr = asyncio.create_task(self._read_log())
        self._stdout: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, folder: Path, executable: str, api_target: str, on_log: LogListener) -> Self:
        """Start a plugin, with the Python of its own venv if it has one, and with this one if not.

        Raises:
            StartError: it cannot be started.
        """
        own = (folder / name for name in _INTERPRETERS)
        interpreter = next((str(path.absolute()) for path in own if path.exists()), sys.executable)
        try:
            process = await asyncio.create_subprocess_exec(
                interpreter,
                executable,
                cwd=folder,
                env=_environment(api_target),
                stdout=PIPE,
                stderr=PIPE,
                limit=_LINE_LIMIT,
            )
        except OSError as error:
            raise StartError(f"{interpreter} cannot be started: {error}") from error
        return cls(process, on_log)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def last_lines(self) -> list[str]:
        """The end of its log."""
        return list(self._last_lines)

    async def read_handshake(self) -> str:
        """Wait for the first line on stdout. What comes after it is read and thrown away.

        Raises:
            StartError: no line came.
        """
        if self._process.stdout is None:
            raise StartError("the plugin was started without a pipe for its stdout")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise StartError(f"there was no handshake line within {START_TIMEOUT_S:g} s") from error
        except ValueError as error:
            raise StartError(f"the first line on stdout is longer than {_LINE_LIMIT} bytes") from error
        if not line:
            await self.wait_end()
            raise StartError(f"the plugin ended before the handshake: {self.how_it_ended()}")
        self._stdout = asyncio.create_task(_discard(self._process.stdout))
        return line.decode(errors="replace").rstrip("\r\n")

    async def wait_end(self) -> int:
        """Wait until the process has ended, and until its pipes have if no child of it holds them open."""
        code = await self._process.wait()
        _, waiting = await asyncio.wait(self._readers, timeout=EXIT_PATIENCE_S)
        for reader in waiting:
            reader.cancel()
        return code

    def how_it_ended(self) -> str:
        """The exit code or signal, and the end of its log."""
        code = self._process.returncode
        if code is None:
            return "it still runs"
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return "\n".join([how, *self._last_lines])

    async def end(self) -> None:
        """Give the process the time that it has after it was asked to end, and then kill it."""
        try:
            async with asyncio.timeout(EXIT_PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            self._on_log("warn", f"the plugin did not end within {EXIT_PATIENCE_S:g} s and is killed", {})
        await self.kill()

    async def kill(self) -> None:
        """End the process at once, if it still runs, and what reads its output."""
        if self._process.returncode is None:
            # Process.kill() would also reap it, which takes the exit code from asyncio's own watcher.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        await self.wait_end()

    @property
    def _readers(self) -> list[asyncio.Task[None]]:
        return [self._stderr] if self._stdout is None else [self._stderr, self._stdout]

    async def _read_log(self) -> None:
        stream = self._process.stderr
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # longer than the limit: the reader has dropped it, as the host drops its form
            if not line:
                return
            level, text, pairs = _parse(line)
            self._last_lines.append(text)
            self._on_log(level, text, pairs)


def _parse(line: bytes) -> tuple[str, str, Mapping[str, object]]:
    """Read a line as the host does: what is not in hclog's form is text at level debug."""
    text = line.decode(errors="replace").rstrip("\r\n")
    try:
        fields = json.loads(text)
    except ValueError:
        return "debug", text, {}
    # Compared as a text: whatever type the plugin wrote, it can be told.
    if not isinstance(fields, dict) or str(fields.get("@level")) not in _LEVELS:
        return "debug", text, {}
    pairs = {key: value for key, value in fields.items() if not key.startswith("@")}
    return str(fields["@level"]), str(fields.get("@message", "")), pairs


def _environment(api_target: str) -> dict[str, str]:
    """The host's whole environment and go-plugin's variables, but nothing that another host left for this one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUGIN_")}
    return inherited | _HOST_VARIABLES | {"MATTERMOST_PLUGIN_API_TARGET": api_target}


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(_LINE_LIMIT):
        pass
