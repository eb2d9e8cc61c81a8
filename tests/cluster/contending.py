"""What the tests of mutexes share."""

import asyncio
from collections.abc import Awaitable, Callable

from mattermost_plugin.cluster import AsyncMutex
from tests.cluster.nodes import Node, Site, site

KEY = "pysdk:lock:mutex:m"


def run(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site() as here:
            await scenario(here)

    asyncio.run(main())


def mutex(node: Node, **options: int) -> AsyncMutex:
    return node.plugin.cluster.aio.mutex("m", **options)
