"""A plugin with one-shot jobs, for the tests of those."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from mattermost_plugin import Plugin
from mattermost_plugin.jobs import OneShotRun
from tests.cluster.nodes import START, Node, Site, settle, site

KEY = "pysdk:once:remind:k"
LOCK = "pysdk:lock:once:remind:k"


def run(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site() as here:
            Reminding.runs = []
            Reminding.options = {}
            Reminding.work = None
            await scenario(here)

    asyncio.run(main())


class Reminding(Plugin):
    """Writes down its runs."""

    runs: ClassVar[list[tuple["Reminding", OneShotRun, float]]] = []
    options: ClassVar[dict[str, Any]] = {}
    work: ClassVar[Callable[["Reminding", OneShotRun], Awaitable[None]] | None] = None

    def on_activate(self) -> None:
        self.jobs.handle("remind", self.remind, **self.options)

    async def remind(self, run: OneShotRun) -> None:
        self.runs.append((self, run, self.clock.now() - START))
        if Reminding.work is not None:
            await Reminding.work(self, run)


def times() -> list[float]:
    """When the runs began, counted from the start."""
    return [began for _, _, began in Reminding.runs]


def keys() -> list[str]:
    return [run.key for _, run, _ in Reminding.runs]


def nodes_that_ran() -> list[Plugin]:
    return [plugin for plugin, _, _ in Reminding.runs]


async def reminding(here: Site, count: int = 1) -> list[Node]:
    nodes = [here.node(Reminding) for _ in range(count)]
    for node in nodes:
        await node.activate()
    await settle()
    return nodes
