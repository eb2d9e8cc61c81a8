"""What the host knows of how a plugin's process started and ended, and a start that is given up."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mattermost_plugin.devhost import DevHost, StartError
from mattermost_plugin.devhost.events import LogWritten, PluginChanged
from mattermost_plugin.devhost.plugins import PluginState

ID = "com.example.sample"

SOUND = """
from mattermost_plugin import Plugin, run_plugin

class Sound(Plugin): ...

run_plugin(Sound)
"""
HANGS = "import signal, sys; print('hanging', file=sys.stderr, flush=True); signal.pause()"
DIES_ACTIVATING = """
import os, sys
from mattermost_plugin import Plugin, run_plugin

class Mortal(Plugin):
    def on_activate(self):
        self.logger.error("no more coffee")
        os._exit(9)

run_plugin(Mortal)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugin.json").write_text(f'{{"id": "{ID}", "server": {{"executable": "plugin.py"}}}}')
    return tmp_path


def run(scenario: Callable[[DevHost], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with DevHost() as host:
            await scenario(host)

    asyncio.run(inside())


def test_handshake_and_exit_code_are_told(folder: Path) -> None:
    (folder / "plugin.py").write_text(SOUND)

    async def scenario(host: DevHost) -> None:
        plugin = await host.launch(folder)
        assert plugin.handshake.startswith("1|1|unix|/")
        assert plugin.exit_code is None
        socket = Path(plugin.handshake.split("|")[3])
        assert socket.exists()
        await host.disable(ID)
        assert plugin.exit_code == 0
        assert not socket.exists()
        await host.enable(ID)
        assert plugin.exit_code is None

    run(scenario)


def test_a_plugin_that_dies_while_it_activates_is_told_with_exit_code_and_log(folder: Path) -> None:
    (folder / "plugin.py").write_text(DIES_ACTIVATING)

    async def scenario(host: DevHost) -> None:
        with pytest.raises(StartError, match=r"(?s)UNAVAILABLE.*exit code 9\n.*no more coffee"):
            await host.launch(folder)
        assert host.plugin(ID).exit_code == 9

    run(scenario)


def test_a_start_that_is_given_up_leaves_no_process(folder: Path) -> None:
    async def scenario(host: DevHost) -> None:
        (folder / "plugin.py").write_text(HANGS)
        launching = asyncio.create_task(host.launch(folder))
        await host.events.wait_for(LogWritten, lambda line: line.message == "hanging")
        assert host.pid(ID) is not None
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
        plugin = host.plugin(ID)
        assert (plugin.state, plugin.exit_code) == (PluginState.FAILED_TO_START, -9)
        assert host.events.history(PluginChanged)[-1].reason == "the start was given up"
        (folder / "plugin.py").write_text(SOUND)
        await host.launch(folder)
        assert plugin.state is PluginState.RUNNING

    run(scenario)
