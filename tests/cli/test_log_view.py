"""Each kind of event as lines of the log."""

import io
import re

import pytest
from google.protobuf.message import Message

from mattermost_plugin.cli.dev.log_view import LogView, short_names
from mattermost_plugin.cli.terminal import Terminal
from mattermost_plugin.devhost.events import (
    ApiCalled,
    Event,
    HookCalled,
    LogWritten,
    MailSent,
    PluginChanged,
    PushSent,
    WebSocketEvent,
)
from mattermost_pluginapi.v1.api_user_pb2 import GetUserRequest, GetUserResponse
from mattermost_pluginapi.v1.common_pb2 import AppError, PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import (
    ServeHTTPRequest,
    ServeHTTPRequestInit,
    ServeHTTPResponse,
    ServeHTTPResponseInit,
)
from mattermost_pluginapi.v1.hooks_user_pb2 import UserWillLogInRequest, UserWillLogInResponse
from mattermost_pluginapi.v1.notification_pb2 import PushNotification
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

ID = "com.example.sample"


def shown(event: Event, *, verbose: bool = True) -> str:
    """What is written, without the time."""
    out = io.StringIO()
    LogView(Terminal(out, {}), short_names([ID]), verbose=verbose).show(event)
    return re.sub(r"^\d\d:\d\d:\d\d\.123 ", "", out.getvalue())


def logged(message: str, **pairs: object) -> LogWritten:
    return LogWritten(at_ms=1_700_000_000_123, plugin_id=ID, level="info", message=message, pairs=pairs)


def hook_called(
    request: Message, response: Message | None, failure: str = "", hook: str = "UserWillLogIn"
) -> HookCalled:
    return HookCalled(
        at_ms=123, plugin_id=ID, hook=hook, request=request, response=response, failure=failure, duration_ms=1.26
    )


def api_called(response: GetUserResponse) -> ApiCalled:
    request = GetUserRequest(user_id="u1")
    return ApiCalled(at_ms=123, plugin_id=ID, method="GetUser", request=request, response=response, duration_ms=0.3)


def changed(state: str, reason: str = "") -> PluginChanged:
    return PluginChanged(at_ms=123, plugin_id=ID, state=state, reason=reason)


LOGIN = UserWillLogInRequest(plugin_context=PluginContext(session_id="s"), user=User(id="u", auth_data="secret"))
QUESTION = ServeHTTPRequest(init=ServeHTTPRequestInit(method="GET", url="/hello?token=secret"))
ANSWER = ServeHTTPResponse(init=ServeHTTPResponseInit(status_code=404))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (logged("hello"), "sample info  hello\n"),
        (
            logged("hello", n=1, text="a b", empty="", word="x", tree={"a": [True]}, quoted='"'),
            'sample info  hello  n=1  text="a b"  empty=""  word=x  tree={"a": [true]}  quoted="\\""\n',
        ),
        (logged("two\nlines\n", n=1), "sample info  two\n                          lines  n=1\n"),
        (
            logged("oops", traceback="Traceback:\n  File\r\n", n=1),
            "sample info  oops  n=1\n" + " " * 26 + "traceback:\n" + " " * 28 + "Traceback:\n" + " " * 30 + "File\n",
        ),
        (logged("x" * 20_003), f"sample info  {'x' * 20_000}... (3 characters more)\n"),
        (logged("\x1b[2J\x00", **{"\x1b": "\r\x07"}), "sample info  \\x1b[2J\\x00  \\x1b=\\r\\x07\n"),
        (
            LogWritten(at_ms=123, plugin_id="com.stranger.\x1b", level="warn", message="hi"),
            "com.stranger.\\x1b warn  hi\n",
        ),
        (LogWritten(at_ms=123, plugin_id="", level="error", message="hi"), "host   error hi\n"),
        (changed("STARTING"), ""),
        (changed("RUNNING"), "sample info  runs\n"),
        (changed("STOPPING"), ""),
        (changed("NOT_RUNNING"), "sample info  has ended\n"),
        (
            changed("FAILED_TO_START", "exit code 1\nno\x1b luck"),
            "sample error does not start: exit code 1\n" + " " * 26 + "no\\x1b luck\n",
        ),
        (changed("FAILED_TO_START", "the start was given up"), ""),
        (changed("FAILED_TO_STAY_RUNNING", "exit code 1"), ""),
        (
            MailSent(at_ms=123, to="a@example.com", subject="Hi", html_body="x"),
            "host   info  mail to a@example.com  subject=Hi\n",
        ),
        (
            PushSent(at_ms=123, user_id="u1", notification=PushNotification()),
            "host   info  push notification to the user u1\n",
        ),
    ],
)
def test_what_is_always_shown(event: Event, text: str) -> None:
    assert shown(event, verbose=False) == text
    assert shown(event) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            hook_called(LOGIN, UserWillLogInResponse(rejection_reason="No.")),
            'UserWillLogIn {user: User {id: "u", auth_data: <redacted>}} -> {rejection_reason: "No."} in 1.3 ms',
        ),
        (
            hook_called(UserWillLogInRequest(), None, "UNAVAILABLE: gone"),
            "UserWillLogIn {} -> UNAVAILABLE: gone in 1.3 ms",
        ),
        (hook_called(QUESTION, ANSWER, hook="ServeHTTP"), "ServeHTTP GET /hello -> 404 in 1.3 ms"),
        (
            hook_called(UserWillLogInRequest(user=User(username="x" * 300)), UserWillLogInResponse()),
            'UserWillLogIn {user: User {username: "' + "x" * 96 + "... (110 characters more) -> {} in 1.3 ms",
        ),
    ],
)
def test_hook_calls_are_shown_if_verbose(event: Event, text: str) -> None:
    assert shown(event) == f"sample hook  {text}\n"
    assert shown(event, verbose=False) == ""


def test_api_calls_and_events_for_clients_are_shown_if_verbose() -> None:
    found = api_called(GetUserResponse(user=User(id="u1")))
    missing = api_called(GetUserResponse(error=AppError(id="app.missing", status_code=404, detailed_error="u1")))
    event = WebSocketEvent(at_ms=123, name="posted", data={"post": "secret"}, broadcast=WebsocketBroadcast())
    assert shown(found) == 'sample api   GetUser {user_id: "u1"} -> {user: User {id: "u1"}} in 0.3 ms\n'
    assert shown(missing) == 'sample api   GetUser {user_id: "u1"} -> error 404 app.missing: u1 in 0.3 ms\n'
    assert shown(event) == "host   event posted\n"
    for each in (found, missing, event):
        assert shown(each, verbose=False) == ""


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["com.example.greeter", "greeter2"], ["greeter", "greeter2"]),
        (["com.example.bot", "org.example.bot"], ["com.example.bot", "org.example.bot"]),
        (["com.example.host", "ends."], ["com.example.host", "ends."]),
        (["\x1b" + "x" * 30], ["\\x1b" + "x" * 20]),
    ],
)
def test_plugins_have_short_names(ids: list[str], names: list[str]) -> None:
    assert list(short_names(ids).values()) == names
