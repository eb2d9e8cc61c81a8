"""What goes wrong with mutexes: calls that fail, answers that are lost, locks that are lost."""

import asyncio
import contextlib
import logging

import pytest

from mattermost_plugin.api import APIUnavailable
from mattermost_plugin.cluster import LockLostError, PluginStoppedError
from tests.cluster.contending import KEY, mutex, run
from tests.cluster.nodes import PLUGIN_ID, SetClock, Site, settle


def test_the_lock_of_a_node_that_died_frees_itself() -> None:
    async def scenario(here: Site) -> None:
        dead, alive = here.node(), here.node()
        assert await mutex(dead).acquire()
        dead.die()
        waiting = asyncio.create_task(mutex(alive).acquire())
        await here.clock.advance(14.9)
        assert not waiting.done()
        await here.clock.advance(3)
        assert waiting.result()

    run(scenario)


def test_a_holder_whose_server_is_away_is_told_before_the_lock_is_free(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        node, other = here.node(), here.node()
        told_at = 0.0

        async def hold() -> None:
            nonlocal told_at
            async with mutex(node):
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    told_at = here.clock.now()

        holding = asyncio.create_task(hold())
        await here.clock.advance(6)
        cut_at = here.clock.now()
        node.wire.is_cut = True
        waiting = asyncio.create_task(mutex(other).acquire())
        await here.clock.advance(20)
        with pytest.raises(LockLostError, match="the lock m was lost: it could not be refreshed in time") as caught:
            await holding
        assert caught.value.name == "m"
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        assert waiting.result()
        # It was refreshed 1 s before the server went.
        assert told_at == pytest.approx(cut_at - 1 + 13.5)
        assert node.wire.calls.count("kv_set_with_options") > 5

    run(scenario)
    assert "The lock m could not be refreshed, which is tried again" in caplog.text


def test_a_server_that_comes_back_in_time_does_no_harm() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        async with mutex(node) as held:
            for _ in range(5):
                node.wire.is_cut = True
                await here.clock.advance(8)
                node.wire.is_cut = False
                await here.clock.advance(8)
            assert not held.lost.is_set()
            held.check()
        assert here.stored(KEY) is None

    run(scenario)


def test_answers_that_are_lost_do_no_harm() -> None:
    async def scenario(here: Site) -> None:
        node, other = here.node(), here.node()
        node.wire.loses_answers = True
        waiting = asyncio.create_task(mutex(node).acquire())
        await here.clock.advance(3)
        assert here.stored(KEY)
        assert not waiting.done()
        node.wire.loses_answers = False
        await here.clock.advance(3)
        assert waiting.result(), "what it sees is its own claim"
        assert not await mutex(other).try_acquire()

    run(scenario)


def test_a_claim_whose_answer_was_lost_is_freed_when_nobody_wants_it() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        node.wire.loses_answers = True
        with pytest.raises(Exception, match="lost"):
            await mutex(node).try_acquire()
        node.wire.loses_answers = False
        await here.clock.advance(1)
        assert here.stored(KEY) is None

    run(scenario)


def test_a_waiter_that_is_cancelled_in_its_claim_leaves_no_lock() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        reached, go = asyncio.Event(), asyncio.Event()

        async def hold_up(method: str, request: object) -> None:
            reached.set()
            await go.wait()

        node.wire.on_call = hold_up
        waiting = asyncio.create_task(mutex(node).acquire())
        await reached.wait()
        waiting.cancel()
        await settle()
        assert waiting.cancelled()
        go.set()
        await settle()
        assert node.wire.calls == ["kv_set_with_options", "kv_compare_and_delete"]
        assert here.stored(KEY) is None

    run(scenario)


@pytest.mark.parametrize("slow", ["claim", "refresh"])
def test_the_holder_counts_from_when_it_has_asked(slow: str) -> None:
    """The server answers 4 s late, and then not any more."""

    async def scenario(here: Site) -> None:
        node = here.node()
        held = mutex(node)

        async def answer_late() -> None:
            await here.clock.sleep_until(asked_at + 4)

        asked_at = here.clock.now()
        if slow == "refresh":
            assert await held.acquire()
            asked_at += 5
            node.wire.on_answer = answer_late
            await here.clock.advance(8.9)
        else:
            node.wire.on_answer = answer_late
            acquiring = asyncio.create_task(held.acquire())
            await here.clock.advance(4)
            assert await acquiring
        node.wire.is_cut = True
        await here.clock.advance(asked_at + 13.4 - here.clock.now())
        held.check()
        await here.clock.advance(0.2)
        with pytest.raises(LockLostError):
            held.check()

    run(scenario)


def test_a_claim_that_is_granted_too_late_is_given_up() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        answers = asyncio.Event()

        async def answer_late() -> None:
            await answers.wait()

        node.wire.on_answer = answer_late
        acquiring = asyncio.create_task(mutex(node).acquire(timeout=60))
        await here.clock.advance(14)
        answers.set()
        await settle()
        assert not acquiring.done()
        await here.clock.advance(3)
        assert acquiring.result()

    run(scenario)


def test_a_lock_that_another_holder_took_is_not_touched() -> None:
    async def scenario(here: Site) -> None:
        asleep, other = here.node(), here.node()
        sleeping = mutex(asleep)
        assert await sleeping.acquire()
        # The whole process stood still; nothing of it ran.
        asleep.wire.is_dead = True
        here.clock.jump(16)
        assert await mutex(other).try_acquire()
        theirs = here.stored(KEY)
        asleep.wire.is_dead = False
        await settle()
        with pytest.raises(LockLostError):
            sleeping.check()
        assert sleeping.lost.is_set()
        with pytest.raises(LockLostError, match="m was lost"):
            await sleeping.release()
        await here.clock.advance(5)
        assert here.stored(KEY) == theirs

    run(scenario)


def test_the_deletion_of_the_key_is_noticed() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()

        async def delete(seconds: float) -> None:
            async with mutex(node):
                here.host.store.kv.delete_all(PLUGIN_ID)
                await here.clock.advance(seconds)

        with pytest.raises(LockLostError, match="not there any more, or another holder") as caught:
            await delete(10)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        with pytest.raises(LockLostError, match="when it was given back"):
            await delete(0)

    run(scenario)


def test_the_body_may_end_before_its_cancellation_arrives() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        with pytest.raises(LockLostError):
            async with mutex(node):
                here.clock.jump(100)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await settle()

        async def bear_it() -> None:
            async with mutex(node):
                here.clock.jump(100)
                with contextlib.suppress(asyncio.CancelledError):
                    await settle()

        with pytest.raises(LockLostError):
            await bear_it()
        assert task.cancelling() == 0

    run(scenario)


def test_the_bodys_own_error_comes_first() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()

        async def fail() -> None:
            async with mutex(node):
                here.clock.jump(100)
                raise KeyError("own")

        with pytest.raises(KeyError) as caught:
            await fail()
        assert caught.value.__notes__ == ["the lock m was lost: it could not be refreshed in time"]

    run(scenario)


def test_a_cancellation_from_outside_stays_one() -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        entered = asyncio.Event()

        async def hold() -> None:
            async with mutex(node):
                entered.set()
                await asyncio.get_running_loop().create_future()

        holding = asyncio.create_task(hold())
        await entered.wait()
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        await settle()
        assert here.stored(KEY) is None

        entered.clear()
        holding = asyncio.create_task(hold())
        await entered.wait()
        here.clock.jump(100)
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding

    run(scenario)


def test_one_object_waits_for_the_holder_that_has_lost_it() -> None:
    async def scenario(here: Site) -> None:
        shared = mutex(here.node())
        assert await shared.acquire()
        here.clock.jump(100)
        waiting = asyncio.create_task(shared.acquire())
        await here.clock.advance(10)
        assert not waiting.done()
        with pytest.raises(LockLostError):
            await shared.release()
        await here.clock.advance(3)
        assert waiting.result()

    run(scenario)


def test_a_clock_that_fails_loses_the_lock(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(SetClock):
        async def sleep_until(self, when: float) -> None:
            raise OSError("no time")

    async def scenario(here: Site) -> None:
        node = here.node()
        node.plugin._clock = Broken()
        with pytest.raises(LockLostError):
            async with mutex(node):
                await settle()

    run(scenario)
    assert "The lock m cannot be refreshed" in caplog.text


def test_a_lock_that_cannot_be_given_back_is_freed_later(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        async with mutex(node):
            node.wire.is_cut = True
        assert here.stored(KEY)
        node.wire.is_cut = False
        await here.clock.advance(1)
        assert here.stored(KEY) is None

        async with mutex(node):
            node.wire.is_cut = True
        await here.clock.advance(14)
        assert "frees itself within 15 s" in caplog.text
        await here.clock.advance(1)
        assert here.stored(KEY) is None

    run(scenario)


def test_a_lock_that_is_granted_at_the_plugins_end_is_freed() -> None:
    async def scenario(here: Site) -> None:
        node, on_its_way, arrived = here.node(), asyncio.Event(), asyncio.Event()

        async def travel(method: str, request: object) -> None:
            if method == "kv_set_with_options":
                on_its_way.set()
                await arrived.wait()

        node.wire.on_call = travel
        waiting = asyncio.create_task(mutex(node).acquire())
        await on_its_way.wait()
        node.bound.background.stop_waiting()
        closing = asyncio.create_task(node.bound.background.close())
        await settle()
        arrived.set()
        await closing
        assert here.stored(KEY) is None
        assert node.wire.calls == ["kv_set_with_options", "kv_compare_and_delete"]
        with pytest.raises(PluginStoppedError):
            await waiting

    run(scenario)


def test_a_waiter_waits_for_the_server_too(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(here: Site) -> None:
        node = here.node()
        node.wire.is_cut = True
        with pytest.raises(APIUnavailable):
            await mutex(node).try_acquire()
        waiting = asyncio.create_task(mutex(node).acquire(timeout=10))
        await here.clock.advance(9)
        node.wire.is_cut = False
        await here.clock.advance(2)
        assert waiting.result()

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert caplog.text.count("could not be asked for") == 2
