"""A plugin whose async handlers do what the path of a request says. `web_sync` is the same in threads."""

import asyncio
import hashlib
import json
import sys

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.errors import ClientDisconnected, HeadersSentError, RequestAborted
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext

SECRET = "the secret of the handler"
PIECE = 1024 * 1024


class AsyncWeb(Plugin):
    """Every route is a method; `_` stands for what a path separates."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # passed on as they are
        self.released = asyncio.Event()

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        name = request.path.strip("/").partition("/")[0].replace("-", "_")
        route = getattr(self, f"do_{name}", None)
        if route is None:
            writer.headers["Content-Type"] = "text/plain"
            writer.write_header(404)
            await writer.awrite(f"no {request.path} here")
        else:
            await route(writer, request)

    async def serve_metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Hook"] = "ServeMetrics"
        await self.serve_http(context, writer, request)

    async def do_inspect(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        body = await request.body.aread()
        writer.headers["Content-Type"] = "application/json"
        await writer.awrite(json.dumps(description(request, body)))

    async def do_status(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(int(request.path.rpartition("/")[2]))
        await writer.awrite("a body")

    async def do_cookies(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers.add("Set-Cookie", "a=1")
        writer.headers.add("set-cookie", "b=2; Path=/")
        writer.headers["X-Text"] = "é"

    async def do_nothing(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Nothing"] = "1"

    async def do_echo(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        async for piece in request.body:
            await writer.awrite(piece)
            await writer.aflush()

    async def do_digest(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        digest, count = hashlib.sha256(), 0
        while piece := await request.body.aread(PIECE):
            digest.update(piece)
            count += len(piece)
        await writer.awrite(f"{count} {digest.hexdigest()}")

    async def do_download(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        for number in range(int(request.path.rpartition("/")[2])):
            await writer.awrite(piece_of(number))

    async def do_hold(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.released.clear()
        await writer.awrite("first")
        await writer.aflush()
        await self.released.wait()
        await writer.awrite("second")

    async def do_release(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.released.set()

    async def do_early(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(413)
        await writer.awrite("too much")
        await writer.aflush()

    async def do_push(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            await writer.awrite("started")
            await writer.aflush()
            await asyncio.Event().wait()
        finally:
            self.logger.info("the client has left", extra={"disconnected": request.is_disconnected})

    async def do_watch(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        watcher = asyncio.create_task(self.watch(request))
        await writer.awrite("started")
        await writer.aflush()
        await watcher

    async def watch(self, request: HTTPRequest) -> None:
        try:
            await asyncio.shield(request.wait_disconnected())
        finally:
            self.logger.info("the watcher has ended", extra={"disconnected": request.is_disconnected})

    async def do_upload(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            await writer.awrite("started")
            await writer.aflush()
            await request.body.aread()
        except (RequestAborted, ClientDisconnected, asyncio.CancelledError) as error:
            self.logger.info("the upload broke off", extra={"kind": type(error).__name__})
            raise

    async def do_whole_body(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite(await request.body.aread())

    async def do_late_header(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite("sent ")
        try:
            writer.headers["X-Late"] = "1"
        except HeadersSentError:
            await writer.awrite("too late ")
        try:
            writer.write_header(201)
        except HeadersSentError:
            await writer.awrite(str(writer.status))

    async def do_fail(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Mine"] = "1"
        raise RuntimeError(SECRET)

    async def do_fail_late(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Mine"] = "1"
        await writer.awrite("so far so good")
        await writer.aflush()
        raise RuntimeError(SECRET)

    async def do_exit(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        sys.exit(SECRET)

    async def do_bad_header(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            writer.headers["X-Bad"] = "a\r\nX-Smuggled: 1"
        except ValueError:
            await writer.awrite("refused")

    async def do_wrong_call(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            request.body.read()
        except RuntimeError as error:
            await writer.awrite(str(error))


def description(request: HTTPRequest, body: bytes) -> dict[str, object]:
    return {
        "method": request.method,
        "url": request.url,
        "path": request.path,
        "query": request.query_string,
        "user": request.user_id,
        "host": request.host,
        "request_uri": request.request_uri,
        "proto": request.proto,
        "length": request.content_length,
        "fields": list(request.headers.items_all()),
        "many": request.headers.get_all("x-MANY"),
        "session": request.context.session_id,
        "agent": request.context.user_agent,
        "address": request.context.ip_address,
        "body": body.decode(),
    }


def piece_of(number: int) -> bytes:
    """The n-th MiB of a download; no two are alike."""
    return number.to_bytes(8) * (PIECE // 8)


if __name__ == "__main__":
    run_plugin(AsyncWeb)
