"""Mutexes for coroutines: who holds, who waits, and what the holder learns."""

import asyncio

import pytest

from mattermost_plugin.cluster import AsyncMutex, LockLostError, LockTimeoutError, PluginStoppedError
from tests.cluster.contending import KEY, mutex, run
from tests.cluster.nodes import Site, settle


def test_one_node_holds_and_the_other_waits() -> None:
    async def scenario(here: Site) -> None:
        first, second = mutex(here.node()), mutex(here.node())
        async with first:
            assert here.stored(KEY)
            assert not await second.try_acquire()
            waiting = asyncio.create_task(second.acquire())
            await here.clock.advance(60)
            assert not waiting.done()
            first.check()
        assert here.stored(KEY) is None
        await here.clock.advance(2)
        assert waiting.result()
        with pytest.raises(RuntimeError, match="is not held"):
            first.check()
        await second.release()

    run(scenario)


def test_a_wait_ends_in_time() -> None:
    async def scenario(here: Site) -> None:
        async with mutex(here.node()):
            other = here.node()
            waiting = asyncio.create_task(mutex(other, timeout=5).acquire())
            await here.clock.advance(4.9)
            assert not waiting.done()
            await here.clock.advance(0.1)
            assert waiting.result() is False
            entering = asyncio.create_task(enter(mutex(other, timeout=3)))
            await here.clock.advance(3)
            with pytest.raises(LockTimeoutError, match="m was not free within 3 s") as caught:
                await entering
            assert isinstance(caught.value, TimeoutError)

    run(scenario)


async def enter(mutex: AsyncMutex) -> None:
    async with mutex:
        raise AssertionError("it was not free")


def test_waiters_do_not_ask_all_the_time() -> None:
    async def scenario(here: Site) -> None:
        async with mutex(here.node()):
            other = here.node()
            waiting = asyncio.create_task(mutex(other).acquire())
            await here.clock.advance(100)
            assert 45 < len(other.wire.calls) < 130
            waiting.cancel()
            await settle()
            assert waiting.cancelled()

    run(scenario)


def test_a_lock_that_is_given_back_here_goes_to_a_waiter_here_at_once() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        async with mutex(node):
            waiting = asyncio.create_task(mutex(node).acquire())
            await here.clock.advance(30)
        await settle()
        assert waiting.done()

    run(scenario)


def test_who_holds_it_cannot_wait_for_it() -> None:
    async def scenario(here: Site) -> None:
        held = mutex(here.node())
        async with held:
            with pytest.raises(RuntimeError, match="would wait for ever"):
                await held.acquire()
        with pytest.raises(RuntimeError, match="not held"):
            await held.release()
        with pytest.raises(RuntimeError, match="not held"):
            _ = held.lost

    run(scenario)


def test_tasks_take_turns_with_one_object() -> None:
    async def scenario(here: Site) -> None:
        shared = mutex(here.node())
        inside = 0

        async def work() -> None:
            nonlocal inside
            async with shared:
                inside += 1
                assert inside == 1
                await settle()
                inside -= 1

        tasks = [asyncio.create_task(work()) for _ in range(4)]
        await here.clock.advance(30)
        for task in tasks:
            await task

        async with shared:
            waiting = asyncio.create_task(shared.acquire(timeout=4))
            await here.clock.advance(3.9)
            assert not waiting.done()
            await here.clock.advance(0.1)
            assert waiting.result() is False

    run(scenario)


def test_the_plugins_end_wakes_those_who_wait_and_frees_what_is_held(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        node, other = here.node(), here.node()
        async with mutex(other):
            held = node.plugin.cluster.aio.mutex("mine")
            assert await held.acquire()
            waiting = asyncio.create_task(mutex(node).acquire())
            turn = asyncio.create_task(held.acquire())
            await settle()
            node.bound.background.stop_waiting()
            await settle()
            for task in (waiting, turn):
                with pytest.raises(PluginStoppedError):
                    task.result()
            with pytest.raises(PluginStoppedError):
                await mutex(node).acquire()
            held.check()
            assert here.stored("pysdk:lock:mutex:mine")
            await node.bound.background.close()
            with pytest.raises(LockLostError, match="the plugin has stopped"):
                held.check()
            assert here.stored("pysdk:lock:mutex:mine") is None

    run(scenario)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "x" * 101, "a\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    async def scenario(here: Site) -> None:
        with pytest.raises(ValueError, match="the name of a mutex must be 1 to 100 ASCII letters"):
            here.node().plugin.cluster.mutex(name)

    run(scenario)


@pytest.mark.parametrize("ttl", [4, 3601, 15.0, True, "15"])
def test_a_time_to_live_that_is_none_is_refused(ttl: int) -> None:
    async def scenario(here: Site) -> None:
        with pytest.raises(ValueError, match="ttl must be a whole number of seconds from 5 to 3600"):
            mutex(here.node(), ttl=ttl)

    run(scenario)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), True, "1"])
def test_a_timeout_that_is_none_is_refused(timeout: int) -> None:
    async def scenario(here: Site) -> None:
        with pytest.raises(ValueError, match="timeout must be None or a number"):
            mutex(here.node(), timeout=timeout)
        with pytest.raises(ValueError, match="timeout must be None or a number"):
            await mutex(here.node()).acquire(timeout)

    run(scenario)
