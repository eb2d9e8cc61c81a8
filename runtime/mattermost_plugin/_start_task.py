"""Tasks that begin at once: most handlers never wait, and need no turn of the loop then."""

import asyncio
import sys
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["start_task"]

T = TypeVar("T")

if sys.version_info >= (3, 12):

    def start_task(
        coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, name: str | None = None
    ) -> asyncio.Task[T]:
        """A task for the coroutine. It may be done when this returns."""
        return asyncio.Task(coroutine, loop=loop, name=name, eager_start=True)

else:

    def start_task(
        coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, name: str | None = None
    ) -> asyncio.Task[T]:
        """A task for the coroutine. It may be done when this returns."""
        task = asyncio.Task(coroutine, loop=loop, name=name)
        # Python 3.11 has no eager tasks. The new task's first step is the last thing that its loop has to do, unless a
        # thread has given the loop more in between: then it begins later, as any task.
        ready: deque[asyncio.Handle] | None = getattr(loop, "_ready", None)
        if ready:
            step = ready[-1]
            is_its_own = getattr(getattr(step, "_callback", None), "__self__", None) is task
            # No thread runs between this look and the `pop`: there is neither a call in between nor a jump back.
            if is_its_own and ready[-1] is step:
                ready.pop()
                _run_apart(step, loop)
        return task

    def _run_apart(step: asyncio.Handle, loop: asyncio.AbstractEventLoop) -> None:
        """Run a task's step, also from within another task."""
        current = asyncio.current_task(loop)
        if current is not None:
            asyncio.tasks._leave_task(loop, current)
        try:
            step._run()
        finally:
            if current is not None:
                asyncio.tasks._enter_task(loop, current)
