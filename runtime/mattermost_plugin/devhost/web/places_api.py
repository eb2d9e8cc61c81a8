"""Users, teams and channels: who the page acts as, and where."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.store import Page
from mattermost_plugin.devhost.web.json_body import read_fields
from mattermost_plugin.devhost.web.message_json import Json
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.views import channel_view, plugin_view, user_view
from mattermost_pluginapi.v1.channel_pb2 import Channel

__all__ = ["PlacesApi"]

MOST_LISTED: Final = 500
"""Users, and channels of a team: what a list on a page can hold."""


class PlacesApi:
    """Requests about users and places.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [
            web.get("/users", self._users),
            web.post("/login", self._log_in),
            web.get("/places", self._places),
            web.post("/channels/{channel_id}/join", self._join),
            web.post("/channels/{channel_id}/leave", self._leave),
            web.post("/direct", self._direct),
        ]

    async def _users(self, request: web.Request) -> web.Response:
        users = self._parts.world.store.users.select(order="username", page=Page(0, MOST_LISTED))
        return web.json_response({"run": self._parts.journal.run, "users": [user_view(user) for user in users]})

    async def _log_in(self, request: web.Request) -> web.Response:
        fields = await read_fields(request)
        login = await self._parts.logins.log_in(fields.text("user_id"))
        response = web.json_response({"user": user_view(login.user)})
        self._parts.logins.set_cookies(response, login.session)
        return response

    async def _places(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        store, user_id = self._parts.world.store, login.user.id
        channels = {channel.id: channel for channel in store.channels.of_user(user_id)}
        memberships = [each for each in store.team_members.select("user_id = ?", [user_id]) if not each.delete_at]
        teams = [team for team in (store.teams.get(each.team_id) for each in memberships) if team is not None]
        for team in teams:
            channels |= {channel.id: channel for channel in store.channels.public(team.id, Page(0, MOST_LISTED))}
        return web.json_response(
            {
                "teams": [{"id": team.id, "title": team.display_name or team.name} for team in teams],
                "channels": [self._view(channel, user_id) for channel in channels.values()],
                "plugins": [plugin_view(self._parts.host, plugin) for plugin in self._parts.world.plugins],
            }
        )

    async def _join(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        channel = existing_channel(self._parts.world, request.match_info["channel_id"])
        await login.act.join_channel(channel.id, login.user.id)
        return web.json_response({"channel": self._view(channel, login.user.id)})

    async def _leave(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        channel = self._parts.channel(login, request.match_info["channel_id"])
        login.act.leave_channel(channel.id, login.user.id)
        return web.json_response({"channel": self._view(channel, login.user.id)})

    async def _direct(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        other_id = (await read_fields(request)).text("user_id")
        channel = await login.act.direct_channel(login.user.id, other_id)
        return web.json_response({"channel": self._view(channel, login.user.id)})

    def _view(self, channel: Channel, user_id: str) -> dict[str, Json]:
        return channel_view(self._parts.world, channel, user_id)
