"""Who waits for the clock that only the test advances, and so goes on when it does and not before.

A task's coroutine, and those that it awaits, have frames, and the innermost ones say what is waited for. What a handler
in a thread waits for on the event loop is found through the thread's stack.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin.devhost.clock import ManualClock

__all__ = ["coroutine_frames", "jobs_in_threads", "sleeps", "thread_frames"]

__tracebackhide__ = True  # pytest shows the line of the test

HANDLER_THREADS: Final = ("hook-", "http-")
"""How the threads of handler pools are named."""

_SLEEP: Final = ManualClock.sleep_until.__code__
_WAIT: Final = asyncio.wait.__code__
_WAIT_FOR: Final = asyncio.wait_for.__code__
_WORK: Final = HandlerPool._work.__code__
_BRIDGE: Final = LoopBridge.call.__code__


def coroutine_frames(awaiting: Any) -> Iterator[FrameType]:  # Any: a coroutine may await any kind of object
    """The frames of a suspended coroutine, down to the one that waits."""
    while awaiting is not None:
        frame = getattr(awaiting, "cr_frame", None) or getattr(awaiting, "gi_frame", None)
        if frame is not None:
            yield frame
        awaiting = getattr(awaiting, "cr_await", None) or getattr(awaiting, "gi_yieldfrom", None)


def thread_frames() -> Iterator[tuple[threading.Thread, list[FrameType]]]:
    """The threads of handler pools with their stacks, the innermost frame first."""
    stacks = sys._current_frames()
    for thread in threading.enumerate():
        innermost = stacks.get(thread.ident or 0)
        if thread.name.startswith(HANDLER_THREADS) and innermost is not None:
            yield thread, list(_callers(innermost))


def jobs_in_threads() -> dict[str, list[bool]]:
    """What handler pools run: for each label, whether each of its jobs sleeps."""
    found: dict[str, list[bool]] = {}
    for _, frames in thread_frames():
        job = next((frame.f_locals.get("job") for frame in frames if frame.f_code is _WORK), None)
        if job is not None and not job.settled:
            found.setdefault(job.label, []).append(_bridges_to_sleep(frames))
    return found


def sleeps(awaiting: Any) -> bool:  # Any: as above
    """Whether a coroutine waits for the clock: directly, beside other things, or in a thread."""
    for frame in coroutine_frames(awaiting):
        if frame.f_code is _SLEEP:
            return True
        if frame.f_code is _WAIT:
            return _any_sleeps(frame.f_locals["fs"])
        if frame.f_code is _WAIT_FOR and _any_sleeps((frame.f_locals["fut"],)):
            # A task of its own up to Python 3.11, and then awaited like anything else.
            return True
        if frame.f_code is HandlerPool.run.__code__:
            return _job_sleeps(frame.f_locals.get("job"))
    return False


def _any_sleeps(waited_for: Any) -> bool:
    tasks = [each for each in waited_for if isinstance(each, asyncio.Task)]
    return any(not task.done() and sleeps(task.get_coro()) for task in tasks)


def _job_sleeps(job: Any) -> bool:
    if job is None or not job.thread_id or job.settled:
        return False
    innermost = sys._current_frames().get(job.thread_id)
    return innermost is not None and _bridges_to_sleep(list(_callers(innermost)))


def _bridges_to_sleep(frames: list[FrameType]) -> bool:
    """Whether a thread waits for a coroutine on the loop that sleeps."""
    bridge = next((frame for frame in frames if frame.f_code is _BRIDGE), None)
    return bridge is not None and sleeps(bridge.f_locals.get("coroutine"))


def _callers(innermost: FrameType) -> Iterator[FrameType]:
    frame: FrameType | None = innermost
    while frame is not None:
        yield frame
        frame = frame.f_back
