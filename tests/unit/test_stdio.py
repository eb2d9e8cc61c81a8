"""The stdout and stderr guard, on real processes with the pipes that a host has."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._stdio import LineSplitter

INSTALL = """
import os, subprocess, sys, threading
from mattermost_plugin._stdio import StdioGuard
guard = StdioGuard.install()
"""

HANDSHAKE = 'guard.write_handshake("1|1|unix|/tmp/x|grpc")\n'
HANDSHAKE_BYTES = b"1|1|unix|/tmp/x|grpc\n"


@contextlib.contextmanager
def start(script: str, environ: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    env = {"PATH": os.environ["PATH"], **(environ or {})}
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env) as process:
        try:
            yield process
        finally:
            process.kill()  # or a failed test would wait for ever


def run(
    script: str, environ: dict[str, str] | None = None, *, returncode: int = 0
) -> tuple[bytes, list[dict[str, Any]]]:
    """Run a script to its end; gives what the host would see: stdout, and the records of stderr."""
    with start(script, environ) as process:
        out, err = process.communicate()
    assert process.returncode == returncode, err.decode()
    return out, [json.loads(line) for line in err.splitlines()]


def texts(records: list[dict[str, Any]], module: str | None = None) -> list[str]:
    return [record["@message"] for record in records if module in (None, record["@module"])]


def test_only_the_handshake_reaches_the_hosts_stdout() -> None:
    out, records = run(
        INSTALL
        + 'print("at import")\n'
        + HANDSHAKE
        + 'print("print"); os.write(1, b"from C\\n"); subprocess.run(["echo", "from a child"])\n'
        + 'print("wörld \\ud800"); print("wide", file=sys.stderr); os.write(2, b"caf\\xc3\\xa9 \\xff\\n")'
    )
    assert out == HANDSHAKE_BYTES
    assert texts(records, "stdout") == ["at import", "print", "from C", "from a child", "wörld \\ud800"]
    assert texts(records, "stderr") == ["wide", "café \\xff"]
    assert {record["@module"]: record["@level"] for record in records} == {"stdout": "info", "stderr": "warn"}


def test_a_locale_without_unicode_changes_nothing() -> None:
    _, records = run(INSTALL + 'print("w\\u00f6rld")', {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert texts(records) == ["wörld"]


def test_what_was_buffered_before_the_guard_goes_to_the_log() -> None:
    out, records = run('import sys\nsys.stdout.write("early ")\n' + INSTALL + 'print("late")\n' + HANDSHAKE)
    assert out == HANDSHAKE_BYTES
    assert texts(records) == ["early late"]


def test_long_lines_are_cut_and_block_nothing() -> None:
    out, records = run(
        INSTALL + HANDSHAKE + 'print("x" * 3_000_000); print("{" * 200_000); print("the end"); print("ü" * 20_000)'
    )
    assert out == HANDSHAKE_BYTES
    lines = texts(records)
    assert "the end" in lines
    assert "".join(lines) == "x" * 3_000_000 + "{" * 200_000 + "the end" + "ü" * 20_000


def test_lines_without_an_end_and_blank_lines() -> None:
    _, records = run(INSTALL + 'print(); print("a\\r"); print("no newline", end="")')
    assert texts(records) == ["a", "no newline"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_json_that_would_take_the_host_down_is_text(stream: str) -> None:
    line = '{"@level": 3, "@message": null}'
    _, records = run(INSTALL + f"print({line!r}, file=sys.{stream})")
    assert texts(records) == [line]


def test_a_childs_own_log_lines_keep_level_and_values() -> None:
    line = json.dumps({"@level": "error", "@message": "m" * 20_000, "@module": "child", "@x": 1, "user": "u"})
    _, records = run(INSTALL + f"print({line!r})")
    (record,) = records
    assert (record["@level"], record["@module"], record["extra_x"], record["user"]) == ("error", "child", 1, "u")


def test_a_child_that_outlives_the_plugin_does_not_hold_the_hosts_pipes() -> None:
    # The child lives until its stdin ends; the reads below end only if it holds neither pipe.
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    script = f'subprocess.Popen({command}, close_fds=False)\nprint("started")'
    with start(INSTALL + HANDSHAKE + script) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == HANDSHAKE_BYTES
        assert b"started" in process.stderr.read()
        assert process.wait() == 0


FORK = """
import logging
from mattermost_plugin._hclog import configure_logging
configure_logging("INFO", guard.write_line)
ready, go = os.pipe()
if os.fork() == 0:
    print("print in the child")
    logging.getLogger("child").error("logged in the child")
    try:
        guard.write_handshake("again")
    except Exception as error:
        print(type(error).__name__)
    guard.close()
    os.write(go, b"x")
    sys.stdin.read()
    os._exit(0)
os.read(ready, 1)
logging.getLogger("parent").info("logged in the parent")
"""


def test_a_forked_child_does_not_hold_the_hosts_pipes_and_can_log() -> None:
    with start(INSTALL + HANDSHAKE + FORK) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == HANDSHAKE_BYTES
        records = [json.loads(line) for line in process.stderr.read().splitlines()]
        assert process.wait() == 0
    seen = {(record["@module"], record["@level"], record["@message"]) for record in records}
    assert seen >= {
        ("stdout", "info", "print in the child"),
        ("child", "error", "logged in the child"),
        ("stdout", "info", "HandshakeError"),
        ("parent", "info", "logged in the parent"),
    }


def test_a_child_of_multiprocessing_can_print() -> None:
    script = """
import multiprocessing
child = multiprocessing.get_context("fork").Process(target=print, args=("in the worker",))
child.start(); child.join(); print("exit code", child.exitcode)
"""
    _, records = run(INSTALL + script)
    assert texts(records) == ["in the worker", "exit code 0"]


def test_the_authors_exit_functions_can_print() -> None:
    out, records = run(INSTALL + 'import atexit\natexit.register(print, "bye")\n' + HANDSHAKE)
    assert out == HANDSHAKE_BYTES
    assert texts(records) == ["bye"]


def test_a_crash_at_import_is_one_error_record() -> None:
    out, records = run(INSTALL + 'print("before")\nraise ValueError("bad thing")', returncode=1)
    assert out == b""
    assert texts(records, "stdout") == ["before"]
    (record,) = [record for record in records if record["@level"] == "error"]
    assert record["error"] == "ValueError: bad thing"
    assert record["traceback"].endswith("ValueError: bad thing")


def test_an_authors_own_hook_for_crashes_still_runs() -> None:
    hook = 'import sys\nsys.excepthook = lambda kind, value, tb: print("mine", kind.__name__)\n'
    _, records = run(hook + INSTALL + "raise ValueError", returncode=1)
    assert sorted(texts(records)) == ["The plugin ends: uncaught ValueError.", "mine ValueError"]


def test_leaving_on_purpose_is_no_error() -> None:
    _, records = run(INSTALL + 'sys.exit("that was all")', returncode=1)
    assert [(record["@level"], record["@message"]) for record in records] == [("warn", "that was all")]


def test_keyboard_interrupt_keeps_pythons_behaviour() -> None:
    _, records = run(INSTALL + "raise KeyboardInterrupt", returncode=-signal.SIGINT)
    assert texts(records, "stderr")[-1] == "KeyboardInterrupt"
    assert {record["@level"] for record in records} == {"warn"}


def test_a_crash_in_a_thread_is_one_error_record() -> None:
    script = 'thread = threading.Thread(target=lambda: 1 / 0, name="worker")\nthread.start(); thread.join()'
    _, (record,) = run(INSTALL + script)
    assert record["@message"] == "The thread worker ends: uncaught exception."
    assert record["error"] == "ZeroDivisionError: division by zero"


def test_an_exception_that_nobody_can_catch_is_one_error_record() -> None:
    script = "class Broken:\n  def __del__(self): 1 / 0\n  def __repr__(self): raise RuntimeError('no repr')\nBroken()"
    _, (record,) = run(INSTALL + script)
    assert record["@level"] == "error"
    assert record["@message"].startswith("Exception ignored in")
    assert record["error"] == "ZeroDivisionError: division by zero"


def test_a_hard_crash_is_seen_by_the_host() -> None:
    script = """
import resource, signal
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.kill(os.getpid(), signal.SIGSEGV)
"""
    with start(INSTALL + script) as process:
        _, err = process.communicate()
    assert process.returncode == -signal.SIGSEGV
    assert err.startswith(b"Fatal Python error: Segmentation fault")


def test_the_handshake_is_written_once() -> None:
    out, records = run(
        INSTALL + HANDSHAKE + f"try:\n  {HANDSHAKE}except Exception as error: print(type(error).__name__)"
    )
    assert out == HANDSHAKE_BYTES
    assert texts(records) == ["HandshakeError"]


def test_a_host_that_is_gone_is_a_handshake_error() -> None:
    with start(INSTALL + "sys.stdin.read()\n" + HANDSHAKE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(b"")
    assert process.returncode == 1
    assert json.loads(err.splitlines()[-1])["error"].startswith("HandshakeError: The host")


def test_a_host_that_does_not_read_stderr_any_more_hurts_nobody() -> None:
    script = (
        'sys.stdin.read()\nprint("lost")\nguard.write_line(b"lost too")\n'
        'guard.write_handshake(f"dropped {guard.dropped_lines > 0}")'
    )
    with start(INSTALL + script) as process:
        assert process.stderr is not None
        process.stderr.close()
        process.stderr = None
        out, _ = process.communicate(b"")
    assert process.returncode == 0
    assert out == b"dropped True\n"


def test_lines_of_many_threads_are_never_mixed() -> None:
    # Without blocking every line is written in parts as soon as the pipe is full.
    script = """
os.set_blocking(guard.host_stderr_fd, False)
def work(letter):
    for _ in range(20):
        guard.write_line(b'"' + letter * 20_000 + b'"')
threads = [threading.Thread(target=work, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    with start(INSTALL + script) as process:
        _, err = process.communicate()
    lines = [json.loads(line) for line in err.splitlines()]
    assert len(lines) == 80
    assert set(lines) == {letter * 20_000 for letter in "abcd"}


def test_a_pipe_that_does_not_block_loses_nothing() -> None:
    script = 'os.set_blocking(guard.host_stderr_fd, False)\nfor _ in range(30): guard.write_line(b"1" * 30_000)'
    with start(INSTALL + script) as process:
        _, err = process.communicate()
    assert err == (b"1" * 30_000 + b"\n") * 30


@pytest.mark.parametrize("stream", ["None", "sys.stdout", "sys.__stderr__"])
def test_a_handler_that_only_prints_gives_no_second_line(stream: str) -> None:
    script = f"""
import logging
from mattermost_plugin._hclog import configure_logging
logging.basicConfig(stream={stream})
author = logging.NullHandler()
logging.getLogger().addHandler(author)
configure_logging("INFO", guard.write_line)
logging.getLogger("my").warning("once")
assert author in logging.getLogger().handlers
"""
    _, records = run(INSTALL + script)
    assert [(record["@message"], record["@module"]) for record in records] == [("once", "my")]


OWN = (
    INSTALL
    + """
import logging, logging.config
from mattermost_plugin._hclog import configure_logging, protect_own_loggers
configure_logging("INFO", guard.write_line)
own, author = logging.getLogger("mattermost_plugin._failure"), logging.getLogger("mattermost_plugins.other")
own.disabled = True  # by a logging set-up at import
protect_own_loggers(guard.write_line)
"""
)


@pytest.mark.parametrize(
    ("setup", "levels"),
    [
        ("pass", {"error": 1, "info": 1}),
        ('logging.config.dictConfig({"version": 1})', {"error": 1, "info": 1}),
        ('logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}})', {"error": 1}),
        ("logging.basicConfig(force=True)", {"error": 1, "info": 1}),
        ("logging.getLogger().handlers.clear(); own.parent.disabled = True", {"error": 1, "info": 1}),
        ("protect_own_loggers(guard.write_line); own.propagate = False", {"error": 1, "info": 1}),
    ],
)
def test_the_sdks_own_records_survive_any_logging_set_up(setup: str, levels: dict[str, int]) -> None:
    _, records = run(OWN + setup + '\nown.error("it failed"); own.info("it runs")')
    assert {record["@level"]: 1 for record in records} == levels
    assert len(records) == len(levels)
    assert {record["@module"] for record in records} == {"mattermost_plugin._failure"}


def test_the_authors_handlers_get_the_sdks_records_too() -> None:
    script = """
class Authors(logging.Handler):
    def emit(self, record):
        os.write(1, f"author has {record.getMessage()}\\n".encode())
logging.config.dictConfig({"version": 1, "root": {}})
logging.getLogger().addHandler(Authors(logging.ERROR))
assert author.disabled
own.error("it failed"); own.warning("it waits")
"""
    _, records = run(OWN + script)
    assert sorted(texts(records)) == ["author has it failed", "it failed", "it waits"]


def test_an_authors_handler_on_stderr_does_not_echo_for_ever() -> None:
    script = """
import logging
from mattermost_plugin._hclog import configure_logging
configure_logging("INFO", guard.write_line)
handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("author %(message)s"))
logging.getLogger().addHandler(handler)
logging.info("once")
print("once more")
"""
    _, records = run(INSTALL + script)
    assert sorted(texts(records)) == ["author once", "once", "once more"]


def test_captured_output_can_be_silenced() -> None:
    script = """
import logging
from mattermost_plugin._hclog import configure_logging
configure_logging("INFO", guard.write_line)
logging.getLogger("stdout").setLevel("ERROR")
print("noise"); print("seen", file=sys.stderr)
"""
    _, records = run(INSTALL + script)
    assert texts(records) == ["seen"]


def test_an_author_who_closes_stdout_costs_nothing() -> None:
    script = """
real_read, ends, seen, ended = os.read, [], threading.Event(), threading.Event()
def read(fd, size):
    data = real_read(fd, size)
    if not data:
        ends.append(fd)
        ended.set()
    elif data == b"on stderr\\n":
        seen.set()
    return data
os.read = read
os.close(1)
ended.wait()
print("on stderr", file=sys.stderr)
seen.wait()
guard.write_handshake(f"{len(ends)} end")
sys.stdout = None
"""
    out, records = run(INSTALL + script)
    assert out == b"1 end\n"
    assert texts(records) == ["on stderr"]


def test_installing_twice_gives_one_guard_and_restoring_gives_the_streams_back() -> None:
    script = """
assert StdioGuard.install() is guard
print("captured")
guard.restore()
print("direct")
again = StdioGuard.install()
assert again is not guard
print("captured again")
assert sys.excepthook != sys.__excepthook__
again.restore()
assert sys.excepthook is sys.__excepthook__
"""
    out, records = run(INSTALL + script)
    assert out == b"direct\n"
    assert texts(records) == ["captured", "captured again"]


@given(st.lists(st.binary(max_size=40_000) | st.sampled_from([b"\n", b"{", b"x" * 70_000]), max_size=8))
def test_the_splitter_loses_nothing_however_the_stream_is_cut(chunks: list[bytes]) -> None:
    splitter = LineSplitter()
    pieces = [piece for chunk in chunks for piece in splitter.feed(chunk)] + list(splitter.flush())
    assert b"".join(pieces) == b"".join(chunks).replace(b"\n", b"")
    assert all(len(piece) <= 64 * 1024 and b"\n" not in piece for piece in pieces)
    assert all(len(piece) <= 16 * 1024 for piece in pieces if not piece.startswith(b"{"))
    assert list(splitter.flush()) == []


@given(st.lists(st.text("aü€😀\n"), max_size=20), st.integers(1, 7))
def test_lines_are_the_same_byte_by_byte(parts: list[str], size: int) -> None:
    data = "\n".join(parts).encode()
    splitter = LineSplitter()
    pieces = [piece for start in range(0, len(data), size) for piece in splitter.feed(data[start : start + size])]
    *lines, rest = data.split(b"\n")
    assert pieces == lines
    assert list(splitter.flush()) == ([rest] if rest else [])


@pytest.mark.parametrize("shift", range(4))
def test_long_lines_are_cut_between_characters(shift: int) -> None:
    text = "a" * shift + "😀" * 10_000
    pieces = list(LineSplitter().feed(text.encode() + b"\n"))
    assert "".join(piece.decode() for piece in pieces) == text
