"""Calls one after the other, or several at once, with the time that each took."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

IN_FLIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of calls took."""

    latencies_s: list[float]
    """In ascending order."""
    took_s: float

    @property
    def p50_us(self) -> float:
        return self._percentile_us(0.50)

    @property
    def p99_us(self) -> float:
        return self._percentile_us(0.99)

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.latencies_s) / self.took_s

    def _percentile_us(self, share: float) -> float:
        return self.latencies_s[int(len(self.latencies_s) * share)] * 1e6


async def run_load(call: Callable[[], Awaitable[object]], count: int, in_flight: int) -> Load:
    """Make `count` calls, `in_flight` at a time."""
    latencies: list[float] = []
    todo = repeat(None, count)
    began = time.perf_counter()
    if in_flight == 1:
        await _worker(call, todo, latencies)
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(_worker(call, todo, latencies))
    took_s = time.perf_counter() - began
    latencies.sort()
    return Load(latencies, took_s)


def merge(loads: Iterable[Load]) -> Load:
    """All calls of several loads as one: a rare latency needs many calls to be seen."""
    found = list(loads)
    return Load(sorted(value for load in found for value in load.latencies_s), sum(load.took_s for load in found))


async def _worker(call: Callable[[], Awaitable[object]], todo: Iterator[None], latencies: list[float]) -> None:
    clock = time.perf_counter
    for _ in todo:
        began = clock()
        await call()
        latencies.append(clock() - began)
