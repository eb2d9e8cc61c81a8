"""One-shot jobs: planned once, run at least once, on one node at a time."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.jobs import OneShotRun, UnknownJobError
from tests.cluster.nodes import START, Site, settle
from tests.cluster.reminding import KEY, Reminding, keys, nodes_that_ran, reminding, run, times


def test_it_runs_once_when_it_is_due() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        jobs = node.plugin.jobs.aio
        due = datetime.fromtimestamp(START + 90, UTC)
        assert await jobs.run_at(due, "remind", "k", {"post": "p1", "n": [1]}) == "k"
        assert await jobs.run_after(timedelta(minutes=1), "remind", "sooner") == "sooner"
        await jobs.run_after(-5, "remind", "now")
        await here.clock.advance(1000)
        assert list(zip(keys(), times(), strict=True)) == [("now", 0), ("sooner", 60), ("k", 90)]
        last = Reminding.runs[-1][1]
        assert (last.name, last.due, last.payload, last.attempt) == ("remind", due, {"post": "p1", "n": [1]}, 1)
        assert Reminding.runs[0][1].payload == {}
        assert here.keys() == []

    run(scenario)


def test_keys_are_made_up() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        first = await node.plugin.jobs.aio.run_after(60, "remind")
        second = await node.plugin.jobs.aio.run_after(60, "remind")
        assert first != second
        await here.clock.advance(60)
        assert sorted(keys()) == sorted([first, second])

    run(scenario)


def test_it_survives_restarts() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(60, "remind", "later")
        await node.plugin.jobs.aio.run_after(10, "remind", "missed")
        await node.stop()
        await here.clock.advance(30)
        assert keys() == []
        await reminding(here)
        assert (keys(), times()) == (["missed"], [30])
        await here.clock.advance(30)
        assert (keys(), times()) == (["missed", "later"], [30, 60])

    run(scenario)


def test_another_node_runs_it_if_the_one_that_planned_it_died() -> None:
    async def scenario(here: Site) -> None:
        first, second = await reminding(here, 2)
        await first.plugin.jobs.aio.run_after(60, "remind", "k")
        first.die()
        await here.clock.advance(361)
        assert nodes_that_ran() == [second.plugin]

    run(scenario)


@pytest.mark.parametrize("count", [2, 5])
def test_nodes_race_for_it(count: int) -> None:
    async def scenario(here: Site) -> None:
        async def take_long(plugin: Reminding, run: OneShotRun) -> None:
            await plugin.clock.sleep_until(plugin.clock.now() + 40)

        Reminding.work = take_long
        (planner,) = await reminding(here)
        for number in range(5):
            await planner.plugin.jobs.aio.run_after(60, "remind", str(number))
        await reminding(here, count - 1)
        await here.clock.advance(2000)
        assert sorted(keys()) == ["0", "1", "2", "3", "4"]
        assert all(run.attempt == 1 for _, run, _ in Reminding.runs)
        assert here.keys() == []

    run(scenario)


def test_cancelled_before_it_is_due() -> None:
    async def scenario(here: Site) -> None:
        (first,) = await reminding(here)
        await first.plugin.jobs.aio.run_after(60, "remind", "k")
        # Another node knows it, too, and yet another one cancels it.
        await reminding(here)
        (third,) = await reminding(here)
        assert await third.plugin.jobs.aio.cancel("remind", "k")
        assert not await third.plugin.jobs.aio.cancel("remind", "k")
        await here.clock.advance(600)
        assert keys() == []
        assert here.keys() == []

    run(scenario)


def test_cancelled_while_it_runs() -> None:
    async def scenario(here: Site) -> None:
        go_on = asyncio.Event()

        async def fail(plugin: Reminding, run: OneShotRun) -> None:
            await go_on.wait()
            raise ValueError("broken")

        Reminding.work = fail
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(0, "remind", "k")
        await settle()
        assert await node.plugin.jobs.aio.cancel("remind", "k")
        go_on.set()
        await here.clock.advance(1000)
        assert keys() == ["k"], "it is not made again"
        assert here.keys() == []

    run(scenario)


def test_planned_anew() -> None:
    async def scenario(here: Site) -> None:
        (first,) = await reminding(here)
        await reminding(here, 2)
        jobs = first.plugin.jobs.aio
        await jobs.run_after(60, "remind", "k", {"plan": 1})
        await reminding(here)
        await jobs.run_after(90, "remind", "k", {"plan": 2})
        await here.clock.advance(89)
        assert keys() == []
        await here.clock.advance(400)
        assert [(run.payload, began) for _, run, began in Reminding.runs] == [({"plan": 2}, 90)]

    run(scenario)


def test_planned_anew_in_its_run() -> None:
    async def scenario(here: Site) -> None:
        async def again(plugin: Reminding, run: OneShotRun) -> None:
            if len(Reminding.runs) < 3:
                await plugin.jobs.aio.run_after(100, "remind", run.key)

        Reminding.work = again
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(0, "remind", "k")
        await reminding(here)
        await here.clock.advance(1000)
        assert [round(began) for began in times()] == [0, 100, 200]
        assert here.keys() == []

    run(scenario)


def test_what_is_listed() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        node.plugin.jobs.handle("other", Reminding.remind)  # type: ignore[arg-type]  # never runs here
        jobs = node.plugin.jobs.aio
        for delay, name, key in ((300, "remind", "b"), (200, "remind", "a"), (100, "other", "c")):
            await jobs.run_after(delay, name, key)
        for number in range(250):
            here.store(f"mine-{number}", b"1")
        assert [(job.name, job.key) for job in await jobs.list()] == [("other", "c"), ("remind", "a"), ("remind", "b")]
        (first, _) = await jobs.list("remind")
        assert first.due == datetime.fromtimestamp(START + 200, UTC)
        assert (first.attempts, first.has_failed) == (0, False)
        assert await jobs.list("unknown") == []

    run(scenario)


def test_threads_have_the_same_calls() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        jobs = node.plugin.jobs

        def plan() -> list[str]:
            jobs.run_at(START + 60, "remind", "k", {"a": 1})
            jobs.run_after(30, "remind", "sooner")
            jobs.run_after(30, "remind", "never")
            assert jobs.cancel("remind", "never")
            return [job.key for job in jobs.list("remind")]

        assert await asyncio.to_thread(plan) == ["sooner", "k"]
        await here.clock.advance(60)
        assert (keys(), times()) == (["sooner", "k"], [30, 60])
        with pytest.raises(RuntimeError, match=r"use `await self\.jobs\.aio\.list\(\.\.\.\)` in async handlers"):
            jobs.list()

    run(scenario)


def test_a_handler_that_is_no_coroutine_runs_in_a_thread() -> None:
    class Threaded(Plugin):
        def on_activate(self) -> None:
            self.jobs.handle("remind", self.remind)

        def remind(self, run: OneShotRun) -> None:
            loop.call_soon_threadsafe(ran.set_result, threading.current_thread().name)

    loop: asyncio.AbstractEventLoop
    ran: asyncio.Future[str]

    async def scenario(here: Site) -> None:
        nonlocal loop, ran
        loop = asyncio.get_running_loop()
        ran = loop.create_future()
        node = here.node(Threaded)
        await node.activate()
        await node.plugin.jobs.aio.run_after(0, "remind", "k")
        assert (await ran).startswith("hook-")

    run(scenario)


def test_a_kind_that_this_node_does_not_know_is_left_alone() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        with pytest.raises(UnknownJobError, match="no handler is registered for one-shot jobs named remid") as caught:
            await node.plugin.jobs.aio.run_after(0, "remid")
        assert isinstance(caught.value, LookupError)
        await node.plugin.jobs.aio.run_after(10, "remind", "k")
        await node.stop()
        other = here.node()
        await other.activate()
        other.plugin.jobs.handle("unrelated", Reminding.remind)  # type: ignore[arg-type]  # never runs here
        await here.clock.advance(1000)
        assert here.keys() == [KEY]
        # Once it learns the kind, it looks.
        learnt: list[str] = []

        async def remind(run: OneShotRun) -> None:
            learnt.append(run.key)

        other.plugin.jobs.handle("remind", remind)
        await here.clock.advance(1)
        assert learnt == ["k"]

    run(scenario)


def test_only_so_many_run_at_once() -> None:
    async def scenario(here: Site) -> None:
        go_on = asyncio.Event()

        async def wait(plugin: Reminding, run: OneShotRun) -> None:
            await go_on.wait()

        Reminding.work = wait
        (node,) = await reminding(here)
        for number in range(20):
            await node.plugin.jobs.aio.run_after(0, "remind", str(number))
        await here.clock.advance(100)
        assert len(Reminding.runs) == 8
        go_on.set()
        await here.clock.advance(1)
        assert len(Reminding.runs) == 20
        assert here.keys() == []

    run(scenario)


def test_what_handle_and_its_calls_refuse() -> None:
    async def scenario(here: Site) -> None:
        jobs = here.node().plugin.jobs

        async def callback(run: OneShotRun) -> None: ...

        for attempts in (0, 1001):
            with pytest.raises(ValueError, match="attempts must be"):
                jobs.handle("a", callback, attempts=attempts)
        with pytest.raises(ValueError, match="retry_after must be above 0"):
            jobs.handle("a", callback, retry_after=0)
        with pytest.raises(ValueError, match="the name of a one-shot job must be 1 to 40"):
            jobs.handle("a" * 41, callback)
        jobs.handle("a", callback)
        with pytest.raises(ValueError, match="the key of a one-shot job must be 1 to 80"):
            await jobs.aio.run_after(0, "a", "b:c")
        with pytest.raises(ValueError, match="without a time zone"):
            await jobs.aio.run_at(datetime(2024, 1, 1), "a")  # noqa: DTZ001 - the mistake
        with pytest.raises(TypeError, match="delay must be"):
            await jobs.aio.run_after("1", "a")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(TypeError, match="JSON values only"):
            await jobs.aio.run_after(0, "a", payload={"x": b""})
        with pytest.raises(ValueError, match="the key of a one-shot job"):
            await jobs.aio.cancel("a", "")
        assert here.nodes[0].wire.calls == []

    run(scenario)
