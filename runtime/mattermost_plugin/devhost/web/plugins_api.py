"""Plugins, started and ended by hand, and a closer look at what has happened."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from mattermost_plugin.devhost.web.message_json import Json
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.problems import RequestError
from mattermost_plugin.devhost.web.views import plugin_view

__all__ = ["PluginsApi"]


class PluginsApi:
    """Requests about plugins and events.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [
            web.get("/plugins", self._plugins),
            web.post("/plugins/{plugin_id}/restart", self._restart),
            web.post("/plugins/{plugin_id}/enable", self._enable),
            web.post("/plugins/{plugin_id}/disable", self._disable),
            web.get(r"/events/{number:\d{1,15}}", self._event),
        ]

    async def _plugins(self, request: web.Request) -> web.Response:
        return web.json_response({"plugins": self._views()})

    async def _restart(self, request: web.Request) -> web.Response:
        await self._parts.host.restart(request.match_info["plugin_id"])
        return web.json_response({"plugins": self._views()})

    async def _enable(self, request: web.Request) -> web.Response:
        await self._parts.host.enable(request.match_info["plugin_id"])
        return web.json_response({"plugins": self._views()})

    async def _disable(self, request: web.Request) -> web.Response:
        await self._parts.host.disable(request.match_info["plugin_id"])
        return web.json_response({"plugins": self._views()})

    async def _event(self, request: web.Request) -> web.Response:
        entry = self._parts.journal.entry(int(request.match_info["number"]))
        if entry is None:
            raise RequestError(HTTPStatus.NOT_FOUND, "the host has forgotten this event")
        return web.json_response({"event": entry.details})

    def _views(self) -> list[dict[str, Json]]:
        return [plugin_view(self._parts.host, plugin) for plugin in self._parts.world.plugins]
