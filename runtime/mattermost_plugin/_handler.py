"""Calls an author's handler: in the right place, within its time, with every outcome told apart."""

import asyncio
import inspect
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from mattermost_plugin._exits import contain_exit
from mattermost_plugin._handler_pool import HandlerPool, Job, PoolTimeoutError, wake
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin._start_task import start_task
from mattermost_plugin.errors import HandlerTimeout

_log = logging.getLogger(__name__)

CANCEL_GRACE_S = 0.1
"""How long an async handler may take to end once it is cancelled. Then the reply goes out without it."""


class Handler:
    """An author's handler, bound to the plugin.

    Deadlines are times of the event loop by which the host must have its answer; None if it waits without end.
    """

    __slots__ = ("_left_behind", "_pool", "_timeout_s", "call", "is_async", "spec")

    def __init__(self, spec: HandlerSpec, plugin: object, pool: HandlerPool, timeout_s: float | None) -> None:
        self.spec = spec
        self.call: Callable[..., Any] = getattr(plugin, spec.attribute)
        self.is_async = spec.is_async
        self._pool = pool
        self._timeout_s = spec.timeout_s if spec.timeout_s is not None else timeout_s
        # Tasks that nobody waits for any more; without a reference they might vanish before they end.
        self._left_behind: set[asyncio.Task[object]] = set()

    async def invoke(self, arguments: tuple[object, ...], deadline: float | None = None) -> object:
        """Call the handler and return its result.

        Raises:
            HandlerTimeout: the handler took too long.
            BaseException: whatever it raised.
        """
        now = asyncio.get_running_loop().time()
        until = self.until(now, deadline)
        if self.is_async:
            return await self._run(self.call(*arguments), now, until)
        timeout_s = None if until is None else until - now
        try:
            result = await self._pool.run(self.call, arguments, self.spec.label, timeout_s)
        except PoolTimeoutError as timeout:
            raise self._stuck(timeout, timeout_s) from None
        if inspect.isawaitable(result):
            # A `def` that returns a coroutine, such as a decorated `async def`: its body belongs on the loop.
            return await self._run(as_coroutine(result), now, until)
        return result

    def submit(self, begin: Callable[[], object], done: Callable[[Job], None]) -> Job:
        """Have a thread call a function, which calls the handler. `done` is called on the event loop when it has."""
        return self._pool.submit(begin, (), self.spec.label, done)

    def give_up(self, job: Job, timeout_s: float) -> HandlerTimeout:
        """Wait no longer for a handler in a thread that has outrun its time."""
        return self._stuck(self._pool.give_up(job), timeout_s)

    def abandon(self, job: Job) -> None:
        """Wait no longer for a handler in a thread: nobody wants its outcome."""
        self._pool.abandon(job)

    def until(self, now: float, deadline: float | None) -> float | None:
        """The time by which the handler must be done; None if nothing limits it."""
        if self._timeout_s is None:
            return deadline
        own = now + self._timeout_s
        return own if deadline is None else min(own, deadline)

    async def _run(self, coroutine: Coroutine[Any, Any, object], now: float, until: float | None) -> object:
        if until is None:
            return await coroutine
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        # A task of its own: a handler that does not heed its cancellation must not keep the reply.
        task = start_task(_report(coroutine, over), loop, self.spec.label)
        if task.done():
            return task.result()
        # For a task that is cancelled before it has begun.
        task.add_done_callback(lambda _: wake(over))
        timer = loop.call_at(until, wake, over)
        try:
            await over
        except asyncio.CancelledError:
            self.leave(task)
            raise
        finally:
            timer.cancel()
        if task.done():
            return task.result()
        raise self.timed_out(until - now, await self._stop(task, coroutine))

    async def _stop(self, task: asyncio.Task[object], coroutine: Coroutine[Any, Any, object]) -> str:
        """Cancel a handler that has outrun its time. Returns what the log should say of it."""
        place = where(coroutine)
        task.cancel()
        await asyncio.wait((task,), timeout=CANCEL_GRACE_S)
        if task.done():
            detail = f"{self.spec.label} waited here and was cancelled:\n{place}"
        else:
            detail = f"{self.spec.label} goes on though it was cancelled; it stood here:\n{place}"
        self.leave(task)
        return detail

    def leave(self, task: asyncio.Task[object]) -> None:
        """Cancel a task and wait for it no longer."""
        task.cancel()
        self._left_behind.add(task)
        task.add_done_callback(self._ended_late)

    def _ended_late(self, task: asyncio.Task[object]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("%s failed after its reply", self.spec.label, exc_info=error)

    def timed_out(self, timeout_s: float | None, detail: str) -> HandlerTimeout:
        """The error for a handler that has outrun its time; the detail is for the log."""
        error = HandlerTimeout(self.spec.hook, timeout_s or 0.0)
        error.add_note(detail)
        return error

    def _stuck(self, timeout: PoolTimeoutError, timeout_s: float | None) -> HandlerTimeout:
        return self.timed_out(timeout_s, self._describe(timeout))

    def _describe(self, timeout: PoolTimeoutError) -> str:
        if timeout.started:
            return f"{self.spec.label} is stuck in its thread here:\n{timeout.stack}"
        pool = self._pool
        return (
            f"{self.spec.label} got no thread: all {pool.size} are busy, {pool.stuck} of them with handlers "
            "that have outrun their time"
        )


async def _report(coroutine: Coroutine[Any, Any, object], over: "asyncio.Future[None]") -> object:
    """Wake who waits for the coroutine in the turn in which it ends, not in the one after it."""
    try:
        return await contain_exit(coroutine)
    finally:
        wake(over)


async def as_coroutine(awaitable: Any) -> object:
    """A coroutine that awaits it."""
    return await awaitable


def where(awaiting: Any) -> str:
    """Where a suspended coroutine stands, down to what it waits for."""
    frames = []
    while awaiting is not None:
        frame = getattr(awaiting, "cr_frame", None) or getattr(awaiting, "gi_frame", None)
        if frame is None:
            break
        frames.append(traceback.FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        awaiting = getattr(awaiting, "cr_await", None) or getattr(awaiting, "gi_yieldfrom", None)
    return "".join(traceback.format_list(frames))
