"""The order of lifecycle hooks, and what other hooks do meanwhile."""

import asyncio
from typing import Any

import pytest

from mattermost_plugin import HookName, Plugin, Reject
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._lifecycle import State
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import PluginContext, User
from mattermost_pluginapi.hooks.adapters import ADAPTERS


class Recorder(Plugin):
    """Writes down what is called; activation waits to be let through."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.activating = asyncio.Event()
        self.gate = asyncio.Event()
        self.fail_on: set[str] = set()

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fail_on:
            raise RuntimeError(f"{call} fails")

    async def on_configuration_change(self) -> None:
        self._note("configured")

    async def on_activate(self) -> None:
        self._note("activating")
        self.activating.set()
        await self.gate.wait()
        self._note("activated")

    async def on_deactivate(self) -> None:
        self._note("deactivated")

    async def user_will_log_in(self, context: PluginContext, user: User) -> Reject:
        self._note("login")
        return Reject("no")


async def call(bound: BoundPlugin, name: HookName) -> Any:
    return await bound.unary[name].reply(ADAPTERS[name].request_type())


def test_the_order() -> None:
    async def scenario() -> None:
        plugin = Recorder()
        bound = BoundPlugin(plugin, RuntimeConfig())
        early = asyncio.create_task(call(bound, HookName.UserWillLogIn))
        activation = asyncio.create_task(call(bound, HookName.OnActivate))
        await plugin.activating.wait()
        assert plugin.calls == ["configured", "activating"]
        plugin.gate.set()
        assert not (await activation).HasField("error")
        assert (await early).rejection_reason == "no"
        await call(bound, HookName.OnConfigurationChange)
        await call(bound, HookName.OnDeactivate)
        assert (await call(bound, HookName.UserWillLogIn)).rejection_reason == ""
        assert plugin.calls == ["configured", "activating", "activated", "login", "configured", "deactivated"]
        assert bound.lifecycle.state is State.DEACTIVATED

    asyncio.run(scenario())


def test_a_failing_first_configuration_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        plugin = Recorder()
        plugin.fail_on = {"configured"}
        plugin.gate.set()
        bound = BoundPlugin(plugin, RuntimeConfig())
        assert not (await call(bound, HookName.OnActivate)).HasField("error")
        assert bound.lifecycle.is_active

    asyncio.run(scenario())
    assert "configured fails" in caplog.text


def test_a_failed_activation_can_be_tried_again_without_configuring_twice() -> None:
    async def scenario() -> None:
        plugin = Recorder()
        plugin.fail_on = {"activated"}
        plugin.gate.set()
        bound = BoundPlugin(plugin, RuntimeConfig())
        assert (await call(bound, HookName.OnActivate)).error.message.endswith("activated fails")
        assert bound.lifecycle.state is State.FAILED
        plugin.fail_on = set()
        assert not (await call(bound, HookName.OnActivate)).HasField("error")
        assert plugin.calls == ["configured", "activating", "activated", "activating", "activated"]

    asyncio.run(scenario())


def test_deactivation_runs_once_and_only_after_activation() -> None:
    async def scenario() -> None:
        plugin = Recorder()
        bound = BoundPlugin(plugin, RuntimeConfig())
        await bound.lifecycle.deactivate(None)
        assert plugin.calls == []
        plugin.gate.set()
        await call(bound, HookName.OnActivate)
        plugin.fail_on = {"deactivated"}
        assert (await call(bound, HookName.OnDeactivate)).error.message.endswith("deactivated fails")
        await bound.lifecycle.deactivate(None)
        assert plugin.calls.count("deactivated") == 1

    asyncio.run(scenario())


def test_a_hook_that_waits_for_activation_in_vain_fails_as_declared(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        plugin = Recorder()
        bound = BoundPlugin(plugin, RuntimeConfig(hook_timeout_s=0.05))
        assert (await call(bound, HookName.UserWillLogIn)).rejection_reason == ""
        assert plugin.calls == []

    asyncio.run(scenario())
    assert "timed out" in caplog.text


def test_activation_is_served_by_plugins_that_do_not_handle_it() -> None:
    class Plain(Plugin):
        async def user_will_log_in(self, context: PluginContext, user: User) -> Reject:
            return Reject("no")

    async def scenario() -> None:
        bound = BoundPlugin(Plain(), RuntimeConfig())
        assert bound.announced_hooks == ["OnActivate", "OnDeactivate", "UserWillLogIn"]
        assert not (await call(bound, HookName.OnActivate)).HasField("error")
        assert (await call(bound, HookName.UserWillLogIn)).rejection_reason == "no"
        assert not (await call(bound, HookName.OnDeactivate)).HasField("error")

    asyncio.run(scenario())
