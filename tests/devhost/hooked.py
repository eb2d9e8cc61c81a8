"""Two plugins that have hooks, a few others, and a run with them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook
from mattermost_plugin.devhost.app.posts import DISMISS
from mattermost_plugin.devhost.events import HookCalled
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Channel,
    CommandArgs,
    CommandResponse,
    ConfigJson,
    FileInfo,
    MessageAttachment,
    PluginContext,
    Post,
    Preference,
    Reaction,
    User,
    WebSocketRequest,
)
from tests.devhost.plugins import Loaded, Talker, loaded


class First(Talker):
    """Adds "1", refuses "no", dismisses "shh", crashes on "oops"."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == "no":
            return Reject("not like this")
        if post.message == "shh":
            return Reject(DISMISS)
        if post.message == "oops":
            raise RuntimeError("broken")
        post.message += "1"
        return post

    def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        if new_post.message == "shh":
            return Reject(DISMISS)
        return Reject(f"keep {old_post.message}") if new_post.message == "no" else None

    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        return Reject("closed") if user.username == "bob" else None

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse | None:
        if args.command == "/one fail":
            raise HookError("No.", id="one.fail", status_code=418)
        word = args.command.removeprefix("/one ")
        if word == "none":
            return None
        if word == "nothing":
            return CommandResponse()
        if word == "elsewhere":
            return CommandResponse(text="x", channel_id=args.channel_id)
        if word == "system":
            return CommandResponse(text="x", type="system_generic")
        if word == "many":
            quiet = CommandResponse(text="quietly")
            return CommandResponse(
                response_type="in_channel",
                username="Robo",
                message_attachments=[MessageAttachment(text="a")],
                extra_responses=[quiet],
            )
        return CommandResponse(response_type="in_channel", text=f"one: {args.command}")

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        content = await file.aread()
        if info.extension == "exe":
            return Reject("no programs")
        await output.awrite(content + b"1")
        return None

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Who"] = request.headers.get("Mattermost-Plugin-ID", request.user_id)
        writer.write_header(201)
        await writer.awrite(request.method.encode() + b" " + request.url.encode() + b" ")
        async for piece in request.body:
            await writer.awrite(piece)

    def channel_will_be_archived(self, context: PluginContext, channel: Channel) -> Reject | None:
        return Reject("in use")

    def configuration_will_be_saved(self, new_config: ConfigJson) -> ConfigJson | None:
        if json.loads(new_config.config_json)["TeamSettings"]["SiteName"] == "bad":
            raise HookError("a bad name")
        return None

    def messages_will_be_consumed(self, posts: Sequence[Post]) -> Sequence[Post]:
        return [Post(id=posts[0].id, message="changed"), Post(id="added", message="added")]


class Second(Plugin):
    """Adds "2", and hears of everything."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.message += "2"
        return post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None: ...
    def message_has_been_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None: ...
    def message_has_been_deleted(self, context: PluginContext, post: Post) -> None: ...
    def reaction_has_been_added(self, context: PluginContext, reaction: Reaction) -> None: ...
    def reaction_has_been_removed(self, context: PluginContext, reaction: Reaction) -> None: ...
    def user_has_been_created(self, context: PluginContext, user: User) -> None: ...
    def user_has_logged_in(self, context: PluginContext, user: User) -> None: ...
    def user_has_been_deactivated(self, context: PluginContext, user: User) -> None: ...
    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None: ...
    def preferences_have_changed(self, context: PluginContext, preferences: Sequence[Preference]) -> None: ...
    def on_configuration_change(self) -> None: ...
    def on_websocket_connect(self, web_conn_id: str, user_id: str) -> None: ...
    def on_websocket_disconnect(self, web_conn_id: str, user_id: str) -> None: ...

    @hook(HookName.WebSocketMessageHasBeenPosted)
    def heard(self, web_conn_id: str, user_id: str, request: WebSocketRequest) -> None: ...

    @hook(HookName.UserHasJoinedChannel)
    def joined(self, context: PluginContext, member: Any, actor: User | None) -> None: ...

    @hook(HookName.UserHasLeftChannel)
    def left(self, context: PluginContext, member: Any, actor: User | None) -> None: ...


class Mover(Plugin):
    """Moves posts to the channel that they name."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.channel_id = post.message.removeprefix("to ")
        return post


class Eraser(Talker):
    """Deletes what is edited."""

    @hook(HookName.MessageWillBeUpdated)
    async def erase(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        await self.api_calls("DeletePost", post_id=old_post.id)
        return None


def run(scenario: Callable[[Loaded], Awaitable[None]], *plugins: type[Plugin]) -> None:
    async def inside() -> None:
        async with loaded(plugins or (First, Second)) as here:
            await scenario(here)

    asyncio.run(inside())


def calls(here: Loaded) -> list[tuple[str, str]]:
    return [(event.hook, event.plugin_id) for event in here.host.events.history(HookCalled)]
