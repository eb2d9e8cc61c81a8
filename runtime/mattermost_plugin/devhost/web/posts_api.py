"""Posts, threads and reactions."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from mattermost_plugin.devhost.errors import forbidden
from mattermost_plugin.devhost.store import Page
from mattermost_plugin.devhost.web.json_body import read_fields
from mattermost_plugin.devhost.web.logins import Login
from mattermost_plugin.devhost.web.message_json import Json
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.views import post_view
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["PostsApi"]

MOST_POSTS: Final = 100
"""How many posts the page shows of a channel: the newest ones."""

MOST_REPLIES: Final = 500
MOST_ASKED: Final = 100


class PostsApi:
    """Requests about posts.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [
            web.get("/channels/{channel_id}/posts", self._of_channel),
            web.get("/posts", self._some),
            web.post("/posts", self._create),
            web.get("/posts/{post_id}/thread", self._thread),
            web.patch("/posts/{post_id}", self._edit),
            web.delete("/posts/{post_id}", self._delete),
            web.put("/posts/{post_id}/reactions/{emoji}", self._react),
            web.delete("/posts/{post_id}/reactions/{emoji}", self._unreact),
        ]

    async def _of_channel(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        channel = self._parts.channel(login, request.match_info["channel_id"])
        where = "channel_id = ? AND delete_at = 0 AND root_id = ''"
        posts = self._parts.world.store.posts.select(where, [channel.id], "create_at DESC, id", Page(0, MOST_POSTS + 1))
        views = await self._read(login, posts[:MOST_POSTS][::-1])
        return web.json_response({"posts": views, "older": len(posts) > MOST_POSTS})

    async def _thread(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        root = self._parts.post(login, request.match_info["post_id"])
        replies = self._parts.world.store.posts.replies(root.id)[-MOST_REPLIES:]
        return web.json_response({"posts": await self._read(login, [root, *replies])})

    async def _some(self, request: web.Request) -> web.Response:
        """Those of the named posts that exist, in channels where the user is."""
        login = self._parts.logins.of_request(request)
        ids = request.query.get("ids", "").split(",")[:MOST_ASKED]
        found = [post for post in self._parts.world.store.posts.among("id", ids) if not post.delete_at]
        members = self._parts.world.store.channel_members
        seen = [post for post in found if members.get(post.channel_id, login.user.id) is not None]
        return web.json_response({"posts": await self._read(login, seen)})

    async def _create(self, request: web.Request) -> web.Response:
        login, fields = self._parts.logins.of_request(request), await read_fields(request)
        channel = self._parts.channel(login, fields.text("channel_id"))
        message, file_ids = fields.text("message"), fields.texts("file_ids")
        post = await login.act.post(login.user.id, channel.id, message, fields.text("root_id"), file_ids)
        return web.json_response({"post": post_view(self._parts.world, post)})

    async def _edit(self, request: web.Request) -> web.Response:
        login, fields = self._parts.logins.of_request(request), await read_fields(request)
        post = self._own(login, request.match_info["post_id"])
        edited = await login.act.edit(post.id, fields.text("message"))
        return web.json_response({"post": post_view(self._parts.world, edited)})

    async def _delete(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        login.act.delete(self._own(login, request.match_info["post_id"]).id)
        return web.json_response({})

    async def _react(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        post = self._parts.post(login, request.match_info["post_id"])
        login.act.react(login.user.id, post.id, request.match_info["emoji"])
        return web.json_response({})

    async def _unreact(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        post = self._parts.post(login, request.match_info["post_id"])
        login.act.unreact(login.user.id, post.id, request.match_info["emoji"])
        return web.json_response({})

    def _own(self, login: Login, post_id: str) -> Post:
        post = self._parts.post(login, post_id)
        if post.user_id != login.user.id:
            raise forbidden("api.context.permissions.app_error", "the post is somebody else's")
        return post

    async def _read(self, login: Login, posts: list[Post]) -> list[dict[str, Json]]:
        """What the plugins let a user read of posts."""
        world = self._parts.world
        return [post_view(world, post) for post in await login.act.read(posts)]
