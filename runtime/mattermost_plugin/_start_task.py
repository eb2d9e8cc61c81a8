"""Tasks that begin at once where Python can do that: most handlers never wait, and need no turn of the loop then."""

import asyncio
import sys
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
        return loop.create_task(coroutine, name=name)
