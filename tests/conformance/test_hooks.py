"""Every hook over every wire: arguments in, results out. HTTP hooks are in test_http."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from tests.conformance.filled_messages import hook_request
from tests.conformance.hook_cases import CASES, HTTP_HOOKS, Case
from tests.conformance.hosts import WIRES, hosted, recorder_of
from tests.conformance.recorder import STYLES, Style, recorder
from tests.conformance.results import RESULTS
from tests.contract.tables import hooks
from tests.stock.slow_messages import shown

HOOK_COUNT = 51
UNMAPPED = tomllib.loads((Path(__file__).parents[2] / "protos/stock/unmapped.toml").read_text(encoding="utf-8"))[
    "proto"
]

NOT_SET = ("context",)
"""The gRPC host's own."""

every_wire = pytest.mark.parametrize("wire", WIRES)
every_style = pytest.mark.parametrize("style", STYLES)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.hook)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def fields(message: Any) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def test_the_table_has_every_hook_once() -> None:
    names = [case.hook for case in CASES] + list(HTTP_HOOKS)
    assert sorted(names) == sorted(HookName)
    assert set(names) == set(hooks()) - {"Implemented"}
    assert len(names) == HOOK_COUNT


@every_wire
@every_style
def test_the_plugin_names_every_hook(wire: WireName, style: Style) -> None:
    async def scenario() -> None:
        async with hosted(wire, recorder(style), activate=False) as host:
            assert sorted(await host.implemented()) == sorted(HookName)

    run(scenario)


@every_case
def test_a_request_lacks_no_more_than_is_known_on_the_stock_wire(case: Case) -> None:
    request = hook_request("netrpc", case.hook)
    assert lacking(request, case.hook) == []


def lacking(message: Any, path: str) -> list[str]:
    """Paths of fields that are not set, without those that unmapped.toml says do not travel."""
    set_fields = {field.name: value for field, value in message.ListFields()}
    known = UNMAPPED.get(message.DESCRIPTOR.name, {})
    found = [
        f"{path}.{field.name}"
        for field in message.DESCRIPTOR.fields
        if field.name not in set_fields and field.name not in known and field.name not in NOT_SET
    ]
    for field in message.DESCRIPTOR.fields:
        kind = field.message_type
        if field.name not in set_fields or kind is None or not kind.full_name.startswith("mattermost."):
            continue
        value = set_fields[field.name]
        inner = [value]
        if field.is_repeated:
            inner = list(value.values()) if kind.GetOptions().map_entry else list(value)
        for each in filter(is_message, inner):
            found += lacking(each, f"{path}.{field.name}")
    return found


@every_wire
@every_style
@every_case
def test_a_handler_gets_every_argument_unchanged_and_none_changes_nothing(
    wire: WireName, style: Style, case: Case
) -> None:
    request = hook_request(wire, case.hook)

    async def scenario() -> None:
        async with hosted(wire, recorder(style)) as host:
            if case.hook is HookName.OnActivate:
                assert recorder_of(host).called(case.hook) == [[]]
                return
            recorder_of(host).calls.clear()
            response = await host.hook(case.hook, request)
            assert fields(response) == neutral(wire, case.hook, request)
            (found,) = recorder_of(host).called(case.hook)
            assert comparable(found) == comparable([getattr(request, name) for name in case.parameters])

    run(scenario)


def neutral(wire: WireName, hook: HookName, request: Any) -> dict[str, Any]:
    """What a host has when nothing was changed: nothing, but for two structs that are always sent."""
    if wire == "netrpc" and hook is HookName.MessageWillBeUpdated:
        # An empty reply would refuse the edit.
        return {"modified_post": fields(request.new_post)}
    if wire == "netrpc" and hook is HookName.OnSharedChannelsSyncMsg:
        return {"response": {}}
    return {}


def is_message(value: object) -> bool:
    return isinstance(value, Message)


def comparable(value: Any) -> Any:
    """A handler's arguments, with JSON as what it says."""
    if isinstance(value, Message):
        return shown(value)
    return value if isinstance(value, (str, bytes, int)) else [comparable(each) for each in value]


@every_wire
@every_style
@pytest.mark.parametrize("case", [case for case in CASES if case.changed], ids=lambda case: case.hook)
def test_a_result_is_the_reply(wire: WireName, style: Style, case: Case) -> None:
    assert case.changed is not None
    request = hook_request(wire, case.hook)
    expected = case.changed(fields(request))

    async def scenario() -> None:
        async with hosted(wire, recorder(style)) as host:
            recorder_of(host).acts[case.hook] = RESULTS[case.hook]
            response = fields(await host.hook(case.hook, request))
            if wire == "netrpc" and case.hook is HookName.ConfigurationWillBeSaved:
                # It cannot travel without resetting what is off, so it is refused.
                assert list(response) == ["error"]
                assert "cannot take" in response["error"]["message"]
                return
            assert response == expected

    run(scenario)


@every_wire
@every_style
@pytest.mark.parametrize("hook", [case.hook for case in CASES if "actor" in case.parameters])
def test_an_absent_actor_is_none(wire: WireName, style: Style, hook: HookName) -> None:
    request = hook_request(wire, hook)
    request.ClearField("actor")

    async def scenario() -> None:
        async with hosted(wire, recorder(style)) as host:
            assert fields(await host.hook(hook, request)) == {}
            assert recorder_of(host).called(hook)[0][2] is None

    run(scenario)


@every_wire
@every_style
@every_case
def test_an_empty_request_gives_empty_arguments(wire: WireName, style: Style, case: Case) -> None:
    request = ADAPTERS[case.hook].request_type()

    async def scenario() -> None:
        async with hosted(wire, recorder(style)) as host:
            recorder_of(host).calls.clear()
            response = await host.hook(case.hook, request)
            assert "error" not in fields(response)
            (found,) = recorder_of(host).called(case.hook)[:1]
            assert len(found) == len(case.parameters)
            assert not any(value.ListFields() if hasattr(value, "ListFields") else value for value in found)

    run(scenario)
