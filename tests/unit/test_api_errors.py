"""What calls of the plugin API raise when the server says no, in either form that hosts have for it."""

import asyncio
import copy
import pickle
import re
from typing import Any

import grpc
import pytest

from mattermost_plugin.api import (
    APITransportError,
    APIUnavailable,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    NotImplementedByServerError,
    PayloadTooLargeError,
    PermissionDeniedError,
    PluginAPIError,
    RateLimitedError,
    ServerError,
    UnauthenticatedError,
)
from mattermost_plugin.errors import PluginError
from mattermost_plugin.models import AppError, User
from mattermost_pluginapi.v1.api_user_pb2 import CreateUserResponse, GetUserResponse
from tests.unit.api_errors import BY_STATUS
from tests.unit.api_host import Answer, api_host, call_both, client, connected, refuse

BY_CODE = {
    grpc.StatusCode.INVALID_ARGUMENT: (InvalidArgumentError, 400),
    grpc.StatusCode.UNAUTHENTICATED: (UnauthenticatedError, 401),
    grpc.StatusCode.PERMISSION_DENIED: (PermissionDeniedError, 403),
    grpc.StatusCode.NOT_FOUND: (NotFoundError, 404),
    grpc.StatusCode.ALREADY_EXISTS: (ConflictError, 409),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (RateLimitedError, 429),
    grpc.StatusCode.UNIMPLEMENTED: (NotImplementedByServerError, 501),
    grpc.StatusCode.UNAVAILABLE: (ServerError, 503),
    grpc.StatusCode.INTERNAL: (ServerError, 500),
    grpc.StatusCode.UNKNOWN: (ServerError, 500),
    grpc.StatusCode.FAILED_PRECONDITION: (ServerError, 500),
}

MEMORY_LIMIT = 2**20
ELAPSED = re.compile(r"after \S+ s")


def outcomes(answer: Answer, method: str = "get_user", *arguments: Any, **options: Any) -> list[Any]:
    """What both clients make of an answer."""

    async def scenario() -> list[Any]:
        async with connected(**options) as (host, api):
            host.answers.update({"GetUser": answer, "CreateUser": answer})
            return await call_both(api, method, *(arguments or ("u",)))

    return asyncio.run(scenario())


def error(answer: Answer, method: str = "get_user", *arguments: Any, **options: Any) -> Any:
    """The error that both clients raise alike."""
    first, second = outcomes(answer, method, *arguments, **options)
    assert isinstance(first, PluginError)
    assert type(first) is type(second)
    assert ELAPSED.sub("", str(first)) == ELAPSED.sub("", str(second))
    assert first.__cause__ is None
    return first


def in_reply(**fields: Any) -> GetUserResponse:
    return GetUserResponse(error=AppError(**fields))


@pytest.mark.parametrize(("status", "kind"), [*BY_STATUS.items(), (0, ServerError), (302, ServerError)])
def test_an_error_in_the_reply(status: int, kind: type[PluginAPIError]) -> None:
    app_error = AppError(
        id="app.user.gone",
        message="Gone.",
        detailed_error="row 7",
        where="App.GetUser",
        status_code=status,
        request_id="r1",
    )
    app_error.params.update({"name": "ann", "count": 3})
    raised = error(GetUserResponse(error=app_error))
    assert type(raised) is kind
    assert isinstance(raised, PluginAPIError)
    assert (raised.method, raised.id, raised.where) == ("get_user", "app.user.gone", "App.GetUser")
    assert raised.detailed_error == "row 7"
    assert raised.status_code == (status or 500)
    assert raised.request_id == "r1"
    assert raised.params == {"name": "ann", "count": 3}
    assert "Gone." in raised.message
    assert "row 7" not in str(raised)
    assert f"status {status or 500}" in str(raised)


@pytest.mark.parametrize(("code", "expected"), BY_CODE.items(), ids=lambda value: getattr(value, "name", None))
def test_an_error_as_a_status(code: grpc.StatusCode, expected: tuple[type[PluginAPIError], int]) -> None:
    raised = error(refuse(code, "app.user.gone.app_error: Gone: really."))
    assert (type(raised), raised.status_code) == expected
    assert raised.id == "app.user.gone.app_error"
    assert raised.message.endswith("Gone: really.")


def test_a_status_without_an_id() -> None:
    raised = error(refuse(grpc.StatusCode.NOT_FOUND, "no such user"))
    assert (type(raised), raised.id, raised.message) == (NotFoundError, "", "no such user")
    assert str(raised) == "get_user: no such user (status 404)"


def test_the_text_of_an_error() -> None:
    raised = error(in_reply(id="app.user.gone", message="Gone.", status_code=404))
    assert str(raised) == "get_user: Gone. (app.user.gone, status 404)"
    assert str(error(in_reply(id="app.user.gone", status_code=404))) == "get_user: app.user.gone (status 404)"
    assert str(error(in_reply(status_code=404))) == "get_user: the server gave no reason (status 404)"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"status_code": 403}, PermissionDeniedError),
        ({"message": "odd"}, ServerError),
        ({"where": "App"}, ServerError),
        ({"detailed_error": "x"}, ServerError),
    ],
)
def test_an_error_without_an_id_is_an_error(fields: dict[str, Any], kind: type[PluginAPIError]) -> None:
    assert type(error(in_reply(**fields))) is kind


def test_an_empty_error_means_success() -> None:
    answer = GetUserResponse(error=AppError(request_id="r1"), user=User(id="u"))
    assert outcomes(answer) == [User(id="u"), User(id="u")]


def test_a_method_that_the_server_lacks() -> None:
    raised = error(refuse(grpc.StatusCode.UNIMPLEMENTED, "unknown method GetUser"))
    assert isinstance(raised, NotImplementedByServerError)
    assert raised.minimum_server_version == "5.2"
    assert "the server has no GetUser, which servers have from 5.2 on: unknown method GetUser" in str(raised)


@pytest.mark.parametrize(
    "answer",
    [
        refuse(grpc.StatusCode.UNIMPLEMENTED, "ent.ldap.disabled.app_error: LDAP is off."),
        in_reply(status_code=501, id="ent.ldap.disabled.app_error", message="LDAP is off."),
    ],
    ids=["status", "reply"],
)
def test_a_feature_that_is_switched_off(answer: Answer) -> None:
    raised = error(answer)
    assert isinstance(raised, NotImplementedByServerError)
    assert raised.minimum_server_version == ""
    assert str(raised) == "get_user: LDAP is off. (ent.ldap.disabled.app_error, status 501)"


def test_a_server_without_the_service() -> None:
    async def scenario() -> list[Any]:
        async with api_host() as host:
            await host.stop()
            server = grpc.aio.server()
            server.add_insecure_port(host.target)
            await server.start()
            async with client(host.target) as api:
                found = await call_both(api, "get_user", "u")
            await server.stop(None)
            return found

    assert [type(raised) for raised in asyncio.run(scenario())] == [NotImplementedByServerError] * 2


def test_a_reply_over_the_limit() -> None:
    raised = error(GetUserResponse(user=User(username="x" * MEMORY_LIMIT)), max_message_bytes=MEMORY_LIMIT)
    assert isinstance(raised, PayloadTooLargeError)
    assert raised.status_code == 413
    assert "its reply is larger than this plugin takes (MATTERMOST_PLUGIN_MAX_MESSAGE_BYTES)" in str(raised)


def test_a_request_over_the_hosts_limit() -> None:
    async def scenario() -> list[Any]:
        async with api_host(max_receive_message_length=MEMORY_LIMIT) as host, client(host.target) as api:
            return await call_both(api, "upload_file", b"x" * MEMORY_LIMIT, "c", "f.bin")

    for raised in asyncio.run(scenario()):
        assert isinstance(raised, PayloadTooLargeError)
        assert f"the request ({MEMORY_LIMIT + 14} bytes) is larger than the host takes, which is 4 MiB" in str(raised)
        assert "upload_data" in str(raised)


def test_a_refusal_for_size_as_a_status() -> None:
    raised = error(refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "api.file.upload.too_large.app_error: Too big."))
    assert (type(raised), raised.status_code) == (PayloadTooLargeError, 413)


def test_a_call_that_the_server_cancels_is_no_cancellation() -> None:
    raised = error(refuse(grpc.StatusCode.CANCELLED, "context canceled"))
    assert type(raised) is APITransportError
    assert raised.may_have_taken_effect


def test_what_was_sent_is_in_no_error() -> None:
    user = User(username="ann", password="hunter2-secret", auth_data="token-secret")
    answers: list[Answer] = [
        CreateUserResponse(error=AppError(id="a.b", message="No.", status_code=400)),
        refuse(grpc.StatusCode.INTERNAL, "a.b: No."),
        refuse(grpc.StatusCode.UNAVAILABLE, "gone"),
        refuse(grpc.StatusCode.UNIMPLEMENTED, "x"),
    ]
    for answer in answers:
        raised = error(answer, "create_user", user)
        assert "secret" not in f"{raised} {raised!r} {vars(raised)}"


@pytest.mark.parametrize(
    "raised",
    [
        NotFoundError("get_user", "Gone.", id="a.b", status_code=404, params={"a": 1}),
        APIUnavailable("get_user", "away", elapsed_s=2.0, may_have_taken_effect=False),
    ],
    ids=["answer", "transport"],
)
def test_errors_can_be_copied_and_pickled(raised: Exception) -> None:
    for copied in (copy.copy(raised), pickle.loads(pickle.dumps(raised))):
        assert (type(copied), vars(copied), str(copied)) == (type(raised), vars(raised), str(raised))
