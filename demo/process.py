"""A plugin's process: started, listened to and ended as the server's gRPC host does it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from demo.handshake import APP_VERSION, StartError
from demo.logs import LogLine, parse_log_line

START_TIMEOUT_S: Final = 10.0
"""How long the server waits for a Python plugin's handshake line."""

EXIT_PATIENCE_S: Final = 2.0
"""How long go-plugin waits between asking a plugin to end and SIGKILL."""

_LINE_LIMIT: Final = 64 * 1024
"""go-plugin reads no longer line from a plugin."""

_HOST_VARIABLES: Final = {
    # The proof that a server started the process, and not somebody by hand.
    "MATTERMOST_PLUGIN": "Securely message teams, anywhere.",
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": APP_VERSION,
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the host needs of a plugin.json."""

    folder: Path
    plugin_id: str
    executable: str


def read_manifest(folder: Path) -> Manifest:
    """Read a plugin's manifest.

    Raises:
        StartError: the folder holds no Python plugin.
    """
    path = folder / "plugin.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        plugin_id, executable = fields["id"], fields["server"]["executable"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"{path} cannot be used: {error!r}") from error
    if not (folder / executable).is_file():
        raise StartError(f"{path} names {executable!r} as executable, which is not there")
    return Manifest(folder, plugin_id, executable)


class PluginProcess:
    """A running plugin process, with both of its output pipes read to their ends.

    Args:
        process: the process.
        on_log: called with each line of the plugin's log.
    """

    def __init__(self, process: Process, on_log: Callable[[LogLine], None]) -> None:
        self._process = process
        self._on_log = on_log
        # A plugin must never stand still because nobody reads what it says, so both are read for ever.
        self._stderr = asyncio.create_task(self._show_log())
        self._stdout: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, manifest: Manifest, on_log: Callable[[LogLine], None]) -> Self:
        """Start the plugin. The server prefers the Python of the plugin's own venv; here it is this one."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                manifest.executable,
                cwd=manifest.folder,
                env=_environment(),
                stdout=PIPE,
                stderr=PIPE,
                limit=_LINE_LIMIT,
            ),
            on_log,
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of a process that has ended, else None."""
        return self._process.returncode

    async def read_handshake(self, timeout_s: float = START_TIMEOUT_S) -> str:
        """Wait for the first line on stdout. What comes after it is read and thrown away.

        Raises:
            StartError: no line came.
        """
        if self._process.stdout is None:
            raise StartError("the plugin was started without a pipe for its stdout")
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise StartError(f"there was no handshake line within {timeout_s:g} s") from error
        except ValueError as error:
            raise StartError(f"the first line on stdout is longer than {_LINE_LIMIT} bytes") from error
        if not line:
            code = await self._process.wait()
            raise StartError(f"the plugin ended with exit code {code} before the handshake")
        self._stdout = asyncio.create_task(_discard(self._process.stdout))
        return line.decode(errors="replace").rstrip("\r\n")

    async def wait_end(self, patience_s: float = EXIT_PATIENCE_S) -> int:
        """Wait until the process and both pipes have ended. Returns the exit code.

        Raises:
            TimeoutError: they have not.
        """
        async with asyncio.timeout(patience_s):
            code = await self._process.wait()
            await asyncio.gather(*self._readers)
        return code

    async def kill(self) -> None:
        """End the process at once, if it still runs, and what reads its output."""
        if self._process.returncode is None:
            # Process.kill() would also reap it, which takes the exit code from asyncio's own watcher.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        # What it logged last is worth reading; a child of the plugin may hold the pipes open, though.
        _, waiting = await asyncio.wait(self._readers, timeout=EXIT_PATIENCE_S)
        for reader in waiting:
            reader.cancel()

    @property
    def _readers(self) -> list[asyncio.Task[None]]:
        return [self._stderr] if self._stdout is None else [self._stderr, self._stdout]

    async def _show_log(self) -> None:
        stream = self._process.stderr
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # longer than the limit: the reader has dropped it, as the host drops its form
            if not line:
                return
            self._on_log(parse_log_line(line))


def _environment() -> dict[str, str]:
    """The host's whole environment and go-plugin's variables, but nothing that another host left for this one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PLUGIN_")}
    return inherited | _HOST_VARIABLES


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(_LINE_LIMIT):
        pass
