"""The proto files against the contract's tables, number by number.

`tests/contract/grpc.tsv` and `hooks.tsv` are facts about the hosts: what they say must be in the protos
exactly; what the protos add to it must keep out of the contract's numbers.
"""

from dataclasses import replace

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from tests.contract.compiled import Compiled, commented, compile_protos
from tests.contract.tables import FIRST_ADDED_NUMBER, Field, contract, differences, hooks, table

HOOK_COUNT = 52
CONTRACT_RPC_COUNT = 42
CONTRACT_MESSAGE_COUNT = 122
CONTRACT_ENUMS = {"ChannelType"}

ADDED_RPCS = {
    "ChannelMemberWillBeAdded",
    "ChannelWillBeArchived",
    "ChannelWillBeRestored",
    "ChannelWillBeUpdated",
    "DraftWillBeUpserted",
    "FileWillBeDownloaded",
    "MessagesWillBeConsumedWithContext",
    "ScheduledPostWillBeCreated",
    "ServeMetrics",
    "TeamMemberWillBeAdded",
}

HTTP_RPCS = {"ServeHTTP", "ServeMetrics"}

# Whoever gets hold of one of these can act with it, or finds such a value inside of it.
SECRETS = {
    "CommandArgs.trigger_id",
    "CommandResponse.trigger_id",
    "ConfigJson.config_json",
    "HTTPHeader.values",
    "PostAction.cookie",
    "PushNotification.signature",
    "RemoteCluster.remote_token",
    "RemoteCluster.token",
    "SamlAssertionInfoJson.assertion_json",
    "ServeHTTPRequestInit.request_uri",
    "ServeHTTPRequestInit.url",
    "User.auth_data",
    "User.mfa_secret",
    "User.password",
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compile_protos(tmp_path_factory.mktemp("descriptors") / "contract.binpb")


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    return table("grpc.tsv")


def test_counts(compiled: Compiled, rows: list[list[str]]) -> None:
    expected = contract(rows)
    assert len(expected.rpcs) == CONTRACT_RPC_COUNT
    assert len(expected.messages) == CONTRACT_MESSAGE_COUNT
    assert set(expected.enums) == CONTRACT_ENUMS
    assert len(hooks()) == HOOK_COUNT
    assert len(compiled.api().rpcs) == HOOK_COUNT


def test_contract_is_kept_number_by_number(compiled: Compiled, rows: list[list[str]]) -> None:
    assert differences(contract(rows), compiled.api()) == []


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        pytest.param(["field", "Post", "message"], 3, "12", id="number of a field"),
        pytest.param(["field", "Post", "message"], 4, "single bytes", id="type of a field"),
        pytest.param(["field", "Post", "remote_id"], 4, "single string", id="presence of a field"),
        pytest.param(["field", "User", "props"], 4, "map map<string,int32>", id="type of a map"),
        pytest.param(["field", "Post", "message"], 2, "text", id="name of a field"),
        pytest.param(["enum", "ChannelType", "CHANNEL_TYPE_GROUP"], 3, "5", id="number of an enum value"),
        pytest.param(["rpc", "PluginHooks", "ServeHTTP"], 4, "ServeHTTPResponse", id="streaming of an rpc"),
        pytest.param(["rpc", "PluginHooks", "OnActivate"], 3, "OnDeactivateRequest", id="request of an rpc"),
        pytest.param(["rpc", "PluginHooks", "OnActivate"], 2, "OnStart", id="name of an rpc"),
    ],
)
def test_comparison_notices_a_changed_row(
    compiled: Compiled, rows: list[list[str]], row: list[str], column: int, value: str
) -> None:
    changed = [[*r] for r in rows]
    (target,) = (r for r in changed if r[:3] == row)
    assert target[column] != value
    target[column] = value
    assert differences(contract(changed), compiled.api()) != []


def test_comparison_notices_a_low_number_of_an_addition(compiled: Compiled, rows: list[list[str]]) -> None:
    actual = compiled.api()
    message = {**actual.messages}
    message["Post"] = tuple(
        replace(field, number=25) if field.number >= FIRST_ADDED_NUMBER else field for field in message["Post"]
    )
    assert differences(contract(rows), replace(actual, messages=message)) == [
        "Post.filenames is an addition with number 25"
    ]


def test_every_hook_has_an_rpc_and_nothing_else_has(compiled: Compiled) -> None:
    names = set(compiled.api().rpcs)
    assert names == set(hooks())
    assert {hook.name for hook in hooks().values() if not hook.in_contract} == ADDED_RPCS


def test_every_rpc_says_its_version_and_what_its_failure_means(compiled: Compiled) -> None:
    options = compiled.hook_options()
    assert {name: option.minimum_server_version for name, option in options.items()} == {
        hook.name: hook.since for hook in hooks().values()
    }
    api = compiled.api()
    # A failed HTTP handler is answered with a status that says so.
    answers_with_error = HTTP_RPCS | {
        name
        for name, rpc in api.rpcs.items()
        if any(field.name == "error" for field in api.messages[rpc.response.removeprefix("stream ")])
    }
    meaning = {value.name: value.number for value in _enum(compiled, "OnError")}
    assert {name: option.on_error for name, option in options.items()} == {
        name: meaning["ON_ERROR_ERROR" if name in answers_with_error else "ON_ERROR_ALLOW"] for name in api.rpcs
    }


def _enum(compiled: Compiled, name: str) -> tuple[Field, ...]:
    (found,) = (e for file in compiled.files for e in file.enum_type if e.name == name)
    return tuple(Field(v.name, v.number) for v in found.value)


def test_requests_begin_with_the_contexts(compiled: Compiled) -> None:
    api = compiled.api()
    for hook in hooks().values():
        if hook.name in HTTP_RPCS:
            continue
        by_number = {field.number: field for field in api.messages[api.rpcs[hook.name].request]}
        names = {field.name for field in by_number.values()}
        assert by_number[1] == Field("context", 1, "single RequestContext"), hook.name
        assert ("plugin_context" in names) == hook.has_context, hook.name
        if hook.has_context:
            assert by_number[2] == Field("plugin_context", 2, "single PluginContext"), hook.name
    (context,) = (f for f in api.messages["ServeHTTPRequestInit"] if f.name == "plugin_context")
    assert context == Field("plugin_context", 1, "single PluginContext")


def test_added_rpcs_answer_as_their_siblings(compiled: Compiled) -> None:
    api = compiled.api()
    for name in ADDED_RPCS - HTTP_RPCS - {"MessagesWillBeConsumedWithContext"}:
        fields = api.messages[api.rpcs[name].response]
        if len(fields) == 1:
            assert fields == api.messages["UserWillLogInResponse"], name
        else:
            assert fields[0].name.startswith("modified_"), name
            assert fields[0].number == 1, name
            assert fields[1] == Field("rejection_reason", 2, "single string"), name
    assert api.messages["MessagesWillBeConsumedWithContextResponse"] == api.messages["MessagesWillBeConsumedResponse"]
    assert replace(api.rpcs["ServeMetrics"], name="ServeHTTP") == api.rpcs["ServeHTTP"]


def test_no_message_is_there_for_nothing(compiled: Compiled) -> None:
    api = compiled.api()
    assert set(api.reached().messages) == set(api.messages)
    assert set(api.reached().enums) == set(api.enums)


def test_field_options(compiled: Compiled) -> None:
    options = compiled.field_options()
    assert {name for name, option in options.items() if option.secret} == SECRETS
    assert {name: option.reader for name, option in options.items() if option.reader} == {
        "FileWillBeUploadedRequest.file_content": "file"
    }
    assert {name: option.writer for name, option in options.items() if option.writer} == {
        "FileWillBeUploadedResponse.modified_content": "output"
    }


def test_everything_has_a_comment(compiled: Compiled) -> None:
    items = [item for file in compiled.files for item in commented(file)]
    assert {item.name for item in items} >= {"PluginHooks.OnActivate", "Post.message", "ChannelType", "ConnInfo.Knock"}
    assert [item.name for item in items if not item.comment.endswith(".")] == []


def test_a_missing_comment_is_noticed(compiled: Compiled) -> None:
    (original,) = (file for file in compiled.files if any(m.name == "Post" for m in file.message_type))
    file = FileDescriptorProto.FromString(original.SerializeToString())
    before = sum(1 for item in commented(file) if not item.comment)
    for location in file.source_code_info.location:
        location.ClearField("leading_comments")
    assert before == 0
    assert all(not item.comment for item in commented(file))


def test_rpc_comments_begin_with_one_sentence(compiled: Compiled) -> None:
    rpcs = [item for file in compiled.files for item in commented(file) if item.name.startswith("PluginHooks.")]
    assert len(rpcs) == HOOK_COUNT
    for rpc in rpcs:
        summary = rpc.comment.split("\n\n")[0]
        assert summary.endswith("."), rpc.name
        assert ". " not in summary.replace("\n", " "), rpc.name


def test_go_plugin_services(compiled: Compiled) -> None:
    services = {
        f"/{file.package}.{service.name}/{method.name}": (
            method.input_type,
            method.client_streaming,
            method.output_type,
            method.server_streaming,
        )
        for file in compiled.files
        if file.package == "plugin"
        for service in file.service
        for method in service.method
    }
    assert services == {
        "/plugin.GRPCController/Shutdown": (".plugin.Empty", False, ".plugin.Empty", False),
        "/plugin.GRPCStdio/StreamStdio": (".google.protobuf.Empty", False, ".plugin.StdioData", True),
        "/plugin.GRPCBroker/StartStream": (".plugin.ConnInfo", True, ".plugin.ConnInfo", True),
    }


def test_go_plugin_messages(compiled: Compiled) -> None:
    messages = [m for file in compiled.files if file.package == "plugin" for m in file.message_type]
    nested = [n for m in messages for n in m.nested_type]
    assert {m.name: [(f.name, f.number, f.type) for f in m.field] for m in (*messages, *nested)} == {
        "Empty": [],
        "StdioData": [
            ("channel", 1, FieldDescriptorProto.TYPE_ENUM),
            ("data", 2, FieldDescriptorProto.TYPE_BYTES),
        ],
        "ConnInfo": [
            ("service_id", 1, FieldDescriptorProto.TYPE_UINT32),
            ("network", 2, FieldDescriptorProto.TYPE_STRING),
            ("address", 3, FieldDescriptorProto.TYPE_STRING),
            ("knock", 4, FieldDescriptorProto.TYPE_MESSAGE),
        ],
        "Knock": [
            ("knock", 1, FieldDescriptorProto.TYPE_BOOL),
            ("ack", 2, FieldDescriptorProto.TYPE_BOOL),
            ("error", 3, FieldDescriptorProto.TYPE_STRING),
        ],
    }
    (channel,) = (e for m in messages for e in m.enum_type)
    assert [(v.name, v.number) for v in channel.value] == [("INVALID", 0), ("STDOUT", 1), ("STDERR", 2)]
