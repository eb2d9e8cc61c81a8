"""Slash commands: run, and completed while they are typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from mattermost_plugin.devhost.app.commands import BUILT_IN
from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.web.json_body import read_fields
from mattermost_plugin.devhost.web.logins import Login
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.plugin_calls import call_plugin
from mattermost_plugin.devhost.web.suggestions import Fetch, Suggestion, suggest
from mattermost_pluginapi.v1.autocomplete_pb2 import AutocompleteData, AutocompleteListItem
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.command_pb2 import Command

__all__ = ["CommandsApi"]

MOST_SUGGESTIONS: Final = 50
LONGEST_TEXT: Final = 2_000


class CommandsApi:
    """Requests about commands.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [web.post("/commands", self._run), web.get("/suggestions", self._suggest)]

    async def _run(self, request: web.Request) -> web.Response:
        login, fields = self._parts.logins.of_request(request), await read_fields(request)
        channel = self._parts.channel(login, fields.text("channel_id"))
        command, root_id = fields.text("command"), fields.text("root_id")
        response = await login.act.run_command(login.user.id, channel.id, command, root_id)
        return web.json_response({"goto": response.goto_location})

    async def _suggest(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        channel = self._parts.channel(login, request.query.get("channel_id", ""))
        text = request.query.get("text", "")[:LONGEST_TEXT].removeprefix("/")
        role = "system_admin" if "system_admin" in login.user.roles.split() else "system_user"
        found: list[Suggestion] = []
        for command in self._commands(channel):
            fetch = self._fetcher(login, channel, command.plugin_id)
            found += await suggest([_data(command)], text, role=role, fetch=fetch)
        found.sort(key=lambda each: each.suggestion)
        return web.json_response({"suggestions": [asdict(each) for each in found[:MOST_SUGGESTIONS]]})

    def _commands(self, channel: Channel) -> list[Command]:
        """What can be run in a channel. The commands of plugins come first: they win over built-in ones."""
        of_plugins = {
            trigger: command
            for plugin in self._parts.world.plugins.running()
            for (team_id, trigger), command in plugin.commands.items()
            if team_id in ("", channel.team_id) and command.auto_complete
        }
        return [*of_plugins.values(), *(each for each in BUILT_IN if each.trigger not in of_plugins)]

    def _fetcher(self, login: Login, channel: Channel, plugin_id: str) -> Fetch:
        async def fetch(url: str, read: str, rest: str) -> Sequence[AutocompleteListItem]:
            place = url if url.lstrip("/").startswith("plugins/") else f"plugins/{plugin_id}/{url.lstrip('/')}"
            query = {
                "user_input": f"/{read}{rest}",
                "parsed": f"/{read}",
                "channel_id": channel.id,
                "team_id": channel.team_id,
                "user_id": login.user.id,
                "session_id": login.session.id,
            }
            try:
                listed = await call_plugin(self._parts.world, login, f"/{place.lstrip('/')}?{urlencode(query)}")
            except ApiError as error:
                self._parts.world.log("warn", f"{plugin_id} lists no values at {url}: {error}")
                return ()
            return [_item(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else ()

        return fetch


def _data(command: Command) -> AutocompleteData:
    if command.HasField("autocomplete_data"):
        return command.autocomplete_data
    return AutocompleteData(
        trigger=command.trigger, hint=command.auto_complete_hint, help_text=command.auto_complete_desc
    )


def _item(fields: Mapping[str, object]) -> AutocompleteListItem:
    by_name = {name.lower(): str(value) for name, value in fields.items() if isinstance(value, str)}
    return AutocompleteListItem(
        item=by_name.get("item", ""), hint=by_name.get("hint", ""), help_text=by_name.get("helptext", "")
    )
