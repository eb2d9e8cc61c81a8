"""`mattermost-plugin dev` as a process, and plugins for it; what it prints is all that tests wait for."""

import json
import os
import queue
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

COMMAND = [sys.executable, "-m", "mattermost_plugin.cli"]
TIMEOUT_S = 30  # for what takes a second at most, on a machine that is busy with other things

PLUGIN = """
import os
from mattermost_plugin import Plugin, run_plugin

class Sample(Plugin):
    def on_activate(self):
        starts = int(self.api.kv_get("starts") or b"0") + 1
        self.api.kv_set("starts", str(starts).encode())
        self.logger.info("hello", extra={"pid": os.getpid(), "starts": starts})

    def on_deactivate(self):
        self.logger.info("goodbye")

if __name__ == "__main__":
    run_plugin(Sample)
"""


def make_plugin(folder: Path, source: str = PLUGIN, plugin_id: str = "com.example.sample") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"id": plugin_id, "name": plugin_id, "server": {"runtime": "python", "executable": "plugin.py"}}
    (folder / "plugin.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "plugin.py").write_text(source, encoding="utf-8")
    return folder


class DevProcess:
    """A running command. Its output is read all the time, and `wait_for` goes through it line by line."""

    def __init__(self, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "dev", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=os.environ | (env or {}),
        )
        self.seen: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def output(self) -> str:
        return "\n".join(self.seen)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line, of those that have not been looked at, that matches."""
        while True:
            try:
                line = self._lines.get(timeout=TIMEOUT_S)
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} within {TIMEOUT_S} s in:\n{self.output}") from None
            assert line is not None, f"no {pattern!r} up to the end of:\n{self.output}"
            self.seen.append(line)
            if found := re.search(pattern, line):
                return found

    def wait_for_hello(self) -> tuple[int, int]:
        """Process id and number of starts, as the sample plugin tells them, once the host has it running."""
        hello = r"hello  pid=(\d+)  starts=(\d+)"
        # The plugin's log and the host's news come by different ways.
        found = self.wait_for(f"{hello}|runs$")
        if found[1] is None:
            found = self.wait_for(hello)
        else:
            self.wait_for("runs$")
        return int(found[1]), int(found[2])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_end(self) -> int:
        """Read everything that is left. Returns the exit code."""
        code = self.process.wait(TIMEOUT_S)
        while (line := self._lines.get(timeout=TIMEOUT_S)) is not None:
            self.seen.append(line)
        return code

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as a user does. Returns the exit code."""
        self.send(number)
        return self.wait_end()


def run_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S)


@contextmanager
def running(*arguments: str | Path, env: dict[str, str] | None = None) -> Iterator[DevProcess]:
    """A command without a page, which is killed if the test does not end it."""
    with DevProcess("--no-page", *arguments, env=env) as dev:
        yield dev


def wait_gone(pid: int) -> None:
    """Wait until a process that is no child of this one has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], TIMEOUT_S)[0], f"process {pid} still runs"
    finally:
        os.close(descriptor)
