"""A plugin for a hostile host: handlers of all kinds, none of which needs a thread."""

from __future__ import annotations

from mattermost_plugin import HookError
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import (
    Channel,
    ChannelMember,
    CommandArgs,
    CommandResponse,
    PluginContext,
    Post,
    User,
)
from tests.stock.plugins.session_plugin import Recorded

__all__ = ["Hosted"]


class Hosted(Recorded):
    """Does what the recorded plugin does, on the event loop."""

    async def on_configuration_change(self) -> None:
        await self.api.aio.load_plugin_configuration()

    async def on_deactivate(self) -> None:
        await self.api.aio.kv_set("key", b"")

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        await self.api.aio.get_user(post.user_id)

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        if args.command.startswith("/fail"):
            raise HookError("app.fail", id="app.fail", detailed_error="details", where="where", status_code=418)
        response = CommandResponse(response_type="ephemeral", text=f"ran {args.command}")
        response.props.update({"n": 1.5, "l": ["a", False]})
        return response

    async def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | None:
        new_post.props.update(old_post.props)
        return new_post

    async def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        await self.api.aio.kv_set(channel.id, channel.SerializeToString())

    async def channel_member_will_be_added(self, context: PluginContext, member: ChannelMember) -> ChannelMember:
        member.roles += " guest"
        return member

    async def user_has_been_created(self, context: PluginContext, user: User) -> None:
        await self.api.aio.get_user(user.id)

    async def serve_metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite(await request.body.aread())
