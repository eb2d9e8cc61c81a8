"""Recurring jobs: on one node at a time, on a grid that nothing shifts."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin.jobs import DuplicateJobError, JobCancelledError, RecurringRun
from tests.cluster.nodes import START, Node, Site, settle, site

KEY = "pysdk:job:tick"
LOCK = "pysdk:lock:job:tick"


def run(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site() as here:
            Ticking.runs = []
            Ticking.interval = 60.0
            Ticking.align = None
            Ticking.work = None
            await scenario(here)

    asyncio.run(main())


class Ticking(Plugin):
    """Has a job that writes down its runs."""

    runs: ClassVar[list[tuple["Ticking", RecurringRun]]] = []
    interval: ClassVar[float | timedelta] = 60.0
    align: ClassVar[float | None] = None
    work: ClassVar[Callable[["Ticking", RecurringRun], Awaitable[None]] | None] = None

    def on_activate(self) -> None:
        self.job = self.jobs.every("tick", self.interval, self.tick, align=self.align)

    async def tick(self, run: RecurringRun) -> None:
        self.runs.append((self, run))
        if Ticking.work is not None:
            await Ticking.work(self, run)


def dues() -> list[float]:
    """When the runs were due, counted from the start."""
    return [run.due.timestamp() - START for _, run in Ticking.runs]


async def ticking(here: Site, count: int = 1) -> list[Node]:
    nodes = [here.node(Ticking) for _ in range(count)]
    for node in nodes:
        await node.activate()
    await settle()
    return nodes


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
        await ticking(here)
        await here.clock.advance(1100.5)
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


def test_a_callback_that_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def fail(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                raise ValueError("broken")
            if len(Ticking.runs) == 2:
                raise SystemExit(3)
            if len(Ticking.runs) == 3:
                raise asyncio.CancelledError
            if len(Ticking.runs) == 4:
                raise JobCancelledError("tick", "made up")

        Ticking.work = fail
        await ticking(here, 2)
        await here.clock.advance(300)
        assert dues() == [60, 120, 180, 240, 300]

    run(scenario)
    records = [record for record in caplog.records if record.getMessage() == "The job tick failed"]
    assert len(records) == 4
    assert records[0].exc_info is not None
    assert "ValueError: broken" in caplog.text


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


def test_another_node_takes_over_from_one_that_died() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        first, second = await ticking(here, 2)
        await here.clock.advance(61)
        assert [plugin for plugin, _ in Ticking.runs] == [first.plugin]
        first.die()
        # It is dead for the server when its lock has run out, and the other one then looks.
        await here.clock.advance(22)
        assert [plugin for plugin, _ in Ticking.runs] == [first.plugin, second.plugin]
        assert dues() == [60, 60]
        await here.clock.advance(40)
        assert dues() == [60, 60, 120]

    run(scenario)


def test_a_due_time_whose_nodes_all_die_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            if dues()[-1] == 3600:
                await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        Ticking.interval = 3600
        nodes = await ticking(here, 4)
        await here.clock.advance(3600)
        for number in range(3):
            assert len(Ticking.runs) == number + 1
            (dying,) = [node for node in nodes if node.plugin is Ticking.runs[-1][0]]
            dying.die()
            await here.clock.advance(25)
        assert dues() == [3600] * 3
        assert "left out this time: 3 runs have ended with their node" in caplog.text
        await here.clock.advance(3600)
        assert dues() == [3600] * 3 + [7200]

    run(scenario)


def test_a_run_that_loses_its_lock_is_cancelled_and_made_again() -> None:
    async def scenario(here: Site) -> None:
        cancelled: list[str] = []

        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    with pytest.raises(JobCancelledError) as caught:
                        run.check()
                    cancelled.append(str(caught.value))
                    assert run.is_cancelled

        Ticking.work = hang
        first, second = await ticking(here, 2)
        await here.clock.advance(61)
        first.wire.is_cut = True
        await here.clock.advance(12.6)
        (reason,) = cancelled
        assert reason.startswith("the job tick is cancelled: its lock was lost: it could not be refreshed")
        await here.clock.advance(10)
        assert [plugin for plugin, _ in Ticking.runs] == [first.plugin, second.plugin]
        # The first one is back, and disturbs nothing.
        first.wire.is_cut = False
        await here.clock.advance(100)
        assert dues() == [60, 60, 120, 180]

    run(scenario)


def test_a_server_that_is_away_delays_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        (node,) = await ticking(here)
        await here.clock.advance(59)
        node.wire.is_cut = True
        node.wire.calls.clear()
        await here.clock.advance(101)
        assert len(node.wire.calls) < 15
        node.wire.is_cut = False
        await here.clock.advance(30)
        assert dues()[0] == 120
        assert Ticking.runs[0][1].missed == 1
        await here.clock.advance(60)
        assert dues()[:2] == [120, 180]

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert caplog.text.count("The job tick waits for the server") == 1


def test_an_end_that_cannot_be_recorded_is_recorded_later(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def cut(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                node.wire.is_cut = True

        Ticking.work = cut
        (node,) = await ticking(here)
        await here.clock.advance(63)
        node.wire.is_cut = False
        await here.clock.advance(50)
        assert dues() == [60], "the run was done"
        await here.clock.advance(10)
        assert dues() == [60, 120]

    run(scenario)
    assert "The end of the job tick could not be recorded" in caplog.text


def test_answers_that_are_old_run_nothing_twice() -> None:
    async def scenario(here: Site) -> None:
        await ticking(here)
        await here.clock.advance(1)
        before = here.stored(KEY)
        assert before is not None
        await here.clock.advance(59)
        assert dues() == [60]
        done = here.stored(KEY)
        late = here.node(Ticking)

        async def answer_old(method: str, request: object) -> None:
            # What the copy of the database has that lags behind; it is compared with what there is.
            here.store(KEY, before if method == "kv_get" else done or b"")

        late.wire.on_call = answer_old
        await late.activate()
        await here.clock.advance(20)
        assert dues() == [60]
        assert 3 < len(late.wire.calls) < 60

    run(scenario)


def test_the_plugins_end_cancels_a_run_and_frees_its_lock() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        first, second = await ticking(here, 2)
        await here.clock.advance(60)
        await first.deactivate()
        assert here.stored(LOCK) is None
        await here.clock.advance(6)
        assert [plugin for plugin, _ in Ticking.runs] == [first.plugin, second.plugin]
        await here.clock.advance(60)
        assert dues() == [60, 60, 120]
        assert Ticking.runs[2][0] is second.plugin

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


def test_a_thread_that_does_not_end_keeps_its_lock(caplog: pytest.LogCaptureFixture) -> None:
    started, end = threading.Event(), threading.Event()
    ran: list[Plugin] = []

    class Stubborn(Plugin):
        def on_activate(self) -> None:
            self.jobs.every("tick", 60, self.tick)

        def tick(self, run: RecurringRun) -> None:
            ran.append(self)
            started.set()
            assert end.wait(60)
            run.check()

    async def scenario(here: Site) -> None:
        node, other = here.node(Stubborn), here.node(Stubborn)
        await node.activate()
        await here.clock.advance(60)
        assert await asyncio.to_thread(started.wait, 60)
        await node.deactivate()
        assert "The job tick goes on though the plugin stops" in caplog.text
        await other.activate()
        await here.clock.advance(30)
        assert ran == [node.plugin]
        end.set()
        while here.stored(LOCK) is not None:
            await here.clock.advance(0.1)
        while len(ran) == 1:
            await here.clock.advance(1)
        assert ran == [node.plugin, other.plugin], "it was cut short, and so made again"

    run(scenario)


def test_a_run_that_takes_too_long(caplog: pytest.LogCaptureFixture) -> None:
    class Slow(Ticking):
        def on_activate(self) -> None:
            self.jobs.every("tick", 60, self.tick, timeout=5)

    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        await here.node(Slow).activate()
        await here.clock.advance(66)
        assert dues() == [60]
        assert here.stored(LOCK) is None
        await here.clock.advance(60)
        assert dues() == [60, 120], "it has failed, and is not made again"

    run(scenario)
    assert caplog.text.count("The job tick is cancelled: it has run for 5 s") == 2


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
        jobs.once("two", callback)
        for name in ("one", "two"):
            with pytest.raises(DuplicateJobError, match=f"there is a job named {name} already") as caught:
                jobs.every(name, 60, callback)
            assert caught.value.name == name
            with pytest.raises(ValueError, match="already"):
                jobs.once(name, callback)

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


@pytest.mark.parametrize("raw", [b"{}", b"\xff", json.dumps({"last": "x"}).encode()])
def test_a_record_that_cannot_be_read_is_replaced(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        here.store(KEY, raw)
        await ticking(here)
        await here.clock.advance(60)
        assert dues() == [60]

    run(scenario)
    assert "The job tick begins its schedule anew" in caplog.text


def test_a_record_from_a_clock_that_was_wrong(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        here.clock.jump(10 * 365 * 86400)
        (node,) = await ticking(here)
        await here.clock.advance(60)
        await node.stop()
        here.clock.jump(-10 * 365 * 86400)
        await ticking(here)
        Ticking.runs.clear()
        await here.clock.advance(60)
        assert len(Ticking.runs) == 1

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
