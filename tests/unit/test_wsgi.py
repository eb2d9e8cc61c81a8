"""WSGI applications as handlers, in threads."""

import asyncio
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import flask
import pytest

from mattermost_plugin import HookName, Plugin
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.wsgi import wsgi
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPRequestInit, ServeHTTPResponse
from tests.unit.http_link import (
    END,
    MemoryStream,
    Response,
    exchange,
    grpc_host,
    head,
    read_response,
    request_messages,
    serve,
)
from tests.unit.test_asgi import FakePlugin, mount_of, mounted

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


@pytest.mark.parametrize("error", [StopIteration("odd"), SystemExit(1)])
def test_odd_exceptions_answer_500(error: BaseException) -> None:
    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raise error

    response, whole = exchange(mounted(wsgi(app)), *request_messages(head()))
    assert (response.status, whole) == (500, True)


def test_a_client_cannot_pass_a_header_off_as_the_servers() -> None:
    init = head(headers=[("Mattermost_user_id", ["admin"]), ("Content_Length", ["7"]), ("X-A", ["1"])])
    environ = environ_of(init)
    assert "HTTP_MATTERMOST_USER_ID" not in environ
    assert "HTTP_CONTENT_LENGTH" not in environ
    assert environ["HTTP_X_A"] == "1"


class RecordingPool(HandlerPool):
    """Tells when a call came and when one was given up."""

    def __init__(self, size: int) -> None:
        super().__init__(size, "web")
        self.calls: asyncio.Queue[None] = asyncio.Queue()
        self.given_up = asyncio.Event()

    async def run(self, *arguments: Any, **named: Any) -> object:
        self.calls.put_nowait(None)
        try:
            return await super().run(*arguments, **named)
        except asyncio.CancelledError:
            self.given_up.set()
            raise


class Hanging:
    """An application that hangs in its only request, until it is told to go on."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.started = asyncio.Event()
        self.released = threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.threads.append(threading.current_thread())
        self.loop.call_soon_threadsafe(self.started.set)
        self.released.wait()
        start_response("200 OK", [])
        return [b"ok"]


def test_the_application_runs_in_the_plugins_threads() -> None:
    async def run() -> None:
        app, pool, plugin = Hanging(), HandlerPool(1, "web"), FakePlugin()
        app.released.set()
        method = wsgi(app)
        mount_of(method).bind(plugin, pool)
        for _ in range(2):
            assert await serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin))
        assert {thread.name for thread in app.threads} == {"web-1"}
        assert all(thread.daemon for thread in app.threads)
        pool.close()

    asyncio.run(run())


def test_a_request_whose_client_leaves_before_a_thread_is_free_never_runs() -> None:
    async def run() -> None:
        app, pool, plugin = Hanging(), RecordingPool(1), FakePlugin()
        method = wsgi(app)
        mount_of(method).bind(plugin, pool)
        first_stream = MemoryStream(*request_messages(head()), END)
        first = asyncio.create_task(serve(first_stream, mounted(method, plugin)))
        await app.started.wait()
        await pool.calls.get()
        second = asyncio.create_task(serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin)))
        await pool.calls.get()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        app.released.set()
        assert await first
        assert first_stream.response.body == b"ok"
        assert await serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin))
        assert len(app.threads) == 2
        pool.close()

    asyncio.run(run())


def test_a_view_that_hangs_after_its_client_left_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mattermost_plugin._handler_pool._LEAVE_S", 0.0)

    async def run() -> None:
        app, pool, plugin = Hanging(), RecordingPool(1), FakePlugin()
        method = wsgi(app)
        mount_of(method).bind(plugin, pool)
        request = asyncio.create_task(serve(MemoryStream(*request_messages(head()), END), mounted(method, plugin)))
        await app.started.wait()
        assert not pool.is_exhausted
        request.cancel()
        await pool.given_up.wait()
        assert pool.is_exhausted
        app.released.set()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert not pool.is_exhausted
        pool.close()

    asyncio.run(run())


def test_the_plugins_health_knows_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mattermost_plugin._handler_pool._LEAVE_S", 0.0)
    # The plugin makes its pools itself.
    monkeypatch.setattr("mattermost_plugin._bound_plugin.HandlerPool", lambda size, name: RecordingPool(size))

    async def run() -> None:
        app = Hanging()

        class Site(Plugin):
            serve_http = wsgi(app)

        bound = BoundPlugin(Site(), RuntimeConfig(http_workers=1))
        pool = bound.http_pool
        assert isinstance(pool, RecordingPool)
        await bound.lifecycle.activate(None)
        handler = bound.http_handler(bound.http[HookName.ServeHTTP])
        request = asyncio.create_task(serve(MemoryStream(*request_messages(head()), END), handler))
        await app.started.wait()
        assert not bound.is_stuck
        request.cancel()
        await pool.given_up.wait()
        assert bound.is_stuck
        app.released.set()
        with pytest.raises(asyncio.CancelledError):
            await request
        bound.close()

    asyncio.run(run())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a2wsgi", "a2wsgi.wsgi"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install mattermost-plugin-sdk\[wsgi\]"):
        wsgi(flask.Flask(__name__))
