"""Tasks that begin at once."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

import pytest

from mattermost_plugin._start_task import start_task

_variable: ContextVar[str] = ContextVar("_variable", default="")


async def answer() -> str:
    return "answer"


def in_callback(function: Callable[[], None]) -> None:
    """Run a function as the event loop runs callbacks: outside every task."""

    async def main() -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def run() -> None:
            try:
                function()
                over.set_result(None)
            except BaseException as error:
                over.set_exception(error)
                raise

        asyncio.get_running_loop().call_soon(run)
        await over

    asyncio.run(main())


def test_what_does_not_wait_is_done_when_it_was_started() -> None:
    def start() -> None:
        assert start_task(answer(), asyncio.get_running_loop()).result() == "answer"

    in_callback(start)


def test_a_task_may_start_another() -> None:
    async def inner() -> asyncio.Task[object] | None:
        async with asyncio.TaskGroup():
            return asyncio.current_task()

    async def main() -> None:
        me = asyncio.current_task()
        task = start_task(inner(), asyncio.get_running_loop(), "inner")
        assert asyncio.current_task() is me
        assert task.result() is task
        assert task.get_name() == "inner"

    asyncio.run(main())


def test_nothing_else_that_waits_is_run_with_it() -> None:
    async def main() -> None:
        ran: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_soon(ran.append, "before")
        assert start_task(answer(), loop).done()
        assert ran == []
        await asyncio.sleep(0)
        assert ran == ["before"]

    asyncio.run(main())


def test_what_a_thread_gives_the_loop_meanwhile_is_not_taken_for_it() -> None:
    async def main() -> None:
        ran: list[str] = []
        loop = asyncio.get_running_loop()
        call_soon = loop.call_soon

        def interrupted(*arguments: Any, **options: Any) -> asyncio.Handle:
            handle = call_soon(*arguments, **options)
            loop.call_soon_threadsafe(ran.append, "of a thread")
            return handle

        with patch.object(loop, "call_soon", interrupted):
            task = start_task(answer(), loop)
        assert ran == []
        assert await task == "answer"

    asyncio.run(main())


def test_it_has_a_context_of_its_own() -> None:
    async def change() -> str:
        _variable.set(f"{_variable.get()} changed")
        return _variable.get()

    async def main() -> None:
        _variable.set("mine")
        assert start_task(change(), asyncio.get_running_loop()).result() == "mine changed"
        assert _variable.get() == "mine"

    asyncio.run(main())


def test_what_waits_goes_on_later() -> None:
    async def main() -> None:
        release = asyncio.Event()
        task = start_task(release.wait(), asyncio.get_running_loop())
        assert not task.done()
        release.set()
        assert await task

    asyncio.run(main())


def test_a_failure_is_the_tasks_own() -> None:
    async def fail() -> None:
        raise ValueError("mine")

    async def main() -> None:
        task = start_task(fail(), asyncio.get_running_loop())
        with pytest.raises(ValueError, match="mine"):
            await task

    asyncio.run(main())


def test_it_can_be_cancelled() -> None:
    async def main() -> None:
        task = start_task(asyncio.Event().wait(), asyncio.get_running_loop())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
