"""What is measured, and driven by Go's own host."""

import os

from mattermost_plugin import Plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.server import run_plugin


class Async(Plugin):
    """Handlers on the event loop."""

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
        post.message += "!"
        return post

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        await self.api.aio.get_user(post.user_id)

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        if request.path == "/echo":
            async for piece in request.body:
                await writer.awrite(piece)
            return
        writer.headers["content-type"] = "text/plain"
        await writer.awrite("hello")


class Sync(Plugin):
    """Handlers in threads."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
        post.message += "!"
        return post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.api.get_user(post.user_id)

    def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        if request.path == "/echo":
            for piece in request.body:
                writer.write(piece)
            return
        writer.headers["content-type"] = "text/plain"
        writer.write("hello")


if __name__ == "__main__":
    run_plugin(Sync if os.environ.get("BENCH_SYNC") else Async)
