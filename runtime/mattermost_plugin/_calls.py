"""The calls that are being answered, so that the end of the plugin leaves none of them without its reply."""

import asyncio
from types import TracebackType

from mattermost_plugin.errors import PluginError


class PluginEndsError(PluginError):
    """The plugin ends before the handler does. Expected; the call is answered as a failed one."""


class Calls:
    """The running calls. `with calls:` around the answering of each."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
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
            if not self._tasks:
                self._none_left.set()

    async def finish(self, patience_s: float) -> None:
        """Wait for the running calls, then make those that still run answer that they failed."""
        try:
            async with asyncio.timeout(patience_s):
                await self._none_left.wait()
        except TimeoutError:
            self.are_cut_short = True
            for task in tuple(self._tasks):
                task.cancel()
            await self._none_left.wait()
