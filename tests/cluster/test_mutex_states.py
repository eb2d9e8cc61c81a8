"""A mutex among nodes to which everything happens: at any instant at most one of them believes that it holds it."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mattermost_plugin.api import APITransportError
from mattermost_plugin.cluster import LockLostError
from tests.cluster.nodes import Node, SetClock, Site, settle, site

KEY = "pysdk:lock:mutex:m"
TTL_S = 10
NODES = range(3)

nodes = st.sampled_from(NODES)
spans = st.one_of(
    st.floats(0.001, 1), st.floats(1, 2 * TTL_S), st.sampled_from([TTL_S / 3, TTL_S - 1, TTL_S, TTL_S + 0.001])
)


class ProcessClock(SetClock):
    """The common time as one process sees it, which can be suspended."""

    def __init__(self, common: SetClock) -> None:
        self._common = common
        self.runs = asyncio.Event()
        self.runs.set()

    def now(self) -> float:
        return self._common.now()

    async def sleep_until(self, when: float) -> None:
        await self._common.sleep_until(when)
        await self.runs.wait()


class Contender:
    """A node, and what it is at."""

    def __init__(self, here: Site, node: Node) -> None:
        self.node = node
        self.clock = ProcessClock(here.clock)
        node.plugin._clock = self.clock
        node.wire.on_call = self._send
        node.wire.on_answer = self._receive
        self.sends = asyncio.Event()
        self.receives = asyncio.Event()
        self.let_through()
        self.mutex = node.plugin.cluster.aio.mutex("m", ttl=TTL_S)
        self.asking: asyncio.Task[bool] | None = None
        self.holds = False

    async def _send(self, method: str, request: Any) -> None:
        await self.sends.wait()

    async def _receive(self) -> None:
        await self.receives.wait()

    def let_through(self) -> None:
        self.sends.set()
        self.receives.set()

    @property
    def believes(self) -> bool:
        """Whether it would do now what only the holder may do."""
        if not self.holds:
            return False
        try:
            self.mutex.check()
        except LockLostError:
            return False
        return True

    @property
    def token(self) -> bytes:
        return self.mutex._core.held.store._token

    def take_note(self) -> None:
        """See what has become of an attempt."""
        if self.asking is None or not self.asking.done():
            return
        asked, self.asking = self.asking, None
        if asked.cancelled() or isinstance(asked.exception(), APITransportError):
            return
        self.holds = asked.result()


class Contention(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.here: Site = self.run(self.stack.enter_async_context(site()))
        self.contenders: list[Contender] = self.run(self.join())

    async def join(self) -> list[Contender]:
        return [Contender(self.here, self.here.node()) for _ in NODES]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(number=nodes, patience=st.sampled_from([0.0, 3.0]))
    def acquire(self, number: int, patience: float) -> None:
        contender = self.contenders[number]
        if contender.asking is None and not contender.holds:
            contender.asking = self.loop.create_task(contender.mutex.acquire(patience))
            self.run(settle())

    @rule(number=nodes)
    def give_up(self, number: int) -> None:
        contender = self.contenders[number]
        if contender.asking is not None:
            contender.asking.cancel()
            self.run(settle())

    @rule(number=nodes)
    def release(self, number: int) -> None:
        contender = self.contenders[number]
        if contender.holds:
            contender.holds = False
            self.loop.create_task(self._release(contender))
            self.run(settle())

    async def _release(self, contender: Contender) -> None:
        try:
            await contender.mutex.release()
        except LockLostError:
            pass

    @rule(seconds=spans)
    def wait(self, seconds: float) -> None:
        self.run(self.here.clock.advance(seconds))

    @rule(seconds=spans)
    def stand_still(self, seconds: float) -> None:
        """The whole machine, with the server, does nothing for a while."""
        self.here.clock.jump(seconds)
        self.look()
        self.run(settle())

    @rule(number=nodes, seconds=spans)
    def suspend(self, number: int, seconds: float) -> None:
        """One process does nothing for a while."""
        runs = self.contenders[number].clock.runs
        runs.clear()
        self.run(self.here.clock.advance(seconds))
        self.look()
        runs.set()
        self.run(settle())

    @rule(number=nodes, is_cut=st.booleans())
    def connect(self, number: int, is_cut: bool) -> None:
        self.contenders[number].node.wire.is_cut = is_cut

    @rule(number=nodes, loses=st.booleans())
    def lose_answers(self, number: int, loses: bool) -> None:
        self.contenders[number].node.wire.loses_answers = loses

    @rule(number=nodes)
    def hold_up_calls(self, number: int) -> None:
        self.contenders[number].sends.clear()

    @rule(number=nodes, seconds=spans)
    def hold_up_answers(self, number: int, seconds: float) -> None:
        """The server does what it is asked, and is slow to say so."""
        self.contenders[number].receives.clear()
        self.run(self.here.clock.advance(seconds))
        self.contenders[number].receives.set()
        self.run(settle())

    @rule(number=nodes)
    def let_calls_through(self, number: int) -> None:
        self.contenders[number].sends.set()
        self.run(settle())

    @precondition(lambda self: all(not contender.holds for contender in self.contenders))
    @rule(number=nodes)
    def come_to_rest(self, number: int) -> None:
        """When all is well again and nobody holds it, whoever asks gets it."""
        for contender in self.contenders:
            contender.node.wire.is_cut = contender.node.wire.loses_answers = False
            contender.let_through()
            if contender.asking is not None:
                contender.asking.cancel()
        self.run(self.here.clock.advance(2 * TTL_S))
        for contender in self.contenders:
            contender.asking = None
        contender = self.contenders[number]
        assert self.run(contender.mutex.try_acquire())
        contender.holds = True

    @invariant()
    def look(self) -> None:
        for contender in self.contenders:
            contender.take_note()
        believers = [contender for contender in self.contenders if contender.believes]
        assert len(believers) <= 1
        for believer in believers:
            assert self.here.stored(KEY) == believer.token

    def teardown(self) -> None:
        for contender in self.contenders:
            contender.let_through()
            if contender.asking is not None:
                contender.asking.cancel()
        self.run(settle())
        self.run(self.stack.aclose())
        self.run(self.loop.shutdown_asyncgens())
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.run(settle())
        self.loop.close()


Contention.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestContention = Contention.TestCase
