"""The bound on a process's end, on real processes."""

import subprocess
import sys

import pytest

FOREVER_S = 3600.0

SCRIPT = """
import atexit, logging, os, signal, sys, threading
from mattermost_plugin._last_exit import LastExit
logging.basicConfig(format="%(message)s")
atexit.register(print, "atexit", flush=True)
last_exit = LastExit()
hang = threading.Thread(target=threading.Event().wait, name="hanging thread")
"""


def run(script: str) -> tuple[int, str, str]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, err = process.communicate()
        finally:
            process.kill()  # or a failed test would wait for ever
    return process.returncode, out, err


@pytest.mark.parametrize("last", ["threading.Event().wait()", ""], ids=["main thread hangs", "main thread ended"])
def test_what_hangs_is_named_and_ended_with_the_atexit_functions(last: str) -> None:
    code, out, err = run(f"hang.start()\nlast_exit.arm(0.1, 3)\n{last}")
    assert (code, out) == (3, "atexit\n")
    assert "Still running: MainThread, hanging thread." in err


def test_no_thread_is_started_at_the_end() -> None:
    # As from Python 3.12 on, while the interpreter waits for other threads.
    script = """
hang.start()
last_exit.arm(0.1, 3)
def start(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")
threading.Thread.start = start
"""
    code, out, err = run(script)
    assert (code, out) == (3, "atexit\n")
    assert "hanging thread" in err


def test_a_process_without_further_threads_is_ended_all_the_same() -> None:
    script = """
hang.start()
start = threading.Thread.start
def start_few(thread):
    if thread.name == "last-exit-work":
        raise RuntimeError("can't start new thread")
    start(thread)
threading.Thread.start = start_few
last_exit.arm(0.1, 3)
"""
    assert run(script)[0] == 3


def test_a_process_that_ends_in_time_ends_as_it_wants() -> None:
    code, out, err = run(f"last_exit.arm({FOREVER_S}, 3)\nsys.exit(7)")
    assert (code, out, err) == (7, "atexit\n", "")


def test_the_earliest_end_and_the_first_code_count() -> None:
    code, _, _ = run(
        f"hang.start()\nlast_exit.arm({FOREVER_S}, 3)\nlast_exit.arm(0.1, 0)\nlast_exit.arm({FOREVER_S}, 0)"
    )
    assert code == 3


def test_a_chosen_code_counts() -> None:
    assert run("hang.start()\nlast_exit.choose_code(5)\nlast_exit.arm(0.1, 0)")[0] == 5


def test_it_may_be_armed_in_a_signal_handler() -> None:
    script = f"""
signal.signal(signal.SIGUSR1, lambda *_: last_exit.arm(0, 0))
last_exit.arm({FOREVER_S}, 3)
os.kill(os.getpid(), signal.SIGUSR1)
threading.Event().wait()
"""
    assert run(script)[0] == 3


@pytest.mark.parametrize("stuck", ["emit", "flush"])
def test_a_log_that_hangs_delays_nothing(stuck: str) -> None:
    script = f"""
class Stuck(logging.StreamHandler):
    def {stuck}(self, *_):
        threading.Event().wait()
logging.getLogger().addHandler(Stuck())
hang.start()
last_exit.arm(0.1, 3)
"""
    assert run(script)[0] == 3


def test_an_atexit_function_that_hangs_delays_nothing() -> None:
    assert run("atexit.register(hang.run)\nlast_exit.arm(0.1, 3)")[0] == 3
