"""Plugins with a database, and threads of theirs that use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from mattermost_plugin import db
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.server import PluginServer
from tests.stock.driver_host import DriverHost
from tests.stock.stand_in import StandInHost, served

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "database.md"

THINGS = "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, data BLOB)"
INSERT = "INSERT INTO things (id, name, data) VALUES ($1, $2, $3)"


class Reader(Plugin):
    """A plugin that does nothing by itself."""


@asynccontextmanager
async def with_database(
    plugin: type[Plugin] = Reader, *, driver: DriverHost | None = None
) -> AsyncIterator[tuple[DriverHost, StandInHost, PluginServer]]:
    """A plugin whose host offers a database. In the end nothing must be left of it, and the host be alive."""
    driver = driver or DriverHost()
    driver.db.execute(THINGS)
    try:
        async with served(plugin, driver=driver.serve) as (host, server):
            yield driver, host, server
            await server.stop()
            assert driver.is_clean
        assert driver.deaths == []
    finally:
        driver.close()


def use(function: Callable[[db.Database, DriverHost], None], driver: DriverHost | None = None) -> None:
    """Call a function in a thread of such a plugin."""

    async def call(driver: DriverHost, _: StandInHost, server: PluginServer) -> None:
        await asyncio.to_thread(function, server.plugin.db, driver)

    scenario(call, driver)


def scenario(
    function: Callable[[DriverHost, StandInHost, PluginServer], Awaitable[None]], driver: DriverHost | None = None
) -> None:
    """Await a coroutine function beside such a plugin."""

    async def run() -> None:
        async with with_database(driver=driver) as parts:
            await function(*parts)

    asyncio.run(run())


def numbers(count: int) -> str:
    """A statement that gives the numbers from 1 on."""
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"
