"""What a host hears that asks after the plugin's health, over every wire."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.config import RuntimeConfig
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from tests.conformance.hosts import WIRES, Host, hosted, recorder_of
from tests.conformance.recorder import recorder

WORKERS = 3
HOOKS = [HookName.UserHasLoggedIn, HookName.MessageHasBeenPosted, HookName.ChannelHasBeenCreated]

every_wire = pytest.mark.parametrize("wire", WIRES)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def call(host: Host, hook: HookName) -> Awaitable[Any]:
    return host.hook(hook, ADAPTERS[hook].request_type())


@every_wire
def test_pings_are_answered_while_handlers_run(wire: WireName) -> None:
    released = threading.Event()

    async def scenario() -> None:
        async with hosted(wire, recorder("def"), RuntimeConfig(workers=WORKERS)) as host:
            plugin = recorder_of(host)
            for hook in HOOKS:
                plugin.acts[hook] = lambda *_: released.wait()
            # As many as there are threads, and more.
            calls = [asyncio.ensure_future(call(host, hook)) for hook in HOOKS * 4]
            try:
                assert await host.ping() == ""
            finally:
                released.set()
            await asyncio.gather(*calls)

    run(scenario)


@every_wire
def test_pings_fail_while_every_thread_is_stuck_and_recover(wire: WireName) -> None:
    released = threading.Event()

    async def scenario() -> None:
        config = RuntimeConfig(workers=WORKERS, drain_s=0)
        async with hosted(wire, recorder("def", timeout_s=0.05), config) as host:
            plugin = recorder_of(host)
            for hook in HOOKS:
                plugin.acts[hook] = lambda *_: released.wait()
            try:
                await asyncio.gather(*[call(host, hook) for hook in HOOKS])
                assert "it must be restarted" in await host.ping()
            finally:
                released.set()
            plugin.acts.clear()
            await asyncio.gather(*[call(host, hook) for hook in HOOKS])
            assert await host.ping() == ""

    run(scenario)
