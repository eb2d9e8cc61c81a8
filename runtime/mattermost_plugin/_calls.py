"""The calls that are being answered, so that the end of the plugin leaves none of them without its reply."""

import asyncio
from types import TracebackType
from typing import Protocol

from mattermost_plugin.errors import PluginError


class PluginEndsError(PluginError):
    """The plugin ends before the handler does. Expected; the call is answered as a failed one."""


class Interruptible(Protocol):
    """A call that no task of its own answers."""

    def cancel(self, error: BaseException) -> None:
        """Answer it as one that failed with this error, and leave."""
        ...


class Calls:
    """The running calls. `with calls:` around the answering of each that has a task, `enter` and `leave` for others."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._others: set[Interruptible] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self.are_cut_short = False
        """Whether what still runs is being failed: a call that is cancelled now answers that it failed."""

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            self._none_left.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
            self._look_whether_none_is_left()

    def enter(self, call: Interruptible) -> None:
        """A call begins."""
        self._others.add(call)
        self._none_left.clear()

    def leave(self, call: Interruptible) -> None:
        """A call has its answer."""
        self._others.discard(call)
        self._look_whether_none_is_left()

    async def finish(self, patience_s: float) -> None:
        """Wait for the running calls, then make those that still run answer that they failed."""
        try:
            async with asyncio.timeout(patience_s):
                await self._none_left.wait()
        except TimeoutError:
            self.are_cut_short = True
            for task in tuple(self._tasks):
                task.cancel()
            for call in tuple(self._others):
                call.cancel(PluginEndsError("the handler was cut short: the plugin ends"))
            await self._none_left.wait()

    def _look_whether_none_is_left(self) -> None:
        if not self._tasks and not self._others:
            self._none_left.set()
