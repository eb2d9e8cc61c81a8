"""The host's death is noticed however it dies, and the plugin does not outlive it."""

import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mattermost_plugin._host_watch import HostWatch

FOREVER_S = 3600.0

PLUGIN = """
import os, sys, threading
from mattermost_plugin._host_watch import HostWatch
tell = int(sys.argv[1])
on_death = lambda reason: os.write(tell, reason.encode())
{setup}
watch = HostWatch(on_death, host_stdout_fd={stdout}, grace_s={grace})
watch.start()
{started}
print("ready", flush=True)
"""

BLOCKED = "import time\ntime.sleep(3600)\n"

PARENT_ENDED = b"the process that started this plugin has ended"
NOBODY_READS = b"nobody reads this plugin's output any more"


@dataclass
class Tree:
    """A host process with a plugin under it, as go-plugin starts one."""

    host: subprocess.Popen[bytes]
    plugin_says: int
    """Ends when the plugin has ended."""

    def kill_host(self) -> None:
        self.host.send_signal(signal.SIGKILL)
        self.host.wait()

    def last_words(self) -> bytes:
        with os.fdopen(self.plugin_says, "rb", closefd=False) as stream:
            return stream.read()


HOST = """
import subprocess, sys
command, tell = sys.argv[1:-1], int(sys.argv[-1])
plugin = subprocess.Popen([*command, str(tell)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[tell])
print(plugin.stdout.readline().decode(), flush=True)
sys.stdin.read()
"""


def start_tree(script: str, *, wrapper: list[str] | None = None) -> Tree:
    says, tell = os.pipe()
    command = [*(wrapper or []), sys.executable, "-c", script]
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, *command, str(tell)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[tell],
    )
    os.close(tell)
    assert host.stdout is not None
    assert host.stdout.readline() == b"ready\n"
    return Tree(host, says)


@pytest.fixture
def trees() -> Iterator[list[Tree]]:
    started: list[Tree] = []
    yield started
    for tree in started:
        tree.host.kill()
        tree.host.communicate()
        os.close(tree.plugin_says)


@pytest.mark.parametrize(
    ("stdout", "setup", "reasons"),
    [
        ("None", "", [PARENT_ENDED]),
        ("None", "del os.pidfd_open", [PARENT_ENDED]),
        ("1", "", [PARENT_ENDED, NOBODY_READS]),
    ],
    ids=["pidfd", "without pidfd", "pidfd and pipe"],
)
def test_a_killed_host_is_noticed_and_a_blocked_plugin_is_ended(
    trees: list[Tree], stdout: str, setup: str, reasons: list[bytes]
) -> None:
    trees.append(start_tree(PLUGIN.format(stdout=stdout, grace=0.1, setup=setup, started="") + BLOCKED))
    trees[0].kill_host()
    assert trees[0].last_words() in reasons


def test_a_killed_host_is_noticed_behind_a_wrapper_shell(trees: list[Tree]) -> None:
    # A second command keeps the shell from replacing itself with the plugin.
    wrapper = ["sh", "-c", '"$@"; exit $?', "sh"]
    trees.append(start_tree(PLUGIN.format(stdout=1, grace=0.1, setup="", started="") + BLOCKED, wrapper=wrapper))
    trees[0].kill_host()
    assert trees[0].last_words() == NOBODY_READS


def run_until_death(script: str, *, setup: str = "", started: str = "", grace: float = 0.1) -> tuple[int, bytes, bytes]:
    """Start a plugin, close the host's end of its stdout; gives exit code, reason and stderr."""
    says, tell = os.pipe()
    source = PLUGIN.format(stdout=1, grace=grace, setup=setup, started=started) + script
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tell)], stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=[tell]
    ) as process:
        os.close(tell)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.stdout.close()
            process.stdout = None
            assert process.stderr is not None
            stderr = process.stderr.read()
            code = process.wait()
        finally:
            process.kill()  # or a failed test would wait for ever
    with os.fdopen(says, "rb") as stream:
        return code, stream.read(), stderr


def test_a_plugin_that_stays_is_ended_with_a_line_in_the_log() -> None:
    code, reason, stderr = run_until_death(BLOCKED)
    assert (code, reason) == (1, NOBODY_READS)
    assert b"The plugin did not stop after its host: ending the process." in stderr


def test_a_plugin_that_stops_in_time_ends_as_it_wants() -> None:
    setup = "gone = threading.Event()\non_death = lambda reason: gone.set()"
    script = "gone.wait()\nwatch.stop()\nsys.exit(7)"
    code, _, stderr = run_until_death(script, setup=setup, grace=FOREVER_S)
    assert code == 7
    assert b"ending the process" not in stderr


def test_a_callback_that_hangs_delays_nothing() -> None:
    code, _, _ = run_until_death(BLOCKED, setup="on_death = lambda reason: threading.Event().wait()")
    assert code == 1


def test_a_log_that_hangs_delays_nothing() -> None:
    setup = """
import logging
class Stuck(logging.Handler):
    def emit(self, record):
        threading.Event().wait()
logging.getLogger().addHandler(Stuck())
"""
    code, reason, _ = run_until_death(BLOCKED, setup=setup)
    assert (code, reason) == (1, NOBODY_READS)


def test_a_stop_in_a_forked_child_does_not_stop_the_parents_watch() -> None:
    started = """
if os.fork() == 0:
    watch.stop()
    os._exit(0)
os.wait()
"""
    code, reason, _ = run_until_death(BLOCKED, started=started)
    assert (code, reason) == (1, NOBODY_READS)


class Deaths:
    """Waits for the callback."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.called = threading.Event()

    def __call__(self, reason: str) -> None:
        self.reasons.append(reason)
        self.called.set()


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    ends = list(os.pipe())
    yield ends
    for end in ends:
        os.close(end)


def watch_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if "host-watch" in thread.name}


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_the_callback_is_called_once_and_stop_ends_the_watch(pipe: list[int]) -> None:
    deaths = Deaths()
    watch = HostWatch(deaths, host_stdout_fd=pipe[1], grace_s=FOREVER_S)
    watch.start()
    os.close(pipe.pop(0))
    deaths.called.wait()
    watch.stop()
    watch.stop()
    assert deaths.reasons == [NOBODY_READS.decode()]
    assert watch_threads() == set()


def test_a_host_that_was_gone_before_is_noticed(pipe: list[int]) -> None:
    os.close(pipe.pop(0))
    deaths = Deaths()
    watch = HostWatch(deaths, host_stdout_fd=pipe[0], grace_s=FOREVER_S)
    watch.start()
    deaths.called.wait()
    watch.stop()


def test_who_takes_over_is_called(pipe: list[int]) -> None:
    deaths = Deaths()
    watch = HostWatch(None, host_stdout_fd=pipe[1], grace_s=0)
    watch.start()
    assert watch.take_over(deaths, grace_s=FOREVER_S)
    os.close(pipe.pop(0))
    deaths.called.wait()
    assert not watch.take_over(deaths, grace_s=FOREVER_S)
    watch.stop()
    assert deaths.reasons == [NOBODY_READS.decode()]


def test_stop_gives_everything_back(pipe: list[int]) -> None:
    before = open_descriptors()
    for started in (True, False):
        watch = HostWatch(pytest.fail, host_stdout_fd=pipe[1])
        if started:
            watch.start()
        watch.stop()
        watch.start()
        watch.stop()
        assert open_descriptors() == before
        assert watch_threads() == set()


def test_stop_may_be_called_in_the_callback(pipe: list[int]) -> None:
    done = threading.Event()

    def on_death(reason: str) -> None:
        watch.stop()
        done.set()

    watch = HostWatch(on_death, host_stdout_fd=pipe[1], grace_s=FOREVER_S)
    watch.start()
    os.close(pipe.pop(0))
    done.wait()
    assert watch_threads() == set()


def test_a_callback_that_fails_is_logged(pipe: list[int]) -> None:
    records: list[logging.LogRecord] = []
    logged = threading.Event()

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)
            if len(records) == 2:
                logged.set()

    def fail(reason: str) -> None:
        raise ValueError(reason)

    logger = logging.getLogger("mattermost_plugin.host_watch")
    handler = Collect()
    logger.addHandler(handler)
    watch = HostWatch(fail, host_stdout_fd=pipe[1], grace_s=FOREVER_S)
    watch.start()
    os.close(pipe.pop(0))
    logged.wait()
    watch.stop()
    logger.removeHandler(handler)
    assert [record.levelname for record in records] == ["ERROR", "WARNING"]
    assert records[0].exc_info is not None


@pytest.mark.parametrize("kind", ["file", "closed", "none"])
def test_a_stdout_that_is_no_pipe_is_no_sign_of_death(kind: str) -> None:
    fd = os.open("/dev/null", os.O_WRONLY)
    if kind == "closed":
        os.close(fd)
    watch = HostWatch(pytest.fail, host_stdout_fd=None if kind == "none" else fd)
    watch.start()
    watch.stop()
    if kind != "closed":
        os.close(fd)


def test_a_pipe_that_the_plugin_itself_closes_is_no_sign_of_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    parents = iter([1, 1, -1])  # when the watch is made, when the pipe reports, when the parent is looked up again
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    ends = os.pipe()
    deaths = Deaths()
    watch = HostWatch(deaths, host_stdout_fd=ends[1], grace_s=FOREVER_S)
    for end in ends:
        os.close(end)
    watch.start()
    deaths.called.wait()
    watch.stop()
    assert deaths.reasons == [PARENT_ENDED.decode()]


def test_the_pipe_is_asked_for_no_event_so_that_waiting_costs_nothing(
    pipe: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: dict[int, int] = {}
    polled: list[float | None] = []
    real_poll = select.poll

    class Poll:
        def __init__(self) -> None:
            self._real = real_poll()

        def register(self, fd: int, events: int) -> None:
            registered[fd] = events
            self._real.register(fd, events)

        def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
            polled.append(timeout)
            return self._real.poll(timeout)

    monkeypatch.setattr(select, "poll", Poll)
    watch = HostWatch(pytest.fail, host_stdout_fd=pipe[1])
    watch.start()
    watch.stop()
    assert registered[pipe[1]] == 0
    assert len(polled) == 1


def test_without_pidfd_the_parent_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(pid: int) -> int:
        raise PermissionError(pid)

    monkeypatch.setattr(os, "pidfd_open", forbidden)
    deaths = Deaths()
    watch = HostWatch(deaths, grace_s=FOREVER_S)
    monkeypatch.setattr(os, "getppid", lambda: -1)
    watch.start()
    deaths.called.wait()
    watch.stop()
    assert deaths.reasons == [PARENT_ENDED.decode()]
