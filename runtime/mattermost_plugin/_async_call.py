"""An async handler's call without a task around it: for wires whose host waits without end and is told by a function.

It costs a turn of the event loop and a task less than `Handler.invoke` does, and keeps the same promises: an outcome
comes within the handler's time, whatever the handler does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mattermost_plugin._exits import contain_exit
from mattermost_plugin._handler import CANCEL_GRACE_S, Handler, where
from mattermost_plugin._start_task import start_task

__all__ = ["AsyncCall"]

Tell = Callable[[object, BaseException | None], None]


class AsyncCall:
    """One call.

    Args:
        handler: an async handler.
        begin: makes the coroutine that calls it, in the context of the call.
        tell: is told the result, or None and the error. Once; must not raise.
    """

    __slots__ = ("_coroutine", "_detail", "_handler", "_is_told", "_loop", "_started", "_task", "_tell", "_timer")

    def __init__(self, handler: Handler, begin: Callable[[], Coroutine[Any, Any, object]], tell: Tell) -> None:
        self._handler = handler
        self._tell = tell
        self._is_told = False
        self._detail = ""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._coroutine = begin()
        self._started = self._loop.time()
        self._task = start_task(contain_exit(self._coroutine), self._loop, handler.spec.label)

    def watch(self) -> None:
        """Have the outcome told, at once if it is there."""
        if self._task.done():
            self._ended(self._task)
            return
        until = self._handler.until(self._started, None)
        if until is not None:
            self._timer = self._loop.call_at(until, self._overdue)
        self._task.add_done_callback(self._ended)

    def cancel(self, error: BaseException) -> None:
        """Tell this error, and wait for the handler no longer."""
        self._finish(None, error)
        self._handler.leave(self._task)

    def _ended(self, task: asyncio.Task[object]) -> None:
        if self._is_told:
            return
        if self._detail:
            self._finish(None, self._timeout(f"{self._handler.spec.label} waited here and was cancelled"))
            # What it raised instead of ending is told of by itself.
            self._handler.leave(task)
        elif task.cancelled():
            self._finish(None, asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self._finish(None, error)
        else:
            self._finish(task.result(), None)

    def _overdue(self) -> None:
        self._detail = where(self._coroutine) or "nowhere"
        self._task.cancel()
        self._timer = self._loop.call_later(CANCEL_GRACE_S, self._give_up)

    def _give_up(self) -> None:
        label = self._handler.spec.label
        self._finish(None, self._timeout(f"{label} goes on though it was cancelled; it stood here"))
        self._handler.leave(self._task)

    def _timeout(self, what: str) -> BaseException:
        elapsed_s = (self._handler.until(self._started, None) or self._started) - self._started
        return self._handler.timed_out(elapsed_s, f"{what}:\n{self._detail}")

    def _finish(self, result: object, error: BaseException | None) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self._timer is not None:
            self._timer.cancel()
        self._tell(result, error)
