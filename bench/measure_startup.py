"""From the start of a process to the reply of its first hook."""

import time
from dataclasses import dataclass
from functools import partial

from bench.client import PluginClient
from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.plugin_process import PluginProcess, Side, Workplace
from bench.workload import post_request

_SLOWER_AT_MOST = Target("<=", 1.3)


@dataclass(frozen=True, slots=True)
class _Start:
    handshake_ms: float
    served_ms: float
    cpu_ms: float


async def measure_startup(place: Workplace, effort: Effort) -> list[Result]:
    """Start both plugins in turns. The first start of each is not counted: it fills caches."""
    for side in ("bare", "sdk"):
        await _start(place, side)
    starts = await interleave(effort.starts, partial(_start, place, "bare"), partial(_start, place, "sdk"))
    # Judged by CPU time too: on a busy machine it tells more than the clock.
    return [
        result_of("start: process to handshake line", "ms", starts, lambda start: start.handshake_ms),
        result_of("start: process to first hook's reply", "ms", starts, lambda start: start.served_ms, _SLOWER_AT_MOST),
        result_of("start: plugin's CPU until then", "ms", starts, lambda start: start.cpu_ms, _SLOWER_AT_MOST),
    ]


async def _start(place: Workplace, side: Side) -> _Start:
    request = post_request(keep=False)
    async with await PluginProcess.start(place, side, "async") as process:
        began = time.perf_counter()
        async with PluginClient(process.address) as client:
            await client.activate()
            await client.hook(request)
            served_s = process.handshake_s + time.perf_counter() - began
            cpu_s = process.cpu_s()
    return _Start(process.handshake_s * 1e3, served_s * 1e3, cpu_s * 1e3)
