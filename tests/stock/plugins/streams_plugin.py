"""A plugin that calls the API methods whose contents travel in streams, as its commands tell it."""

import asyncio
import hashlib
import random

from mattermost_plugin import Plugin
from mattermost_plugin.api import APIDeadlineExceeded
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext, UploadSession
from mattermost_plugin.server import run_plugin

SHORT_S = 0.2


def content_of(size: int) -> bytes:
    """So many bytes, always the same ones."""
    return random.Random(size).randbytes(size)


class Streaming(Plugin):
    """Answers with what came back."""

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        word, *rest = args.command.split()
        answer = await getattr(self, f"do_{word.removeprefix('/')}")(*rest)
        return CommandResponse(text=answer)

    async def do_http(self, path: str, size: str) -> str:
        response = await self.api.aio.plugin_http("POST", path, body=content_of(int(size)))
        values = ",".join(value for field in response.header_values for value in field.values)
        digest = hashlib.sha256(response.body).hexdigest()
        return f"{response.status_code} {values} {len(response.body)} {digest}"

    async def do_many(self, count: str, size: str) -> str:
        """Requests at the same time, one of them from a thread."""
        paths = ["/other/echo"] * int(count)
        bodies = [content_of(int(size) + index) for index in range(len(paths))]
        calls = [
            self.api.aio.plugin_http("POST", path, body=body) for path, body in zip(paths[1:], bodies[1:], strict=True)
        ]
        first = asyncio.to_thread(self.api.plugin_http, "POST", paths[0], body=bodies[0])
        responses = await asyncio.gather(first, *calls)
        return str([response.body for response in responses] == bodies)

    async def do_late(self, path: str, size: str) -> str:
        """Does not wait for the end."""
        try:
            await self.api.aio.plugin_http("POST", path, body=content_of(int(size)), timeout=SHORT_S)
        except APIDeadlineExceeded:
            return "too late"
        return "in time"

    async def do_install(self, size: str) -> str:
        manifest = await self.api.aio.install_plugin(content_of(int(size)), replace=True)
        return manifest.id

    async def do_upload(self, size: str) -> str:
        info = await self.api.aio.upload_data(UploadSession(id="s1"), content_of(int(size)))
        return "nothing" if info is None else info.id


if __name__ == "__main__":
    run_plugin(Streaming)
