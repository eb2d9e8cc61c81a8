"""WSGI applications as handlers, in threads."""

import asyncio
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import flask
import pytest

from mattermost_plugin.wsgi import wsgi
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPRequestInit, ServeHTTPResponse
from tests.unit.http_link import Response, exchange, grpc_host, head, read_response, request_messages
from tests.unit.test_asgi import FakePlugin, mounted

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def ask(app: "WSGIApplication", *messages: ServeHTTPRequest, plugin: object = None) -> Response:
    """One request to the application, through a real server."""

    async def run() -> Response:
        async with grpc_host(mounted(wsgi(app), plugin)) as host:
            return await read_response(await host.send(messages))

    return asyncio.run(run())


def environ_of(init: ServeHTTPRequestInit, plugin: object = None) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    assert ask(app, *request_messages(init), plugin=plugin).status == 204
    return seen


def test_the_environ_says_what_wsgi_and_mattermost_know() -> None:
    plugin = FakePlugin()
    init = head("GET", "/caf%C3%A9?x=1", headers=[("Mattermost-User-Id", ["user1"]), ("X-A", ["1", "2"])])
    environ = environ_of(init, plugin)
    assert environ["SCRIPT_NAME"] == "/plugins/com.example.test"
    assert environ["PATH_INFO"] == "/café".encode().decode("latin-1")
    assert environ["QUERY_STRING"] == "x=1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("chat.example.com", "80")
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert environ["HTTP_X_A"] == "1,2"
    assert environ["wsgi.errors"] is sys.stderr
    assert environ["wsgi.input_terminated"] is True
    assert environ["mattermost.user_id"] == "user1"
    assert environ["mattermost.context"].session_id == "session1"
    assert environ["mattermost.plugin"] is plugin


def test_flask_answers_forms_json_and_uploads_without_length() -> None:
    app = flask.Flask(__name__)

    @app.post("/echo/<name>")
    def echo(name: str) -> flask.Response:
        return flask.jsonify(name=name, user=flask.request.environ["mattermost.user_id"], json=flask.request.get_json())

    @app.post("/raw")
    def raw() -> bytes:
        return flask.request.get_data()

    @app.get("/where")
    def where() -> str:
        return flask.url_for("echo", name="a", _external=True)

    headers = [("Content-Type", ["application/json"]), ("Mattermost-User-Id", ["user1"])]
    response = ask(app, *request_messages(head("POST", "/echo/tea", headers=headers), b'{"a":', b" 1}"))
    assert response.status == 200
    assert flask.json.loads(response.body) == {"name": "tea", "user": "user1", "json": {"a": 1}}
    assert ask(app, *request_messages(head("POST", "/raw"), b"one", b"two")).body == b"onetwo"
    assert ask(app, *request_messages(head("GET", "/where"))).body == (
        b"http://chat.example.com/plugins/com.example.test/echo/a"
    )


def test_the_input_is_read_in_lines_and_sizes() -> None:
    read: list[bytes] = []

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"]
        read.extend([body.readline(), body.readline(2), body.read(3), *body, body.read()])
        start_response("200 OK", [])
        return [b"ok"]

    ask(app, *request_messages(head("POST"), b"first li", b"ne\nsec", b"ond line\nthi", b"rd\nlast"))
    assert read == [b"first line\n", b"se", b"con", b"d line\n", b"third\n", b"last", b""]


def test_a_response_is_streamed() -> None:
    async def run() -> None:
        go_on = threading.Event()

        def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
            start_response("200 OK", [("X-A", "1")])
            yield b"one"
            go_on.wait()
            yield b"two"

        async with grpc_host(mounted(wsgi(app))) as host:
            call = await host.send(request_messages(head()))
            first = await call.read()
            assert isinstance(first, ServeHTTPResponse)
            assert (first.body_chunk, first.flush) == (b"one", True)
            go_on.set()
            second, last = await call.read(), await call.read()
            assert isinstance(second, ServeHTTPResponse)
            assert second.body_chunk == b"two"
            # Without the end the application's thread would still be writing when the loop closes.
            assert last == ServeHTTPResponse(body_complete=True)

    asyncio.run(run())


def test_an_application_that_raises_answers_500() -> None:
    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raise ValueError("secret")

    response, whole = exchange(mounted(wsgi(app)), *request_messages(head()))
    assert (response.status, response.body, whole) == (500, b"Internal Server Error\n", True)


def test_a_header_that_cannot_be_sent_stops_the_application() -> None:
    closed = threading.Event()

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        try:
            start_response("200 OK", [("X-A", "1\r\nX-B: 2")])
            while True:
                yield b"x"
        finally:
            closed.set()

    response, _ = exchange(mounted(wsgi(app)), *request_messages(head()))
    assert response.status == 500
    assert closed.is_set()


def test_an_endless_response_ends_when_the_client_goes() -> None:
    async def run() -> None:
        closed = threading.Event()

        def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
            try:
                start_response("200 OK", [])
                while True:
                    yield bytes(65536)
            finally:
                closed.set()

        async with grpc_host(mounted(wsgi(app))) as host:
            call = await host.send(request_messages(head()))
            await call.read()
            call.cancel()
            await asyncio.to_thread(closed.wait)

    asyncio.run(run())


def test_a_body_that_breaks_off_raises_in_the_application() -> None:
    errors: list[str] = []

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except Exception as error:
            errors.append(type(error).__name__)
            raise
        return []

    response = ask(app, *request_messages(head("POST"), b"one", complete=False))
    assert response.status == 400
    assert errors == ["RequestAborted"]


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "a2wsgi", None)
    with pytest.raises(ImportError, match=r"pip install mattermost-plugin-sdk\[wsgi\]"):
        wsgi(flask.Flask(__name__))
