"""A plugin with a recurring job, for the tests of those."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ClassVar

from mattermost_plugin import Plugin
from mattermost_plugin.jobs import RecurringRun
from tests.cluster.nodes import START, Node, Site, settle, site

KEY = "pysdk:job:tick"
LOCK = "pysdk:lock:job:tick"


def run(scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site() as here:
            Ticking.runs = []
            Ticking.interval = 60.0
            Ticking.align = None
            Ticking.work = None
            await scenario(here)

    asyncio.run(main())


class Ticking(Plugin):
    """Has a job that writes down its runs."""

    runs: ClassVar[list[tuple["Ticking", RecurringRun]]] = []
    interval: ClassVar[float | timedelta] = 60.0
    align: ClassVar[float | None] = None
    work: ClassVar[Callable[["Ticking", RecurringRun], Awaitable[None]] | None] = None

    def on_activate(self) -> None:
        self.job = self.jobs.every("tick", self.interval, self.tick, align=self.align)

    async def tick(self, run: RecurringRun) -> None:
        self.runs.append((self, run))
        if Ticking.work is not None:
            await Ticking.work(self, run)


def dues() -> list[float]:
    """When the runs were due, counted from the start."""
    return [run.due.timestamp() - START for _, run in Ticking.runs]


async def ticking(here: Site, count: int = 1) -> list[Node]:
    nodes = [here.node(Ticking) for _ in range(count)]
    for node in nodes:
        await node.activate()
    await settle()
    return nodes
