"""The link to a Go host: its build, its process, and commands matched with their answers."""

import base64
import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TypeAlias

from tests.peer.gohost_results import JSON, CommandError, GoHostError, HostDiedError, HostTimeoutError, JSONInput

SOURCE_DIR = Path(__file__).resolve().parents[1] / "gohost"
BUILD_DIR = Path(__file__).resolve().parents[2] / "build" / "gohost"

ANSWER_MARGIN_S = 20.0  # a command ends by its own time-out first; this is for a host that hangs
QUIT_TIMEOUT_S = 30.0  # the host itself gives up on its plugins after 20 s
KILL_WAIT_S = 10.0  # SIGKILL takes effect at once unless the machine is overloaded
STDERR_TAIL_BYTES = 8192  # enough for a Go panic


class Answer:
    """The result of a command, read field by field with its type checked."""

    def __init__(self, fields: dict[str, JSON]) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        assert isinstance(value, str), (name, value)
        return value

    def number(self, name: str) -> float:
        value = self.fields.get(name, 0)
        assert isinstance(value, (int, float)), (name, value)
        return value

    def flag(self, name: str) -> bool:
        return self.fields.get(name) is True

    def raw(self, name: str) -> bytes:
        return base64.b64decode(self.text(name))

    def object(self, name: str) -> dict[str, JSON]:
        value = self.fields.get(name, {})
        assert isinstance(value, dict), (name, value)
        return value

    def texts(self, name: str) -> list[str]:
        value = self.fields.get(name, [])
        assert isinstance(value, list), (name, value)
        return [str(item) for item in value]

    def objects(self, name: str) -> list[dict[str, JSON]]:
        value = self.fields.get(name, [])
        assert isinstance(value, list), (name, value)
        return [item for item in value if isinstance(item, dict)]


CommandAnswer: TypeAlias = tuple[Answer, str]
"""The result of a command and the text of its error, or ""."""


class ProcessWatch:
    """A process that need not be our child, safe from the reuse of its pid."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd: int | None = None
        if pid > 0:
            with contextlib.suppress(ProcessLookupError):  # ended and reaped already
                self._fd = os.pidfd_open(pid)

    def wait(self, timeout: float) -> bool:
        """Waits for the process to end; False if it still runs."""
        if self._fd is None:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def kill(self) -> None:
        """SIGKILL, and waits for the end. Harmless if it has ended."""
        if self._fd is not None and not self.wait(0):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            self.wait(KILL_WAIT_S)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


@functools.cache
def build_gohost(build_dir: Path = BUILD_DIR) -> Path:
    """Builds the host, once in a test session, and returns its executable."""
    build_dir.mkdir(parents=True, exist_ok=True)
    target = build_dir / "gohost"
    fresh = build_dir / f"gohost.{os.getpid()}"
    command = ["go", "build", "-buildvcs=false", "-o", str(fresh), "."]
    try:
        done = subprocess.run(command, cwd=SOURCE_DIR, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise GoHostError("no Go toolchain on the PATH") from error
    if done.returncode != 0:
        raise GoHostError(f"go build failed:\n{done.stderr}")
    fresh.replace(target)
    return target


class HostLink:
    """A running host process.

    Args:
        descriptors: The serialized FileDescriptorSet of the plugin protos.
        build_dir: Where the host's executable is built.
    """

    def __init__(self, descriptors: Path, build_dir: Path = BUILD_DIR) -> None:
        command = [str(build_gohost(build_dir)), "--descriptors", str(descriptors)]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr)
        self._lock = threading.Lock()
        # Of its own: a write that waits for the host must not keep answers from being read.
        self._write_lock = threading.Lock()
        self._serial = 0
        self._waiting: dict[int, Future[CommandAnswer]] = {}
        self._ended = False
        self._reader = threading.Thread(target=self._read_answers, name="gohost-answers", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def request(self, command: str, timeout: float, **params: JSONInput) -> Answer:
        """Runs a command.

        Args:
            command: Its name.
            timeout: Seconds after which it should have ended by itself.
            params: Its parameters; those that are None are left out.

        Raises:
            CommandError: The host refused it or it failed.
            HostDiedError: The host has ended.
            HostTimeoutError: No answer.
        """
        result, error = self.request_both(command, timeout, params)
        if error:
            raise CommandError(f"{command}: {error}")
        return result

    def request_both(self, command: str, timeout: float, params: Mapping[str, JSONInput]) -> CommandAnswer:
        """`request` for a command whose failures have a result."""
        future: Future[CommandAnswer] = Future()
        given = {name: value for name, value in params.items() if value is not None}
        with self._lock:
            if self._ended:
                raise HostDiedError(self._death())
            self._serial += 1
            serial = self._serial
            self._waiting[serial] = future
        self._write({"id": serial, "command": command, "params": given})
        try:
            return future.result(timeout + ANSWER_MARGIN_S)
        except TimeoutError as error:
            raise HostTimeoutError(f"{command} has no answer:\n{self.stderr_tail()}") from error

    def _write(self, command: Mapping[str, JSONInput]) -> None:
        assert self._process.stdin is not None
        line = json.dumps(command).encode() + b"\n"
        # The reader sees the end of the answers and fails the command.
        with self._write_lock, contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # it died as it wrote
            answer = Answer(json.loads(line))
            with self._lock:
                future = self._waiting.pop(int(answer.number("id")), None)
            if future is not None:
                future.set_result((Answer(answer.object("result")), answer.text("error")))
        self._process.wait()
        with self._lock:
            self._ended = True
            waiting = list(self._waiting.values())
            self._waiting.clear()
        for future in waiting:
            future.set_exception(HostDiedError(self._death()))

    def _death(self) -> str:
        return f"the host ended with {self._process.returncode}:\n{self.stderr_tail()}"

    def stderr_tail(self) -> str:
        """The end of what the host has logged."""
        if self._stderr.closed:
            return ""
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(size - STDERR_TAIL_BYTES, 0)
        return os.pread(self._stderr.fileno(), STDERR_TAIL_BYTES, start).decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL for the host itself; its plugins are left to find out."""
        self._process.kill()
        self._reader.join()

    def close(self) -> None:
        """Lets the host kill its plugins and end. Again is harmless."""
        if not self._stderr.closed:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            try:
                self._process.wait(QUIT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._reader.join()
            self._process.stdout.close()
            self._stderr.close()
