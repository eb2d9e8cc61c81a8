"""What is written once for both clients of the plugin API: coroutines that ask either, and how threads run them.

Given the client for threads, such a coroutine never waits: every call in it blocks and then goes on. A thread runs it
in one step, without an event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI

    EitherAPI: TypeAlias = PluginAPI | AsyncPluginAPI
    """A client of the plugin API, for threads or for coroutines."""

T = TypeVar("T")


async def answer_of(call: T | Awaitable[T]) -> T:
    """What a method answers: at once if the client for threads was called, else when it was awaited."""
    if isinstance(call, Awaitable):
        answer: T = await call
        return answer
    return call


def run(coroutine: Coroutine[object, None, T]) -> T:
    """Run a coroutine that asks the client for threads.

    Raises:
        RuntimeError: it waits for something, so the client is one for coroutines.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("The client for threads gave something to await: does it stand in for the one for coroutines?")


def run_each(items: AsyncIterator[T]) -> Iterator[T]:
    """Go through an async generator that asks the client for threads."""
    while True:
        try:
            item = run(_next(items))
        except StopAsyncIteration:
            return
        yield item


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)
