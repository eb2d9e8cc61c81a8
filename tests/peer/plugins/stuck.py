"""A plugin whose handlers hang, wait or block the event loop, until they are told to go on."""

import asyncio
import os
import threading
import time
from pathlib import Path

from mattermost_plugin import HookName, Plugin, Reject, hook, run_plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import (
    Channel,
    CommandArgs,
    CommandResponse,
    FileInfo,
    PluginContext,
    Post,
    User,
)

GO_FILE = Path(os.environ.get("GO_FILE", os.devnull))
LOOK_INTERVAL_S = 0.01


class Stuck(Plugin):
    """`def` handlers hang until MessageHasBeenDeleted; `async def` ones wait for ever."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # passed on as they are
        self.released = threading.Event()

    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        self.logger.info("hanging")
        self.released.wait()
        return Reject("too late")

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        self.released.wait()
        return CommandResponse(text="too late")

    @hook(HookName.FileWillBeDownloaded, on_error="reject")
    def check_download(self, context: PluginContext, info: FileInfo, user_id: str, kind: str) -> Reject | None:
        self.released.wait()
        return None

    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        """Does not hang."""
        self.logger.info("a thread was free")

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.message += " seen"
        return post

    async def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.logger.info("the edit was cancelled")

    @hook(HookName.ChannelWillBeArchived, timeout=0.2, on_error="reject")
    async def check_archiving(self, context: PluginContext, channel: Channel) -> None:
        await asyncio.Event().wait()

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        """Blocks the event loop until there is a file."""
        self.block()

    def block(self) -> None:
        while not GO_FILE.exists():
            time.sleep(LOOK_INTERVAL_S)

    async def message_has_been_deleted(self, context: PluginContext, post: Post) -> None:
        self.released.set()

    def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write("started")
        writer.flush()
        self.released.wait()


if __name__ == "__main__":
    run_plugin(Stuck)
