# pyright: strict
"""Handlers as authors may write them. Both type checkers must accept every line, in their strictest mode."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook
from mattermost_plugin.asgi import asgi
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Channel,
    ChannelMember,
    CommandArgs,
    CommandResponse,
    ConfigJson,
    FileInfo,
    PluginContext,
    Post,
    User,
)


class Overrides(Plugin):
    """Stubs overridden with `def`."""

    def on_activate(self) -> None:
        self.logger.info("activated")

    def on_configuration_change(self) -> None: ...

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        return Reject("no") if post.message == context.user_agent else post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None: ...

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        raise HookError("Not now.", status_code=503)

    def messages_will_be_consumed(self, posts: Sequence[Post]) -> list[Post]:
        return list(posts)

    def run_data_retention(self, now_ms: int, batch_size: int) -> int:
        return min(now_ms, batch_size)

    def user_has_joined_channel(
        self, context: PluginContext, channel_member: ChannelMember, actor: User | None
    ) -> None:
        actor_id = "" if actor is None else actor.id
        self.logger.info(actor_id)

    def configuration_will_be_saved(self, new_config: ConfigJson) -> ConfigJson | None: ...

    def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        for piece in file:
            output.write(piece)
        return info

    def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["Content-Type"] = "text/plain"
        writer.write(request.body.read())


class AsyncOverrides(Plugin):
    """Stubs overridden with `async def`."""

    async def on_activate(self) -> None: ...

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None: ...

    async def messages_will_be_consumed(self, posts: Sequence[Post]) -> Sequence[Post] | None: ...

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        async for piece in file:
            await output.awrite(piece)
        return None

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite(await request.body.aread())


class Narrower(Plugin):
    """An override may promise more than the stub, ask for less and rename its parameters."""

    def message_will_be_posted(self, _: object, p: Post) -> Reject:
        return Reject(p.message)

    async def user_will_log_in(self, context: PluginContext, user: User) -> None: ...

    def on_deactivate(self, patience_s: float = 1.0) -> None: ...

    def channel_has_been_created(self, *arguments: object) -> None: ...


class Cooperative(Plugin):
    """A stub may be called."""

    def on_activate(self) -> None:
        super().on_activate()


class NarrowerStill(Narrower):
    """An override of an override."""

    def message_will_be_posted(self, _: object, p: Post) -> Reject:
        return Reject("no")


class Decorated(Plugin):
    """@hook with the hook's name, as a constant or a string."""

    @hook(HookName.MessageWillBePosted)
    def no_shouting(self, context: PluginContext, post: Post) -> Post | Reject | None: ...

    @hook(HookName.MessageWillBeUpdated, on_error="reject", timeout=5)
    async def still_no_shouting(
        self, context: PluginContext, new_post: Post, old_post: Post
    ) -> Post | Reject | None: ...

    @hook("UserWillLogIn", on_error="reject")
    def check_login(self, context: PluginContext, user: User) -> Reject | None: ...

    @hook("ExecuteCommand", on_error="error", timeout=0.5)
    async def greet(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        return CommandResponse(text=args.command)

    @hook(HookName.ChannelHasBeenCreated)
    def any_arguments(self, *arguments: Any) -> None: ...

    @hook(HookName.ServeHTTP, timeout=60)
    async def pages(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None: ...

    @hook(HookName.ConfigurationWillBeSaved, on_error="allow")
    def check_config(self, config: ConfigJson) -> ConfigJson | Reject | None: ...

    @hook(HookName.UserHasLoggedIn)
    @hook(HookName.UserHasBeenCreated)
    def both(self, context: PluginContext, user: User) -> None: ...


class Bare(Plugin):
    """@hook without a name, and with options only."""

    @hook
    def MessageHasBeenPosted(self, context: PluginContext, post: Post) -> None: ...

    @hook
    async def message_has_been_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None: ...

    @hook(on_error="reject", timeout=1)
    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None: ...


class Mixin:
    """A handler in a class that is no plugin."""

    @hook(HookName.ChannelHasBeenCreated)
    def log_channel(self, context: PluginContext, channel: Channel) -> None: ...


class Mixed(Mixin, Plugin):
    """A plugin with the mixin's handlers."""


def twice(
    handler: Callable[["Returned", PluginContext, Post], Awaitable[None]],
) -> Callable[["Returned", PluginContext, Post], Awaitable[None]]:
    """A decorator of the author's own."""
    return handler


class Returned(Plugin):
    """@hook returns what it is given: the handler can be called, and be decorated further."""

    @hook(HookName.MessageHasBeenPosted)
    @twice
    async def log(self, context: PluginContext, post: Post) -> None: ...

    @hook(HookName.UserHasBeenCreated)
    def welcome(self, context: PluginContext, user: User) -> None:
        self.greeting: str = "hello"

    def on_activate(self) -> None:
        welcome: Callable[[PluginContext, User], None] = self.welcome
        partial(welcome, PluginContext())(User())


async def app(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application."""


class Mounted(Plugin):
    """An ASGI application as the handler of HTTP requests."""

    serve_http = asgi(app)


NAMES: list[str] = Mounted.implemented_hooks()
HAS: bool = Mounted.has_hook(HookName.ServeHTTP) and Mounted.has_hook("ServeHTTP")
NAME: str = HookName.OnActivate
