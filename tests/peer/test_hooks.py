"""Every hook, called by a real host on a real plugin process: arguments in, results out.

What refusals and failures mean is in tests/conformance, for both wires; here it is seen that they travel.
"""

import base64

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet

from mattermost_plugin import HookName
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse
from tests.conformance.hook_cases import CASES, HTTP_HOOKS, Case, Fields, base64_of
from tests.conformance.texts import CHANGED, REASON, SECRET
from tests.peer.conformance_plugin import ConformancePlugin
from tests.peer.gohost import GoHost

MAY_CHANGE = [case for case in CASES if case.changed is not None]

# One for each form of a refusal.
REFUSING = [HookName.UserWillLogIn, HookName.ExecuteCommand, HookName.MessageHasBeenPosted]


@pytest.fixture(scope="module")
def conformance(host: GoHost, tmp_path_factory: pytest.TempPathFactory) -> ConformancePlugin:
    return ConformancePlugin(host, tmp_path_factory.mktemp("plain"))


def name_of(value: Case | HookName) -> str:
    return value if isinstance(value, HookName) else value.hook


every_case = pytest.mark.parametrize("case", CASES, ids=name_of)
every_http_hook = pytest.mark.parametrize("hook", HTTP_HOOKS, ids=name_of)


def test_implemented_names_every_hook(conformance: ConformancePlugin) -> None:
    assert conformance.plugin.implemented() == sorted(HookName)


@every_case
def test_a_handler_gets_every_argument_unchanged_and_none_changes_nothing(
    conformance: ConformancePlugin, case: Case
) -> None:
    result = conformance.call(case.hook, "allow")

    assert (result.code, result.response) == ("OK", {})
    request = conformance.request(case.hook, "allow")
    assert conformance.arguments(case.hook) == [request[name] for name in case.parameters]
    assert set(request) == {"context", *case.parameters}


@pytest.mark.parametrize("case", MAY_CHANGE, ids=name_of)
def test_a_result_is_the_reply(conformance: ConformancePlugin, case: Case) -> None:
    result = conformance.call(case.hook, "modify")

    assert case.changed is not None
    assert (result.code, result.response) == ("OK", case.changed(conformance.request(case.hook, "modify")))


@pytest.mark.parametrize("case", [case for case in CASES if case.hook in REFUSING], ids=name_of)
def test_refusals_and_failures_travel(conformance: ConformancePlugin, case: Case) -> None:
    error = {
        "id": "conformance.refused",
        "message": REASON,
        "detailed_error": REASON,
        "where": "here",
        "status_code": 418,
        "params": {"a": 1},
    }
    replies: dict[str, Fields] = {"reason": {"rejection_reason": REASON}, "error": {"error": error}, "none": {}}
    if case.takes_reject:
        assert conformance.call(case.hook, "reject").response == replies["reason"]
    assert conformance.call(case.hook, "hookerror").response == replies[case.refusal]

    result = conformance.call(case.hook, "fail")

    record = conformance.failure(case.hook)
    assert "conformance.py" in str(record.pairs["traceback"])
    assert SECRET in str(record.pairs["error"])
    assert (result.code, bool(result.response)) == ("OK", case.fails)


def test_fields_of_a_newer_server_survive(conformance: ConformancePlugin) -> None:
    number, content = 5555, b"from a newer server"
    request = MessageWillBePostedRequest()
    request.post.message = "do=modify"
    # Field 5555 of the post, length-delimited, as protobuf writes it.
    unknown = bytes([0x9A, 0xDB, 0x02, len(content)]) + content
    request.post.MergeFromString(unknown)
    conformance.activate()

    raw = conformance.plugin.call_raw(
        "/mattermost.pluginapi.v1.PluginHooks/MessageWillBePosted", request.SerializeToString()
    )

    post = MessageWillBePostedResponse.FromString(raw.response).modified_post
    assert post.message == CHANGED
    fields = UnknownFieldSet(post)
    assert len(fields) == 1
    assert (fields[0].field_number, fields[0].data) == (number, content)


def test_a_large_upload_goes_through(conformance: ConformancePlugin) -> None:
    content = b"do=modify" + bytes(8 * 1024 * 1024)
    request = {"file_info": {"name": "large"}, "file_content": base64_of(content)}

    result = conformance.call(HookName.FileWillBeUploaded, "modify", request)

    assert result.response["modified_content"] == base64_of(CHANGED.encode() + content[:10])
    assert base64.b64decode(conformance.arguments(HookName.FileWillBeUploaded)[2]) == content


@pytest.mark.parametrize("hook", [HookName.UserHasLoggedIn, HookName.UserHasBeenCreated], ids=["def", "async def"])
def test_many_calls_at_once_all_get_their_reply(conformance: ConformancePlugin, hook: HookName) -> None:
    conformance.activate()

    result = conformance.plugin.bench(hook, conformance.request(hook, "allow"), concurrency=50, count=1000)

    assert (result.count, result.errors, result.first_error) == (1000, 0, "")


@every_http_hook
def test_an_http_handler_gets_every_argument_unchanged(conformance: ConformancePlugin, hook: HookName) -> None:
    conformance.activate()
    request = conformance.request(hook, "modify")

    answer = conformance.plugin.stream([request], method=hook)

    init = request["init"]
    context, method, url, proto, host, remote, uri, major, minor, length, fields, body = conformance.arguments(hook)
    assert context == init["plugin_context"]
    assert [method, url, proto, host, remote, uri] == [
        init[name] for name in ("method", "url", "proto", "host", "remote_addr", "request_uri")
    ]
    assert [major, minor] == [str(init["proto_major"]), str(init["proto_minor"])]
    assert length == init["content_length"]
    assert fields == [f"{field['key']}={value}" for field in init["headers"] for value in field["values"]]
    assert body == request["body_chunk"]
    assert answer.code == "OK"
    assert answer.messages[0]["init"] == {
        "status_code": 201,
        "headers": [{"key": "X-Conformance", "values": ["first", "second"]}],
    }
    assert "".join(str(message.get("body_chunk", "")) for message in answer.messages) == base64_of(CHANGED)
    assert answer.messages[-1]["body_complete"] is True


@every_http_hook
def test_an_http_handler_that_fails_answers_500(conformance: ConformancePlugin, hook: HookName) -> None:
    conformance.activate()

    answer = conformance.plugin.stream([conformance.request(hook, "fail")], method=hook)

    assert answer.code == "OK"
    init = answer.messages[0]["init"]
    assert isinstance(init, dict)
    assert init["status_code"] == 500
    assert SECRET not in str(answer.messages)
    record = conformance.plugin.wait_log(f"{hook}: the handler failed", level="error")
    assert SECRET in str(record.pairs["traceback"])
