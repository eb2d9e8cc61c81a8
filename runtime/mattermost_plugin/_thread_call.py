"""A call of a handler in a thread: what `AsyncCall` is for handlers on the event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial

from mattermost_plugin._async_call import AsyncCall
from mattermost_plugin._handler import Handler, as_coroutine
from mattermost_plugin._handler_pool import Job

__all__ = ["ThreadCall"]

Tell = Callable[["ThreadCall", object, BaseException | None], None]


class ThreadCall:
    """One call.

    Args:
        handler: whose time and thread it has.
        begin: calls it. Runs in the thread, in the context of the call.
        tell: is told the call, and the result, or None and the error, on the event loop. Once; must not raise.
    """

    __slots__ = ("_begin", "_handler", "_is_told", "_job", "_loop", "_rest", "_started", "_tell", "_timer")

    def __init__(self, handler: Handler, begin: Callable[[], object], tell: Tell) -> None:
        self._handler = handler
        self._begin = begin
        self._tell = tell
        self._is_told = False
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._job: Job | None = None
        self._rest: AsyncCall | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Call the handler."""
        try:
            self._job = self._handler.submit(self._begin, self._ended)
        except RuntimeError as error:
            # The system has no thread left.
            self._finish(None, error)
            return
        until = self._handler.until(self._started, None)
        if until is not None:
            self._timer = self._loop.call_at(until, self._overdue, until - self._started)

    def cancel(self, error: BaseException) -> None:
        """Tell this error, and wait for the handler no longer."""
        job, rest = self._job, self._rest
        self._finish(None, error)
        if rest is not None:
            rest.cancel(error)
        elif job is not None:
            self._handler.abandon(job)

    def _ended(self, job: Job) -> None:
        if self._is_told:
            return
        if job.error is None and inspect.isawaitable(job.result):
            # Here the context is that of any thread.
            job.context.run(self._go_on, job.result)
        else:
            self._finish(job.result, job.error)

    def _go_on(self, awaitable: object) -> None:
        """A `def` that returns a coroutine, such as a decorated `async def`: its body belongs on the loop."""
        self._stop_timer()
        self._rest = AsyncCall(self._handler, partial(as_coroutine, awaitable), self._rest_ended, self._started)
        self._rest.start()

    def _rest_ended(self, rest: AsyncCall, result: object, error: BaseException | None) -> None:
        self._finish(result, error)

    def _overdue(self, timeout_s: float) -> None:
        if self._job is not None:
            self._finish(None, self._handler.give_up(self._job, timeout_s))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _finish(self, result: object, error: BaseException | None) -> None:
        if self._is_told:
            return
        self._is_told = True
        self._stop_timer()
        # They refer to this call in turn.
        self._job = self._rest = None
        self._tell(self, result, error)
