"""What a refusal, an error and a failure mean, in every hook over every wire."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict

from mattermost_plugin import HookError, HookName, Reject
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.errors import HandlerTimeout
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.stock.methods import HOOKS
from tests.conformance.hook_cases import CASES, Case
from tests.conformance.hosts import WIRES, Host, hosted, recorder_of
from tests.conformance.recorder import STYLES, Style, recorder
from tests.conformance.results import WRONG
from tests.conformance.stock_filled import stock_filled
from tests.conformance.texts import REASON, SECRET

Fields = dict[str, Any]

STRICTNESS = [False, True]

every_wire = pytest.mark.parametrize("wire", WIRES)
every_style = pytest.mark.parametrize("style", STYLES)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.hook)
as_declared = pytest.mark.parametrize("strict", STRICTNESS, ids=["by default", "the other way"])

WHOLE_ERRORS = (HookName.ExecuteCommand,)
"""Hooks whose error is an AppError on the stock wire. Others have a Go `error` there, whose text alone is read."""


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def fields(message: Any) -> Fields:
    return MessageToDict(message, preserving_proto_field_name=True)


def request_of(hook: HookName) -> Any:
    request = stock_filled(HOOKS[hook][0], "asked")
    if hook is HookName.FileWillBeUploaded:
        request.file_content = b"content"
    return request


async def answered(host: Host, case: Case, act: Callable[..., object]) -> Fields:
    """The response to a hook whose handler does that."""
    # OnActivate and OnDeactivate are called in the states that they change.
    recorder_of(host).acts[case.hook] = act
    return fields(await host.hook(case.hook, request_of(case.hook)))


def hosting(wire: WireName, style: Style, case: Case, **options: Any) -> Any:
    return hosted(wire, recorder(style, **options), activate=case.hook is not HookName.OnActivate)


def as_seen(wire: WireName, hook: HookName, response: Fields) -> Fields:
    """What a host has of a response that gRPC brings as it is."""
    if wire == "grpc":
        return response
    if error := response.get("error"):
        if hook in WHOLE_ERRORS:
            return {"error": {name: value for name, value in error.items() if name != "params"}}
        texts = dict.fromkeys([error["message"], error["detailed_error"]])
        seen: Fields = {"error": {"message": ", ".join(texts), "status_code": 500}}
        # A struct that is no pointer is always there.
        return seen | ({"response": {}} if hook is HookName.OnSharedChannelsSyncMsg else {})
    return response or neutral(hook)


def neutral(hook: HookName) -> Fields:
    """What a host has where the plugin changes nothing, on the stock wire."""
    if hook is HookName.MessageWillBeUpdated:
        return {"modified_post": fields(request_of(hook).new_post)}
    return {"response": {}} if hook is HookName.OnSharedChannelsSyncMsg else {}


def fail_with(error: BaseException) -> Callable[..., object]:
    def act(*_: object) -> object:
        raise error

    return act


@every_wire
@every_style
@pytest.mark.parametrize("case", [case for case in CASES if case.takes_reject], ids=lambda case: case.hook)
def test_reject_refuses(wire: WireName, style: Style, case: Case) -> None:
    expected: Fields = {"rejection_reason": REASON}
    if case.refusal == "error":
        error = {
            "id": "plugin.hook.rejected",
            "message": REASON,
            # The gRPC host drops the message and keeps this one.
            "detailed_error": REASON,
            "where": case.hook,
            "status_code": 400,
            # A stock server would show the translation of the id, which there is none of.
            "skip_translation": True,
        }
        expected = as_seen(wire, case.hook, {"error": error})

    async def scenario() -> None:
        async with hosting(wire, style, case) as host:
            assert await answered(host, case, lambda *_: Reject(REASON)) == expected

    run(scenario)


@every_wire
@every_style
@as_declared
@every_case
def test_a_hook_error_is_the_reply_whatever_a_failure_means(
    wire: WireName, style: Style, strict: bool, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    raised = HookError(REASON, id="conformance.refused", status_code=418, params={"a": 1}, where="here")
    error = {
        "id": "conformance.refused",
        "message": REASON,
        "detailed_error": REASON,
        "where": "here",
        "status_code": 418,
        "params": {"a": 1},
    }
    replies: dict[str, Fields] = {"reason": {"rejection_reason": REASON}, "error": {"error": error}, "none": {}}

    async def scenario() -> None:
        async with hosting(wire, style, case, strict=strict) as host:
            response = await answered(host, case, fail_with(raised))
            assert response == as_seen(wire, case.hook, replies[case.refusal])

    run(scenario)
    # An answer, no fault.
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def check_failed(wire: WireName, case: Case, response: Fields, *, refuses: bool) -> None:
    """A failure is in the reply as declared, and nothing of it where users see it."""
    if not refuses:
        assert response == as_seen(wire, case.hook, {})
    elif case.refusal == "reason":
        assert set(response) == {"rejection_reason"}
        assert "administrator" in response["rejection_reason"]
        assert SECRET not in response["rejection_reason"]
        assert "Error" not in response["rejection_reason"]
    else:
        assert set(response) - {"response"} == {"error"}
        error = response["error"]
        assert error["status_code"] == 500
        assert str(case.hook) in error["message"] or "handle_" in error["message"]
        if wire == "grpc" or case.hook in WHOLE_ERRORS:
            assert error["id"] == f"plugin.{case.hook}.failed"
            assert error["detailed_error"] == error["message"]


def refuses(case: Case, *, strict: bool) -> bool:
    return case.fails != (strict and case.refusal != "none")


def failure(hook: HookName, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """The only record of a failure."""
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage().startswith(f"{hook} handler ")
    return record


@every_wire
@every_style
@as_declared
@every_case
def test_a_handler_that_raises_has_failed(
    wire: WireName, style: Style, strict: bool, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with hosting(wire, style, case, strict=strict) as host:
            response = await answered(host, case, fail_with(RuntimeError(SECRET)))
            check_failed(wire, case, response, refuses=refuses(case, strict=strict))

    run(scenario)
    record = failure(case.hook, caplog)
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


@every_wire
@every_style
@as_declared
@every_case
def test_a_wrong_result_is_a_failure(
    wire: WireName, style: Style, strict: bool, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = WRONG.get(case.hook, {"a": "dict"})

    async def scenario() -> None:
        async with hosting(wire, style, case, strict=strict) as host:
            response = await answered(host, case, lambda *_: wrong)
            check_failed(wire, case, response, refuses=refuses(case, strict=strict))

    run(scenario)
    record = failure(case.hook, caplog)
    assert record.exc_info is not None
    assert f"{case.hook} handler must return" in str(record.exc_info[1])
    assert type(wrong).__name__ in str(record.exc_info[1])


@every_wire
@every_style
@every_case
def test_a_handler_that_hangs_has_failed(
    wire: WireName, style: Style, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()

    async def wait() -> None:
        await asyncio.Event().wait()

    def hang(*_: object) -> object:
        return wait() if style == "async def" else released.wait()

    async def scenario() -> None:
        async with hosting(wire, style, case, timeout_s=0.01) as host:
            try:
                response = await answered(host, case, hang)
            finally:
                released.set()
            check_failed(wire, case, response, refuses=refuses(case, strict=False))

    run(scenario)
    timed_out = [record for record in caplog.records if "timed out" in record.message]
    assert [type(record.exc_info[1]) for record in timed_out if record.exc_info] == [HandlerTimeout]


@every_wire
@every_style
def test_a_failed_activation_that_is_allowed_leaves_an_active_plugin(
    wire: WireName, style: Style, caplog: pytest.LogCaptureFixture
) -> None:
    case = next(case for case in CASES if case.hook is HookName.OnActivate)

    async def scenario() -> None:
        async with hosting(wire, style, case, strict=True) as host:
            assert await answered(host, case, fail_with(RuntimeError(SECRET))) == {}
            await host.hook(HookName.UserHasLoggedIn, ADAPTERS[HookName.UserHasLoggedIn].request_type())
            assert len(recorder_of(host).called(HookName.UserHasLoggedIn)) == 1

    run(scenario)
    failure(HookName.OnActivate, caplog)
