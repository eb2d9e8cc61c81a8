"""Threads that call what lives on the event loop."""

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from mattermost_plugin._thread_bridge import LoopBridge

T = TypeVar("T")

NAME = contextvars.ContextVar("NAME", default="")


async def in_thread(function: Callable[[], T]) -> T:
    """What the thread gets; asyncio makes its own of the other CancelledError."""
    return await asyncio.to_thread(function)


def test_results_and_errors_reach_the_thread() -> None:
    async def twice(number: int, *, plus: int) -> int:
        if number < 0:
            raise ValueError("negative")
        if number:
            await asyncio.sleep(0)
        return number * 2 + plus

    async def scenario() -> None:
        bridge = LoopBridge()
        assert await in_thread(lambda: bridge.call(twice, 0, plus=1)) == 1
        assert await in_thread(lambda: bridge.call(twice, 3, plus=1)) == 7
        with pytest.raises(ValueError, match="negative"):
            await in_thread(lambda: bridge.call(twice, -1, plus=1))

    asyncio.run(scenario())


def test_a_call_that_does_not_fit_the_function_is_told_to_the_thread() -> None:
    async def nothing() -> None:
        pass

    async def scenario() -> None:
        bridge = LoopBridge()
        misfit: Any = nothing
        with pytest.raises(TypeError):
            await in_thread(lambda: bridge.call(misfit, "surplus"))

    asyncio.run(scenario())


def test_the_coroutine_has_the_context_of_the_thread() -> None:
    async def name() -> str:
        return NAME.get()

    async def scenario() -> None:
        bridge = LoopBridge()

        def call() -> str:
            NAME.set("thread")
            return bridge.call(name)

        assert await in_thread(call) == "thread"
        assert NAME.get() == ""

    asyncio.run(scenario())


def test_closing_wakes_the_thread_and_cancels_the_coroutine() -> None:
    cancelled: list[bool] = []

    async def scenario() -> None:
        bridge = LoopBridge()
        begun = asyncio.Event()
        ended = asyncio.Event()

        async def wait() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                ended.set()
                raise

        waiting = asyncio.create_task(in_thread(lambda: bridge.call(wait)))
        await begun.wait()
        bridge.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await in_thread(lambda: bridge.call(wait))

    asyncio.run(scenario())
    assert cancelled == [True]


def test_a_coroutine_that_is_cancelled_by_others_wakes_the_thread() -> None:
    async def cancel_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def scenario() -> None:
        bridge = LoopBridge()
        with pytest.raises(asyncio.CancelledError):
            await in_thread(lambda: bridge.call(cancel_itself))

    asyncio.run(scenario())


def test_a_thread_that_outlives_the_loop_is_told() -> None:
    async def nothing() -> None:
        pass

    async def make() -> LoopBridge:
        return LoopBridge()

    bridge = asyncio.run(make())
    outcome: list[BaseException] = []

    def call() -> None:
        try:
            bridge.call(nothing)
        except BaseException as error:  # noqa: BLE001 - what it is is the test
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert [type(error) for error in outcome] == [concurrent.futures.CancelledError]
