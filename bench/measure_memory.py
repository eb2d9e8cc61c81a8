"""The resident set of a plugin that has answered many hooks."""

from functools import partial

from bench.client import PluginClient
from bench.compare import Pair, Result, Target
from bench.effort import Effort
from bench.load import IN_FLIGHT, run_load
from bench.plugin_process import PluginProcess, Side, Workplace
from bench.workload import post_request

_FIRST_CALLS = 1000
_GROWTH_AT_MOST = Target("<=", 2.0, of="ours")
"""Room for what the allocators keep; a leak of one small object per call would not fit."""


async def measure_memory(place: Workplace, effort: Effort) -> list[Result]:
    """Look at the resident set early and late."""
    bare_early, bare_late = await _resident(place, "bare", effort)
    early, late = await _resident(place, "sdk", effort)
    calls = f"{effort.memory_calls:,}"
    return [
        Result(f"memory: RSS after {_FIRST_CALLS:,} hooks", "MiB", (Pair(bare_early, early),)),
        Result(f"memory: RSS after {calls} hooks", "MiB", (Pair(bare_late, late),)),
        Result(
            f"memory: growth from {_FIRST_CALLS:,} to {calls} hooks",
            "MiB",
            (Pair(bare_late - bare_early, late - early),),
            _GROWTH_AT_MOST,
        ),
    ]


async def _resident(place: Workplace, side: Side, effort: Effort) -> tuple[float, float]:
    request = post_request(keep=False)
    async with (
        await PluginProcess.start(place, side, "async") as process,
        PluginClient(process.address) as client,
    ):
        await client.activate()
        await run_load(partial(client.hook, request), _FIRST_CALLS, IN_FLIGHT)
        early = process.rss_mib()
        await run_load(partial(client.hook, request), effort.memory_calls - _FIRST_CALLS, IN_FLIGHT)
        return early, process.rss_mib()
