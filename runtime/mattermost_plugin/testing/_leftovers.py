"""What plugins have left running when they have been ended."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from mattermost_plugin.testing._work import busy_handler_threads, standing

__all__ = ["Leftovers"]

__tracebackhide__ = True  # pytest shows the line of the test

_KNOWN_THREADS: Final = (
    "hook-",  # a pool's threads, which end by themselves if they are not busy
    "http-",
    "mattermost-test-",
    "asyncio-waitpid-",  # asyncio's watchers of processes
    "asyncio_",  # its workers
    "ThreadPoolExecutor-",  # their workers stay for reuse
)
_KNOWN_WORK: Final = "(_poll_wrapper)"
"""grpc's own thread has no name but that of its function."""


class Leftovers:
    """Compares what runs with what ran when it was made. Used on the host's loop."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())

    def find(self) -> list[str]:
        """What is left, in words."""
        found = [f"a handler was still running: {stack}" for stack in busy_handler_threads(self._threads)]
        for thread in threading.enumerate():
            if thread in self._threads or thread.name.startswith(_KNOWN_THREADS) or thread.name.endswith(_KNOWN_WORK):
                continue
            found.append(f"the thread {thread.name!r} was still running")
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not _is_grpcs(task)]
        return found + [f"a task was still waiting: {standing(task)}" for task in tasks]


def _is_grpcs(task: asyncio.Task[object]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or "/grpc/" in code.co_filename
