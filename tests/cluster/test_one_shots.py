"""One-shot jobs: planned once, run at least once, on one node at a time."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.api import APIUnavailable
from mattermost_plugin.jobs import OneShotRun, UnknownJobError
from tests.cluster.nodes import START, Node, Site, settle, site

KEY = "pysdk:once:remind:k"
LOCK = "pysdk:lock:once:remind:k"


def run(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site() as here:
            Reminding.runs = []
            Reminding.options = {}
            Reminding.work = None
            await scenario(here)

    asyncio.run(main())


class Reminding(Plugin):
    """Writes down its runs."""

    runs: ClassVar[list[tuple["Reminding", OneShotRun, float]]] = []
    options: ClassVar[dict[str, Any]] = {}
    work: ClassVar[Callable[["Reminding", OneShotRun], Awaitable[None]] | None] = None

    def on_activate(self) -> None:
        self.jobs.once("remind", self.remind, **self.options)

    async def remind(self, run: OneShotRun) -> None:
        self.runs.append((self, run, self.clock.now() - START))
        if Reminding.work is not None:
            await Reminding.work(self, run)


def times() -> list[float]:
    """When the runs began, counted from the start."""
    return [began for _, _, began in Reminding.runs]


def keys() -> list[str]:
    return [run.key for _, run, _ in Reminding.runs]


def nodes_that_ran() -> list[Plugin]:
    return [plugin for plugin, _, _ in Reminding.runs]


async def reminding(here: Site, count: int = 1) -> list[Node]:
    nodes = [here.node(Reminding) for _ in range(count)]
    for node in nodes:
        await node.activate()
    await settle()
    return nodes


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


def test_another_node_takes_over_from_one_that_died_in_it() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Reminding, run: OneShotRun) -> None:
            if len(Reminding.runs) == 1:
                await asyncio.get_running_loop().create_future()

        Reminding.work = hang
        (first,) = await reminding(here)
        await first.plugin.jobs.aio.run_after(5, "remind", "k")
        (second,) = await reminding(here)
        await here.clock.advance(6)
        (dying, _, _), survivor = Reminding.runs[0], {first.plugin: second, second.plugin: first}[nodes_that_ran()[0]]
        next(node for node in here.nodes if node.plugin is dying).die()
        await here.clock.advance(26)
        assert nodes_that_ran() == [dying, survivor.plugin]
        assert Reminding.runs[1][1].attempt == 2
        assert here.keys() == []

    run(scenario)


def test_a_job_that_kills_its_nodes_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Reminding, run: OneShotRun) -> None:
            await asyncio.get_running_loop().create_future()

        Reminding.work = hang
        Reminding.options = {"attempts": 2}
        nodes = await reminding(here)
        await nodes[0].plugin.jobs.aio.run_after(1, "remind", "k")
        nodes += await reminding(here, 2)
        await here.clock.advance(2)
        for number in range(2):
            assert len(Reminding.runs) == number + 1
            next(node for node in nodes if node.plugin is nodes_that_ran()[-1]).die()
            await here.clock.advance(30)
        assert len(Reminding.runs) == 2
        alive = next(node for node in nodes if not node.wire.is_dead)
        (kept,) = await alive.plugin.jobs.aio.list()
        assert kept.has_failed

    run(scenario)
    assert "The one-shot job remind k is given up: its last run has ended with its node" in caplog.text


def test_failures_are_tried_again_after_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        async def fail(plugin: Reminding, run: OneShotRun) -> None:
            raise ValueError("broken")

        Reminding.work = fail
        Reminding.options = {"attempts": 4, "retry_after": timedelta(seconds=100)}
        (node,) = await reminding(here)
        jobs = node.plugin.jobs.aio
        await jobs.run_after(0, "remind", "k", {"a": 1})
        await here.clock.advance(5000)
        assert [run.attempt for _, run, _ in Reminding.runs] == [1, 2, 3, 4]
        first, second, third, fourth = times()
        assert first == 0
        assert 50 <= second - first <= 100
        assert 100 <= third - second <= 200
        assert 200 <= fourth - third <= 400
        (kept,) = await jobs.list("remind")
        assert (kept.name, kept.key, kept.payload, kept.attempts, kept.has_failed) == ("remind", "k", {"a": 1}, 4, True)
        # It stays where it is, also on nodes that come later, until it is planned anew.
        await reminding(here)
        await here.clock.advance(5000)
        assert len(Reminding.runs) == 4
        Reminding.work = None
        await jobs.run_after(0, "remind", "k")
        await here.clock.advance(1)
        assert len(Reminding.runs) == 5
        assert Reminding.runs[-1][1].attempt == 1
        assert await jobs.list() == []

    run(scenario)
    assert caplog.text.count("ValueError: broken") == 4
    assert "The one-shot job remind k is given up: it has failed 4 times" in caplog.text


def test_failed_ones_may_be_dropped() -> None:
    async def scenario(here: Site) -> None:
        async def fail(plugin: Reminding, run: OneShotRun) -> None:
            raise ValueError("broken")

        Reminding.work = fail
        Reminding.options = {"attempts": 1, "keep_failed": False}
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(0, "remind", "k")
        await here.clock.advance(1)
        assert len(Reminding.runs) == 1
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
        node.plugin.jobs.once("other", Reminding.remind)  # type: ignore[arg-type]  # never runs here
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
            self.jobs.once("remind", self.remind)

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
        other.plugin.jobs.once("unrelated", Reminding.remind)  # type: ignore[arg-type]  # never runs here
        await here.clock.advance(1000)
        assert here.keys() == [KEY]
        # Once it learns the kind, it looks.
        other.plugin.jobs.once("remind", lambda run: Reminding.runs.append((other.plugin, run, 0.0)))  # type: ignore[arg-type, func-returns-value]  # the test's own
        while not Reminding.runs:
            await here.clock.advance(1)
        assert keys() == ["k"]

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


def test_the_plugins_end_cancels_it_and_another_node_runs_it() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Reminding, run: OneShotRun) -> None:
            if len(Reminding.runs) == 1:
                await asyncio.get_running_loop().create_future()

        Reminding.work = hang
        Reminding.options = {"attempts": 1}
        (first,) = await reminding(here)
        await first.plugin.jobs.aio.run_after(0, "remind", "k")
        await settle()
        await first.deactivate()
        assert here.stored(LOCK) is None
        (second,) = await reminding(here)
        assert nodes_that_ran() == [first.plugin, second.plugin]
        assert Reminding.runs[1][1].attempt == 1, "it was not to blame"

    run(scenario)


def test_a_server_that_is_away_delays_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(10, "remind", "k")
        node.wire.is_cut = True
        with pytest.raises(APIUnavailable):
            await node.plugin.jobs.aio.run_after(10, "remind", "lost")
        node.wire.calls.clear()
        await here.clock.advance(100)
        assert len(node.wire.calls) < 15
        node.wire.is_cut = False
        await here.clock.advance(35)
        assert keys() == ["k"]

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert "The one-shot job remind k waits for the server" in caplog.text


def test_a_scan_that_fails_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(60, "remind", "k")
        await node.stop()
        late = here.node(Reminding)
        late.wire.is_cut = True
        await late.activate()
        await here.clock.advance(20)
        late.wire.is_cut = False
        await here.clock.advance(40)
        assert keys() == ["k"]

    run(scenario)
    assert caplog.text.count("One-shot jobs could not be looked for") == 1


def test_answers_that_are_old_run_nothing_twice() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(60, "remind", "k")
        old = here.stored(KEY)
        assert old is not None
        late = here.node(Reminding)
        await late.activate()
        await settle()
        node.die()
        await here.clock.advance(60)
        assert keys() == ["k"]
        third = here.node(Reminding)

        async def answer_old(method: str, request: object) -> None:
            # What the copy of the database has that lags behind; writing finds what there is.
            if method in ("kv_get", "kv_list"):
                here.store(KEY, old)
            else:
                here.host.store.kv.delete("com.example.everywhere", KEY)

        third.wire.on_call = answer_old
        await third.activate()
        await here.clock.advance(30)
        assert keys() == ["k"]
        assert len(third.wire.calls) < 60
        assert "kv_set_with_options" in third.wire.calls

    run(scenario)


@pytest.mark.parametrize("raw", [b"\xff", b"{}", json.dumps({"due": 0}).encode()])
def test_a_record_that_cannot_be_read_is_left_alone(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        here.store(KEY, raw)
        (node,) = await reminding(here)
        await here.clock.advance(1000)
        assert here.stored(KEY) == raw
        assert await node.plugin.jobs.aio.list() == []
        assert await node.plugin.jobs.aio.cancel("remind", "k")

    run(scenario)
    assert caplog.text.count("The record of the one-shot job remind k cannot be read") == 1


def test_a_run_that_takes_too_long_has_failed() -> None:
    async def scenario(here: Site) -> None:
        async def hang(plugin: Reminding, run: OneShotRun) -> None:
            await asyncio.get_running_loop().create_future()

        Reminding.work = hang
        Reminding.options = {"attempts": 2, "retry_after": 10, "timeout": 30}
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(0, "remind", "k")
        await here.clock.advance(100)
        assert [run.attempt for _, run, _ in Reminding.runs] == [1, 2]
        assert 35 <= times()[1] <= 40

    run(scenario)


def test_what_once_and_its_calls_refuse() -> None:
    async def scenario(here: Site) -> None:
        jobs = here.node().plugin.jobs

        async def callback(run: OneShotRun) -> None: ...

        for attempts in (0, 1001):
            with pytest.raises(ValueError, match="attempts must be"):
                jobs.once("a", callback, attempts=attempts)
        with pytest.raises(ValueError, match="retry_after must be above 0"):
            jobs.once("a", callback, retry_after=0)
        with pytest.raises(ValueError, match="the name of a one-shot job must be 1 to 40"):
            jobs.once("a" * 41, callback)
        jobs.once("a", callback)
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
