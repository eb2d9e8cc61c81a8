"""The plugin of `web_async` with handlers that block, each in its thread."""

import contextlib
import hashlib
import json
import sys
import threading

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.errors import ClientDisconnected, HeadersSentError, RequestAborted
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext
from tests.peer.plugins.web_async import PIECE, SECRET, description, piece_of

LOOK_INTERVAL_S = 0.01
"""How often a handler looks whether its client is still there."""


class SyncWeb(Plugin):
    """Every route is a method; `_` stands for what a path separates."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # passed on as they are
        self.released = threading.Event()

    def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        name = request.path.strip("/").partition("/")[0].replace("-", "_")
        route = getattr(self, f"do_{name}", None)
        if route is None:
            writer.headers["Content-Type"] = "text/plain"
            writer.write_header(404)
            writer.write(f"no {request.path} here")
        else:
            route(writer, request)

    def serve_metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Hook"] = "ServeMetrics"
        self.serve_http(context, writer, request)

    def do_inspect(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        body = request.body.read()
        writer.headers["Content-Type"] = "application/json"
        writer.write(json.dumps(description(request, body)))

    def do_status(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(int(request.path.rpartition("/")[2]))
        writer.write("a body")

    def do_cookies(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers.add("Set-Cookie", "a=1")
        writer.headers.add("set-cookie", "b=2; Path=/")
        writer.headers["X-Text"] = "é"

    def do_nothing(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Nothing"] = "1"

    def do_echo(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        for piece in request.body:
            writer.write(piece)
            writer.flush()

    def do_digest(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        digest, count = hashlib.sha256(), 0
        while piece := request.body.read(PIECE):
            digest.update(piece)
            count += len(piece)
        writer.write(f"{count} {digest.hexdigest()}")

    def do_download(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        for number in range(int(request.path.rpartition("/")[2])):
            writer.write(piece_of(number))

    def do_hold(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.released.clear()
        writer.write("first")
        writer.flush()
        self.released.wait()
        writer.write("second")

    def do_release(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.released.set()

    def do_early(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(413)
        writer.write("too much")
        writer.flush()

    def do_push(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            writer.write("started")
            while True:
                writer.flush()
                writer.write("more")
        except ClientDisconnected:
            self.logger.info("the client has left", extra={"disconnected": request.is_disconnected})
            raise

    def do_watch(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write("started")
        with contextlib.suppress(ClientDisconnected):
            writer.flush()
        pause = threading.Event()
        while not request.is_disconnected:
            pause.wait(LOOK_INTERVAL_S)
        self.logger.info("the watcher has ended", extra={"disconnected": True})

    def do_upload(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            writer.write("started")
            writer.flush()
            request.body.read()
        except (RequestAborted, ClientDisconnected) as error:
            self.logger.info("the upload broke off", extra={"kind": type(error).__name__})
            raise

    def do_whole_body(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write(request.body.read())

    def do_late_header(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write("sent ")
        try:
            writer.headers["X-Late"] = "1"
        except HeadersSentError:
            writer.write("too late ")
        try:
            writer.write_header(201)
        except HeadersSentError:
            writer.write(str(writer.status))

    def do_fail(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Mine"] = "1"
        raise RuntimeError(SECRET)

    def do_fail_late(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Mine"] = "1"
        writer.write("so far so good")
        writer.flush()
        raise RuntimeError(SECRET)

    def do_exit(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        sys.exit(SECRET)

    def do_bad_header(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            writer.headers["X-Bad"] = "a\r\nX-Smuggled: 1"
        except ValueError:
            writer.write("refused")


if __name__ == "__main__":
    run_plugin(SyncWeb)
