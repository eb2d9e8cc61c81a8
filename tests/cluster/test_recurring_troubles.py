"""What goes wrong with recurring jobs: callbacks that fail, nodes that die, a server that is away."""

import asyncio
import json
import logging
import threading

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.jobs import JobCancelledError, RecurringRun
from tests.cluster.nodes import Site
from tests.cluster.ticking import KEY, LOCK, Ticking, dues, run, ticking


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


def test_a_job_that_is_due_again_before_it_is_taken_over_is_left_out_too(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        Ticking.interval = 2
        nodes = await ticking(here, 4)
        await here.clock.advance(2)
        for _ in range(3):
            (dying,) = [node for node in nodes if node.plugin is Ticking.runs[-1][0]]
            dying.die()
            await here.clock.advance(25)
        assert len(set(dues())) == len(Ticking.runs) == 4, "the survivor's own is the one after that"
        assert "left out this time: 3 runs have ended with their node" in caplog.text

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


def test_a_lone_node_that_lost_the_lock_makes_the_run_again_itself() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Ticking, run: RecurringRun) -> None:
            if len(Ticking.runs) == 1:
                await asyncio.get_running_loop().create_future()

        Ticking.work = hang
        Ticking.interval = 3600
        (node,) = await ticking(here)
        await here.clock.advance(3600)
        node.wire.is_cut = True
        await here.clock.advance(15)
        node.wire.is_cut = False
        await here.clock.advance(60)
        assert dues() == [3600, 3600]

    run(scenario)


def test_a_server_that_is_away_delays_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        Ticking.interval = 600
        (node,) = await ticking(here)
        await here.clock.advance(599)
        node.wire.is_cut = True
        node.wire.calls.clear()
        await here.clock.advance(640)
        assert len(node.wire.calls) < 60
        node.wire.is_cut = False
        await here.clock.advance(31)
        assert dues() == [1200]
        assert Ticking.runs[0][1].missed == 1
        await here.clock.advance(600)
        assert dues() == [1200, 1800]

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
