"""The behaviour of the Go plugin whose session with a stock host was recorded."""

import json

from google.protobuf.struct_pb2 import Value

from mattermost_plugin import HookError, Plugin, Reject
from mattermost_plugin.api import NotFoundError
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    CommandArgs,
    CommandResponse,
    FileInfo,
    KeyValuePair,
    PluginContext,
    Post,
)
from mattermost_plugin.server import run_plugin


class Recorded(Plugin):
    """See the name."""

    async def on_configuration_change(self) -> None:
        self.settings = json.loads(await self.api.aio.load_plugin_configuration())

    async def on_activate(self) -> None:
        aio = self.api.aio
        await aio.log_info("activated", [KeyValuePair(key="answer", value=Value(string_value="42"))])
        await aio.kv_set("key", b"value")
        assert await aio.kv_get("key") == b"value"
        try:
            await aio.get_user("missing")
        except NotFoundError:
            return
        raise HookError("a user who is not there was found")

    def on_deactivate(self) -> None:
        raise HookError("deactivate failed on purpose")

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == "reject":
            return Reject("rejected for a reason")
        if post.message == "keep":
            return None
        post.message += "!"
        post.props["seen"] = True
        return post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.api.get_user(post.user_id)

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        if args.command.startswith("/fail"):
            raise HookError("app.fail", id="app.fail", detailed_error="details", where="where", status_code=418)
        response = CommandResponse(response_type="ephemeral", text=f"ran {args.command}")
        response.props.update({"n": 1.5, "l": ["a", False]})
        return response

    async def file_will_be_uploaded(
        self, context: PluginContext, file_info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo:
        await output.awrite(b"replaced:")
        async for piece in file:
            await output.awrite(piece)
        file_info.name = f"renamed-{file_info.name}"
        return file_info

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        if request.path == "/echo":
            async for piece in request.body:
                await writer.awrite(piece)
            return
        if request.path == "/break":
            await writer.awrite("half of")
            await writer.aflush()
            raise RuntimeError("on purpose")
        # Before the response: Go's server drops what of a body is unread when the header goes out.
        body = await request.body.aread()
        writer.headers["X-Test"] = "yes"
        writer.write_header(201)
        await writer.awrite("got:")
        await writer.aflush()
        await writer.awrite(body)


if __name__ == "__main__":
    run_plugin(Recorded)
