"""Hooks that the stock wire must give up: what a host reads then is what a failure of the hook means.

A stock host takes an error of the protocol for consent, so only a hook whose failure means that may answer with one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest

from mattermost_plugin import HookName
from mattermost_plugin._gob import GobEncodeError
from mattermost_plugin._gob.go_types import INT, UINT64, GoField, GoStruct
from mattermost_plugin._netrpc import EMPTY, ServerConnection
from mattermost_plugin._netrpc.limits import Limits
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._stock import rpc_streams
from mattermost_plugin._stock.rpc_streams import CallRefusedError
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_plugin.config import RuntimeConfig
from mattermost_pluginapi.stock.methods import HOOKS
from mattermost_pluginapi.stock.shapes import struct_map
from tests.conformance.hook_cases import CASES, HTTP_HOOKS, Case
from tests.conformance.hosts import NotAnsweredError, hosted, recorder_of
from tests.conformance.recorder import recorder
from tests.conformance.stock_filled import stock_filled
from tests.conformance.stock_host import StockHost
from tests.stock.stand_in import StandInHost

TOO_MANY = "too many calls are under way"

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.hook)
as_declared = pytest.mark.parametrize("strict", [False, True], ids=["by default", "the other way"])
LATER = [case for case in CASES if case.hook is not HookName.OnActivate]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def stand_in(host: object) -> StandInHost:
    return cast("StockHost", host).stand_in


async def response(host: StandInHost, hook: HookName, value: object, go_type: Any, source: Any = None) -> Any:
    """The response to a hook with a body that may be none of its arguments; a text for an error of the protocol."""
    target = struct_target(HOOKS[hook][1])
    try:
        if source is None:
            return await host.hooks.call(f"Plugin.{hook}", value, go_type, target)
        return await host.hook(hook, value, target, source)
    except CallRefusedError as error:
        return str(error)


def check(case: Case, found: Any, *, strict: bool, reason: str) -> None:
    """A call that was given up is answered as one whose handler has failed."""
    refuses = case.fails != (strict and case.refusal != "none")
    if case.hook is HookName.OnActivate:
        # The host takes an error of the protocol for an active plugin, which this one is not, whatever it declares.
        refuses = True
    if not refuses:
        assert isinstance(found, str)
        assert reason in found
    elif case.refusal == "reason":
        assert "administrator" in found.rejection_reason
    else:
        assert reason in found.error.message


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


@as_declared
@pytest.mark.parametrize("case", LATER, ids=lambda case: case.hook)
def test_arguments_that_are_none(case: Case, strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with hosted("netrpc", recorder("async def", strict=strict)) as host:
            recorder_of(host).calls.clear()
            check(case, await response(stand_in(host), case.hook, 5, INT), strict=strict, reason="cannot use")
            assert recorder_of(host).called(case.hook) == []
            # The stream is as good as before.
            assert len(await host.implemented()) == len(HookName)

    run(scenario)
    assert any(f"Plugin.{case.hook} cannot be used" in line for line in failures(caplog))


def narrow_field(name: str) -> str:
    """The first field of an argument for which the contract has 32 bits and Go 64, as "argument.field"; "" for none."""
    for argument in struct_map(name).fields:
        if argument.conversion != "message":
            continue
        descriptor = stock_filled(argument.detail, "").DESCRIPTOR
        for field in struct_map(argument.detail).fields:
            # int32, by its number in descriptors.
            if field.conversion == "scalar" and descriptor.fields_by_name[field.field].cpp_type == 1:
                return f"{argument.go}.{field.go}"
    return ""


NARROW = [case for case in LATER if narrow_field(HOOKS[case.hook][0])]


@pytest.mark.parametrize("case", NARROW, ids=lambda case: case.hook)
def test_a_number_that_the_contract_has_no_room_for(case: Case) -> None:
    argument, _, field = narrow_field(HOOKS[case.hook][0]).partition(".")

    async def scenario() -> None:
        async with hosted("netrpc", recorder("async def", strict=not case.fails)) as host:
            try:
                found = await stand_in(host).hook(
                    case.hook, {argument: {field: 2**40}}, struct_target(HOOKS[case.hook][1])
                )
            except CallRefusedError as error:
                found = str(error)
            check(case, found, strict=not case.fails, reason="cannot use")
            assert recorder_of(host).called(case.hook) == []

    run(scenario)


def test_there_are_such_numbers() -> None:
    assert len(NARROW) >= 3


@as_declared
@every_case
def test_too_many_calls(case: Case, strict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_streams, "ServerConnection", partial(ServerConnection, limits=Limits(open_calls=1)))
    reached = asyncio.Event()

    async def hold() -> None:
        reached.set()
        await asyncio.Event().wait()

    async def scenario() -> None:
        is_first = case.hook is HookName.OnActivate
        config = RuntimeConfig(drain_s=0)
        async with hosted("netrpc", recorder("async def", strict=strict), config, activate=False) as host:
            if is_first:
                # Waits for the activation.
                held = asyncio.create_task(
                    host.hook(HookName.UserHasLoggedIn, stock_filled("plugin.Z_UserHasLoggedInArgs", ""))
                )
                await stand_in(host).control.call("Control.Ping", EMPTY, EMPTY_TYPE)
            else:
                assert await stand_in(host).activate() == ""
                other = HookName.ChannelHasBeenCreated
                recorder_of(host).acts[other] = lambda *_: hold()
                held = asyncio.create_task(host.hook(other, stock_filled(HOOKS[other][0], "")))
                await reached.wait()
            request = stock_filled(HOOKS[case.hook][0], "asked")
            found = await response(stand_in(host), case.hook, request, None, struct_source(HOOKS[case.hook][0]))
            check(case, found, strict=strict, reason=TOO_MANY)
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)

    run(scenario)


def refuse_once(monkeypatch: pytest.MonkeyPatch, hook: HookName) -> None:
    """Let the first reply to a hook be one that cannot be sent."""
    refused: list[object] = []
    reply = ServerConnection.reply

    def refuse(self: ServerConnection, call: Any, *arguments: Any) -> None:
        if call.method == f"Plugin.{hook}" and not refused:
            refused.append(call)
            raise GobEncodeError("something that does not fit")
        reply(self, call, *arguments)

    monkeypatch.setattr(ServerConnection, "reply", refuse)


@as_declared
@every_case
def test_a_reply_that_cannot_be_sent(case: Case, strict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    request = stock_filled(HOOKS[case.hook][0], "asked")

    async def scenario() -> None:
        async with hosted(
            "netrpc", recorder("async def", strict=strict), activate=case.hook is not HookName.OnActivate
        ) as host:
            refuse_once(monkeypatch, case.hook)
            try:
                found: Any = await host.hook(case.hook, request)
            except NotAnsweredError as error:
                found = str(error)
            check(case, found, strict=strict, reason="cannot be sent")
            assert len(recorder_of(host).called(case.hook)) == 1 + (case.hook is HookName.OnConfigurationChange)
            assert len(await host.implemented()) == len(HookName)

    run(scenario)


@pytest.mark.parametrize("hook", HTTP_HOOKS)
def test_http_requests_are_answered_with_an_error_of_the_protocol(hook: HookName) -> None:
    async def scenario() -> None:
        async with hosted("netrpc", recorder("async def")) as host:
            with pytest.raises(CallRefusedError):
                await stand_in(host).hooks.call(f"Plugin.{hook}", 5, INT)

    run(scenario)


@as_declared
def test_an_activation_with_a_number_that_no_stream_has_fails(strict: bool) -> None:
    wide = GoStruct("Z_OnActivateArgs", (GoField("APIMuxId", UINT64), GoField("DriverMuxId", UINT64)))

    async def scenario() -> None:
        async with hosted("netrpc", recorder("async def", strict=strict), activate=False) as host:
            numbers = {"APIMuxId": 2**40, "DriverMuxId": 2**40}
            found = await response(stand_in(host), HookName.OnActivate, numbers, wide)
            assert found.error.message
            assert not host.server.is_active

    run(scenario)
