"""The pool that runs handlers which may block."""

import asyncio
import contextvars
import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from mattermost_plugin._handler_pool import HandlerPool, PoolTimeoutError

_variable: contextvars.ContextVar[str] = contextvars.ContextVar("_variable")


def _run(
    pool: HandlerPool, function: Callable[..., object], *arguments: object, timeout_s: float | None = 30
) -> object:
    return asyncio.run(pool.run(function, arguments, "handler", timeout_s))


def test_runs_in_a_daemon_thread_and_returns_the_result() -> None:
    pool = HandlerPool(2, "test")

    def handler(value: int) -> tuple[int, bool, bool]:
        thread = threading.current_thread()
        return value + 1, thread.daemon, thread is threading.main_thread()

    assert _run(pool, handler, 41) == (42, True, False)
    pool.close()


def test_raises_what_the_handler_raises() -> None:
    pool = HandlerPool(1, "test")

    def handler() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        _run(pool, handler)
    assert _run(pool, lambda: "still works") == "still works"
    pool.close()


@pytest.mark.parametrize("error", [StopIteration("odd"), SystemExit(3), KeyboardInterrupt()])
def test_odd_exceptions_do_not_end_the_thread(error: BaseException) -> None:
    pool = HandlerPool(1, "test")

    def handler() -> None:
        raise error

    async def scenario() -> tuple[type[BaseException] | None, object]:
        kind: type[BaseException] | None = None
        try:
            await pool.run(handler, (), "handler", 30)
        except (SystemExit, KeyboardInterrupt, RuntimeError) as caught:
            kind = type(caught)
        return kind, await pool.run(lambda: "next", (), "handler", 30)

    kind, result = asyncio.run(scenario())
    # A coroutine cannot raise StopIteration; Python itself turns it into RuntimeError.
    assert kind is (RuntimeError if isinstance(error, StopIteration) else type(error))
    assert result == "next"
    pool.close()


def test_context_variables_follow_into_the_thread() -> None:
    pool = HandlerPool(1, "test")

    async def scenario() -> object:
        _variable.set("request 7")
        return await pool.run(_variable.get, (), "handler", 30)

    assert asyncio.run(scenario()) == "request 7"
    pool.close()


def test_starts_no_more_threads_than_needed() -> None:
    pool = HandlerPool(8, "frugal")

    async def scenario() -> set[object]:
        return {await pool.run(threading.get_ident, (), "handler", 30) for _ in range(20)}

    assert len(asyncio.run(scenario())) == 1
    pool.close()


def test_runs_as_many_at_once_as_it_has_threads() -> None:
    pool = HandlerPool(4, "test")
    together = threading.Barrier(4)

    async def scenario() -> list[object]:
        return await asyncio.gather(*(pool.run(together.wait, (30,), "handler", 60) for _ in range(4)))

    assert sorted(map(str, asyncio.run(scenario()))) == ["0", "1", "2", "3"]
    pool.close()


def test_a_stuck_handler_is_reported_with_its_stack_and_counted_until_it_returns() -> None:
    pool = HandlerPool(1, "test")
    release = threading.Event()

    def handler_that_hangs() -> None:
        release.wait()

    async def scenario() -> None:
        with pytest.raises(PoolTimeoutError) as caught:
            await pool.run(handler_that_hangs, (), "handler", 0.05)
        assert caught.value.started
        assert "handler_that_hangs" in caught.value.stack
        assert pool.stuck == 1
        assert pool.is_exhausted
        release.set()
        assert await pool.run(lambda: "free again", (), "handler", 30) == "free again"
        assert pool.stuck == 0
        assert not pool.is_exhausted

    asyncio.run(scenario())
    pool.close()


def test_a_handler_that_got_no_thread_in_time_never_runs() -> None:
    pool = HandlerPool(1, "test")
    release = threading.Event()
    ran: list[str] = []

    async def scenario() -> None:
        first = asyncio.create_task(pool.run(release.wait, (), "first", None))
        await asyncio.sleep(0)
        with pytest.raises(PoolTimeoutError) as caught:
            await pool.run(ran.append, ("late",), "second", 0.05)
        assert not caught.value.started
        assert caught.value.stack == ""
        release.set()
        await first
        await pool.run(ran.append, ("after",), "third", 30)

    asyncio.run(scenario())
    assert ran == ["after"]
    pool.close()


def test_a_handler_that_got_no_thread_in_time_is_forgotten() -> None:
    pool = HandlerPool(1, "test")
    release = threading.Event()

    class Request:
        """Something that can be watched."""

    async def scenario() -> None:
        stuck = asyncio.create_task(pool.run(release.wait, (), "handler", 30))
        await asyncio.sleep(0)
        request = Request()
        freed = weakref.ref(request)
        job = pool.submit(lambda _: None, (request,), "late handler", lambda _: None)
        assert not pool.give_up(job).started
        del request, job
        gc.collect()
        # Its thread will come to it, but that may be never.
        assert freed() is None
        release.set()
        await stuck

    asyncio.run(scenario())
    pool.close()


def test_a_cancelled_call_that_has_not_started_never_runs() -> None:
    pool = HandlerPool(1, "test")
    release = threading.Event()
    ran: list[str] = []

    async def scenario() -> None:
        first = asyncio.create_task(pool.run(release.wait, (), "first", None))
        second = asyncio.create_task(pool.run(ran.append, ("cancelled",), "second", None))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        release.set()
        await first
        await pool.run(ran.append, ("after",), "third", 30)

    asyncio.run(scenario())
    assert ran == ["after"]
    pool.close()


def test_a_result_after_the_loop_has_closed_is_dropped_quietly() -> None:
    pool = HandlerPool(1, "test")
    release, returned = threading.Event(), threading.Event()

    def handler() -> None:
        release.wait()

    async def scenario() -> None:
        with pytest.raises(PoolTimeoutError):
            await pool.run(handler, (), "handler", 0.01)

    asyncio.run(scenario())
    release.set()
    assert _run(pool, returned.set) is None
    assert returned.is_set()
    assert pool.stuck == 0
    pool.close()
