"""Mutexes for threads."""

import asyncio
import threading
from typing import Any

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.cluster import LockLostError, LockTimeoutError, PluginStoppedError
from tests.cluster.contending import run
from tests.cluster.nodes import Node, Site, settle


class Asked:
    """Tells when a node has asked the server."""

    def __init__(self, node: Node) -> None:
        self._calls: asyncio.Queue[str] = asyncio.Queue()
        node.wire.on_call = self._on_call

    async def _on_call(self, method: str, request: Any) -> None:
        self._calls.put_nowait(method)

    async def wait(self) -> None:
        await self._calls.get()
        await settle()


def test_a_thread_and_a_coroutine_exclude_each_other() -> None:
    async def scenario(here: Site) -> None:
        first, second = here.node(), here.node()
        thread, coroutine = first.plugin.cluster.mutex("m"), second.plugin.cluster.aio.mutex("m")
        assert thread.name == coroutine.name == "m"
        assert await asyncio.to_thread(thread.try_acquire)
        assert not await coroutine.try_acquire()
        await asyncio.to_thread(thread.release)
        assert await coroutine.try_acquire()
        assert not await asyncio.to_thread(thread.try_acquire)
        await coroutine.release()

    run(scenario)


def test_with_gives_the_lock_back() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()

        def work() -> None:
            with node.plugin.cluster.mutex("m") as mutex:
                mutex.check()
                assert not mutex.lost.is_set()
                with pytest.raises(RuntimeError, match="would wait for ever"):
                    mutex.acquire()

        await asyncio.to_thread(work)
        assert here.keys() == []

    run(scenario)


def test_a_thread_that_waits_too_long_goes_on_without() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        async with here.node().plugin.cluster.aio.mutex("m"):
            asked = Asked(node)
            waiting = asyncio.create_task(asyncio.to_thread(enter, node, 5))
            await asked.wait()
            await here.clock.advance(5)
            with pytest.raises(LockTimeoutError):
                await waiting

    run(scenario)


def enter(node: Node, timeout: float | None = None) -> None:
    with node.plugin.cluster.mutex("m", timeout=timeout):
        pass


def test_a_thread_is_told_that_it_has_lost_the_lock() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        held = threading.Event()

        def work() -> None:
            with node.plugin.cluster.mutex("m") as mutex:
                held.set()
                assert mutex.lost.wait(60)
                with pytest.raises(LockLostError):
                    mutex.check()

        working = asyncio.create_task(asyncio.to_thread(work))
        assert await asyncio.to_thread(held.wait, 60)
        node.wire.is_cut = True
        await here.clock.advance(13)
        assert not working.done()
        await here.clock.advance(0.5)
        with pytest.raises(LockLostError, match="could not be refreshed in time"):
            await working

    run(scenario)


def test_a_thread_learns_it_also_while_the_event_loop_is_blocked() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        mutex = node.plugin.cluster.mutex("m")
        await asyncio.to_thread(mutex.acquire)
        here.clock.jump(13.4)
        mutex.check()
        here.clock.jump(0.1)
        with pytest.raises(LockLostError):
            mutex.check()
        # And it stays so, whatever the loop does then.
        await here.clock.advance(1)
        with pytest.raises(LockLostError):
            mutex.check()

    run(scenario)


def test_the_bodys_own_error_comes_first() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()

        def work() -> None:
            with node.plugin.cluster.mutex("m"):
                here.clock.jump(100)
                raise KeyError("own")

        with pytest.raises(KeyError) as caught:
            await asyncio.to_thread(work)
        assert caught.value.__notes__ == ["the lock m was lost: it could not be refreshed in time"]

    run(scenario)


def test_threads_take_turns_with_one_object() -> None:
    async def scenario(here: Site) -> None:
        mutex = here.node().plugin.cluster.mutex("m")
        inside: list[int] = []
        most = 0

        def work() -> None:
            nonlocal most
            with mutex:
                inside.append(1)
                most = max(most, len(inside))
                inside.pop()

        working = asyncio.gather(*(asyncio.to_thread(work) for _ in range(6)))
        while not working.done():
            await here.clock.advance(1)
        await working
        assert most == 1

    run(scenario)


def test_the_plugins_end_wakes_threads() -> None:
    async def scenario(here: Site) -> None:
        node, held = here.node(), threading.Event()

        def hold() -> None:
            with node.plugin.cluster.mutex("mine") as mutex:
                held.set()
                assert mutex.lost.wait(60)

        holding = asyncio.create_task(asyncio.to_thread(hold))
        assert await asyncio.to_thread(held.wait, 60)
        async with here.node().plugin.cluster.aio.mutex("m"):
            asked = Asked(node)
            waiting = asyncio.create_task(asyncio.to_thread(enter, node))
            await asked.wait()
            await node.stop()
            with pytest.raises(PluginStoppedError):
                await waiting
            with pytest.raises(LockLostError, match="the plugin has stopped"):
                await holding
            with pytest.raises(PluginStoppedError):
                await asyncio.to_thread(enter, node)
        assert here.keys() == []

    run(scenario)


def test_the_event_loop_is_not_blocked() -> None:
    async def scenario(here: Site) -> None:
        mutex = here.node().plugin.cluster.mutex("m")
        with pytest.raises(RuntimeError, match=r"use `await self\.cluster\.aio\.mutex\(\.\.\.\)\.acquire\(\)`"):
            mutex.acquire()

    run(scenario)


def test_a_plugin_that_is_not_served_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"self\.cluster\.mutex\(\.\.\.\)\.acquire\(\) needs the server"):
        Plugin().cluster.mutex("m").acquire()


def test_all_threads_get_the_same_objects() -> None:
    plugin = Plugin()
    barrier = threading.Barrier(4)
    got: list[tuple[int, int]] = []

    def ask() -> None:
        barrier.wait()
        got.append((id(plugin.cluster), id(plugin.jobs)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {(id(plugin.cluster), id(plugin.jobs))}
