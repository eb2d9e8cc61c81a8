"""Arguments that cannot travel: refused before anything is sent, with the parameter's name and without its value."""

import asyncio
import inspect
import math
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.api import InvalidArgumentError
from mattermost_plugin.models import AppError, Team, User
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.api.values import to_dict, to_struct
from mattermost_pluginapi.v1.api_user_pb2 import GetUserResponse
from tests.peer.filled import filled
from tests.unit.api_host import argument, call_both, connected

NULLABLE_METHODS = {
    "GetFileInfos",
    "GetGroups",
    "GetUsers",
    "KVSetWithOptions",
    "PluginHTTP",
    "PublishPluginClusterEvent",
    "SendToastMessage",
}
"""Those with a parameter that may be None."""

BAD_TEXT = "secret \ud800"
UTF8 = "must be text that UTF-8 can hold, without lone surrogates"

CASES: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("get_user", {"user_id": BAD_TEXT}, ValueError, f"get_user: user_id {UTF8}"),
    ("get_user", {"user_id": b"secret \xff"}, ValueError, f"get_user: user_id {UTF8}"),
    ("get_user", {"user_id": 5}, TypeError, "get_user: user_id must be str, not int"),
    ("kv_set", {"key": "k", "value": "secret"}, TypeError, "kv_set: value must be bytes, not str"),
    (
        "get_users_by_ids",
        {"user_ids": "secret"},
        TypeError,
        "get_users_by_ids: user_ids must be a sequence, not str",
    ),
    ("get_users_by_ids", {"user_ids": ["a", BAD_TEXT]}, ValueError, f"get_users_by_ids: user_ids {UTF8}"),
    (
        "get_users_by_ids",
        {"user_ids": [7]},
        TypeError,
        "get_users_by_ids: user_ids must be a sequence of str, not list",
    ),
    ("kv_list", {"page": 2**31}, ValueError, "kv_list: page is out of range"),
    ("kv_list", {"per_page": 1.5}, TypeError, "kv_list: per_page must be int, not float"),
    (
        "update_user_active",
        {"user_id": "u", "active": "no"},
        TypeError,
        "update_user_active: active must be bool, not str",
    ),
    ("create_user", {"user": Team()}, TypeError, "create_user: user must be User, not Team"),
    ("create_user", {"user": {"secret": 1}}, TypeError, "create_user: user must be User, not dict"),
    ("kv_set", {"key": "k", "value": None}, TypeError, "kv_set: value must be bytes, not None"),
    (
        "get_users_by_ids",
        {"user_ids": None},
        TypeError,
        "get_users_by_ids: user_ids must be a sequence of str, not None",
    ),
    (
        "update_channel_member_notifications",
        {"channel_id": "c", "user_id": "u", "notifications": {"desktop": 1}},
        TypeError,
        "update_channel_member_notifications: notifications must be a mapping of str to str, not dict",
    ),
    ("save_plugin_config", {"config": [1]}, TypeError, "config must be a mapping, not list"),
    ("save_plugin_config", {"config": {"a": {1}}}, TypeError, "config['a'] must be a JSON value, not set"),
    ("save_plugin_config", {"config": {1: "a"}}, TypeError, "the keys of config must be str, not int"),
    ("save_plugin_config", {"config": {"a": [BAD_TEXT]}}, ValueError, f"config['a'][0] {UTF8}"),
    ("save_plugin_config", {"config": {"b": {"a": math.nan}}}, ValueError, "config['b']['a'] must be a finite number"),
    ("save_plugin_config", {"config": {"a": 10**400}}, ValueError, "config['a'] must be a finite number"),
]


@pytest.mark.parametrize(("method", "arguments", "kind", "text"), CASES, ids=[case[3] for case in CASES])
def test_a_bad_argument_is_named(method: str, arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            for raised in await call_both(api, method, **arguments):
                assert isinstance(raised, kind)
                assert str(raised) == text
                assert "secret" not in str(raised)
                assert raised.__cause__ is None
                assert raised.__context__ is None
            assert host.calls == []

    asyncio.run(scenario())


def test_none_is_taken_only_where_it_is_the_default() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            for name, method in ((method.method, method) for method in METHODS.values()):
                request = filled(method.request_type, "asked")
                arguments = {field.name: argument(request, field) for field in method.request_type.DESCRIPTOR.fields}
                parameters = inspect.signature(getattr(api, name)).parameters
                assert set(method.nullable) == {n for n in arguments if parameters[n].default is None}
                for without in arguments:
                    for outcome in await call_both(api, name, **{**arguments, without: None}):
                        if without in method.nullable:
                            assert not isinstance(outcome, Exception)
                        else:
                            assert isinstance(outcome, TypeError)
                            assert f"{without} must be " in str(outcome)
                            assert ", not None" in str(outcome)
            assert all(call.name in NULLABLE_METHODS for call in host.calls)

    asyncio.run(scenario())


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf, -math.inf, True, "5", 1j])
def test_a_timeout_must_be_a_time(timeout: Any) -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            for raised in await call_both(api, "get_user", "u", timeout=timeout):
                assert isinstance(raised, ValueError)
                assert str(raised) == "get_user: timeout must be a number of seconds above 0"
            assert host.calls == []

    asyncio.run(scenario())


def test_a_missing_argument_is_pythons_own_error() -> None:
    async def scenario() -> None:
        async with connected() as (_, api):
            for raised in await call_both(api, "get_user"):
                assert isinstance(raised, TypeError)
                assert "missing 1 required positional argument: 'user_id'" in str(raised)

    asyncio.run(scenario())


def test_json_values_come_back_as_they_were() -> None:
    value = {
        "null": None,
        "bool": True,
        "int": -3,
        "large": 2**53,
        "float": 0.5,
        "text": "é\U0001f600",
        "list": [1, [2], {"a": {}}, []],
        "map": {"deep": {"deeper": "x"}},
    }
    assert to_dict(to_struct("value", value)) == value
    assert isinstance(to_dict(to_struct("value", {"n": 1}))["n"], int)


def test_tuples_and_structs_are_taken_too() -> None:
    struct = Struct()
    struct.update({"a": [1, {"b": "c"}]})
    assert to_struct("value", struct) is struct
    nested = {"inner": struct, "list": struct["a"], "tuple": (1, 2)}
    expected = {"inner": {"a": [1, {"b": "c"}]}, "list": [1, {"b": "c"}], "tuple": [1, 2]}
    assert to_dict(to_struct("value", nested)) == expected


def test_nesting_has_an_end() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    with pytest.raises(ValueError, match="value must not be nested deeper than 30 levels"):
        to_struct("value", endless)


def test_the_deepest_nesting_can_be_read_back() -> None:
    value: dict[str, object] = {"x": 1}
    for _ in range(29):
        value = {"x": value}
    assert to_dict(Struct.FromString(to_struct("value", value).SerializeToString())) == value


def nested(levels: int) -> Struct:
    """A Struct with others in it; each level is three messages deep, and protobuf takes 100."""
    outermost = Struct()
    innermost = outermost
    for _ in range(levels):
        innermost = innermost.fields["secret"].struct_value
    return outermost


def test_a_struct_that_protobuf_cannot_send() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            for raised in await call_both(api, "save_plugin_config", nested(34)):
                assert isinstance(raised, ValueError)
                assert str(raised) == "save_plugin_config: config is nested too deep to be sent"
                assert raised.__cause__ is None
                assert raised.__context__ is None
            assert host.calls == []
            assert await call_both(api, "save_plugin_config", nested(32)) == [None, None]
            assert [call.request.config for call in host.calls] == [nested(32)] * 2

    asyncio.run(scenario())


ODD_IDS = ["", " ", "x" * 10_000, "../../etc/passwd", "a\0b", "\n", "é✓\U0001f600", "UPPERCASE%20", "me"]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_ids_of_any_shape_travel_as_they_are_and_the_server_judges_them(odd: str) -> None:
    refused = AppError(id="api.context.invalid_url_param.app_error", message="Invalid id.", status_code=400)

    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["GetUser"] = GetUserResponse(error=refused)
            for raised in await call_both(api, "get_user", odd):
                assert isinstance(raised, InvalidArgumentError)
            assert [call.request.user_id for call in host.calls] == [odd, odd]

    asyncio.run(scenario())


def test_messages_are_sent_as_they_are_and_not_kept() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            user = User(username="ann")
            await api.aio.create_user(user)
            user.username = "bob"
            assert host.calls[0].request.user.username == "ann"

    asyncio.run(scenario())
