"""A plugin for a hostile host: handlers of all kinds, none of which needs a thread."""

from __future__ import annotations

from mattermost_plugin import HookError, Plugin, Reject
from mattermost_plugin.errors import PluginError
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Channel,
    ChannelMember,
    CommandArgs,
    CommandResponse,
    FileInfo,
    PluginContext,
    Post,
    User,
)

__all__ = ["Hosted"]


class Hosted(Plugin):
    """Behaves much like the plugin whose session was recorded."""

    async def on_configuration_change(self) -> None:
        await self.api.aio.load_plugin_configuration()

    async def on_activate(self) -> None:
        aio = self.api.aio
        await aio.log_info("activated")
        await aio.kv_set("key", b"value")
        await aio.kv_get("key")
        try:
            await aio.get_user("missing")
        except PluginError:
            return

    async def on_deactivate(self) -> None:
        await self.api.aio.kv_set("key", b"")

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == "reject":
            return Reject("rejected for a reason")
        if post.message == "keep":
            return None
        post.message += "!"
        post.props["seen"] = True
        return post

    async def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | None:
        new_post.props.MergeFrom(old_post.props)
        return new_post

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        await self.api.aio.get_user(post.user_id)

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        if args.command.startswith("/fail"):
            raise HookError("app.fail", id="app.fail", detailed_error="details", where="where", status_code=418)
        response = CommandResponse(response_type="ephemeral", text=f"ran {args.command}")
        response.props.update({"n": 1.5, "l": ["a", False]})
        return response

    async def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        await self.api.aio.kv_set(channel.id, channel.SerializeToString())

    async def channel_member_will_be_added(
        self, context: PluginContext, channel_member: ChannelMember
    ) -> ChannelMember | Reject | None:
        channel_member.roles += " guest"
        return channel_member

    async def user_has_been_created(self, context: PluginContext, user: User) -> None:
        await self.api.aio.get_user(user.id)

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
        body = await request.body.aread()
        writer.headers["X-Test"] = "yes"
        writer.write_header(201)
        await writer.aflush()
        await writer.awrite(body)

    async def serve_metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite(await request.body.aread())
