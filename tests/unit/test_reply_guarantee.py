"""A reply comes in time whatever a handler does with its cancellation, with the host's patience, or at the end."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from mattermost_plugin import HookName, Plugin, Reject, hook
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._lifecycle import State
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext, RemoteCluster, User
from mattermost_pluginapi.hooks.adapters import ADAPTERS


async def call(bound: BoundPlugin, name: HookName, patience_s: float | None = None) -> Any:
    return await bound.unary[name].reply(ADAPTERS[name].request_type(), patience_s)


class Stubborn(Plugin):
    """Handlers that go on after they were cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.ended = asyncio.Event()

    @hook(HookName.UserWillLogIn, on_error="reject", timeout=0.05)
    async def swallow(self, context: PluginContext, user: User) -> Reject | None:
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue
        self.ended.set()
        raise RuntimeError("too late")

    @hook(HookName.ExecuteCommand, timeout=0.05)
    async def clean_up_slowly(self, context: PluginContext, args: CommandArgs) -> CommandResponse | None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.release.wait()
        return None


@pytest.mark.parametrize("name", [HookName.UserWillLogIn, HookName.ExecuteCommand])
def test_a_handler_that_goes_on_after_its_cancellation_does_not_keep_the_reply(
    name: HookName, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> Any:
        plugin = Stubborn()
        bound = BoundPlugin(plugin, RuntimeConfig())
        await bound.lifecycle.activate(None)
        response = await call(bound, name)
        assert "goes on though it was cancelled" in str(_notes(caplog))
        plugin.release.set()
        if name is HookName.UserWillLogIn:
            await plugin.ended.wait()
        await asyncio.sleep(0)
        return response

    response = asyncio.run(scenario())
    if name is HookName.UserWillLogIn:
        assert "administrator" in response.rejection_reason
        assert "failed after its reply" in caplog.text
    else:
        assert "did not finish within 0.05 s" in response.error.message


def _notes(caplog: pytest.LogCaptureFixture) -> list[str]:
    errors = [record.exc_info[1] for record in caplog.records if record.exc_info]
    return [note for error in errors for note in getattr(error, "__notes__", [])]


class Sluggish(Plugin):
    """Every step takes as long as it is let."""

    async def on_configuration_change(self) -> None:
        await asyncio.Event().wait()

    async def on_activate(self) -> None:
        await asyncio.Event().wait()


def test_all_steps_of_an_activation_share_the_hosts_patience() -> None:
    async def scenario() -> Any:
        bound = BoundPlugin(Sluggish(), RuntimeConfig())
        async with asyncio.timeout(20):
            return await call(bound, HookName.OnActivate, 0.5)

    response = asyncio.run(scenario())
    assert "on_activate timed out" in response.error.message


def test_a_coroutine_from_a_thread_gets_only_what_is_left_of_the_time() -> None:
    class Mixed(Plugin):
        @hook(HookName.OnSharedChannelsPing, timeout=0.2)
        def ping(self, remote_cluster: RemoteCluster) -> Any:
            threading.Event().wait(0.15)
            return asyncio.Event().wait()

    async def scenario() -> Any:
        bound = BoundPlugin(Mixed(), RuntimeConfig())
        await bound.lifecycle.activate(None)
        return await call(bound, HookName.OnSharedChannelsPing)

    assert not asyncio.run(scenario()).healthy


class Guard(Plugin):
    """Strict hooks, of a plugin that may not be active."""

    activation_fails = True

    async def on_activate(self) -> None:
        if self.activation_fails:
            raise RuntimeError("no")

    @hook(HookName.UserWillLogIn, on_error="reject")
    async def login(self, context: PluginContext, user: User) -> None:
        await asyncio.Event().wait()

    @hook(HookName.OnSAMLLogin)
    async def saml_login(self, context: PluginContext, user: User, assertion: object) -> None:
        return None


@pytest.mark.parametrize("end", ["never active", "deactivated"])
def test_an_inactive_plugin_answers_what_its_hooks_say_of_failures(end: str) -> None:
    async def scenario() -> tuple[Any, Any]:
        plugin = Guard()
        plugin.activation_fails = end == "never active"
        bound = BoundPlugin(plugin, RuntimeConfig())
        await call(bound, HookName.OnActivate)
        if end == "deactivated":
            await call(bound, HookName.OnDeactivate)
        return await call(bound, HookName.UserWillLogIn), await call(bound, HookName.OnSAMLLogin)

    login, saml = asyncio.run(scenario())
    assert "administrator" in login.rejection_reason
    assert "not active" in saml.error.message


def test_a_call_that_the_end_cuts_short_is_answered() -> None:
    async def scenario() -> Any:
        plugin = Guard()
        plugin.activation_fails = False
        bound = BoundPlugin(plugin, RuntimeConfig())
        await bound.lifecycle.activate(None)
        login = asyncio.create_task(call(bound, HookName.UserWillLogIn))
        await asyncio.sleep(0)
        await bound.calls.finish(0.05)
        return await login

    assert "administrator" in asyncio.run(scenario()).rejection_reason


def test_finishing_waits_for_calls_that_end_by_themselves() -> None:
    class Quick(Plugin):
        async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
            await asyncio.sleep(0)
            return CommandResponse(text="done")

    async def scenario() -> Any:
        bound = BoundPlugin(Quick(), RuntimeConfig())
        await bound.lifecycle.activate(None)
        command = asyncio.create_task(call(bound, HookName.ExecuteCommand))
        await asyncio.sleep(0)
        await bound.calls.finish(20)
        return await command

    assert asyncio.run(scenario()).response.text == "done"


def test_a_plugin_deactivated_during_its_activation_winds_down_and_stays_so() -> None:
    class Slow(Plugin):
        def __init__(self) -> None:
            super().__init__()
            self.began, self.go_on = asyncio.Event(), asyncio.Event()
            self.deactivations = 0

        async def on_activate(self) -> None:
            self.began.set()
            await self.go_on.wait()

        async def on_deactivate(self) -> None:
            self.deactivations += 1

    async def scenario() -> None:
        plugin = Slow()
        bound = BoundPlugin(plugin, RuntimeConfig())
        activation = asyncio.create_task(call(bound, HookName.OnActivate))
        await plugin.began.wait()
        await bound.lifecycle.deactivate(None)
        plugin.go_on.set()
        assert "deactivated while" in (await activation).error.message
        assert bound.lifecycle.state is State.DEACTIVATED
        assert plugin.deactivations == 1

    asyncio.run(scenario())


def test_a_system_without_threads_fails_one_call_and_not_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(Plugin):
        def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
            return CommandResponse(text="ran")

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> None:
        bound = BoundPlugin(Plain(), RuntimeConfig(workers=1))
        await bound.lifecycle.activate(None)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            assert "can't start new thread" in (await call(bound, HookName.ExecuteCommand)).error.message
        assert (await call(bound, HookName.ExecuteCommand)).response.text == "ran"

    asyncio.run(scenario())


@pytest.mark.parametrize("signature", ["none", "config", "dataclass"])
def test_a_plugin_is_made_whatever_its_constructor_takes(signature: str) -> None:
    from dataclasses import dataclass

    class WithoutSettings(Plugin):
        def __init__(self) -> None:
            super().__init__()
            self.number = 1

    class WithSettings(Plugin):
        def __init__(self, config: RuntimeConfig | None = None) -> None:
            super().__init__(config=config)

    @dataclass
    class Data(Plugin):
        number: int = 1

    classes: dict[str, type[Plugin]] = {"none": WithoutSettings, "config": WithSettings, "dataclass": Data}
    config = RuntimeConfig(workers=3)
    plugin = classes[signature].create(config)
    assert plugin.config is config
    assert plugin.logger.isEnabledFor(logging.ERROR)
