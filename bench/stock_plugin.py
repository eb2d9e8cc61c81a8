"""The plugin under test on the stock wire: the hooks of the Go plugin in tests/gostock, as an author writes them.

Takes one argument: "async" or "sync", for what the handlers are. With `BENCH_PROFILE` in the environment it writes a
profile of the event loop's thread there when it ends.
"""

import atexit
import cProfile
import os
import sys

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, Post


def async_plugin() -> type[Plugin]:
    class AsyncPlugin(Plugin):
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
            await writer.awrite(b"hello")

    return AsyncPlugin


def sync_plugin() -> type[Plugin]:
    class SyncPlugin(Plugin):
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
            writer.write(b"hello")

    return SyncPlugin


def _write_profile(profile: cProfile.Profile, path: str) -> None:
    profile.disable()
    profile.dump_stats(path)


if __name__ == "__main__":
    if path := os.environ.get("BENCH_PROFILE"):
        loop_profile = cProfile.Profile()
        atexit.register(_write_profile, loop_profile, path)
        loop_profile.enable()
    run_plugin(sync_plugin() if sys.argv[1] == "sync" else async_plugin())
