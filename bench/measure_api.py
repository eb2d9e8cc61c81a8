"""Calls of the plugin API from handlers, against a bare gRPC stub in the same handler, on the same server."""

import asyncio
import json
import time
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from bench.client import PluginClient
from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.kv_server import kv_server
from bench.load import IN_FLIGHT, Load, merge
from bench.plugin_process import Mode, PluginProcess, Workplace

_SLOWER_AT_MOST: Final = {"async": Target("<=", 1.15), "sync": Target("<=", 1.5)}
_WARM_UP_CALLS: Final = 500

_Party = Literal["bare", "ours"]


@dataclass(frozen=True, slots=True)
class _Sample:
    alone: Load
    crowd: Load
    cpu_us: float
    """Processor time of the plugin for one of the calls that were alone."""


_Rounds = list[tuple[_Sample, _Sample]]


async def measure_api(place: Workplace, effort: Effort) -> list[Result]:
    """Compare calls of coroutines, and calls of handlers' threads."""
    results: list[Result] = []
    async with kv_server(place.folder) as address:
        modes: tuple[Mode, ...] = ("async", "sync")
        for mode in modes:
            processes = [await _measure(place, effort, mode, address) for _ in range(effort.processes)]
            results += _results(mode, processes)
    return results


async def _measure(place: Workplace, effort: Effort, mode: Mode, address: str) -> _Rounds:
    variables = {"MATTERMOST_PLUGIN_API_TARGET": address}
    async with (
        await PluginProcess.start(place, "api", mode, variables) as process,
        PluginClient(process.address) as client,
    ):
        await client.activate()
        parties: tuple[_Party, ...] = ("bare", "ours")
        for party in parties:
            await _calls(client, party, _WARM_UP_CALLS)
        return await interleave(
            effort.api_rounds,
            partial(_sample, process, client, "bare", effort),
            partial(_sample, process, client, "ours", effort),
        )


async def _sample(process: PluginProcess, client: PluginClient, party: _Party, effort: Effort) -> _Sample:
    cpu_before_s = process.cpu_s()
    alone = await _calls(client, party, effort.api_calls)
    cpu_s = process.cpu_s() - cpu_before_s
    began = time.perf_counter()
    crowd = await asyncio.gather(*(_calls(client, party, effort.api_calls // IN_FLIGHT + 1) for _ in range(IN_FLIGHT)))
    took_s = time.perf_counter() - began
    return _Sample(alone, Load(merge(crowd).latencies_s, took_s), cpu_s * 1e6 / effort.api_calls)


async def _calls(client: PluginClient, party: _Party, count: int) -> Load:
    """Let one handler make that many calls, one after the other."""
    latencies_s = sorted(json.loads(await client.command(f"{party} {count}")))
    return Load(latencies_s, sum(latencies_s))


def _results(mode: Mode, processes: list[_Rounds]) -> list[Result]:
    name, target = f"API call, {mode}", _SLOWER_AT_MOST[mode]
    rounds = [pair for found in processes for pair in found]
    alone = [(merge(bare.alone for bare, _ in found), merge(ours.alone for _, ours in found)) for found in processes]
    return [
        result_of(f"{name}: p50, 1 in flight", "us", rounds, lambda sample: sample.alone.p50_us, target),
        result_of(f"{name}: p99, 1 in flight", "us", alone, lambda load: load.p99_us),
        result_of(f"{name}: rate, {IN_FLIGHT} in flight", "calls/s", rounds, lambda sample: sample.crowd.rate),
        result_of(f"{name}: plugin's CPU per call", "us", rounds, lambda sample: sample.cpu_us),
    ]
