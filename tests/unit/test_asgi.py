"""ASGI applications as handlers: messages, scope and what happens when either side leaves early."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import grpc
import pytest

from mattermost_plugin._asgi_scope import split_address
from mattermost_plugin._http_exchange import MOUNT_ATTRIBUTE, HTTPHandler
from mattermost_plugin.asgi import ASGIMount, HTTPHandlerMethod, asgi
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPRequestInit, ServeHTTPResponse
from tests.unit.http_link import END, MemoryStream, Response, exchange, grpc_host, head, request_messages, serve

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

START: Scope = {"type": "http.response.start", "status": 200, "headers": []}


class FakePlugin:
    """Stands for the author's plugin."""


def mounted(method: HTTPHandlerMethod, plugin: object = None) -> HTTPHandler:
    """The method as a handler of a plugin."""
    owner = FakePlugin() if plugin is None else plugin

    def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> Awaitable[None]:
        return method(owner, context, writer, request)

    return handler


def mount_of(method: HTTPHandlerMethod) -> ASGIMount:
    """The application behind the method, the way the plugin's runtime finds it."""
    mount = getattr(method, MOUNT_ATTRIBUTE)
    assert isinstance(mount, ASGIMount)
    return mount


def scope_of(init: ServeHTTPRequestInit, plugin: object = None) -> Scope:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send)

    exchange(mounted(asgi(app), plugin), *request_messages(init))
    return scopes[0]


async def answer(send: Send, body: bytes = b"ok") -> None:
    await send(START)
    await send({"type": "http.response.body", "body": body})


def answered(app: App, *messages: ServeHTTPRequest) -> tuple[Response, bool]:
    return exchange(mounted(asgi(app)), *(messages or request_messages(head())))


def test_the_scope_says_what_asgi_asks_for() -> None:
    plugin = FakePlugin()
    init = head(
        "POST",
        "/caf%C3%A9?x=%20&y",
        headers=[("Accept", ["a", "b"]), ("Mattermost-User-Id", ["user1"]), ("X-Name", ["größe"])],
    )
    scope = scope_of(init, plugin)
    assert scope["type"] == "http"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.3"}
    assert (scope["http_version"], scope["method"], scope["scheme"]) == ("1.1", "POST", "http")
    assert scope["root_path"] == "/plugins/com.example.test"
    assert scope["path"] == "/plugins/com.example.test/café"
    assert scope["raw_path"] == b"/plugins/com.example.test/caf%C3%A9"
    assert scope["query_string"] == b"x=%20&y"
    assert scope["headers"] == [
        (b"host", b"chat.example.com"),
        (b"accept", b"a"),
        (b"accept", b"b"),
        (b"mattermost-user-id", b"user1"),
        (b"x-name", "größe".encode()),
    ]
    assert scope["client"] == ("192.0.2.7", 50123)
    assert scope["server"] == ("chat.example.com", 80)
    assert (scope["state"], scope["extensions"]) == ({}, {})
    assert scope["mattermost.plugin"] is plugin
    assert scope["mattermost.context"].request_id == "req1"
    assert scope["mattermost.user_id"] == "user1"
    assert scope["mattermost.request"].method == "POST"


@pytest.mark.parametrize(
    ("value", "scheme", "port"),
    [("https", "https", 443), ("HTTPS, http", "https", 443), ("http", "http", 80), ("gopher", "http", 80)],
)
def test_the_scheme_is_the_first_proxys(value: str, scheme: str, port: int) -> None:
    scope = scope_of(head(headers=[("X-Forwarded-Proto", [value])]))
    assert (scope["scheme"], scope["server"]) == (scheme, ("chat.example.com", port))


@pytest.mark.parametrize(
    ("major", "minor", "version"), [(1, 1, "1.1"), (1, 0, "1.0"), (2, 0, "2"), (3, 0, "3"), (0, 0, "1.1")]
)
def test_the_http_version_is_written_as_asgi_does(major: int, minor: int, version: str) -> None:
    init = head()
    init.proto_major, init.proto_minor = major, minor
    assert scope_of(init)["http_version"] == version


@pytest.mark.parametrize(
    ("request_uri", "url", "root_path", "path"),
    [
        ("/plugins/p/a?x=1", "/a?x=1", "/plugins/p", "/plugins/p/a"),
        ("/sub/plugins/p/a", "/a", "/sub/plugins/p", "/sub/plugins/p/a"),
        # The server drops the query's token and sorts the rest.
        ("/plugins/p/a?b=2&access_token=t&a=1", "/a?a=1&b=2", "/plugins/p", "/plugins/p/a"),
        ("/plugins/p/", "/", "/plugins/p", "/plugins/p/"),
        ("/plugins/p", "/", "/plugins/p", "/plugins/p/"),
        ("/plugins/p", "", "/plugins/p", "/plugins/p/"),
        # Encoded anew by the server.
        ("/plugins/p/a%2Db", "/a-b", "/plugins/p", "/plugins/p/a-b"),
        ("https://chat.example.com/plugins/p/a", "/a", "/plugins/p", "/plugins/p/a"),
        ("", "/a", "", "/a"),
        ("/other", "/a", "", "/a"),
        ("/a", "/a", "", "/a"),
        ("/", "/", "", "/"),
    ],
)
def test_the_root_path_is_what_the_server_cut_off(request_uri: str, url: str, root_path: str, path: str) -> None:
    init = head(url=url)
    init.request_uri = request_uri
    scope = scope_of(init)
    assert (scope["root_path"], scope["path"]) == (root_path, path)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7:80", ("192.0.2.7", 80)),
        ("[2001:db8::1]:80", ("2001:db8::1", 80)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("host", ("host", None)),
        ("host:", ("host", None)),
        ("host:x", ("host", None)),
        (":80", None),
        ("", None),
    ],
)
def test_addresses_are_split(address: str, expected: tuple[str, int | None] | None) -> None:
    assert split_address(address) == expected


def test_unknown_addresses_and_odd_queries_do_no_harm() -> None:
    scope = scope_of(head(url="/a?q=ö", host="", remote_addr="192.0.2.7"))
    assert scope["server"] is None
    assert scope["client"] == ("192.0.2.7", 0)
    assert scope["query_string"] == b"q=%C3%B6"
    assert b"host" not in dict(scope["headers"])


def test_the_body_arrives_in_messages_and_its_end_is_told_with_the_last() -> None:
    received: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            received.append(await receive())
            if not received[-1]["more_body"]:
                break
        await answer(send)
        received.append(await receive())

    answered(app, *request_messages(head("POST"), b"one", b"two"))
    assert received == [
        {"type": "http.request", "body": b"one", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]


def test_a_request_without_body_has_one_empty_message() -> None:
    received: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.append(await receive())
        await answer(send)

    answered(app)
    assert received == [{"type": "http.request", "body": b"", "more_body": False}]


def test_a_body_that_breaks_off_is_a_disconnect() -> None:
    received: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.extend([await receive() for _ in range(3)])
        await answer(send)

    response, _ = answered(app, *request_messages(head("POST"), b"one", complete=False))
    assert [message["type"] for message in received] == ["http.request", "http.disconnect", "http.disconnect"]
    assert response.body == b"ok"


def test_each_piece_but_the_last_goes_out_at_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"1"), (b"x-a", b"\xe9")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": memoryview(b"two"), "more_body": True})
        await send({"type": "http.response.body"})

    async def run() -> None:
        stream = MemoryStream(*request_messages(head()), END)
        assert await serve(stream, mounted(asgi(app)))
        assert stream.response == Response(201, [("x-a", "1"), ("x-a", "é")], b"onetwo", True)
        assert [message.flush for message in stream.sent] == [True, True, False]

    asyncio.run(run())


def test_a_whole_response_is_one_message() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)

    async def run() -> None:
        stream = MemoryStream(*request_messages(head()), END)
        assert await serve(stream, mounted(asgi(app)))
        assert len(stream.sent) == 1
        assert stream.response.body == b"ok"

    asyncio.run(run())


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [START],
        [{"type": "http.response.body", "body": b"x"}],
        [START, START],
        [{"type": "websocket.accept"}],
        [{"type": "http.response.start", "status": "200"}],
        [START, {"type": "http.response.body", "body": "text"}],
        [{"type": "http.response.start", "status": 200, "headers": [("x", "y")]}],
        [
            {"type": "http.response.start", "status": 200, "headers": [(b"x y", b"z")]},
            {"type": "http.response.body", "body": b"x"},
        ],
        [{"type": "http.response.start", "status": 99}, {"type": "http.response.body", "body": b"x"}],
    ],
)
def test_an_application_that_breaks_the_protocol_answers_500(messages: list[Scope]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    response, _ = answered(app)
    assert (response.status, response.body) == (500, b"Internal Server Error\n")


def test_a_piece_after_the_last_is_an_error_and_the_response_stays_whole(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)
        await send({"type": "http.response.body", "body": b"more"})

    response, whole = answered(app)
    assert (response.body, response.is_whole, whole) == (b"ok", True, True)
    assert "after the last one" in caplog.text


def test_an_application_that_stops_half_way_cuts_the_response_off() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    response, whole = answered(app)
    assert (response.body, response.is_whole, whole) == (b"half", False, False)


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(1)])
def test_an_application_that_raises_answers_500(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        raise error

    response, _ = answered(app)
    assert (response.status, response.body) == (500, b"Internal Server Error\n")
    assert [record.levelno for record in caplog.records if record.name == "tests.http"] == [logging.ERROR]


def test_the_application_hears_of_the_client_that_went_and_is_not_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        seen: list[object] = []
        over = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append((await receive())["type"])
            await send(START)
            await send({"type": "http.response.body", "body": b"event", "more_body": True})
            seen.append((await receive())["type"])
            await asyncio.sleep(0)
            try:
                await send({"type": "http.response.body", "body": b"event", "more_body": True})
            except OSError:
                seen.append("send failed")
                raise
            finally:
                over.set()

        async with grpc_host(mounted(asgi(app))) as host:
            call = await host.send(request_messages(head()))
            message = await call.read()
            assert isinstance(message, ServeHTTPResponse)
            assert (message.body_chunk, message.flush) == (b"event", True)
            call.cancel()
            await over.wait()
        assert seen == ["http.request", "http.disconnect", "send failed"]

    asyncio.run(run())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_work_after_the_response_goes_on_when_the_client_leaves() -> None:
    async def run() -> None:
        response_read, work_done = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(send)
            assert (await receive())["type"] == "http.disconnect"
            await response_read.wait()
            await scope["mattermost.request"].wait_disconnected()
            await asyncio.sleep(0)
            work_done.set()

        async with grpc_host(mounted(asgi(app))) as host:
            call = await host.send(request_messages(head()))
            message = await call.read()
            assert isinstance(message, ServeHTTPResponse)
            assert message.body_complete
            # The host stops listening after the end of the response.
            call.cancel()
            assert await call.code() is grpc.StatusCode.CANCELLED
            response_read.set()
            await work_done.wait()

    asyncio.run(run())


def test_wrong_arguments_are_refused_at_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(TypeError, match="takes an ASGI application"):
        asgi(None)  # type: ignore[call-overload]  # the wrong type is the point
    with pytest.raises(TypeError, match="takes an ASGI application"):
        asgi("module:app")  # type: ignore[call-overload]  # the wrong type is the point
    with pytest.raises(TypeError, match="takes an ASGI application"):
        asgi(app, factory=lambda plugin: app)  # type: ignore[call-overload]  # both are too many
    with pytest.raises(ValueError, match="lifespan is"):
        asgi(app, lifespan="maybe")  # type: ignore[call-overload]  # the wrong value is the point
