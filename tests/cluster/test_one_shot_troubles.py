"""What goes wrong with one-shot jobs: handlers that fail, nodes that die, a server that is away."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest

from mattermost_plugin.api import APIUnavailable
from mattermost_plugin.jobs import OneShotRun
from tests.cluster.nodes import Site, settle
from tests.cluster.reminding import KEY, LOCK, Reminding, keys, nodes_that_ran, reminding, run, times


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
    assert caplog.text.count("The one-shot job remind k waits for the server") == 1


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
        for _ in range(20):
            await settle()
        assert len(third.wire.calls) < 10
        await here.clock.advance(30)
        assert keys() == ["k"]
        assert 10 < len(third.wire.calls) < 60
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
