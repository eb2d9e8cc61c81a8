"""A server without a wire, several nodes of one plugin on it, and the time, which tests set for all of them."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from mattermost_plugin import Plugin
from mattermost_plugin._api_outcome import error_in_reply
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin.api import APIDeadlineExceeded, APIUnavailable, AsyncPluginAPI, PluginAPI
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.clock import Clock
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.service import ApiService
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

PLUGIN_ID = "com.example.everywhere"
START = 1_700_000_000.0
CONFIG = RuntimeConfig(drain_s=0.1, deactivate_s=0.5, workers=4)

STEPS = 60
"""Rounds of the event loop within which everything comes to rest that waits for nothing but the loop."""


async def settle() -> None:
    for _ in range(STEPS):
        await asyncio.sleep(0)


class SetClock:
    """A `PluginClock` that stands still until it is set."""

    def __init__(self, start: float = START) -> None:
        self._now_ms = round(start * 1000)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.on_step: Callable[[], None] = lambda: None
        """Called whenever somebody has woken in `advance` and everything has come to rest."""

    @property
    def now_ms(self) -> int:
        return self._now_ms

    def now(self) -> float:
        return self._now_ms / 1000

    async def sleep_until(self, when: float) -> None:
        await asyncio.sleep(0)
        if when > self.now():
            woken = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (when, next(self._numbers), woken))
            await woken

    @property
    def next_waking(self) -> float | None:
        """When the first of those wakes that sleep."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everybody do what is due on the way."""
        await settle()
        until_ms = self._now_ms + round(seconds * 1000)
        while (waking := self.next_waking) is not None and -(-waking * 1000 // 1) <= until_ms:
            self._jump(max(self._now_ms, int(-(-waking * 1000 // 1))))
            await settle()
            self.on_step()
        self._jump(until_ms)
        await settle()
        self.on_step()

    def jump(self, seconds: float) -> None:
        """Let time pass at once, as if nobody had got to do anything meanwhile."""
        self._jump(self._now_ms + round(seconds * 1000))

    def _jump(self, to_ms: int) -> None:
        self._now_ms = to_ms
        while self._sleepers and self._sleepers[0][0] <= self.now():
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class HostClock(Clock):
    """The host's time, which is the plugin's."""

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.now_ms


class Wire(AsyncPluginAPI):
    """A node's calls of the server, and what can happen to them."""

    def __init__(self, service: ApiService) -> None:
        self._service = service
        self.calls: list[str] = []
        self.is_cut = False
        """Calls fail before they reach the server."""
        self.loses_answers = False
        """Calls reach the server, and their answers are lost."""
        self.is_dead = False
        """Calls neither reach the server nor fail: the node is no more."""
        self.on_call: Callable[[str, Any], Awaitable[None]] | None = None
        """Runs before the server gets a call."""
        self.on_answer: Callable[[], Awaitable[None]] | None = None
        """Runs after the server has answered one."""

    async def _call(
        self,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None,  # noqa: ASYNC109 - the client's
    ) -> ResponseT:
        self.calls.append(method.method)
        if self.is_dead:
            await asyncio.get_running_loop().create_future()
        if self.on_call is not None:
            await self.on_call(method.method, request)
        await asyncio.sleep(0)
        if self.is_cut:
            raise APIUnavailable(method.method, "cut", may_have_taken_effect=False)
        response: Any = await self._service.answer(method.name, request)
        await asyncio.sleep(0)
        if self.on_answer is not None:
            await self.on_answer()
        if self.loses_answers:
            raise APIDeadlineExceeded(method.method, "lost", may_have_taken_effect=True)
        answer: ResponseT = response
        if answer.HasField("error"):
            raise error_in_reply(method, answer.error, "")
        return answer


class ThreadApi(PluginAPI):
    """The client for threads, of which jobs and mutexes use the coroutines' twin."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def aio(self) -> AsyncPluginAPI:
        return self._wire

    def _call(self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout: float | None) -> ResponseT:
        raise NotImplementedError


class Node:
    """One node's plugin."""

    def __init__(self, plugin: Plugin, wire: Wire) -> None:
        self.plugin = plugin
        self.wire = wire
        self.bound = BoundPlugin(plugin, CONFIG)
        self.bound.background.open()

    async def activate(self) -> None:
        await self.bound.lifecycle.activate(None)

    async def deactivate(self) -> None:
        await self.bound.lifecycle.deactivate(None)

    def die(self) -> None:
        """End at once, as a process that is killed."""
        self.wire.is_dead = True

    async def stop(self) -> None:
        """What the plugin's server does at the end."""
        await self.deactivate()
        self.bound.background.stop_waiting()
        await self.bound.background.close()
        self.bound.close()


class Site:
    """A server and its nodes."""

    def __init__(self, clock: SetClock, host: DevHost) -> None:
        self.clock = clock
        self.host = host
        self.nodes: list[Node] = []
        installed = InstalledPlugin(Manifest(id=PLUGIN_ID), Path.cwd())
        self._service = ApiService(host.world, installed)

    def node(self, kind: type[Plugin] = Plugin) -> Node:
        """One more node."""
        wire = Wire(self._service)
        plugin = kind(api=ThreadApi(wire), config=CONFIG)
        plugin._clock = self.clock
        node = Node(plugin, wire)
        self.nodes.append(node)
        return node

    def stored(self, key: str) -> bytes | None:
        """What the server has under a key."""
        return self.host.store.kv.get(PLUGIN_ID, key)

    def store(self, key: str, value: bytes) -> None:
        self.host.store.kv.set(PLUGIN_ID, key, value)

    def keys(self) -> list[str]:
        from mattermost_plugin.devhost.store import Page

        return self.host.store.kv.keys(PLUGIN_ID, Page(0, 1000))


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    clock = SetClock()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(DevHost(clock=HostClock(clock)))
        made = Site(clock, host)
        yield made
        for node in made.nodes:
            node.wire.is_dead = False
            node.wire.is_cut = True
            await node.stop()
