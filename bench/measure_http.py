"""ServeHTTP: a large body there and back, and small requests."""

from dataclasses import dataclass, field
from functools import partial

from bench.client import PluginClient
from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.load import IN_FLIGHT, Load, merge, run_load
from bench.plugin_process import Mode, PluginProcess, Workplace
from bench.workload import http_head

_ECHO_CHUNKS = 1024
"""64 MiB."""
_WARM_UP_CHUNKS = 64
_WARM_UP_CALLS = 100
_ECHO_AT_LEAST = Target(">=", 0.8)
_GROWTH_AT_MOST = Target("<=", 16.0, of="ours")
"""A quarter of the body: what flow control lets both sides have on the way, and no copy of the whole."""


@dataclass(frozen=True, slots=True)
class _Get:
    alone: Load
    crowd: Load


@dataclass(frozen=True, slots=True)
class _Echo:
    rate: float
    cpu_ms: float


@dataclass(slots=True)
class _Samples:
    """Pairs of (bare, ours)."""

    growths: list[tuple[float, float]] = field(default_factory=list)
    echoes: list[tuple[_Echo, _Echo]] = field(default_factory=list)
    gets: list[tuple[_Get, _Get]] = field(default_factory=list)
    gets_alone: list[tuple[Load, Load]] = field(default_factory=list)
    """All of one pair of processes as one."""


async def measure_http(place: Workplace, effort: Effort) -> list[Result]:
    """Compare async handlers, and show a `def` handler against the same bare one."""
    results: list[Result] = []
    for mode in ("async", "sync"):
        samples = _Samples()
        for _ in range(effort.processes):
            await _measure(place, effort, mode, samples)
        results += _results(mode, samples)
    return results


async def _measure(place: Workplace, effort: Effort, mode: Mode, samples: _Samples) -> None:
    async with (
        await PluginProcess.start(place, "bare", "async") as bare,
        await PluginProcess.start(place, "sdk", mode) as ours,
        PluginClient(bare.address) as bare_client,
        PluginClient(ours.address) as our_client,
    ):
        await bare_client.activate()
        await our_client.activate()
        samples.growths.append((await _echo_growth(bare, bare_client), await _echo_growth(ours, our_client)))
        samples.echoes += await interleave(
            effort.echo_rounds, partial(_echo, bare, bare_client), partial(_echo, ours, our_client)
        )
        gets = await interleave(
            effort.http_rounds, partial(_get, bare_client, effort), partial(_get, our_client, effort)
        )
    samples.gets += gets
    samples.gets_alone.append((merge(get.alone for get, _ in gets), merge(get.alone for _, get in gets)))


async def _echo_growth(process: PluginProcess, client: PluginClient) -> float:
    await client.echo(_WARM_UP_CHUNKS)
    before = process.rss_mib()
    process.reset_peak()
    await client.echo(_ECHO_CHUNKS)
    growth = process.peak_rss_mib() - before
    await run_load(partial(client.get, http_head("GET", 0, complete=True)), _WARM_UP_CALLS, IN_FLIGHT)
    return growth


async def _echo(process: PluginProcess, client: PluginClient) -> _Echo:
    cpu_before_s = process.cpu_s()
    rate = await client.echo(_ECHO_CHUNKS)
    return _Echo(rate, (process.cpu_s() - cpu_before_s) * 1e3)


async def _get(client: PluginClient, effort: Effort) -> _Get:
    get = partial(client.get, http_head("GET", 0, complete=True))
    return _Get(await run_load(get, effort.http_calls, 1), await run_load(get, effort.http_calls_in_flight, IN_FLIGHT))


def _results(mode: Mode, samples: _Samples) -> list[Result]:
    name = f"HTTP, {mode} handler" if mode == "async" else "HTTP, sync (bare: async)"
    at_least = _ECHO_AT_LEAST if mode == "async" else None
    gets = samples.gets
    return [
        result_of(f"{name}: 64 MiB echo", "MiB/s", samples.echoes, lambda echo: echo.rate, at_least),
        result_of(f"{name}: plugin's CPU for it", "ms", samples.echoes, lambda echo: echo.cpu_ms),
        result_of(f"{name}: its peak RSS growth", "MiB", samples.growths, float, _GROWTH_AT_MOST),
        result_of(f"{name}: GET p50, 1 in flight", "us", gets, lambda get: get.alone.p50_us),
        result_of(f"{name}: GET p99, 1 in flight", "us", samples.gets_alone, lambda load: load.p99_us),
        result_of(f"{name}: GET rate, {IN_FLIGHT} in flight", "calls/s", gets, lambda get: get.crowd.rate),
    ]
