"""Every method of the plugin API in both clients: its parameters, and what empty answers become.

Calls with every argument and result are in tests/conformance, over both wires.
"""

import asyncio
import inspect
from typing import Any

import pytest

from codegen.naming import snake_case
from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.api.methods import METHODS
from tests.contract.tables import methods, table
from tests.peer.filled import filled
from tests.unit.api_host import argument, call_both, connected

METHOD_COUNT = 258

NULLABLE = {"get_cloud_limits", "get_license", "kv_get", "upload_data"}
"""Methods whose result is None when the field is empty or unset."""

USER_FILTERS = "in_team_id not_in_team_id in_channel_id not_in_channel_id in_group_id"

# Methods that do not have the parameters of the Go method, with those that they have.
OTHER_PARAMETERS = {
    # Go decodes into a variable of the caller's.
    "load_plugin_configuration": "",
    # One struct in Go, whose fields the contract has as parameters.
    "get_users": f"{USER_FILTERS} not_in_group_id group_constrained without_team inactive active role roles "
    "channel_roles team_roles sort page per_page updated_after view_restrictions",
    "search_users": "term team_id not_in_team_id in_channel_id not_in_channel_id in_group_id group_constrained "
    "allow_inactive without_team limit role roles channel_roles team_roles not_in_group_id",
    "plugin_http": "method url headers body header_values",
    # The contract carries something else in the place of the Go type.
    "has_permission_to": "user_id permission_id",
    "has_permission_to_channel": "user_id channel_id permission_id",
    "has_permission_to_team": "user_id team_id permission_id",
    "install_plugin": "file_data replace",
    "save_config": "config_json",
    "upload_data": "upload_session data",
    # The contract spells out, or spells right, what Go abbreviates.
    "create_upload_session": "upload_session",
    "get_direct_channel": "user_id_1 user_id_2",
    "get_file_infos": "page per_page options",
    "get_users_by_ids": "user_ids",
    "log_audit_rec": "record",
    "log_audit_rec_with_level": "record level",
    "publish_plugin_cluster_event": "event opts",
    "receive_shared_channel_attachment_sync_msg": "remote_id channel_id file_info data",
    "set_user_status_timed_dnd": "user_id end_time",
    "share_channel": "shared_channel",
    "update_shared_channel": "shared_channel",
    "update_shared_channel_cursor": "channel_id remote_id cursor",
    "upsert_group_members": "group_id user_ids",
}


def public_methods(client: type) -> dict[str, inspect.Signature]:
    """The methods that call the server, without those that go through the pages of others."""
    found = inspect.getmembers(client, inspect.isfunction)
    return {name: inspect.signature(function) for name, function in found if not name.startswith(("_", "iter_"))}


def parameters(signature: inspect.Signature) -> list[str]:
    return [name for name in signature.parameters if name not in ("self", "timeout")]


@pytest.mark.parametrize("client", [PluginAPI, AsyncPluginAPI])
def test_a_client_has_every_method_with_the_parameters_of_the_go_method(client: type) -> None:
    wanted = {}
    for row in table("api.tsv"):
        go_parameters = [] if row[5] == "-" else [part.partition(":")[0] for part in row[5].split(", ")]
        wanted[snake_case(row[0])] = list(map(snake_case, go_parameters))
    assert len(wanted) == METHOD_COUNT
    for name, others in OTHER_PARAMETERS.items():
        assert wanted[name] != others.split(), f"{name} is no exception"
        wanted[name] = others.split()
    assert {name: parameters(signature) for name, signature in public_methods(client).items()} == wanted


def test_the_clients_differ_by_await_alone() -> None:
    assert public_methods(PluginAPI) == public_methods(AsyncPluginAPI)
    for name in public_methods(PluginAPI):
        assert not inspect.iscoroutinefunction(getattr(PluginAPI, name))
        assert inspect.iscoroutinefunction(getattr(AsyncPluginAPI, name))
        assert getattr(PluginAPI, name).__doc__ == getattr(AsyncPluginAPI, name).__doc__


def test_every_method_takes_a_timeout_by_keyword() -> None:
    for signature in public_methods(PluginAPI).values():
        timeout = signature.parameters["timeout"]
        assert (timeout.kind, timeout.default) == (inspect.Parameter.KEYWORD_ONLY, None)


def test_the_table_says_what_the_contract_says() -> None:
    assert list(METHODS) != []
    assert {name: method.minimum_server_version for name, method in METHODS.items()} == {
        name: method.since for name, method in methods().items()
    }
    for name, method in METHODS.items():
        assert (method.name, method.method) == (name, snake_case(name))
        assert method.path == f"/mattermost.pluginapi.v1.PluginAPI/{name}"
        assert f"Servers have it from {method.minimum_server_version} on." in (
            getattr(PluginAPI, method.method).__doc__ or ""
        )


# Any: requests and responses have no common type with fields.


def expected_result(method: ApiMethod[Any, Any], response: Any) -> Any:
    fields = [field for field in method.response_type.DESCRIPTOR.fields if field.name != "error"]
    values = [argument(response, field) for field in fields]
    if len(values) < 2:
        return values[0] if values else None
    return tuple(values)


def test_empty_answers() -> None:
    async def scenario() -> None:
        async with connected() as (_, api):
            for method in METHODS.values():
                request = filled(method.request_type, "asked")
                arguments = [argument(request, field) for field in method.request_type.DESCRIPTOR.fields]
                expected = expected_result(method, method.response_type()) if has_no_struct(method) else {}
                if method.method in NULLABLE:
                    expected = None
                assert await call_both(api, method.method, *arguments) == [expected, expected], method

    asyncio.run(scenario())


def has_no_struct(method: ApiMethod[Any, Any]) -> bool:
    kinds = [field.message_type for field in method.response_type.DESCRIPTOR.fields]
    return all(kind is None or kind.full_name != "google.protobuf.Struct" for kind in kinds)


def test_defaults() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            await api.aio.get_users_in_team("t")
            await api.aio.get_users_in_channel("c")
            await api.aio.get_users()
            await api.aio.plugin_http("GET", "/other/x")
            in_team, in_channel, users, http = (call.request for call in host.calls)
            assert (in_team.page, in_team.per_page) == (0, 60)
            assert in_channel.sort_by == "username"
            assert users.per_page == 60
            assert not users.HasField("view_restrictions")
            assert (http.body, dict(http.headers), list(http.header_values)) == (b"", {}, [])

    asyncio.run(scenario())


def test_results_with_names() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["GetEmojiImage"] = METHODS["GetEmojiImage"].response_type(image=b"i", content_type="png")
            answer = await api.aio.get_emoji_image("e")
            assert (answer.image, answer.content_type) == (b"i", "png")
            assert type(answer).__name__ == "GetEmojiImageResult"

    asyncio.run(scenario())
