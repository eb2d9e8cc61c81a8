"""Serves a WSGI application, such as one of Flask or Django, below /plugins/{plugin id}.

    app = Flask(__name__)

    class MyPlugin(Plugin):
        serve_http = wsgi(app)

The environ has what Mattermost knows about a request: "mattermost.user_id" (the authenticated user, "" without one),
"mattermost.context" (session, request id, client) and "mattermost.plugin".

Needs the package a2wsgi: pip install mattermost-plugin-sdk[wsgi]
"""

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, cast

from mattermost_plugin._asgi_connection import Message, Receive, Send
from mattermost_plugin.asgi import ASGIApp, HTTPHandlerMethod, asgi
from mattermost_plugin.errors import ClientDisconnected
from mattermost_pluginapi.hooks.streams import HTTPRequest, RequestBody

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from a2wsgi.wsgi_typing import WSGIApp

__all__ = ["wsgi"]

# Reads of an application are often a line or a few bytes; the body arrives in pieces of this size.
_INPUT_BUFFER: Final = 64 * 1024

_SENDER: Final = "mattermost.wsgi.sender"
_FROM_SCOPE: Final = ("mattermost.user_id", "mattermost.context", "mattermost.plugin")


def wsgi(app: "WSGIApplication", /, *, workers: int = 10) -> HTTPHandlerMethod:
    """Make a WSGI application a handler of ServeHTTP.

    Args:
        app: the application.
        workers: how many requests the application may answer at the same time, each in a thread.

    Returns:
        A method for the plugin's class.

    Raises:
        ImportError: a2wsgi is not installed.
    """
    middleware = _middleware(_Application(app), workers)

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        sender = _Sender(send)
        scope[_SENDER] = sender
        await middleware(scope, receive, sender.send)
        if sender.failure is not None:
            raise sender.failure

    return asgi(serve, lifespan="off")


def _middleware(app: "_Application", workers: int) -> ASGIApp:
    try:
        from a2wsgi import WSGIMiddleware
    except ImportError as error:
        raise ImportError("wsgi() needs the package a2wsgi: pip install mattermost-plugin-sdk[wsgi]") from error
    # The types of a2wsgi and of wsgiref say the same in different words.
    return WSGIMiddleware(cast("WSGIApp", app), workers=workers)


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
