"""How often a plugin that does not stay running is restarted."""

import asyncio
import os
import signal
from pathlib import Path

from mattermost_plugin.cli.dev.keeper import WINDOW_S, PluginKeeper
from mattermost_plugin.cli.plugin_folders import PluginFolder
from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.events import LogWritten, PluginChanged
from tests.cli.dev_process import TIMEOUT_S, make_plugin

ID = "com.example.sample"


class Times:
    now = 0.0


async def kill_and_wait(host: DevHost, text: str) -> None:
    """Kill the plugin and wait until the log says what becomes of it."""
    host.events.clear()
    pid = host.pid(ID)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await host.events.wait_for(LogWritten, lambda line: text in line.message)


async def wait_until_it_runs(host: DevHost) -> None:
    await host.events.wait_for(PluginChanged, lambda event: event.state == "RUNNING")


def test_restarts_count_for_an_hour(tmp_path: Path) -> None:
    times = Times()

    async def scenario() -> None:
        async with DevHost() as host, asyncio.timeout(TIMEOUT_S):
            plugin = PluginFolder(make_plugin(tmp_path / "sample"), "sample", ID)
            keeper = PluginKeeper(host, plugin, "sample", watched=False, now=lambda: times.now)
            keeping = asyncio.create_task(keeper.run())
            await wait_until_it_runs(host)
            for number in (1, 2, 3):
                times.now += 10
                await kill_and_wait(host, f"restarted, as a server does: {number} of 3")
                await wait_until_it_runs(host)
            times.now += WINDOW_S - 20
            # The first restart is out of the window.
            await kill_and_wait(host, "restarted, as a server does: 3 of 3")
            await wait_until_it_runs(host)
            await kill_and_wait(host, "sample is not restarted again: it has been 3 times within an hour")
            await host.events.wait_for(LogWritten, lambda line: "stays off: end the command" in line.message)
            keeping.cancel()
            await asyncio.wait({keeping})
            assert keeping.cancelled()

    asyncio.run(scenario())


def test_a_plugin_that_is_given_up_stays_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with DevHost() as host, asyncio.timeout(TIMEOUT_S):
            plugin = PluginFolder(make_plugin(tmp_path / "sample"), "sample", ID)
            keeper = PluginKeeper(host, plugin, "sample", watched=False)
            keeping = asyncio.create_task(keeper.run())
            await wait_until_it_runs(host)
            keeper.give_up()
            await kill_and_wait(host, "has ended by itself")
            await host.events.wait_for(PluginChanged, lambda event: event.state == "FAILED_TO_STAY_RUNNING")
            await host.settle()
            assert not [line for line in host.events.history(LogWritten) if "restarted" in line.message]
            keeping.cancel()
            await asyncio.wait({keeping})

    asyncio.run(scenario())
