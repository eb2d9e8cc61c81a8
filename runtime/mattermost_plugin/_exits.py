"""Keeps an author's sys.exit() from ending more than the handler that calls it."""

from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


async def contain_exit(awaitable: Awaitable[_T]) -> _T:
    """Await it; what would end the event loop if it left a task, such as a SystemExit, becomes a RuntimeError."""
    try:
        return await awaitable
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"the handler raised {type(error).__name__}, which ends no plugin") from error
