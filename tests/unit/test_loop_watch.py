"""The watch over the event loop, and the bound on the process's end, in processes of their own."""

import subprocess
import sys

import pytest

_BLOCK = """
import asyncio, logging, threading
from mattermost_plugin._loop_watch import LoopWatch

class Seen(logging.Handler):
    def emit(self, record):
        print(record.getMessage().splitlines()[0], flush=True)
        if record.levelno == logging.WARNING and not released.is_set():
            released.set()

released = threading.Event()
logging.getLogger().addHandler(Seen())

async def handler_that_blocks():
    {block}

async def main():
    watch = LoopWatch(
        asyncio.get_running_loop(), warn_s=0.05, exit_s={exit_s}, may_exit=lambda: {may_exit},
        labels={{handler_that_blocks.__code__: "MyPlugin.my_handler"}},
    )
    watch.start()
    await handler_that_blocks()
    await asyncio.to_thread(threading.Event().wait, {linger})
    watch.stop()
    print("went on")

asyncio.run(main())
"""


def _run(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_names_the_handler_that_blocks_and_says_when_it_ends() -> None:
    done = _run(_BLOCK.format(block="released.wait()", exit_s=60, may_exit=True, linger=1.2))
    first, second, *rest = done.stdout.splitlines()
    assert first.startswith("MyPlugin.my_handler blocks the event loop")
    assert second.startswith("MyPlugin.my_handler blocked the event loop for")
    assert rest == ["went on"]
    assert done.returncode == 0


@pytest.mark.slow
def test_ends_a_process_whose_loop_stands_still_for_good() -> None:
    done = _run(_BLOCK.format(block="threading.Event().wait(50)", exit_s=1, may_exit=True, linger=0))
    assert "went on" not in done.stdout
    assert "The event loop has stood still" in done.stdout
    assert done.returncode == 70


_LAST_EXIT = """
import atexit, logging, sys, threading
from mattermost_plugin._last_exit import LastExit

logging.basicConfig(stream=sys.stdout, format="%(message)s")
atexit.register(print, "atexit ran", flush=True)
{obstacle}
last = LastExit()
last.arm({seconds}, 3)
last.arm(60, 4)
"""


def test_a_thread_that_never_returns_does_not_keep_the_process() -> None:
    obstacle = "threading.Thread(target=threading.Event().wait, name='hanger').start()"
    done = _run(_LAST_EXIT.format(obstacle=obstacle, seconds=0.2))
    assert done.returncode == 3
    assert "hanger" in done.stdout
    assert done.stdout.endswith("atexit ran\n")


def test_an_atexit_function_that_hangs_does_not_keep_the_process() -> None:
    done = _run(_LAST_EXIT.format(obstacle="atexit.register(threading.Event().wait)", seconds=0.2))
    assert done.returncode == 3


def test_a_process_that_ends_by_itself_keeps_its_own_exit_code() -> None:
    done = _run(_LAST_EXIT.format(obstacle="", seconds=30))
    assert done.returncode == 0
    assert done.stdout == "atexit ran\n"
