"""What goes on in a host and in the plugins of its process, as far as it can be seen.

Tasks are looked at from outside: by which function of the host or the runtime they wait in. No part has to keep count,
and work counts wherever it came from: a hook, a job, a task of the author's own. What a plugin waits for beside
that (a socket, a queue, a real pause) says nothing about whether it will ever go on, so it does not count.
"""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from types import CodeType
from typing import Any, Final

from mattermost_plugin._api_client import AsyncClient
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.devhost import DevHost, ManualClock
from mattermost_plugin.devhost.hook_rounds import HookRounds
from mattermost_plugin.testing._hooks_under_way import hooks_under_way
from mattermost_plugin.testing._sleep import coroutine_frames, sleeps, thread_frames

__all__ = ["busy_handler_threads", "quiet", "standing", "under_way"]

__tracebackhide__ = True  # pytest shows the line of the test

ROUNDS: Final = 20
"""How often the loop must come round with nothing going on: what was just awakened may hand on to others first."""

PAUSE_S: Final = 0.002
"""How long to wait before looking again. A thread that works gives no sign."""


async def quiet(host: DevHost, *, calls_under_way: Callable[[], int] = int) -> None:
    """Return when nothing goes on: no hook, no call of the API, no thread that a task waits for, nothing ready to run.

    What waits for a clock that only the test advances does not go on.

    Args:
        host: the host, on its loop.
        calls_under_way: how many API calls the host is answering; those of processes show nowhere else.
    """
    rounds = 0
    while rounds < ROUNDS:
        hooks = hooks_under_way(host)
        if hooks:
            rounds = 0
            await asyncio.wait(hooks, timeout=PAUSE_S)
        elif calls_under_way() or next(_plugins_work(), None) is not None:
            rounds = 0
            await asyncio.sleep(PAUSE_S)
        else:
            rounds += 1
            await asyncio.sleep(0)


def under_way(host: DevHost) -> list[str]:
    """What goes on, in words: hooks, API calls, jobs in threads, and who sleeps."""
    found: dict[str, None] = {}
    for task in asyncio.all_tasks():
        for frame in coroutine_frames(task.get_coro()):
            describe = _WORDS.get(frame.f_code)
            if describe is not None:
                found[describe(frame.f_locals)] = None
    clock = host.clock
    if isinstance(clock, ManualClock) and (sleepers := clock.sleepers):
        found[f"{sleepers} sleep on the clock, which only the test advances"] = None
    return list(found)


def busy_handler_threads(known: Collection[threading.Thread] = ()) -> Iterator[str]:
    """The stacks of the threads that run handlers, but for those that are known already."""
    for thread, frames in thread_frames():
        # A thread that has nothing to do stands in the pool's own loop.
        if thread not in known and frames[0].f_code is not _WAIT_FOR_JOB:
            where = "".join(traceback.format_stack(frames[0])[-_SHOWN_FRAMES:])
            yield f"{thread.name} stands here:\n{where.rstrip()}"


def standing(task: asyncio.Task[Any]) -> str:
    """A task's coroutine and where it waits, in one line."""
    frames = list(coroutine_frames(task.get_coro()))
    name = getattr(task.get_coro(), "__qualname__", "") or task.get_name()
    return f"{name} at {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else name


def _plugins_work() -> Iterator[asyncio.Task[Any]]:
    for task in asyncio.all_tasks():
        frames = coroutine_frames(task.get_coro())
        if any(frame.f_code in _PLUGINS_WORK for frame in frames) and not sleeps(task.get_coro()):
            yield task


_Describe = Callable[[Mapping[str, Any]], str]


def _hook(names: Mapping[str, Any]) -> str:
    hook = names.get("hook") or type(names["request"]).__name__.removesuffix("Request")
    return f"{hook} of {names['plugin'].plugin_id}"


_WAIT_FOR_JOB: Final = HandlerPool._work.__code__
_SHOWN_FRAMES: Final = 3
_PLUGINS_WORK: Final[frozenset[CodeType]] = frozenset(
    (AsyncClient._call.__code__, HandlerPool.run.__code__, asyncio.to_thread.__code__)
)
_WORDS: Final[Mapping[CodeType, _Describe]] = {
    HookRounds.ask.__code__: _hook,
    HookRounds.serve_http.__code__: lambda names: f"ServeHTTP of {names['plugin'].plugin_id}",
    AsyncClient._call.__code__: lambda names: f"a plugin's call of {names['method'].name}",
    HandlerPool.run.__code__: lambda names: f"{names['label']} in a thread",
    asyncio.to_thread.__code__: lambda names: f"{getattr(names['func'], '__qualname__', 'a function')} in a thread",
}
