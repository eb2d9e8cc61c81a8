"""Every hook, called by a real host on a real plugin process: arguments in, results and failures out."""

import base64

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet

from mattermost_plugin import HookName
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse
from tests.contract.tables import hooks
from tests.peer.conformance_plugin import ConformancePlugin
from tests.peer.gohost import GoHost
from tests.peer.hook_cases import CASES, HTTP_HOOKS, Case, Fields, base64_of
from tests.peer.plugins.conformance import CHANGED, REASON, SECRET

HOOK_COUNT = 51

MAY_CHANGE = [case for case in CASES if case.changed is not None]
MAY_REJECT = [case for case in CASES if case.takes_reject]
MAY_MEAN_TWO_THINGS = [case for case in CASES if case.refusal != "none"]


@pytest.fixture(scope="module")
def conformance(host: GoHost, tmp_path_factory: pytest.TempPathFactory) -> ConformancePlugin:
    return ConformancePlugin(host, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def strict(host: GoHost, tmp_path_factory: pytest.TempPathFactory) -> ConformancePlugin:
    """The same plugin, but a failure means the other of two things."""
    return ConformancePlugin(host, tmp_path_factory.mktemp("strict"), "strict")


def name_of(value: Case | HookName) -> str:
    return value if isinstance(value, HookName) else value.hook


every_case = pytest.mark.parametrize("case", CASES, ids=name_of)
every_http_hook = pytest.mark.parametrize("hook", HTTP_HOOKS, ids=name_of)


def test_the_table_has_every_hook_once() -> None:
    names = [case.hook for case in CASES] + list(HTTP_HOOKS)
    assert sorted(names) == sorted(HookName)
    assert set(names) == set(hooks()) - {"Implemented"}
    assert len(names) == HOOK_COUNT


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


@pytest.mark.parametrize("case", MAY_REJECT, ids=name_of)
def test_reject_refuses(conformance: ConformancePlugin, case: Case) -> None:
    result = conformance.call(case.hook, "reject")

    if case.refusal == "reason":
        expected: Fields = {"rejection_reason": REASON}
    else:
        expected = {
            "error": {
                "id": "plugin.hook.rejected",
                "message": REASON,
                # The host drops the message and keeps this one.
                "detailed_error": REASON,
                "where": case.hook,
                "status_code": 400,
                # A stock server would show the translation of the id, which there is none of.
                "skip_translation": True,
            }
        }
    assert (result.code, result.response) == ("OK", expected)


def check_hook_error(plugin: ConformancePlugin, case: Case) -> None:
    result = plugin.call(case.hook, "hookerror")

    error = {
        "id": "conformance.refused",
        "message": REASON,
        "detailed_error": REASON,
        "where": "here",
        "status_code": 418,
        "params": {"a": 1},
    }
    replies: dict[str, Fields] = {"reason": {"rejection_reason": REASON}, "error": {"error": error}, "none": {}}
    assert (result.code, result.response) == ("OK", replies[case.refusal])


@every_case
def test_a_hook_error_is_the_reply(conformance: ConformancePlugin, case: Case) -> None:
    check_hook_error(conformance, case)


@pytest.mark.parametrize("case", MAY_MEAN_TWO_THINGS, ids=name_of)
def test_a_hook_error_is_the_reply_whatever_a_failure_means(strict: ConformancePlugin, case: Case) -> None:
    check_hook_error(strict, case)


def check_failed(plugin: ConformancePlugin, case: Case, word: str, *, refuses: bool) -> None:
    """Calls a handler that fails; its failure must be in the log, with the place, and in the reply as declared."""
    result = plugin.call(case.hook, word)

    assert result.code == "OK"
    record = plugin.failure(case.hook)
    assert "conformance.py" in str(record.pairs["traceback"]) or word == "wrong"
    assert (SECRET in str(record.pairs["error"])) == (word == "fail")
    if not refuses:
        assert result.response == {}
    elif case.refusal == "reason":
        assert set(result.response) == {"rejection_reason"}
        reason = str(result.response["rejection_reason"])
        assert "administrator" in reason
        assert SECRET not in reason
        assert "Error" not in reason
    else:
        assert set(result.response) == {"error"}
        error = result.response["error"]
        assert isinstance(error, dict)
        assert error["status_code"] == 500
        assert error["id"] == f"plugin.{case.hook}.failed"
        assert error["detailed_error"]
        assert error["message"]


@pytest.mark.parametrize("word", ["fail", "wrong"])
@every_case
def test_a_failure_is_logged_and_means_what_its_hook_declares(
    conformance: ConformancePlugin, case: Case, word: str
) -> None:
    check_failed(conformance, case, word, refuses=case.fails)


@pytest.mark.parametrize("word", ["fail", "wrong"])
@pytest.mark.parametrize("case", MAY_MEAN_TWO_THINGS, ids=name_of)
def test_a_failure_means_what_its_handler_declares(strict: ConformancePlugin, case: Case, word: str) -> None:
    check_failed(strict, case, word, refuses=not case.fails)


def test_a_wrong_result_is_named_in_the_log(conformance: ConformancePlugin) -> None:
    conformance.call(HookName.UserWillLogIn, "wrong")

    record = conformance.failure(HookName.UserWillLogIn)
    assert "UserWillLogIn handler must return Reject or None, not bool" in str(record.pairs["error"])


def test_a_failed_activation_that_is_allowed_leaves_an_active_plugin(strict: ConformancePlugin) -> None:
    assert strict.call(HookName.OnActivate, "fail").response == {}
    strict.failure(HookName.OnActivate)

    strict.prepare(HookName.UserWillLogIn, "allow")
    strict.plugin.call(HookName.UserWillLogIn, strict.request(HookName.UserWillLogIn, "allow"))

    assert strict.was_called(HookName.UserWillLogIn)


@pytest.mark.parametrize(
    "hook",
    [
        HookName.UserHasJoinedChannel,
        HookName.UserHasLeftChannel,
        HookName.UserHasJoinedTeam,
        HookName.UserHasLeftTeam,
    ],
    ids=name_of,
)
def test_an_absent_actor_is_none(conformance: ConformancePlugin, hook: HookName) -> None:
    request = conformance.request(hook, "allow")
    del request["actor"]

    assert conformance.call(hook, "allow", request).response == {}

    assert conformance.arguments(hook)[2] is None


def test_an_empty_request_gives_empty_arguments(conformance: ConformancePlugin) -> None:
    result = conformance.call(HookName.MessageWillBePosted, "modify", {})

    assert result.response == {"modified_post": {"message": CHANGED}}
    assert conformance.arguments(HookName.MessageWillBePosted) == [{}, {}]


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
