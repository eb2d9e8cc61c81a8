"""The end of a plugin's process over every wire: whoever ends it, it leaves in time and tidies up."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from tests.conformance.hosts import WIRES, NotAnsweredError
from tests.conformance.processes import PluginProcess, plugin_process

HANG_IN_A_THREAD = HookName.UserHasLoggedIn
WAIT_ON_THE_LOOP = HookName.UserHasBeenCreated
BLOCK_THE_LOOP = HookName.ChannelHasBeenCreated
START_A_CHILD = HookName.UserHasBeenDeactivated

SIGTERM_EXIT_CODE = 143

SHORT_DRAIN = {"MATTERMOST_PLUGIN_DRAIN": "0.05"}
"""For handlers that would outrun a longer one as well."""

SHORT_END = {**SHORT_DRAIN, "MATTERMOST_PLUGIN_DEACTIVATE": "0.3"}
"""For plugins that do nothing more in any time."""

every_wire = pytest.mark.parametrize("wire", WIRES)


class Traced:
    """A running traced plugin."""

    def __init__(self, process: PluginProcess, folder: Path) -> None:
        self.plugin = process
        self._folder = folder
        self._calls: list[asyncio.Task[Any]] = []

    async def call(self, hook: HookName) -> Any:
        return await self.plugin.host.hook(hook, ADAPTERS[hook].request_type())

    async def begin(self, hook: HookName, event: str) -> None:
        """Start a call that may never return, and wait until its handler is there."""
        task = asyncio.create_task(self.call(hook))
        # Looked at, so that asyncio has nothing to complain about.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._calls.append(task)
        await self.plugin.record(f"trace: {event}")

    def trace(self) -> list[str]:
        return (self._folder / "trace").read_text().splitlines()

    def check_tidy(self) -> None:
        assert self.trace()[-3:] == ["deactivating", "deactivated", "atexit"]
        assert not Path(self.plugin.address).parent.exists()


Scenario = Callable[[Traced], Awaitable[None]]


def run(
    wire: WireName,
    folder: Path,
    scenario: Scenario,
    *faults: str,
    activate: bool = True,
    more_env: dict[str, str] | None = None,
) -> None:
    async def live() -> None:
        env = {"TRACE_FILE": str(folder / "trace"), **(more_env or {})}
        async with plugin_process(wire, "traced.py", *faults, env=env) as process:
            traced = Traced(process, folder)
            if activate:
                assert not (await traced.call(HookName.OnActivate)).HasField("error")
            await scenario(traced)

    asyncio.run(cast("Any", live()))


@every_wire
def test_quit_lets_the_plugin_do_its_last_work(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        traced.check_tidy()
        assert traced.plugin.raw == b""

    run(wire, tmp_path, scenario)


@every_wire
def test_a_deactivation_is_not_repeated(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.call(HookName.OnDeactivate)
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        assert traced.trace().count("deactivating") == 1

    run(wire, tmp_path, scenario)


@every_wire
@pytest.mark.parametrize(("hook", "event"), [(HANG_IN_A_THREAD, "hanging"), (WAIT_ON_THE_LOOP, "waiting")])
def test_a_running_handler_does_not_keep_the_plugin(wire: WireName, tmp_path: Path, hook: HookName, event: str) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.begin(hook, event)
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        assert traced.trace()[-1] == "atexit"
        assert "deactivated" in traced.trace()
        assert ("cancelled" in traced.trace()) == (hook == WAIT_ON_THE_LOOP)

    run(wire, tmp_path, scenario, more_env=SHORT_DRAIN)


@every_wire
def test_a_deactivation_that_hangs_does_not_keep_the_plugin(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        assert traced.trace()[-2:] == ["deactivating", "atexit"]
        assert (await traced.plugin.record("OnDeactivate did not finish"))["@level"] == "warn"

    run(wire, tmp_path, scenario, "deactivation-hangs", more_env=SHORT_DRAIN)


@every_wire
def test_an_activation_that_hangs_does_not_keep_the_plugin(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.begin(HookName.OnActivate, "activating")
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        assert traced.trace() == ["configuration", "activating", "atexit"]

    run(wire, tmp_path, scenario, "activation-waits", activate=False, more_env=SHORT_DRAIN)


@every_wire
def test_a_failed_activation_leaves_a_plugin_that_can_be_ended(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        assert "the vault is sealed" in (await traced.call(HookName.OnActivate)).error.message
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        assert "deactivating" not in traced.trace()

    run(wire, tmp_path, scenario, "activation-fails", activate=False)


@every_wire
def test_sigterm_ends_the_plugin_in_good_order(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        traced.plugin.process.send_signal(signal.SIGTERM)
        assert await traced.plugin.ended() == 0
        traced.check_tidy()

    run(wire, tmp_path, scenario)


@every_wire
@pytest.mark.parametrize(("hook", "event"), [(HANG_IN_A_THREAD, "hanging"), (BLOCK_THE_LOOP, "blocking")])
def test_sigterm_ends_the_plugin_whatever_its_handlers_do(
    wire: WireName, tmp_path: Path, hook: HookName, event: str
) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.begin(hook, event)
        traced.plugin.process.send_signal(signal.SIGTERM)
        assert await traced.plugin.ended() == 0
        assert traced.trace()[-1] == "atexit"

    run(wire, tmp_path, scenario, more_env=SHORT_END if hook == BLOCK_THE_LOOP else SHORT_DRAIN)


@every_wire
def test_a_second_sigterm_ends_the_plugin_at_once(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        traced.plugin.process.send_signal(signal.SIGTERM)
        await traced.plugin.record("trace: deactivating")
        traced.plugin.process.send_signal(signal.SIGTERM)
        assert await traced.plugin.ended() == SIGTERM_EXIT_CODE

    run(wire, tmp_path, scenario, "deactivation-hangs")


@every_wire
def test_sigint_is_for_the_host(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        traced.plugin.process.send_signal(signal.SIGINT)
        await traced.call(HookName.MessageHasBeenPosted)
        assert traced.trace()[-1] == "posted"

    run(wire, tmp_path, scenario)


@every_wire
@pytest.mark.parametrize("activate", [True, False], ids=["active", "not active"])
def test_the_end_of_the_host_is_the_end_of_the_plugin(wire: WireName, tmp_path: Path, activate: bool) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.plugin.leave()
        await asyncio.to_thread(traced.plugin.process.wait)
        if activate:
            traced.check_tidy()
        assert not Path(traced.plugin.address).parent.exists()

    run(wire, tmp_path, scenario, activate=activate)


@every_wire
@pytest.mark.parametrize(
    ("hook", "event"), [(HANG_IN_A_THREAD, "hanging"), (WAIT_ON_THE_LOOP, "waiting"), (BLOCK_THE_LOOP, "blocking")]
)
def test_a_handler_does_not_let_the_plugin_outlive_its_host(
    wire: WireName, tmp_path: Path, hook: HookName, event: str
) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.begin(hook, event)
        await traced.plugin.leave()
        await asyncio.to_thread(traced.plugin.process.wait)

    run(wire, tmp_path, scenario, more_env=SHORT_DRAIN)


@every_wire
@pytest.mark.parametrize("faults", [(), ("all-fds",)], ids=["by default", "all descriptors inherited"])
def test_a_child_does_not_hold_the_hosts_pipes(wire: WireName, tmp_path: Path, faults: tuple[str, ...]) -> None:
    async def scenario(traced: Traced) -> None:
        await traced.call(START_A_CHILD)
        child = (await traced.plugin.record("the child runs"))["child"]
        # What a child prints is in the log, and it does not take itself for a plugin.
        await traced.plugin.record("child has None")
        await traced.plugin.host.quit()
        assert await traced.plugin.ended() == 0
        # Fails if it does not run any more.
        os.kill(child, signal.SIGKILL)

    run(wire, tmp_path, scenario, *faults)


@every_wire
def test_the_end_answers_what_still_runs(wire: WireName, tmp_path: Path) -> None:
    async def scenario(traced: Traced) -> None:
        hanging = asyncio.create_task(traced.call(HANG_IN_A_THREAD))
        await traced.plugin.record("trace: hanging")
        await traced.plugin.host.quit()
        try:
            assert (await hanging).ListFields() == []
        except NotAnsweredError as error:
            pytest.fail(f"not answered: {error}")
        assert await traced.plugin.ended() == 0

    run(wire, tmp_path, scenario, more_env=SHORT_DRAIN)


@every_wire
def test_a_process_whose_loop_is_blocked_ends_itself(wire: WireName, tmp_path: Path) -> None:
    # A stock server asks one plugin after the other, and waits without end for one that does not answer.
    limits = {"MATTERMOST_PLUGIN_LOOP_BLOCK_WARN": "0.1", "MATTERMOST_PLUGIN_LOOP_BLOCK_EXIT": "0.3"}

    async def scenario(traced: Traced) -> None:
        await traced.begin(BLOCK_THE_LOOP, "blocking")
        assert await traced.plugin.ended() != 0
        assert (await traced.plugin.record("The event loop has stood still"))["@level"] == "error"

    run(wire, tmp_path, scenario, more_env=limits)
