"""One run of a job: what its callback sees, and the call of it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from mattermost_plugin._clock import PluginClock, is_done_by, steady
from mattermost_plugin._exits import contain_exit
from mattermost_plugin._job_errors import JobCancelledError
from mattermost_plugin._request_id import REQUEST_ID

if TYPE_CHECKING:
    from mattermost_plugin._handler_pool import HandlerPool
    from mattermost_plugin._held_lock import HeldLock

_log = logging.getLogger(__name__)


class RunControl:
    """Whether a run may go on. From any thread.

    Args:
        held: the lock under which it runs.
    """

    def __init__(self, held: HeldLock) -> None:
        self._held = held
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why the run must end; "" if it may go on."""
        if not self._reason and self._held.is_lost:
            self._reason = f"its lock was lost: {self._held.reason}"
        return self._reason

    def cancel(self, reason: str) -> None:
        """Let the run end."""
        self._reason = self._reason or reason


class JobRun:
    """A run of a job, as its callback sees it. Tests may make one themselves.

    Attributes:
        name: name of the job.
        due: when the run was due, in UTC. It begins then or later.
    """

    def __init__(self, name: str, due: datetime, control: RunControl | None = None) -> None:
        self.name = name
        self.due = due
        self._control = control

    @property
    def is_cancelled(self) -> bool:
        """Whether the run must end: its lock was lost, its time is over, the job was closed, or the plugin stops.

        From any thread. A callback that is a coroutine is cancelled, too; a `def` should ask between its steps.
        """
        return self._control is not None and self._control.reason != ""

    def check(self) -> None:
        """Go on only if the run may.

        Raises:
            JobCancelledError: `is_cancelled` is true. Let it leave the callback.
        """
        reason = "" if self._control is None else self._control.reason
        if reason:
            raise JobCancelledError(self.name, reason)


class RecurringRun(JobRun):
    """A run of a recurring job.

    Attributes:
        previous_due: when the run before this one was due, on whatever node it was; None for the first run. Runs that
            failed count.
        missed: how many due times between that one and this one got no run, because no node was there or a run took
            longer than the interval.
    """

    def __init__(
        self,
        name: str,
        due: datetime,
        previous_due: datetime | None = None,
        missed: int = 0,
        control: RunControl | None = None,
    ) -> None:
        super().__init__(name, due, control)
        self.previous_due = previous_due
        self.missed = missed


class OneShotRun(JobRun):
    """A run of a one-shot job.

    Attributes:
        key: the job's key.
        payload: what it was given when it was planned.
        attempt: 1 for the first run, 2 for the one after that has failed, and so on.
    """

    def __init__(
        self,
        name: str,
        due: datetime,
        key: str,
        payload: Mapping[str, object],
        attempt: int = 1,
        control: RunControl | None = None,
    ) -> None:
        super().__init__(name, due, control)
        self.key = key
        self.payload: dict[str, object] = dict(payload)
        self.attempt = attempt


RunT = TypeVar("RunT", bound=JobRun)

Callback = Callable[[RunT], Awaitable[None] | None]
"""An author's function: `async def` for the event loop, `def` for a thread."""


class Ending(Enum):
    """How a run ended."""

    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()
    """It has not done its work, and is not to blame."""


class Performance(Generic[RunT]):
    """Calls the callback for one run.

    Args:
        callback: the author's function.
        run: what it gets.
        control: the run's.
        held: the lock under which it runs.
        label: what logs call the run.
    """

    def __init__(self, callback: Callback[RunT], run: RunT, control: RunControl, held: HeldLock, label: str) -> None:
        self.label = label
        self._callback = callback
        self._run = run
        self._control = control
        self._held = held
        self._work: asyncio.Task[None] | None = None
        self._is_on_loop = is_async(callback)
        self._is_late = False

    def cancel(self, reason: str) -> None:
        """Let the run end: a coroutine is cancelled, a thread sees it when it asks. On the event loop."""
        self._control.cancel(reason)
        if self._is_on_loop and self._work is not None:
            self._work.cancel()

    async def perform(self, pool: HandlerPool, clock: PluginClock, timeout_s: float | None) -> Ending:
        """Call the callback and wait for its end, however long it takes.

        Args:
            pool: has a thread for it.
            clock: the plugin's.
            timeout_s: after how many seconds it is cancelled; None for never.
        """
        # Of its own task's context: the server's log and this one's lines show which run a call belongs to.
        REQUEST_ID.set(f"job:{self._run.name}:{secrets.token_hex(8)}")
        measured = steady(clock)
        until = None if timeout_s is None else measured.now() + timeout_s
        self._work = asyncio.ensure_future(contain_exit(self._call(pool)))
        self._held.tell(lambda: self.cancel(self._control.reason))
        if until is not None and not await is_done_by(measured, until, self._work):
            self._is_late = True
            _log.error("The %s is cancelled: it has run for %g s", self.label, timeout_s)
            self.cancel(f"it has run for {timeout_s:g} s")
        await asyncio.wait((self._work,))
        return self._ending(self._work)

    async def _call(self, pool: HandlerPool) -> None:
        if self._is_on_loop:
            result: object = self._callback(self._run)
        else:
            result = await pool.run(self._call_in_thread, (), self.label, None)
        if not inspect.isawaitable(result):
            return
        if not self._is_on_loop:
            # A `def` that returns a coroutine: its body belongs on the loop.
            self._is_on_loop = True
            if self._run.is_cancelled and inspect.iscoroutine(result):
                result.close()
            self._run.check()
        await result

    def _call_in_thread(self) -> object:
        # It may have waited for a thread.
        self._run.check()
        return self._callback(self._run)

    def _ending(self, work: asyncio.Task[None]) -> Ending:
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if error is None:
            return Ending.DONE
        reason = self._control.reason
        if not reason or not isinstance(error, (asyncio.CancelledError, JobCancelledError)):
            _log.error("The %s failed", self.label, exc_info=error)
        elif not self._is_late:
            _log.info("The %s was cancelled: %s", self.label, reason)
            return Ending.CANCELLED
        return Ending.FAILED


def is_async(callback: object) -> bool:
    """Whether calling it gives a coroutine, as far as can be seen."""
    call = getattr(type(callback), "__call__", None)  # noqa: B004 - asked what it is, not whether it is
    return inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(call)
