"""Claims to a run whose answers are lost: the server has them, and the node that made them has run nothing."""

from typing import Any

import pytest

from mattermost_plugin._job_records import OneShotRecord
from tests.cluster import reminding, ticking
from tests.cluster.nodes import Node, Site
from tests.cluster.reminding import Reminding
from tests.cluster.ticking import Ticking


def lose_claims(node: Node, key: str, count: int) -> None:
    """Let the answers to so many writes of a record be lost."""
    left = count

    async def lose(method: str, request: Any) -> None:
        nonlocal left
        node.wire.loses_answers = method == "kv_set_with_options" and request.key == key and left > 0
        left -= node.wire.loses_answers

    node.wire.on_call = lose


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_only_attempt_is_made_all_the_same(count: int) -> None:
    async def scenario(here: Site) -> None:
        Reminding.options = {"attempts": 1}
        (node,) = await reminding.reminding(here)
        await node.plugin.jobs.aio.run_after(10, "remind", "k")
        lose_claims(node, reminding.KEY, count)
        await here.clock.advance(120)
        assert [run.attempt for _, run, _ in Reminding.runs] == [1]
        assert here.keys() == []

    reminding.run(scenario)


def test_a_run_whose_claims_were_lost_is_not_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        Ticking.interval = 3600
        (node,) = await ticking.ticking(here)
        lose_claims(node, ticking.KEY, 5)
        await here.clock.advance(3700)
        assert ticking.dues() == [3600]

    ticking.run(scenario)
    assert "left out" not in caplog.text


def test_a_claim_of_a_node_that_died_counts() -> None:
    async def scenario(here: Site) -> None:
        Reminding.options = {"attempts": 2}
        (node,) = await reminding.reminding(here)
        await node.plugin.jobs.aio.run_after(10, "remind", "k")
        lose_claims(node, reminding.KEY, 1)
        await here.clock.advance(10)
        node.die()
        raw = here.stored(reminding.KEY)
        assert raw is not None
        record = OneShotRecord.decode(raw)
        assert record is not None
        assert record.attempt == 1
        await reminding.reminding(here)
        await here.clock.advance(30)
        assert [run.attempt for _, run, _ in Reminding.runs] == [2]

    reminding.run(scenario)
