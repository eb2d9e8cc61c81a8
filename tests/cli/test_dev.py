"""`mattermost-plugin dev` with real processes, from the command line to the last line of its log."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from mattermost_plugin.devhost import DevHost
from tests.cli.dev_process import COMMAND, PLUGIN, TIMEOUT_S, DevProcess, make_plugin, running, wait_gone

ROOT = Path(__file__).parents[2]
GREETER = ROOT / "examples" / "greeter"

HELLO_AGAIN = PLUGIN.replace('"hello"', '"hello again"')


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return make_plugin(tmp_path / "sample")


def test_the_greeter_from_start_to_ctrl_c() -> None:
    with running(GREETER) as dev:
        dev.wait_for(r"host    info  data: team crew; users admin, ada, bob; channels town-square, .*not kept")
        dev.wait_for(r"^\d\d:\d\d:\d\d\.\d{3} greeter info  activated  hooks=7$")
        dev.wait_for("greeter info  runs$")
        assert dev.end() == 0
    dev_lines = [line.split(maxsplit=1)[1] for line in dev.seen]
    assert dev_lines[-3:] == [
        "host    info  SIGINT: deactivating the plugins; Ctrl-C again ends at once",
        "greeter info  deactivated  greeted=0",
        "greeter info  has ended",
    ]
    assert "\033" not in dev.output


def test_sigterm_ends_it_in_the_same_way_and_nothing_is_left(sample: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with running(sample, env={"TMPDIR": str(temporary)}) as dev:
        pid, _ = dev.wait_for_hello()
        assert list(temporary.iterdir())
        assert dev.end(signal.SIGTERM) == 0
        assert "goodbye" in dev.output
        wait_gone(pid)
    assert list(temporary.iterdir()) == []


def test_a_plugin_is_restarted_when_a_file_changes(sample: Path) -> None:
    with running(sample) as dev:
        first, _ = dev.wait_for_hello()
        (sample / "plugin.py").write_text(HELLO_AGAIN)
        dev.wait_for(r"host   info  sample is restarted: plugin\.py changed$")
        dev.wait_for("goodbye")
        second = int(dev.wait_for(r"hello again  pid=(\d+)  starts=2")[1])
        assert second != first
        wait_gone(first)
        (sample / "text").mkdir()
        (sample / "text" / "motd.txt").write_text("Hi")
        dev.wait_for(r"is restarted: text(/motd\.txt)?")
        dev.wait_for("starts=3")
        assert dev.end() == 0


def test_what_a_plugin_and_its_host_write_restarts_nothing(tmp_path: Path) -> None:
    writes = PLUGIN.replace(
        "        starts =",
        """
        os.makedirs("__pycache__", exist_ok=True)
        for name in ("__pycache__/x.pyc", "app.log", "cache.sqlite-wal", ".hidden"):
            open(name, "w").close()
        starts =""",
    )
    sample = make_plugin(tmp_path / "sample", writes)
    with running("--data", sample / "state", sample) as dev:
        dev.wait_for_hello()
        (sample / "plugin.py").write_text(HELLO_AGAIN)
        dev.wait_for(r"is restarted: plugin\.py changed$")
        dev.wait_for("hello again  pid=.*  starts=2$")
        assert dev.end() == 0
    assert dev.output.count("is restarted") == 1


def test_without_watching_nothing_is_restarted(sample: Path) -> None:
    with running("--no-watch", sample) as dev:
        dev.wait_for_hello()
        (sample / "plugin.py").write_text(HELLO_AGAIN)
        assert dev.end() == 0
    assert "restarted" not in dev.output


def test_a_syntax_error_is_told_and_its_repair_starts_the_plugin(sample: Path) -> None:
    (sample / "plugin.py").write_text("def broken(:\n")
    with running(sample) as dev:
        dev.wait_for("sample error does not start: the plugin ended before the handshake: exit code 1$")
        dev.wait_for("SyntaxError")
        dev.wait_for(rf"host   info  sample is started again when a file in {sample} changes$")
        (sample / "plugin.py").write_text(PLUGIN)
        dev.wait_for_hello()
        (sample / "plugin.py").write_text("print('Hello')\n")
        dev.wait_for("goodbye")
        dev.wait_for("does not start: the first line on stdout is no handshake: 'Hello'")
        (sample / "plugin.py").write_text(PLUGIN)
        dev.wait_for_hello()
        assert dev.end() == 0


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("starts = int", "raise ValueError('no luck')\n        starts = int", "OnActivate failed: .*no luck"),
        ("starts = int", "os._exit(9)\n        starts = int", "UNAVAILABLE"),
    ],
)
def test_a_plugin_that_does_not_activate(sample: Path, before: str, after: str, text: str) -> None:
    (sample / "plugin.py").write_text(PLUGIN.replace(before, after))
    with running(sample) as dev:
        dev.wait_for(f"sample error does not start: {text}")
        dev.wait_for("is started again when")
        assert dev.end() == 0
    assert ("exit code 9" in dev.output) == ("os._exit" in after)


def test_a_change_ends_a_start_that_hangs(sample: Path) -> None:
    hangs = "import os, signal, sys\nprint('hanging', os.getpid(), file=sys.stderr, flush=True)\nsignal.pause()\n"
    (sample / "plugin.py").write_text(hangs)
    with running(sample) as dev:
        pid = int(dev.wait_for(r"hanging (\d+)")[1])
        (sample / "plugin.py").write_text(PLUGIN)
        dev.wait_for_hello()
        wait_gone(pid)
        # Its own time would have been up after 10 s.
        assert "does not start" not in dev.output
        (sample / "plugin.py").write_text(hangs)
        pid = int(dev.wait_for(r"hanging (\d+)")[1])
        assert dev.end() == 0
        wait_gone(pid)


def test_a_plugin_that_crashes_is_restarted_as_often_as_a_server_does(sample: Path) -> None:
    with running(sample) as dev:
        for number in (1, 2, 3):
            pid, _ = dev.wait_for_hello()
            os.kill(pid, signal.SIGKILL)
            dev.wait_for(r"com\.example\.sample has ended by itself: killed by SIGKILL$")
            dev.wait_for(f"sample is restarted, as a server does: {number} of 3 times in an hour")
        pid, starts = dev.wait_for_hello()
        assert starts == 4
        os.kill(pid, signal.SIGKILL)
        dev.wait_for("sample is not restarted again")
        dev.wait_for("is started again when a file in")
        (sample / "plugin.py").write_text(HELLO_AGAIN)
        pid = int(dev.wait_for(r"hello again  pid=(\d+)  starts=5")[1])
        dev.wait_for("runs$")
        os.kill(pid, signal.SIGKILL)
        dev.wait_for("is restarted, as a server does: 1 of 3")
        dev.wait_for("runs$")
        assert dev.end() == 0


DIES_AT_SIGUSR1 = """
import os, signal
from mattermost_plugin import Plugin, run_plugin

class Mortal(Plugin):
    async def on_activate(self):
        signal.signal(signal.SIGUSR1, self.die)
        self.logger.info(f"mortal {os.getpid()}")

    def die(self, number, frame):
        self.logger.error("out of coffee")
        os._exit(7)

run_plugin(Mortal)
"""


def test_a_crash_is_told_with_exit_code_and_last_lines(tmp_path: Path) -> None:
    with running("--no-watch", make_plugin(tmp_path / "mortal", DIES_AT_SIGUSR1, "com.example.mortal")) as dev:
        pid = int(dev.wait_for(r"mortal (\d+)")[1])
        dev.wait_for("runs$")
        os.kill(pid, signal.SIGUSR1)
        dev.wait_for("mortal error out of coffee$")
        dev.wait_for("host   error com.example.mortal has ended by itself: exit code 7$")
        dev.wait_for("^ +out of coffee$")
        dev.wait_for("is restarted, as a server does")
        dev.wait_for("runs$")
        assert dev.end() == 0


def test_data_is_kept_across_runs(sample: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        with running("--data", tmp_path / "state.sqlite", sample) as dev:
            dev.wait_for(r"data: .*; kept in .*state\.sqlite$")
            assert dev.wait_for_hello()[1] == number
            assert dev.end() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample", "state.sqlite"]


WRITER = """
import itertools, os, threading
from mattermost_plugin import Plugin, run_plugin

class Writer(Plugin):
    def on_activate(self):
        self.logger.info(f"pid {os.getpid()}")
        threading.Thread(target=self.write, daemon=True).start()

    def write(self):
        for number in itertools.count():
            self.api.kv_set("last", str(number).encode())
            self.api.kv_set(f"key {number}", b"x")
            self.logger.info(f"wrote {number}")

if __name__ == "__main__":
    run_plugin(Writer)
"""


def test_a_killed_host_loses_nothing_and_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    writer = make_plugin(tmp_path / "writer", WRITER, "com.example.writer")
    with running("--data", path, writer) as dev:
        pid = int(dev.wait_for(r"pid (\d+)")[1])
        dev.wait_for("wrote 50$")
        dev.send(signal.SIGKILL)
        assert dev.wait_end() == -signal.SIGKILL
        wait_gone(pid)
    told = max(int(line.rpartition(" ")[2]) for line in dev.seen if "wrote" in line)
    host = DevHost(path)
    try:
        assert host.store.database.execute("PRAGMA integrity_check") == [("ok",)]
        assert int(host.store.kv.get("com.example.writer", "last") or b"-1") >= told
        assert all(host.store.kv.get("com.example.writer", f"key {number}") == b"x" for number in range(told + 1))
    finally:
        host.store.close()
    with running("--data", path, make_plugin(tmp_path / "sample")) as dev:
        dev.wait_for_hello()
        assert dev.end() == 0


def test_two_plugins_share_a_host_and_are_restarted_apart(tmp_path: Path) -> None:
    one = make_plugin(tmp_path / "one", plugin_id="com.example.one")
    two = make_plugin(tmp_path / "two", PLUGIN.replace('"hello"', '"bonjour"'), "com.example.two")
    with running(one, two) as dev:
        pids: dict[str, str] = {}
        while len(pids) < 2:
            found = dev.wait_for(r"(one|two) +info  (?:hello|bonjour)  pid=(\d+)  starts=1$")
            pids[found[1]] = found[2]
        (two / "plugin.py").write_text(PLUGIN.replace('"hello"', '"salut"'))
        dev.wait_for("two is restarted")
        dev.wait_for(r"two  info  salut  pid=\d+  starts=2$")
        assert dev.end() == 0
    assert dev.output.count("goodbye") == 3
    assert "one is restarted" not in dev.output


def test_two_hosts_do_not_share_a_file(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with running("--data", path, sample) as dev:
        dev.wait_for_hello()
        with running("--data", path, sample) as second:
            assert second.wait_end() == 1
            expected = f"{path} is in use by another development host, process {dev.process.pid}"
            assert second.output == f"mattermost-plugin dev: error: {expected}"
        assert dev.end() == 0
    with running("--data", path, sample) as dev:
        assert dev.wait_for_hello()[1] == 2
        assert dev.end() == 0


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    stuck = PLUGIN.replace(
        'self.logger.info("goodbye")', "import signal, sys; self.logger.info('stuck'); signal.pause()"
    )
    temporary = tmp_path / "t"
    temporary.mkdir()
    with running(make_plugin(tmp_path / "sample", stuck), env={"TMPDIR": str(temporary)}) as dev:
        pid, _ = dev.wait_for_hello()
        assert list(temporary.glob("mm-api-*"))
        dev.send(signal.SIGINT)
        dev.wait_for("stuck")
        _signal_until_it_ends(dev)
        assert dev.wait_end() == 130
        wait_gone(pid)
        assert not list(temporary.glob("mm-api-*"))


def _signal_until_it_ends(dev: DevProcess) -> None:
    """Signals that come too close to the one before count as the same."""
    while dev.process.poll() is None:
        dev.send(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            dev.process.wait(0.05)


@pytest.mark.slow
def test_a_plugin_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stuck = PLUGIN.replace('self.logger.info("goodbye")', "import signal; self.logger.info('stuck'); signal.pause()")
    with running(make_plugin(tmp_path / "sample", stuck)) as dev:
        pid, _ = dev.wait_for_hello()
        assert dev.end() == 0
        assert "the end took longer than 5 s: what still runs is killed" in dev.output
        assert "Traceback" not in dev.output
        wait_gone(pid)


def test_the_log_shows_what_a_plugin_logs_but_lets_it_drive_no_terminal(tmp_path: Path) -> None:
    logs = PLUGIN.replace(
        'self.logger.info("hello"',
        'self.logger.warning("\\033]0;title\\007\\x9b2J\\u202e", extra={"a b": "x\\rY"}); self.logger.info("hello"',
    )
    with running(make_plugin(tmp_path / "sample", logs)) as dev:
        dev.wait_for_hello()
        assert dev.end() == 0
    (line,) = [line for line in dev.seen if "title" in line]
    assert line[13:] == "sample warn  \\x1b]0;title\\x07\\x9b2J\\u202e  a b=x\\rY"
    assert all(part.isprintable() for part in dev.seen)


def test_verbose_shows_calls_without_secrets(tmp_path: Path) -> None:
    calls = PLUGIN.replace(
        "        starts =",
        """
        from mattermost_plugin.models import User
        self.api.create_user(User(username="eve", email="eve@example.com", password="hunter2-hunter2"))
        starts =""",
    )
    with running("--verbose", make_plugin(tmp_path / "sample", calls)) as dev:
        dev.wait_for(r'sample api   CreateUser \{user: User \{username: "eve", .*password: "?<redacted>')
        dev.wait_for(r'sample api   KVGet \{key: "starts"\} -> \{\} in \d+\.\d ms$')
        dev.wait_for(r'sample api   KVSet \{key: "starts", value: <1 bytes>\} -> \{\} in ')
        dev.wait_for(r"sample hook  OnActivate \{\} -> \{\} in \d+\.\d ms$")
        assert dev.end() == 0
    assert "hunter2" not in dev.output
    assert "host   event new_user" in dev.output


def test_a_log_that_nobody_reads_any_more_ends_the_command(sample: Path) -> None:
    command = [*COMMAND, "dev", "--no-page", str(sample)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as dev,
        subprocess.Popen(["head", "-n", "3"], stdin=dev.stdout, stdout=subprocess.PIPE, text=True) as head,
    ):
        try:
            assert dev.stdout is not None
            dev.stdout.close()
            log, _ = head.communicate(timeout=TIMEOUT_S)
            assert log.endswith("runs\n")
            (sample / "plugin.py").write_text(HELLO_AGAIN)
            _, errors = dev.communicate(timeout=TIMEOUT_S)
        finally:
            dev.kill()
    assert (dev.returncode, errors) == (0, "")
    wait_gone(int(log.partition("pid=")[2].split()[0]))


def test_a_new_id_needs_a_new_start(sample: Path) -> None:
    manifest = (sample / "plugin.json").read_text()
    with running(sample) as dev:
        dev.wait_for_hello()
        (sample / "plugin.json").write_text(json.dumps(json.loads(manifest) | {"id": "com.example.other"}))
        dev.wait_for(r"sample does not start: plugin\.json now has the id 'com\.example\.other': end the command and")
        (sample / "plugin.json").write_text("{")
        dev.wait_for(r"sample does not start: .*plugin\.json cannot be used")
        (sample / "plugin.json").write_text(manifest)
        dev.wait_for_hello()
        assert dev.end() == 0
