"""A mutex among nodes to which everything happens: at any instant at most one of them believes that it holds it."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from enum import Enum
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mattermost_plugin.api import APITransportError
from mattermost_plugin.cluster import LockLostError
from tests.cluster.contending import KEY
from tests.cluster.nodes import Node, SetClock, Site, settle, site

TTL_S = 10
NODES = range(3)

spans = st.one_of(
    st.floats(0.001, 1), st.floats(1, 2 * TTL_S), st.sampled_from([TTL_S / 3, TTL_S - 1, TTL_S, TTL_S + 0.001])
)


class Act(Enum):
    ASK = "it asks for the lock"
    GIVE_UP = "it does not want it any more"
    RELEASE = "it gives it back"
    CUT = "its calls fail"
    LOSE_ANSWERS = "its calls are done, and fail"
    DELAY_CALLS = "its calls are done when it recovers"
    DELAY_ANSWERS = "its calls are done, and answered when it recovers"
    SUSPEND = "it does not wake before it recovers"
    RECOVER = "the end of all that"
    STAND_STILL = "nobody does anything"


acts = st.sampled_from([*Act, *[Act.ASK] * 4, *[Act.RELEASE] * 3, *[Act.RECOVER] * 3])


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
        self.recover()
        self.mutex = node.plugin.cluster.aio.mutex("m", ttl=TTL_S)
        self.asking: asyncio.Task[bool] | None = None
        self.holds = False

    async def _send(self, method: str, request: Any) -> None:
        await self.sends.wait()

    async def _receive(self) -> None:
        await self.receives.wait()

    def suffer(self, act: Act) -> None:
        match act:
            case Act.CUT:
                self.node.wire.is_cut = True
            case Act.LOSE_ANSWERS:
                self.node.wire.loses_answers = True
            case Act.DELAY_CALLS:
                self.sends.clear()
            case Act.DELAY_ANSWERS:
                self.receives.clear()
            case Act.SUSPEND:
                self.clock.runs.clear()

    def recover(self) -> None:
        self.node.wire.is_cut = self.node.wire.loses_answers = False
        self.sends.set()
        self.receives.set()
        self.clock.runs.set()

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
        self.releasing: list[asyncio.Task[None]] = []
        self.here.clock.on_step = self.look

    async def join(self) -> list[Contender]:
        return [Contender(self.here, self.here.node()) for _ in NODES]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(contender=st.sampled_from(NODES), act=acts, seconds=spans)
    def act(self, contender: int, act: Act, seconds: float) -> None:
        """Something happens, and then time passes."""
        self.run(self.happen(self.contenders[contender], act, seconds))

    async def happen(self, contender: Contender, act: Act, seconds: float) -> None:
        match act:
            case Act.ASK if contender.asking is None and not contender.holds:
                contender.asking = asyncio.create_task(contender.mutex.acquire(3.0))
            case Act.GIVE_UP if contender.asking is not None:
                contender.asking.cancel()
            case Act.RELEASE if contender.holds:
                contender.holds = False
                self.releasing.append(asyncio.create_task(self.release(contender)))
            case Act.RECOVER:
                contender.recover()
            case Act.STAND_STILL:
                # The whole machine, with the server, does nothing for a while.
                self.here.clock.jump(seconds)
                self.look()
            case _:
                contender.suffer(act)
        await settle()
        self.look()
        await self.here.clock.advance(seconds)

    async def release(self, contender: Contender) -> None:
        with suppress(LockLostError):
            await contender.mutex.release()

    @precondition(lambda self: all(not contender.holds for contender in self.contenders))
    @rule(number=st.sampled_from(NODES))
    def come_to_rest(self, number: int) -> None:
        """When all is well again and nobody holds it, whoever asks gets it."""
        for contender in self.contenders:
            contender.recover()
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
            contender.recover()
            if contender.asking is not None:
                contender.asking.cancel()
        self.run(settle())
        self.run(self.stack.aclose())
        self.run(self.loop.shutdown_asyncgens())
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.run(settle())
        self.loop.close()


Contention.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestContention = Contention.TestCase
