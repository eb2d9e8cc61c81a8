"""The page that the development host serves."""

from __future__ import annotations

import importlib
from typing import Protocol

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.devhost import DevHost, DevHostError

__all__ = ["Page", "start_page"]


class Page(Protocol):
    """What the command needs of the page's server."""

    async def start(self) -> str:
        """Listen and serve. Returns the page's URL."""
        ...

    async def stop(self) -> None:
        """Stop serving."""
        ...


async def start_page(host: DevHost, port: int) -> tuple[Page, str]:
    """Serve the page. Returns its server and its URL.

    Args:
        host: what the page shows.
        port: the port on 127.0.0.1, 0 for any.

    Raises:
        CommandError: nothing can listen there.
    """
    page = _make(host, port)
    try:
        return page, await page.start()
    except DevHostError as error:
        advice = "end what listens there, or take another port with --port (0 for a free one)"
        raise CommandError(f"{error}: {advice}") from error


def _make(host: DevHost, port: int) -> Page:
    # Late, as it loads aiohttp, which `--no-page` does without.
    web = importlib.import_module("mattermost_plugin.devhost.web")
    page: Page = web.Front(host, port=port)
    return page
