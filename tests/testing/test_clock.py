"""Time that a test sets: the clock itself, and what a plugin does by it."""

import asyncio
import gc
import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin import Plugin
from mattermost_plugin.devhost.clock import ManualClock, ManualPluginClock
from mattermost_plugin.testing import DevHost, MisuseError, SystemClock, TestServer, advance, serving

HOUR_S = 3600


class Ticker(Plugin):
    """Does something every five minutes, by its clock, in a task of its own."""

    async def on_activate(self) -> None:
        self.times: list[float] = []
        self.task = asyncio.create_task(self.tick())

    async def tick(self) -> None:
        while True:
            await self.clock.sleep_until(self.clock.now() + 300)
            self.times.append(self.clock.now())
            await self.api.aio.kv_set("ticks", str(len(self.times)).encode())

    async def on_deactivate(self) -> None:
        self.task.cancel()


class SlowTicker(Ticker):
    """Hands what it does to a thread, through several other tasks."""

    async def tick(self) -> None:
        while True:
            self.sleeping = asyncio.create_task(self.clock.sleep_until(self.clock.now() + 300))
            await asyncio.wait([self.sleeping], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.create_task(self.work())

    async def on_deactivate(self) -> None:
        await super().on_deactivate()
        self.sleeping.cancel()

    async def work(self) -> None:
        await asyncio.sleep(0)
        await asyncio.to_thread(self.block)

    def block(self) -> None:
        number = int(self.api.kv_get("ticks") or b"0")
        threading.Event().wait(0.01)
        self.times.append(self.clock.now())
        self.api.kv_set("ticks", str(number + 1).encode())


class Plain(Plugin):
    """Does nothing."""


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def test_sleepers_wake_in_their_order_and_only_by_advance() -> None:
    async def scenario() -> None:
        clock, woken = ManualClock(1000), list[str]()

        async def sleep(name: str, until_ms: int) -> None:
            await clock.sleep_until(until_ms)
            woken.append(name)

        tasks = [asyncio.create_task(sleep(name, until)) for name, until in [("c", 3000), ("a", 2000), ("b", 2000)]]
        await asyncio.sleep(0)
        assert (clock.sleepers, clock.next_wake_ms) == (3, 2000)
        for _ in range(2000):
            clock.now_ms()
        await asyncio.sleep(0)
        assert woken == []
        clock.advance(ms=0)
        await asyncio.wait(tasks[1:])
        assert woken == ["a", "b"]
        clock.advance(seconds=1)
        await tasks[0]
        assert clock.next_wake_ms is None
        await sleep("late", 1)
        assert woken == ["a", "b", "c", "late"]

    asyncio.run(scenario())


def test_who_gives_up_sleeps_no_more() -> None:
    async def scenario() -> None:
        clock = ManualClock(1000)
        tasks = [asyncio.create_task(clock.sleep_until(until)) for until in (4000, 2000, 3000)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.wait([tasks[1]])
        assert (clock.sleepers, clock.next_wake_ms) == (2, 3000)
        clock.advance(seconds=5)
        await asyncio.gather(tasks[0], tasks[2])

    asyncio.run(scenario())


def test_a_clock_wakes_sleepers_of_other_threads() -> None:
    clock, asleep, woken = ManualClock(1000), threading.Event(), list[int]()

    async def sleep() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        await clock.sleep_until(5000)
        woken.append(clock.time_ms)

    thread = threading.Thread(target=lambda: asyncio.run(sleep()))
    thread.start()
    assert asleep.wait(10)
    clock.advance(seconds=10)
    thread.join(10)
    assert woken == [10_999]


def test_a_sleeper_whose_loop_is_gone_is_nobody() -> None:
    clock, loop = ManualClock(1000), asyncio.new_event_loop()
    task = loop.create_task(clock.sleep_until(2000))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    clock.advance(seconds=5)
    assert not task.done()
    # What asyncio has to say of it must not come in the middle of another test.
    del task
    gc.collect()


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=20), st.lists(st.integers(0, 2000), max_size=8))
def test_all_who_are_due_wake_and_nobody_else(times: list[int], leaps: list[int]) -> None:
    async def scenario() -> None:
        clock, woken = ManualClock(1000), list[int]()

        async def sleep(until_ms: int) -> None:
            await clock.sleep_until(until_ms)
            woken.append(until_ms)

        tasks = [asyncio.create_task(sleep(until)) for until in times]
        await asyncio.sleep(0)
        for leap in leaps:
            clock.advance(ms=leap)
            for _ in range(3):
                await asyncio.sleep(0)
            assert sorted(woken) == sorted(until for until in times if until <= clock.time_ms)
        for task in tasks:
            task.cancel()

    asyncio.run(scenario())


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_who_wakes_finds_the_time_that_it_waited_for(when: float) -> None:
    async def scenario() -> None:
        clock = ManualClock(1_700_000_000_000)
        own = ManualPluginClock(clock)
        sleeping = asyncio.create_task(own.sleep_until(when))
        for _ in range(3):
            await asyncio.sleep(0)
        due_ms = clock.next_wake_ms
        if due_ms is None:
            assert when <= own.now()
            return
        if due_ms < 2**53:
            clock.advance(ms=due_ms - clock.time_ms - 1)
            await asyncio.sleep(0)
            assert not sleeping.done()
            clock.advance(ms=1)
            await sleeping
            assert own.now() >= when
        sleeping.cancel()

    asyncio.run(scenario())


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="not NaN"):
        asyncio.run(ManualPluginClock(ManualClock()).sleep_until(math.nan))
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock().advance(seconds=-1)


def test_a_plugin_has_the_servers_time(server: TestServer) -> None:
    ticker = server.load(Ticker)
    assert datetime.fromtimestamp(ticker.clock.now(), UTC) == server.clock.now
    assert abs(server.clock.now - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize("kind", [Ticker, SlowTicker])
def test_what_becomes_due_runs_at_its_own_time(server: TestServer, kind: type[Ticker]) -> None:
    ticker = server.load(kind)
    began = ticker.clock.now()
    server.clock.advance(minutes=4)
    assert ticker.times == []
    server.clock.advance(minutes=1, seconds=1)
    assert len(ticker.times) == 1
    assert server.kv["ticks"] == b"1"
    server.clock.advance(hours=1)
    assert server.kv["ticks"] == b"13"
    assert [round((time - began) / 300) for time in ticker.times] == list(range(1, 14))
    due = server.clock.next_due
    assert due is not None
    server.clock.advance_to(due)
    assert server.kv["ticks"] == b"14"


def test_values_expire(server: TestServer) -> None:
    class Keeper(Plugin):
        def on_activate(self) -> None:
            self.api.kv_set_with_expiry("short", b"1", 60)
            self.api.kv_set("long", b"1")

    server.load(Keeper)
    assert sorted(server.kv) == ["long", "short"]
    server.clock.advance(seconds=61)
    assert dict(server.kv) == {"long": b"1"}


def test_the_machines_time_cannot_be_advanced() -> None:
    with TestServer(clock=SystemClock()) as server:
        assert "_clock" not in vars(server.load(Plain))
        assert server.clock.next_due is None
        assert server.clock.now_ms > 0
        with pytest.raises(MisuseError, match="machine's time"):
            server.clock.advance(seconds=1)


def test_time_does_not_go_back(server: TestServer) -> None:
    with pytest.raises(MisuseError, match="does not go back"):
        server.clock.advance(seconds=-1)


def test_a_host_in_coroutines_advances_too() -> None:
    async def scenario() -> None:
        async with DevHost(clock=ManualClock()) as host, serving(host, Ticker) as ticker:
            await advance(host, timedelta(minutes=16))
            assert len(ticker.times) == 3
            assert host.store.kv.get("test.ticker", "ticks") == b"3"

    asyncio.run(scenario())
