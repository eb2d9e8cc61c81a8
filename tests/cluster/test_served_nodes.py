"""Two nodes of one plugin, each served by itself, on one development host: real servers, sockets and clients."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import grpc.aio
import pytest

from mattermost_plugin import HookName, Plugin
from mattermost_plugin.cluster import LockLostError
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.events import ApiCalled
from mattermost_plugin.jobs import OneShotRun, RecurringRun
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from tests.cluster.nodes import PLUGIN_ID, HostClock, SetClock

T = TypeVar("T")

STEP_S = 0.2
"""How far the clock goes while something happens on sockets: far less than a lock's time to live in all."""


class Everywhere(Plugin):
    """Says what its jobs do."""

    def __init__(self, said: "asyncio.Queue[tuple[Plugin, str]]", clock: SetClock, config: RuntimeConfig) -> None:
        super().__init__(config=config)
        self._clock = clock
        self._said = said
        self._loop = asyncio.get_running_loop()

    def on_activate(self) -> None:
        self.jobs.every("tick", 60, self.tick)
        self.jobs.handle("remind", self.remind)

    def on_deactivate(self) -> None:
        self.api.kv_set("deactivated", b"yes")

    async def tick(self, run: RecurringRun) -> None:
        await self.api.aio.kv_set("ticked", b"yes")
        self._said.put_nowait((self, f"tick {run.due.timestamp():.0f}"))

    def remind(self, run: OneShotRun) -> None:
        with self.cluster.mutex("reminders"):
            self.api.kv_set("reminded", run.key.encode())
        self._loop.call_soon_threadsafe(self._said.put_nowait, (self, f"remind {run.key}"))


class Cluster:
    """The host, the nodes, and the time."""

    def __init__(self, host: DevHost, clock: SetClock, stack: AsyncExitStack) -> None:
        self.host = host
        self.clock = clock
        self.said: asyncio.Queue[tuple[Plugin, str]] = asyncio.Queue()
        self._stack = stack

    async def start_node(self) -> PluginServer:
        target = await self.host.open_api(PLUGIN_ID)
        config = RuntimeConfig(plugin_id=PLUGIN_ID, api_target=target, drain_s=0.2, deactivate_s=0.9)
        server = PluginServer(Everywhere(self.said, self.clock, config), config)
        line = await server.start()
        self._stack.push_async_callback(server.stop)
        # The host takes one plugin of an id; the others are activated here.
        adapter = ADAPTERS[HookName.OnActivate]
        async with grpc.aio.insecure_channel(f"unix:{line.split('|')[3]}") as channel:
            activate = channel.unary_unary(
                adapter.path,
                request_serializer=adapter.request_type.SerializeToString,
                response_deserializer=adapter.response_type.FromString,
            )
            response = await activate(adapter.request_type(), timeout=20)
        assert not response.HasField("error")
        return server

    async def until(self, work: Awaitable[T]) -> T:
        """Let time pass until the work is done."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await self.clock.advance(STEP_S)
        return task.result()

    async def hears(self) -> tuple[Plugin, str]:
        """The next that a job says."""
        return await self.until(self.said.get())

    def stored(self, key: str) -> bytes | None:
        return self.host.store.kv.get(PLUGIN_ID, key)


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    clock = SetClock()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(DevHost(clock=HostClock(clock)))
        yield Cluster(host, clock, stack)


def run(scenario: Callable[[Cluster], Awaitable[None]]) -> None:
    async def main() -> None:
        async with cluster() as here:
            await scenario(here)

    asyncio.run(main())


def test_a_job_runs_on_one_node_and_moves_when_that_ends() -> None:
    async def scenario(here: Cluster) -> None:
        servers = {server.plugin: server for server in [await here.start_node(), await here.start_node()]}
        start = here.clock.now()
        heard = [await here.hears() for _ in range(3)]
        dues = [int(text.removeprefix("tick ")) for _, text in heard]
        assert dues[1] - dues[0] == dues[2] - dues[1] == 60
        assert dues[0] >= int(start)
        assert here.said.empty()
        assert sum(call.method == "KVSet" for call in here.host.events.history(ApiCalled)) == 3

        ended = servers.pop(heard[-1][0])
        await here.until(ended.stop())
        assert here.stored("deactivated") == b"yes", "the server is still there for on_deactivate"
        (left,) = servers
        plugin, text = await here.hears()
        assert (plugin, int(text.removeprefix("tick "))) == (left, dues[2] + 60)

    run(scenario)


def test_one_shots_from_threads() -> None:
    async def scenario(here: Cluster) -> None:
        first, second = await here.start_node(), await here.start_node()
        await here.until(asyncio.to_thread(first.plugin.jobs.run_after, 20, "remind", "a"))
        listed = await here.until(asyncio.to_thread(second.plugin.jobs.list))
        assert [job.key for job in listed] == ["a"]
        assert (await here.hears())[1] == "remind a"
        assert here.stored("reminded") == b"a"
        assert await here.until(second.plugin.jobs.aio.list()) == []

    run(scenario)


def test_threads_and_coroutines_of_two_nodes() -> None:
    async def scenario(here: Cluster) -> None:
        nodes = [await here.start_node(), await here.start_node()]
        inside = threading.Semaphore(1)

        def by_thread(plugin: Plugin) -> None:
            with plugin.cluster.mutex("m"):
                assert inside.acquire(blocking=False)
                inside.release()

        async def by_coroutine(plugin: Plugin) -> None:
            async with plugin.cluster.aio.mutex("m"):
                assert inside.acquire(blocking=False)
                await plugin.api.aio.kv_get("whatever")
                inside.release()

        works = [
            work for node in nodes for work in (by_coroutine(node.plugin), asyncio.to_thread(by_thread, node.plugin))
        ]
        await here.until(asyncio.gather(*works))
        assert here.stored("pysdk:lock:mutex:m") is None

    run(scenario)


def test_the_holder_is_told_when_the_server_goes() -> None:
    async def scenario(here: Cluster) -> None:
        node = await here.start_node()
        entered = asyncio.Event()

        async def hold() -> None:
            async with node.plugin.cluster.aio.mutex("m"):
                entered.set()
                await asyncio.get_running_loop().create_future()

        holding = asyncio.create_task(hold())
        await here.until(entered.wait())
        await here.host._runners[PLUGIN_ID]._api.stop()
        with pytest.raises(LockLostError, match="could not be refreshed in time"):
            await here.until(holding)

    run(scenario)


def test_the_end_frees_what_a_handler_holds() -> None:
    async def scenario(here: Cluster) -> None:
        node, other = await here.start_node(), await here.start_node()
        held, told = threading.Event(), threading.Event()

        def hold() -> None:
            with node.plugin.cluster.mutex("m") as mutex:
                held.set()
                assert mutex.lost.wait(60)
                told.set()

        holding = asyncio.create_task(asyncio.to_thread(hold))
        await here.until(asyncio.to_thread(held.wait, 60))
        waiting = asyncio.create_task(other.plugin.cluster.aio.mutex("m").acquire())
        await here.until(node.stop())
        assert await here.until(waiting)
        with pytest.raises(LockLostError, match="the plugin has stopped"):
            await holding
        assert told.is_set()

    run(scenario)
