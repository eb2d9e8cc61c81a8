"""The proto files of the plugin API against the contract's tables, number by number.

`tests/contract/grpc.tsv` and `api.tsv` are facts about the hosts: what they say must be in the protos exactly; what
the protos add to it must keep out of the contract's numbers.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from mattermost_pluginapi import options_pb2
from tests.contract.compiled import PACKAGE, PROTOS, Compiled, commented, compile_protos
from tests.contract.tables import FIRST_ADDED_NUMBER, Api, Field, contract, differences, methods, table

SERVICE = "PluginAPI"
METHOD_COUNT = 258
CONTRACT_RPC_COUNT = 236
CONTRACT_MESSAGE_COUNT = 542
MESSAGE_COUNT = 621
ADDED_FIELD_COUNT = 108
REPEATABLE_COUNT = 141
CONTRACT_ENUMS = {"ChannelType", "TeamType"}

ADDED_RPCS = {
    "CheckAccessControlExpression",
    "DeleteAccessControlPolicy",
    "DeletePropertyValueWithOptions",
    "DeletePropertyValuesForFieldWithOptions",
    "DeletePropertyValuesForTargetWithOptions",
    "EvaluateAccessControl",
    "GetAccessControlFieldsAutocomplete",
    "GetAccessControlPolicy",
    "GetAccessControlVisualAST",
    "GetChannelOfType",
    "QueryUsersForAccessControlExpression",
    "ReceiveSharedChannelAttachmentSyncMsg",
    "ReceiveSharedChannelProfileImageSyncMsg",
    "ReceiveSharedChannelSyncMsg",
    "RegisterChannelGuard",
    "RestoreChannel",
    "SaveAccessControlPolicy",
    "SendToastMessage",
    "UnregisterChannelGuard",
    "UnregisterPluginRemoteForSharedChannels",
    "UpsertPropertyValueWithOptions",
    "UpsertPropertyValuesWithOptions",
}

# Whoever gets hold of one of these can act with it, or finds such a value inside of it.
SECRETS = {
    "Command.token",
    "CommandArgs.trigger_id",
    "CommandResponse.trigger_id",
    "GetConfigResponse.config_json",
    "GetFileLinkResponse.link",
    "GetLicenseResponse.license_json",
    "GetPluginConfigResponse.config",
    "GetUnsanitizedConfigResponse.config_json",
    "HTTPHeader.values",
    "LoadPluginConfigurationResponse.config_json",
    "OAuthApp.client_secret",
    "OpenDialogRequest.trigger_id",
    "PluginHTTPRequest.headers",
    "PluginHTTPRequest.url",
    "PluginHTTPResponse.headers",
    "PostAction.cookie",
    "PushNotification.signature",
    "SaveConfigRequest.config_json",
    "SavePluginConfigRequest.config",
    "Session.token",
    "Team.invite_id",
    "User.auth_data",
    "User.mfa_secret",
    "User.password",
    "UserAccessToken.token",
    "UserAuth.auth_data",
}

# Writing that leaves the server as it was after the first time, and answers the same again. Not among them: what the
# server itself moves on in between (UpdateSharedChannelCursor), and what is the same again only if the caller chose an
# id (ReceiveSharedChannelAttachmentSyncMsg).
REPEATABLE_WRITES = {
    "CreateDefaultSyncableMemberships",
    "DeleteGroupConstrainedMemberships",
    "DeletePropertyValuesForField",
    "DeletePropertyValuesForFieldWithOptions",
    "DeletePropertyValuesForTarget",
    "DeletePropertyValuesForTargetWithOptions",
    "EnsureBotUser",
    "ExtendSessionExpiry",
    "KVDelete",
    "KVDeleteAll",
    "KVSet",
    "KVSetWithExpiry",
    "RegisterChannelGuard",
    "RegisterCommand",
    "RegisterPluginForSharedChannels",
    "RegisterPropertyGroup",
    "SetFileSearchableContent",
    "SyncSharedChannel",
    "UnregisterCommand",
    "UpdateCommand",
    "UpdateOAuthApp",
    "UpdateUserAuth",
    "UpsertPropertyValue",
    "UpsertPropertyValueWithOptions",
    "UpsertPropertyValues",
    "UpsertPropertyValuesWithOptions",
}

READING = re.compile("(Check|Count|Evaluate|Get|Has|Is|KVGet|KVList|List|Load|Query|Read|RolesGrant|Search)")

MAX_LINE = 110


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compile_protos(tmp_path_factory.mktemp("descriptors") / "contract.binpb")


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    return table("grpc.tsv")


@pytest.fixture(scope="module")
def api(compiled: Compiled) -> Api:
    return compiled.api(SERVICE)


def test_counts(api: Api, rows: list[list[str]]) -> None:
    expected = contract(rows, SERVICE)
    assert len(expected.rpcs) == CONTRACT_RPC_COUNT
    assert len(expected.messages) == CONTRACT_MESSAGE_COUNT
    assert set(expected.enums) == CONTRACT_ENUMS
    assert len(methods()) == METHOD_COUNT
    assert len(api.rpcs) == METHOD_COUNT
    assert len(api.messages) == MESSAGE_COUNT


def test_contract_is_kept_number_by_number(api: Api, rows: list[list[str]]) -> None:
    assert differences(contract(rows, SERVICE), api) == []


def test_additions_keep_out_of_the_contracts_numbers(api: Api, rows: list[list[str]]) -> None:
    expected = contract(rows, SERVICE)
    known = {(name, field.name) for name, fields in expected.messages.items() for field in fields}
    added = [f for name in expected.messages for f in api.messages[name] if (name, f.name) not in known]
    assert len(added) == ADDED_FIELD_COUNT
    assert min(field.number for field in added) == FIRST_ADDED_NUMBER


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        pytest.param(["field", "Session", "token"], 3, "3", id="number of a field"),
        pytest.param(["field", "KVGetResponse", "value"], 4, "single string", id="type of a field"),
        pytest.param(["field", "UserAuth", "auth_data"], 4, "single string", id="presence of a field"),
        pytest.param(["field", "PostList", "posts"], 4, "map map<string,User>", id="type of a map"),
        pytest.param(["field", "OAuthApp", "mattermostAppId"], 2, "mattermost_app_id", id="name of a field"),
        pytest.param(["enum", "TeamType", "TEAM_TYPE_INVITE"], 3, "3", id="number of an enum value"),
        pytest.param(["rpc", SERVICE, "GetUser"], 3, "GetTeamRequest", id="request of an rpc"),
        pytest.param(["rpc", SERVICE, "UploadData"], 3, "stream UploadDataRequest", id="streaming of an rpc"),
        pytest.param(["rpc", SERVICE, "GetUser"], 2, "ReadUser", id="name of an rpc"),
    ],
)
def test_comparison_notices_a_changed_row(
    api: Api, rows: list[list[str]], row: list[str], column: int, value: str
) -> None:
    changed = [[*r] for r in rows]
    (target,) = (r for r in changed if r[:3] == row)
    assert target[column] != value
    target[column] = value
    assert differences(contract(changed, SERVICE), api) != []


def test_every_method_has_an_rpc_and_nothing_else_has(api: Api) -> None:
    assert set(api.rpcs) == set(methods())
    assert {method.name for method in methods().values() if not method.in_contract} == ADDED_RPCS


def test_every_rpc_says_its_version(compiled: Compiled) -> None:
    options = compiled.api_options()
    assert {name: option.minimum_server_version for name, option in options.items()} == {
        method.name: method.since for method in methods().values()
    }
    # Every rpc has the name of its Go method.
    assert {option.go_name for option in options.values()} == {""}


def test_only_reading_and_writing_that_changes_nothing_more_is_repeatable(compiled: Compiled) -> None:
    repeatable = {name for name, option in compiled.api_options().items() if option.repeatable}
    reading = {name for name in methods() if READING.match(name)}
    assert repeatable == reading | REPEATABLE_WRITES
    assert not reading & REPEATABLE_WRITES
    assert len(repeatable) == REPEATABLE_COUNT


def test_rpcs_have_messages_of_their_own_name(api: Api) -> None:
    for name, rpc in api.rpcs.items():
        assert (rpc.request, rpc.response) == (f"{name}Request", f"{name}Response")


def test_requests_take_parameters_and_responses_begin_with_the_error(api: Api) -> None:
    for name, rpc in api.rpcs.items():
        numbers = [field.number for field in api.messages[rpc.request] if field.number < FIRST_ADDED_NUMBER]
        assert numbers == list(range(1, len(numbers) + 1)), name
        # Unlike the hooks' requests, those of the contract's API begin with the first parameter.
        assert "context" not in {field.name for field in api.messages[rpc.request]}, name
        fields = [field for field in api.messages[rpc.response] if field.number < FIRST_ADDED_NUMBER]
        assert fields[0] == Field("error", 1, "single AppError"), name
        assert [field.number for field in fields] == list(range(1, len(fields) + 1)), name


def test_no_message_is_there_for_nothing(api: Api) -> None:
    assert set(api.reached().messages) == set(api.messages)
    assert set(api.reached().enums) == set(api.enums)


def test_secrets(compiled: Compiled) -> None:
    options = compiled.field_options(SERVICE)
    assert {name for name, option in options.items() if option.secret} == SECRETS


def test_defaults_fit_their_fields_and_come_last(compiled: Compiled, api: Api) -> None:
    requests = {rpc.request for rpc in api.rpcs.values()}
    seen: dict[str, str] = {}
    for message, fields in _fields_of_messages(compiled):
        has_default = [default != "" for _, default in fields]
        assert message in requests or not any(has_default), message
        assert has_default == sorted(has_default), message
        for field, default in fields:
            if default:
                assert _fits(field, default), f"{message}.{field.name} = {default}"
                seen[f"{message}.{field.name}"] = default
    assert {default for name, default in seen.items() if name.endswith(".page")} == {"0"}
    assert {default for name, default in seen.items() if name.endswith(".per_page")} == {"60"}
    paged = {f"{name}.{f.name}" for name in requests for f in api.messages[name] if f.name in {"page", "per_page"}}
    assert paged <= set(seen)


def _fields_of_messages(compiled: Compiled) -> Iterator[tuple[str, list[tuple[FieldDescriptorProto, str]]]]:
    for file in compiled.files:
        if file.package == PACKAGE:
            for message in file.message_type:
                yield (
                    message.name,
                    [(f, f.options.Extensions[options_pb2.field].default_value) for f in message.field],
                )


def _fits(field: FieldDescriptorProto, default: str) -> bool:
    """Whether a field's type can have a default: numbers and booleans bare, strings and bytes in quotes, the empty
    list and map as brackets, a message as "unset"."""
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return default in {"[]", "{}"}
    match field.type:
        case FieldDescriptorProto.TYPE_STRING:
            return isinstance(ast.literal_eval(default), str)
        case FieldDescriptorProto.TYPE_BYTES:
            return default == '""'
        case FieldDescriptorProto.TYPE_MESSAGE:
            return default == "unset"
        case FieldDescriptorProto.TYPE_BOOL:
            return default in {"true", "false"}
        case FieldDescriptorProto.TYPE_INT32 | FieldDescriptorProto.TYPE_INT64:
            return default.isdecimal()
    return False


def test_everything_has_a_comment(compiled: Compiled, api: Api) -> None:
    items = {item.name: item.comment for file in compiled.files for item in commented(file)}
    wanted = {
        SERVICE,
        *(f"{SERVICE}.{name}" for name in api.rpcs),
        *api.messages,
        *(f"{name}.{field.name}" for name, fields in api.messages.items() for field in fields),
        *api.enums,
        *(f"{name}.{value.name}" for name, values in api.enums.items() for value in values),
    }
    assert wanted <= set(items)
    assert sorted(name for name in wanted if not items[name].endswith(".")) == []


def test_rpc_comments_begin_with_one_sentence(compiled: Compiled) -> None:
    rpcs = [item for file in compiled.files for item in commented(file) if item.name.startswith(f"{SERVICE}.")]
    assert len(rpcs) == METHOD_COUNT
    for rpc in rpcs:
        summary = rpc.comment.split("\n\n")[0]
        assert summary.endswith("."), rpc.name
        assert ". " not in summary.replace("\n", " "), rpc.name


def test_files_begin_with_a_comment_and_keep_to_the_line_length(compiled: Compiled) -> None:
    for file in compiled.files:
        if file.package == PACKAGE:
            text = (PROTOS / file.name).read_text(encoding="utf-8")
            assert text.startswith("// "), file.name
            assert [line for line in text.splitlines() if len(line) > MAX_LINE] == [], file.name
