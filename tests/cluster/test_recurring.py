"""Recurring jobs: on one node at a time, on a grid that nothing shifts."""

import asyncio
import threading
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin.jobs import DuplicateJobError, RecurringRun
from tests.cluster.nodes import START, Site, settle
from tests.cluster.ticking import LOCK, Ticking, dues, run, ticking


def test_it_runs_when_it_is_due() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await ticking(here)
        await here.clock.advance(59.9)
        assert dues() == []
        await here.clock.advance(0.1)
        assert dues() == [60]
        await here.clock.advance(180)
        assert dues() == [60, 120, 180, 240]
        first, second = Ticking.runs[0][1], Ticking.runs[1][1]
        assert (first.name, first.due.tzinfo, first.previous_due, first.missed) == ("tick", UTC, None, 0)
        assert second.previous_due == first.due
        assert not second.is_cancelled
        second.check()
        assert here.stored(LOCK) is None
        # One look at the record, the lock, two changes of the record, the lock's end; and nothing between runs.
        node.wire.calls.clear()
        await here.clock.advance(60)
        assert len(node.wire.calls) == 5

    run(scenario)


def test_it_runs_on_one_node() -> None:
    async def scenario(here: Site) -> None:
        nodes = await ticking(here, 3)
        await here.clock.advance(600)
        assert dues() == [60.0 * number for number in range(1, 11)]
        assert all(len(node.wire.calls) < 100 for node in nodes), "no busy loops"

    run(scenario)


def test_nothing_drifts_over_a_thousand_runs() -> None:
    async def scenario(here: Site) -> None:
        async def take_long(plugin: Ticking, run: RecurringRun) -> None:
            number = len(Ticking.runs)
            await plugin.clock.sleep_until(plugin.clock.now() + (number % 7) * 0.1)

        Ticking.work = take_long
        Ticking.interval = 1.1
        (node,) = await ticking(here)
        await here.clock.advance(1100.5)
        assert len(node.wire.calls) < 5100, "each due time is found due at once"
        expected = [round(1.1 * number, 6) for number in range(1, 1001)]
        assert [round(due, 6) for due in dues()] == expected

    run(scenario)


def test_restarts_do_not_shift_it() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await ticking(here)
        await here.clock.advance(90)
        await node.stop()
        await ticking(here)
        await here.clock.advance(29.9)
        assert dues() == [60]
        await here.clock.advance(0.1)
        assert dues() == [60, 120]

    run(scenario)


def test_missed_runs_are_made_up_for_by_one() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await ticking(here)
        await here.clock.advance(60)
        await node.stop()
        await here.clock.advance(310)
        await ticking(here)
        assert dues() == [60, 360]
        made_up = Ticking.runs[1][1]
        assert made_up.missed == 4
        assert made_up.previous_due == Ticking.runs[0][1].due
        await here.clock.advance(49.9)
        assert dues() == [60, 360]
        await here.clock.advance(0.1)
        assert dues() == [60, 360, 420]
        assert Ticking.runs[2][1].missed == 0

    run(scenario)


def test_a_run_that_takes_longer_than_the_interval() -> None:
    async def scenario(here: Site) -> None:
        async def take_long(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                await plugin.clock.sleep_until(START + 250)

        Ticking.work = take_long
        await ticking(here, 2)
        await here.clock.advance(249)
        assert dues() == [60], "on one node at a time"
        await here.clock.advance(7)
        assert dues() == [60, 240]
        await here.clock.advance(50)
        assert dues() == [60, 240, 300]

    run(scenario)


def test_aligned_to_the_clock_on_the_wall() -> None:
    async def scenario(here: Site) -> None:
        Ticking.interval = timedelta(hours=1)
        Ticking.align = 0
        await ticking(here, 2)
        await here.clock.advance(2 * 3600)
        assert [run.due for _, run in Ticking.runs] == [
            datetime(2023, 11, 14, 23, tzinfo=UTC),
            datetime(2023, 11, 15, 0, tzinfo=UTC),
        ]

    run(scenario)


def test_a_new_interval_counts_from_the_last_run() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await ticking(here)
        await here.clock.advance(70)
        await node.stop()
        Ticking.interval = 25
        await ticking(here)
        await here.clock.advance(15)
        assert dues() == [60, 85]

    run(scenario)


def test_a_callback_that_is_no_coroutine_runs_in_a_thread() -> None:
    class Threaded(Plugin):
        def on_activate(self) -> None:
            self.jobs.every("tick", 60, self.tick)

        def tick(self, run: RecurringRun) -> None:
            ran.put_nowait((threading.current_thread().name, run, REQUEST_ID.get()))

    ran: asyncio.Queue[tuple[str, RecurringRun, str]]

    async def scenario(here: Site) -> None:
        nonlocal ran
        ran = Handed(asyncio.get_running_loop())
        node = here.node(Threaded)
        await node.activate()
        await here.clock.advance(60)
        name, run, request_id = await ran.get()
        assert name.startswith("hook-")
        assert run.name == "tick"
        assert request_id.startswith("job:tick:")
        assert request_id.isascii()
        await here.clock.advance(60)
        assert (await ran.get())[2] != request_id

    run(scenario)


class Handed(asyncio.Queue[tuple[str, RecurringRun, str]]):
    """A queue that threads may fill."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._the_loop = loop

    def put_nowait(self, item: tuple[str, RecurringRun, str]) -> None:
        self._the_loop.call_soon_threadsafe(super().put_nowait, item)


def test_a_function_that_returns_a_coroutine() -> None:
    class Wrapped(Plugin):
        def on_activate(self) -> None:
            self.jobs.every("tick", 60, self.begin)

        def begin(self, run: RecurringRun) -> Awaitable[None]:
            return self.tick(run)

        async def tick(self, run: RecurringRun) -> None:
            ran.set_result(threading.current_thread() is threading.main_thread())

    ran: asyncio.Future[bool]

    async def scenario(here: Site) -> None:
        nonlocal ran
        ran = asyncio.get_running_loop().create_future()
        await here.node(Wrapped).activate()
        await here.clock.advance(60)
        assert await ran

    run(scenario)


def test_jobs_end_before_the_plugin_is_deactivated() -> None:
    order: list[str] = []

    class Ordered(Ticking):
        async def tick(self, run: RecurringRun) -> None:
            order.append("runs")
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                order.append("ended")

        async def on_deactivate(self) -> None:
            order.append("deactivated")

    async def scenario(here: Site) -> None:
        node = here.node(Ordered)
        await node.activate()
        await here.clock.advance(60)
        await node.deactivate()
        await here.clock.advance(600)
        assert order == ["runs", "ended", "deactivated"]
        # The same process may be activated again, which registers its jobs again.
        await node.activate()
        await settle()
        assert order[3:] == ["runs"]

    run(scenario)


def test_a_job_that_is_closed() -> None:
    async def scenario(here: Site) -> None:
        cancelled = asyncio.Event()

        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cancelled.set()

        Ticking.work = hang
        (node,) = await ticking(here)
        await here.clock.advance(60)
        plugin = node.plugin
        assert isinstance(plugin, Ticking)
        assert plugin.job.name == "tick"
        plugin.job.close()
        await cancelled.wait()
        await here.clock.advance(100)
        assert dues() == [60]
        assert here.stored(LOCK) is None
        plugin.job.close()
        # The name is free, and the schedule goes on.
        Ticking.work = None
        plugin.jobs.every("tick", 60, plugin.tick)
        await settle()
        assert dues() == [60, 120]
        plugin.job.close()
        await here.clock.advance(60)
        assert dues() == [60, 120, 180], "an old handle closes nothing"

    run(scenario)


def test_a_second_job_of_a_name_is_an_error() -> None:
    async def scenario(here: Site) -> None:
        jobs = here.node().plugin.jobs

        async def callback(run: object) -> None: ...

        jobs.every("one", 60, callback)
        jobs.handle("two", callback)
        for name in ("one", "two"):
            with pytest.raises(DuplicateJobError, match=f"there is a job named {name} already") as caught:
                jobs.every(name, 60, callback)
            assert caught.value.name == name
            with pytest.raises(ValueError, match="already"):
                jobs.handle(name, callback)

    run(scenario)


def test_jobs_of_the_constructor_survive_activations_that_fail() -> None:
    class Twice(Ticking):
        fails = True

        def __init__(self, **arguments: object) -> None:
            super().__init__(**arguments)  # type: ignore[arg-type]  # the test's own
            self.jobs.every("early", 60, self.tick)

        def on_activate(self) -> None:
            super().on_activate()
            if self.fails:
                self.fails = False
                raise RuntimeError("not yet")

    async def scenario(here: Site) -> None:
        node = here.node(Twice)
        with pytest.raises(RuntimeError, match="not yet"):
            await node.activate()
        await here.clock.advance(600)
        assert dues() == [], "only an active plugin's jobs run"
        await node.activate()
        await here.clock.advance(60)
        assert sorted(run.name for _, run in Ticking.runs) == ["early", "tick"]

    run(scenario)


def test_a_job_that_is_registered_later() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        await node.activate()
        ran: list[str] = []

        async def callback(run: RecurringRun) -> None:
            ran.append(run.name)

        node.plugin.jobs.every("here", 60, callback)
        await asyncio.to_thread(node.plugin.jobs.every, "there", 60, callback)
        await here.clock.advance(60)
        assert sorted(ran) == ["here", "there"]

    run(scenario)


def test_what_every_refuses() -> None:
    jobs = Plugin().jobs

    async def callback(run: RecurringRun) -> None: ...

    with pytest.raises(ValueError, match="the name of a job must be"):
        jobs.every("a b", 60, callback)
    with pytest.raises(ValueError, match="interval must be"):
        jobs.every("a", 0, callback)
    with pytest.raises(TypeError, match="align must be a timedelta"):
        jobs.every("a", 60, callback, align="0")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(TypeError, match="callback must be a function, not str"):
        jobs.every("a", 60, "callback")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(ValueError, match="timeout must be None or"):
        jobs.every("a", 60, callback, timeout=0)
    with pytest.raises(ValueError, match="ttl must be"):
        jobs.every("a", 60, callback, ttl=1)
    jobs.every("a", 60, callback)


def test_a_run_for_tests_of_callbacks() -> None:
    run = RecurringRun("tick", datetime(2024, 1, 1, tzinfo=UTC))
    assert not run.is_cancelled
    run.check()
