"""Serves a WSGI application, such as one of Flask or Django, below /plugins/{plugin id}.

    app = Flask(__name__)

    class MyPlugin(Plugin):
        serve_http = wsgi(app)

The environ has what Mattermost knows about a request: "mattermost.user_id" (the authenticated user, "" without one),
"mattermost.context" (session, request id, client) and "mattermost.plugin".

Needs the package a2wsgi: pip install mattermost-plugin-sdk[wsgi]
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

from mattermost_plugin._asgi_connection import Message, Receive, Send
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin.asgi import ASGIApp, ASGIMount, HTTPHandlerMethod
from mattermost_plugin.errors import ClientDisconnected
from mattermost_pluginapi.hooks.streams import HTTPRequest, RequestBody

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["wsgi"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Reads of an application are often a line or a few bytes; the body arrives in pieces of this size.
_INPUT_BUFFER: Final = 64 * 1024

# Pieces of a response that an application may be ahead of its client. Each can be large.
_SEND_QUEUE: Final = 10

_SENDER: Final = "mattermost.wsgi.sender"
_FROM_SCOPE: Final = ("mattermost.user_id", "mattermost.context", "mattermost.plugin")


def wsgi(app: "WSGIApplication", /) -> HTTPHandlerMethod:
    """Make a WSGI application a handler of ServeHTTP.

    It runs in the threads of `def` HTTP handlers, whose number is MATTERMOST_PLUGIN_HTTP_WORKERS.

    Args:
        app: the application.

    Returns:
        A method for the plugin's class.

    Raises:
        ImportError: a2wsgi is not installed.
    """
    try:
        from a2wsgi.wsgi import WSGIResponder
    except ImportError as error:
        raise ImportError("wsgi() needs the package a2wsgi: pip install mattermost-plugin-sdk[wsgi]") from error
    # The types of a2wsgi say what ours do in other words; of the executor, only the loop asks, and only `submit`.
    responder_for = cast("Callable[[_Application, Executor, int], ASGIApp]", WSGIResponder)
    application = _Application(app)

    def build(plugin: object, http_pool: HandlerPool) -> ASGIApp:
        label = f"the WSGI application of {type(plugin).__name__}"

        async def serve(scope: dict[str, object], receive: Receive, send: Send) -> None:
            sender = _Sender(send)
            executor = _PoolExecutor(http_pool, label, cast("HTTPRequest", scope["mattermost.request"]))
            responder = responder_for(application, executor, _SEND_QUEUE)
            try:
                await responder(_wsgi_scope(scope, sender), receive, sender.send)
            finally:
                executor.give_up()
            if sender.failure is not None:
                raise sender.failure

        return serve

    return ASGIMount(build, "off").handler()


def _wsgi_scope(scope: Mapping[str, object], sender: "_Sender") -> dict[str, object]:
    headers = cast("Iterable[tuple[bytes, bytes]]", scope["headers"])
    # An environ cannot tell Mattermost_User_Id, which any client may send, from the server's Mattermost-User-Id.
    unambiguous = [(name, value) for name, value in headers if b"_" not in name]
    return {**scope, "headers": unambiguous, _SENDER: sender}


class _PoolExecutor(Executor):
    """Runs one call in the plugin's pool, and gives it up when the client goes.

    Then it never begins, or the pool counts its thread as stuck if it does not end soon; its future tells as always.
    """

    def __init__(self, pool: HandlerPool, label: str, request: HTTPRequest) -> None:
        self._pool = pool
        self._label = label
        self._request = request
        self._watch: asyncio.Task[None] | None = None

    def submit(self, function: Callable[_P, _T], /, *arguments: _P.args, **named: _P.kwargs) -> "Future[_T]":
        future: Future[_T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*arguments, **named)
            except StopIteration as error:
                # An asyncio future takes no StopIteration, and whoever awaits it would wait for ever.
                failure = RuntimeError(f"the WSGI application raised {error!r}")
                failure.__cause__ = error
                future.set_exception(failure)
            except BaseException as error:  # noqa: BLE001 - raised where the future is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        self._watch = asyncio.create_task(self._run(work, future))
        return future

    def give_up(self) -> None:
        """Stop waiting for the call, if it still runs."""
        if self._watch is not None:
            self._watch.cancel()

    async def _run(self, work: Callable[[], None], future: "Future[_T]") -> None:
        call = asyncio.create_task(self._pool.run(work, (), self._label, None))
        departure = asyncio.create_task(self._request.wait_disconnected())
        try:
            await asyncio.wait((call, departure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            call.cancel()
            departure.cancel()
            # Has no effect once the call has begun.
            future.cancel()


class _Sender:
    """Keeps a failed send to itself. Told of it, a2wsgi would take no more pieces and leave the application's
    thread waiting for ever; the thread learns of it at its next piece.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.failure: Exception | None = None

    async def send(self, message: Message) -> None:
        if self.failure is None:
            try:
                await self._send(message)
            except Exception as error:  # noqa: BLE001 - raised in the application's thread and by `serve`
                self.failure = error


class _Application:
    """The author's application with an environ that is right for a plugin."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        scope = environ["asgi.scope"]
        request: HTTPRequest = scope["mattermost.request"]
        sender: _Sender = scope[_SENDER]
        for key in _FROM_SCOPE:
            environ[key] = scope[key]
        # The input of a2wsgi ends quietly where the client broke off, and its readline returns too little.
        environ["wsgi.input"] = io.BufferedReader(_BodyInput(request.body), _INPUT_BUFFER)
        # A chunked upload has no length to go by; the input has an end.
        environ["wsgi.input_terminated"] = True
        environ["wsgi.errors"] = sys.stderr
        return _pieces(self._app(environ, start_response), request, sender)


class _BodyInput(io.RawIOBase):
    """A request's body as a file for threads."""

    def __init__(self, body: RequestBody) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the buffer type is 3.12's
        chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _pieces(response: Iterable[bytes], request: HTTPRequest, sender: _Sender) -> Iterator[bytes]:
    try:
        for piece in response:
            if sender.failure is not None:
                raise sender.failure
            if request.is_disconnected:
                raise ClientDisconnected("the client has gone")
            yield piece
    finally:
        close = getattr(response, "close", None)
        if close is not None:
            close()
