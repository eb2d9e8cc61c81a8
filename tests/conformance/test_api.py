"""Every method of the plugin API over every wire, from coroutines and from threads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.api import (
    NotImplementedByServerError,
    PluginAPIError,
)
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.stock.methods import API_METHODS
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.conformance.api_values import call_arguments, comparable, result
from tests.conformance.filled_messages import api_request, api_response
from tests.conformance.hosts import WIRES, Host, hosted
from tests.conformance.server_api import ServerApi
from tests.unit.api_errors import BY_STATUS
from tests.unit.api_host import call_both

METHOD_COUNT = 258

BY_HAND = "PluginHTTP"
"""Has a stock server's streams in place of its structs."""

LACKING = {
    "grpc": set[str](),
    # Newer than the list of Go's structs.
    "netrpc": set(METHODS) - set(API_METHODS) - {BY_HAND} | {"SaveConfig"},
}
"""Methods that a wire lacks; a configuration cannot travel to a stock server without resetting what is off."""

CARRIED: list[tuple[WireName, str]] = [(wire, name) for name in METHODS for wire in WIRES if name not in LACKING[wire]]

every_wire = pytest.mark.parametrize("wire", WIRES)
every_method = pytest.mark.parametrize(("wire", "name"), CARRIED)


class Idle(Plugin):
    """Leaves the calls to its tests."""


# Any: requests and responses have no common type with fields.


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


async def called(host: Host, name: str, request: Any) -> list[Any]:
    """The outcomes in a thread and in a coroutine."""
    return await call_both(cast("Any", host.server.plugin.api), METHODS[name].method, **call_arguments(request))


def test_the_wires_have_every_method() -> None:
    assert len(METHODS) == METHOD_COUNT
    assert len([name for wire, name in CARRIED if wire == "grpc"]) == METHOD_COUNT
    assert len([name for wire, name in CARRIED if wire == "netrpc"]) == len(API_METHODS)


@every_method
def test_a_call_carries_every_argument_and_brings_every_result(wire: WireName, name: str) -> None:
    request, response = api_request(wire, name), api_response(wire, name)
    api = ServerApi({name: response})

    async def scenario() -> None:
        async with hosted(wire, Idle, api=api) as host:
            expected = result(response)
            for found in await called(host, name, request):
                assert comparable(found) == comparable(expected)

    run(scenario)
    assert [called_name for called_name, _ in api.calls] == [name, name]
    for _, asked in api.calls:
        for field in METHODS[name].request_type.DESCRIPTOR.fields:
            assert getattr(asked, field.name) == getattr(as_sent(wire, name, request), field.name), field.name


def as_sent(wire: WireName, name: str, request: Any) -> Any:
    """What of a request a host has."""
    if wire == "grpc" or name != BY_HAND:
        return request
    sent = type(request)()
    sent.CopyFrom(request)
    # To a stock server there is one way to say a header.
    sent.ClearField("headers")
    sent.ClearField("header_values")
    sent.header_values.add(key="X-One", values=["1"])
    sent.header_values.add(key="X-Many", values=["1", "2"])
    return sent


def carries_errors(wire: WireName, name: str) -> bool:
    """Whether a response can say that the call failed: on the stock wire only where the Go method can."""
    if wire == "grpc":
        return True
    return name in API_METHODS and any(field == "error" for _, field, _, _ in STRUCTS[API_METHODS[name][1]][2])


def failed(method: ApiMethod[Any, Any], status: int) -> Any:
    """The response of a method that has failed."""
    response: Any = method.response_type()
    error = response.error
    error.id, error.message, error.detailed_error = "app.gone", "Gone.", "row 7"
    error.where, error.request_id, error.status_code = "App.Get", "r1", status
    return response


def check_raised(raised: object, method: ApiMethod[Any, Any], status: int) -> None:
    assert type(raised) is BY_STATUS[status], raised
    assert isinstance(raised, PluginAPIError)
    assert (raised.method, raised.id, raised.message) == (method.method, "app.gone", "Gone.")
    assert (raised.detailed_error, raised.where, raised.request_id) == ("row 7", "App.Get", "r1")
    assert raised.status_code == status
    assert raised.params == {}


@pytest.mark.parametrize(
    ("wire", "name"), [(wire, name) for wire, name in CARRIED if carries_errors(wire, name) and name != BY_HAND]
)
def test_an_error_of_the_server_is_the_same_exception(wire: WireName, name: str) -> None:
    method = METHODS[name]
    api = ServerApi({name: failed(method, 404)})

    async def scenario() -> None:
        async with hosted(wire, Idle, api=api) as host:
            for raised in await called(host, name, api_request(wire, name)):
                check_raised(raised, method, 404)

    run(scenario)


@every_wire
@pytest.mark.parametrize("name", ["GetUser", "KVSetWithOptions", "CreatePropertyField"])
def test_the_status_chooses_the_exception(wire: WireName, name: str) -> None:
    method = METHODS[name]
    api = ServerApi()

    async def scenario() -> None:
        async with hosted(wire, Idle, api=api) as host:
            for status in BY_STATUS:
                api.answers[name] = failed(method, status)
                for raised in await called(host, name, api_request(wire, name)):
                    check_raised(raised, method, status)

    run(scenario)


@every_wire
def test_a_method_that_the_server_lacks_says_so(wire: WireName) -> None:
    async def scenario() -> None:
        async with hosted(wire, Idle, api=ServerApi(has_methods=False)) as host:
            for name, method in METHODS.items():
                if name in LACKING[wire]:
                    continue
                for raised in await called(host, name, api_request(wire, name)):
                    assert type(raised) is NotImplementedByServerError, (name, raised)
                    assert raised.minimum_server_version == method.minimum_server_version

    run(scenario)


def test_a_method_that_the_stock_wire_lacks_says_so_and_is_not_sent() -> None:
    api = ServerApi()

    async def scenario() -> None:
        async with hosted("netrpc", Idle, api=api) as host:
            for name in LACKING["netrpc"]:
                for raised in await called(host, name, api_request("grpc", name)):
                    assert type(raised) is NotImplementedByServerError, (name, raised)

    run(scenario)
    assert api.calls == []
