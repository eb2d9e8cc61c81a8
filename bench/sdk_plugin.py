"""The plugin under test: the hooks of bare_plugin, as an author writes them.

Takes one argument: "async" or "sync", for what the handlers are.
"""

import sys

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, Post


def answer(post: Post) -> Post | None:
    if post.is_pinned:
        return None
    post.hashtags = "#seen"
    return post


def async_plugin() -> type[Plugin]:
    class AsyncPlugin(Plugin):
        async def on_activate(self) -> None:
            pass

        async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
            return answer(post)

        async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            if request.method == "GET":
                await writer.awrite(b"Hello!\n")
                return
            async for piece in request.body:
                await writer.awrite(piece)

    return AsyncPlugin


def sync_plugin() -> type[Plugin]:
    class SyncPlugin(Plugin):
        def on_activate(self) -> None:
            pass

        def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
            return answer(post)

        def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            if request.method == "GET":
                writer.write(b"Hello!\n")
                return
            for piece in request.body:
                writer.write(piece)

    return SyncPlugin


if __name__ == "__main__":
    run_plugin(sync_plugin() if sys.argv[1] == "sync" else async_plugin())
