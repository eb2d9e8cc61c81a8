"""Files: uploaded to a channel, downloaded by those who are in it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import web

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.files import live_file
from mattermost_plugin.devhost.web.json_body import read_body
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.problems import RequestError

__all__ = ["FilesApi"]

LARGEST_FILE: Final = 100 * 1024 * 1024
"""In bytes, whatever the configuration says: a file is in memory as a whole, as hooks take it."""


class FilesApi:
    """Requests about files.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [web.post("/channels/{channel_id}/files", self._upload), web.get("/files/{file_id}", self._download)]

    async def _upload(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        channel = self._parts.channel(login, request.match_info["channel_id"])
        # What a form could send is refused: it would come from another page.
        if request.content_type != "application/octet-stream":
            raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content type must be application/octet-stream")
        content = await read_body(request, self._largest())
        info = await login.act.upload(login.user.id, channel.id, request.query.get("name", ""), content)
        return web.json_response({"file": {"id": info.id, "name": info.name, "size": info.size}})

    async def _download(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        info = live_file(self._parts.world, request.match_info["file_id"])
        self._parts.channel(login, info.channel_id)
        content = await login.act.download(login.user.id, info.id)
        # Never as what the name promises: a page among the files must not run here.
        return web.Response(
            body=content,
            content_type="application/octet-stream",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(info.name, safe='')}"},
        )

    def _largest(self) -> int:
        configured = section(load_config(self._parts.world), "FileSettings").get("MaxFileSize")
        return min(configured, LARGEST_FILE) if isinstance(configured, int) else LARGEST_FILE
