"""How nodes keep up with one-shot jobs that are stored: looking for them neither delays nor hides others."""

import asyncio
from typing import Any

from tests.cluster.nodes import Node, Site, settle
from tests.cluster.reminding import KEY, keys, reminding, run, times

SCANS_S = 1000
"""Time for some scans."""


def known(node: Node) -> list[str]:
    """The keys of the jobs that a node has in memory."""
    watch = node.plugin.jobs.aio._watch
    assert watch is not None
    return [job_id.key for job_id in watch._known]


def test_jobs_that_others_cancel_are_forgotten() -> None:
    async def scenario(here: Site) -> None:
        one, other = await reminding(here, 2)
        for number in range(5):
            await one.plugin.jobs.aio.run_after(1_000_000, "remind", f"k{number}")
        await here.clock.advance(SCANS_S)
        assert known(other) == ["k0", "k1", "k2", "k3", "k4"]
        for number in range(4):
            await one.plugin.jobs.aio.cancel("remind", f"k{number}")
        await here.clock.advance(SCANS_S)
        assert known(one) == known(other) == ["k4"]

    run(scenario)


def test_a_job_that_a_scan_has_missed_is_not_forgotten() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(SCANS_S, "remind", "k")
        stored = here.stored(KEY)
        assert stored is not None

        async def hide(method: str, request: Any) -> None:
            # Pages shift when others delete keys, and one that stays may be in none of them.
            if method == "kv_list":
                here.host.store.kv.delete("com.example.everywhere", KEY)
            elif here.stored(KEY) is None:
                here.store(KEY, stored)

        node.wire.on_call = hide
        await here.clock.advance(SCANS_S - 1)
        assert node.wire.calls.count("kv_list") > 2
        await here.clock.advance(1)
        assert times() == [SCANS_S]

    run(scenario)


def test_a_scan_that_hangs_delays_no_job() -> None:
    async def scenario(here: Site) -> None:
        (node,) = await reminding(here)
        await node.plugin.jobs.aio.run_after(SCANS_S, "remind", "k")

        async def hang(method: str, request: Any) -> None:
            if method == "kv_list":
                await asyncio.get_running_loop().create_future()

        node.wire.on_call = hang
        await here.clock.advance(SCANS_S)
        assert node.wire.calls.count("kv_list") == 2
        assert times() == [SCANS_S]

    run(scenario)


def test_a_job_that_is_planned_anew_while_it_is_looked_at() -> None:
    async def scenario(here: Site) -> None:
        planner = here.node()
        planner.plugin.jobs.handle("remind", lambda run: None)
        await planner.activate()
        await planner.plugin.jobs.aio.run_after(SCANS_S, "remind", "k")
        (node,) = await reminding(here, 1)
        await settle()
        assert known(node) == ["k"]
        await node.stop()
        late = here.node(type(node.plugin))
        was_planned = False

        async def plan() -> None:
            nonlocal was_planned
            if late.wire.calls[-1] == "kv_get" and not was_planned:
                was_planned = True
                await late.plugin.jobs.aio.run_after(10, "remind", "k")

        late.wire.on_answer = plan
        await late.activate()
        await settle()
        assert was_planned
        await here.clock.advance(11)
        assert (keys(), times()) == (["k"], [10])

    run(scenario)
