"""The development host's HTTP front: the page, the API behind it, and the routes of plugins."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from mattermost_plugin.devhost.errors import DevHostError
from mattermost_plugin.devhost.host import DevHost
from mattermost_plugin.devhost.web.commands_api import CommandsApi
from mattermost_plugin.devhost.web.feed import Feed
from mattermost_plugin.devhost.web.files_api import FilesApi
from mattermost_plugin.devhost.web.forward import Forward
from mattermost_plugin.devhost.web.guard import OWN_HEADERS, own_address, with_key
from mattermost_plugin.devhost.web.interactive_api import InteractiveApi
from mattermost_plugin.devhost.web.journal import Journal
from mattermost_plugin.devhost.web.keys import Keys
from mattermost_plugin.devhost.web.logins import Logins
from mattermost_plugin.devhost.web.page import Page
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.places_api import PlacesApi
from mattermost_plugin.devhost.web.plugins_api import PluginsApi
from mattermost_plugin.devhost.web.posts_api import PostsApi

__all__ = ["Front"]

ADDRESS: Final = "127.0.0.1"
"""Nothing but this machine reaches the front."""

END_S: Final = 2.0
"""How long requests that are under way may go on when the front stops."""


class Front:
    """Shows a host in a browser, and serves the routes of its plugins.

    Args:
        host: the host. It must run on the same event loop, and outlive the front.
        port: where to listen on 127.0.0.1; 0 for any free port.
    """

    def __init__(self, host: DevHost, *, port: int = 0) -> None:
        self._host = host
        self._port = port
        self._page = Page()
        self._runner: web.AppRunner | None = None
        self._journal: Journal | None = None
        self._feed: Feed | None = None

    async def start(self) -> str:
        """Listen.

        Returns:
            The link that opens the page: its part after the "#" is the key, without which the page shows nothing.

        Raises:
            DevHostError: the front runs already, or the port cannot be had.
        """
        if self._runner is not None:
            raise DevHostError("the page is served already")
        self._journal = Journal(self._host.events)
        keys = Keys(self._host.store.settings)
        parts = FrontParts(self._host, keys, Logins(self._host), self._journal)
        runner = self._runner = web.AppRunner(
            self._application(parts),
            access_log=None,
            # A client that has gone ends the call to the plugin, as on a server.
            handler_cancellation=True,
            shutdown_timeout=END_S,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, ADDRESS, self._port).start()
        except OSError as error:
            await self.stop()
            raise DevHostError(f"port {self._port} of {ADDRESS} cannot be had: {error.strerror}") from error
        self._port = runner.addresses[0][1]
        return f"http://{ADDRESS}:{self._port}/#key={keys.current}"

    async def stop(self) -> None:
        """Close all connections and listen no more; legal before `start` and more than once."""
        runner, self._runner = self._runner, None
        if self._journal is not None:
            self._journal.close()
        if self._feed is not None:
            await self._feed.close()
        if runner is not None:
            await runner.cleanup()

    def _application(self, parts: FrontParts) -> web.Application:
        interactive = InteractiveApi(parts)
        self._feed = Feed(parts, interactive.remember)
        api = web.Application(middlewares=[with_key(parts.keys)])
        topics = (PlacesApi, PostsApi, FilesApi, CommandsApi, PluginsApi)
        for topic in (*(topic(parts) for topic in topics), interactive, self._feed):
            api.add_routes(topic.routes())
        app = web.Application(middlewares=[own_address(lambda: self._port)])
        app.add_routes([web.get("/", self._show), web.get("/favicon.ico", _no_icon)])
        app.add_subapp("/api/", api)
        app.add_routes(Forward(parts).routes())
        return app

    async def _show(self, request: web.Request) -> web.Response:
        headers = OWN_HEADERS | {"Content-Security-Policy": self._page.policy(request.host)}
        return web.Response(text=self._page.html, content_type="text/html", headers=headers)


async def _no_icon(request: web.Request) -> web.Response:
    """Browsers ask for one with each page of a plugin, and would complain."""
    return web.Response(status=204, headers=OWN_HEADERS)
