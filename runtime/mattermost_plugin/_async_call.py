"""An async handler's call on its own: for wires whose host waits without end and is told by a function.

It costs turns of the event loop less than `Handler.invoke` does, and keeps the same promises: an outcome comes within
the handler's time, whatever the handler does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mattermost_plugin._exits import contain_exit
from mattermost_plugin._handler import CANCEL_GRACE_S, Handler, where
from mattermost_plugin._start_task import start_task

__all__ = ["AsyncCall"]

Tell = Callable[["AsyncCall", object, BaseException | None], None]


class AsyncCall:
    """One call.

    Args:
        handler: whose time it has.
        begin: calls it, in the context of the call.
        tell: is told the call, and the result, or None and the error. Once; must not raise.
        started: since when the handler's time runs; now by default.
    """

    __slots__ = (
        "_awaited",
        "_begin",
        "_detail",
        "_handler",
        "_is_told",
        "_loop",
        "_started",
        "_task",
        "_tell",
        "_timer",
    )

    def __init__(
        self,
        handler: Handler,
        begin: Callable[[], Awaitable[object]],
        tell: Tell,
        started: float | None = None,
    ) -> None:
        self._handler = handler
        self._tell = tell
        self._is_told = False
        self._detail = ""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._begin = begin
        self._awaited: Awaitable[object] | None = None
        self._started = self._loop.time() if started is None else started
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Call the handler. If it does not wait, its outcome is told before this returns."""
        self._task = start_task(self._run(), self._loop, self._handler.spec.label)
        until = None if self._is_told else self._handler.until(self._started, None)
        if until is not None:
            self._timer = self._loop.call_at(until, self._overdue)

    def cancel(self, error: BaseException) -> None:
        """Tell this error, and wait for the handler no longer."""
        self._finish(None, error)
        self._leave()

    async def _run(self) -> None:
        try:
            self._awaited = self._begin()
            result = await contain_exit(self._awaited)
        except BaseException as error:
            is_late = self._is_told or bool(self._detail)
            self._ended(None, error)
            if is_late:
                # What it raised instead of ending is told of by itself.
                raise
        else:
            self._ended(result, None)

    def _ended(self, result: object, error: BaseException | None) -> None:
        if self._is_told:
            return
        if self._detail:
            self._finish(None, self._timeout(f"{self._handler.spec.label} waited here and was cancelled"))
            self._leave()
        else:
            self._finish(result, error)

    def _overdue(self) -> None:
        self._detail = where(self._awaited) or "nowhere"
        if self._task is not None:
            self._task.cancel()
        self._timer = self._loop.call_later(CANCEL_GRACE_S, self._give_up)

    def _give_up(self) -> None:
        label = self._handler.spec.label
        self._finish(None, self._timeout(f"{label} goes on though it was cancelled; it stood here"))
        self._leave()

    def _leave(self) -> None:
        if self._task is not None:
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
        self._tell(self, result, error)
