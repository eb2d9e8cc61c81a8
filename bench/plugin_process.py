"""A plugin as a process, started the way a host starts it."""

from __future__ import annotations

import asyncio
import compileall
import os
import py_compile
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Literal, Self, get_args

Side = Literal["bare", "sdk", "api", "stock"]
"""The opponent, the plugin under test, the one that calls the plugin API, and the one on the stock wire."""
Mode = Literal["async", "sync"]

_SOURCES: Final = Path(__file__).parent
_PACKAGES: Final = ("mattermost_plugin", "mattermost_pluginapi")
_START_TIMEOUT_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 5.0
_HOST_VARIABLES: Final = {"MATTERMOST_PLUGIN": "Securely message teams, anywhere.", "PLUGIN_PROTOCOL_VERSIONS": "1"}
_LOG_LINES: Final = 40
_RESET_PEAK: Final = "5"
"""What proc(5) wants in clear_refs to set the peak of the resident set back to its size."""


class PluginStartError(Exception):
    """The plugin did not get as far as its handshake line."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder like that of an installed plugin: the code with all that it needs of the SDK, compiled. And sockets."""

    folder: Path

    def command(self, side: Side, mode: Mode) -> list[str]:
        return [sys.executable, str(self.folder / f"{side}_plugin.pyc"), mode]

    def environment(self) -> dict[str, str]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**variables, **_HOST_VARIABLES, "PLUGIN_UNIX_SOCKET_DIR": str(self.folder)}


@contextmanager
def workplace() -> Iterator[Workplace]:
    """Prepare a folder for a run; it is removed afterwards.

    The SDK is copied, so that all of a run measures one state of it, and compiled, whatever the environment says
    about writing bytecode.
    """
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        folder = Path(name)
        for package in _PACKAGES:
            shutil.copytree(_source_of(package), folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(folder, quiet=1)
        for side in get_args(Side):
            source = _SOURCES / f"{side}_plugin.py"
            py_compile.compile(str(source), cfile=str(folder / f"{side}_plugin.pyc"), doraise=True)
        yield Workplace(folder)


def _source_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the benchmark needs the package {package}")
    return Path(spec.origin).parent


class PluginProcess:
    """A running plugin. Leaving the context stops it."""

    def __init__(
        self, process: asyncio.subprocess.Process, address: str, handshake_s: float, log: asyncio.Task[str]
    ) -> None:
        self._process = process
        self._log = log
        self.address = address
        self.handshake_s = handshake_s
        """Seconds from the start of the process to its handshake line."""

    @classmethod
    async def start(
        cls, place: Workplace, side: Side, mode: Mode, variables: Mapping[str, str] = MappingProxyType({})
    ) -> Self:
        """Start the plugin and read its handshake line.

        Args:
            place: where its code is.
            side: which one.
            mode: what its handlers are.
            variables: what the environment has beside the usual.

        Raises:
            PluginStartError: there is none.
        """
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *place.command(side, mode),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**place.environment(), **variables},
            cwd=place.folder,
        )
        log = asyncio.create_task(_read_log(process))
        try:
            line = await asyncio.wait_for(_first_line(process), _START_TIMEOUT_S)
            handshake_s = time.perf_counter() - began
            _, _, network, address, _ = line.split("|")
        except (TimeoutError, ValueError) as error:
            await _kill(process)
            raise PluginStartError(f"the {side} plugin did not start:\n{await log}") from error
        return cls(process, f"{network}:{address}", handshake_s, log)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """End the process: ask for it first, as both plugins then leave at once."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            await _kill(self._process)
        await self._log

    def rss_mib(self) -> float:
        """Resident set, in MiB."""
        return status_mib(self._process.pid, "VmRSS")

    def peak_rss_mib(self) -> float:
        """Peak of the resident set since `reset_peak`, in MiB."""
        return status_mib(self._process.pid, "VmHWM")

    def reset_peak(self) -> None:
        """Let the peak begin anew."""
        (self._proc / "clear_refs").write_text(_RESET_PEAK)

    def cpu_s(self) -> float:
        """Time that the process has been on a processor, in all its threads."""
        spent_ns = 0
        for task in (self._proc / "task").iterdir():
            spent_ns += int((task / "schedstat").read_text().split()[0])
        return spent_ns / 1e9

    @property
    def _proc(self) -> Path:
        return Path("/proc", str(self._process.pid))


def status_mib(pid: int, key: str) -> float:
    """A size that Linux tells of a process, in MiB."""
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) / 1024
    raise KeyError(key)


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _first_line(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise TypeError("stdout is no pipe")
    return (await process.stdout.readline()).decode().rstrip("\n")


async def _read_log(process: asyncio.subprocess.Process) -> str:
    """The end of what the plugin writes to stderr; a host reads it all the time."""
    if process.stderr is None:
        raise TypeError("stderr is no pipe")
    lines: deque[bytes] = deque(maxlen=_LOG_LINES)
    async for line in process.stderr:
        lines.append(line)
    return b"".join(lines).decode(errors="replace")
