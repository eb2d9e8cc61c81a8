"""The stock wire: a plugin of the SDK beside the same one in Go, both on Go's own host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from bench.compare import Pair, Result, Target, interleave, result_of
from bench.effort import Effort
from bench.load import IN_FLIGHT
from bench.plugin_process import Mode, Workplace
from bench.stock_host import (
    GO_MISSING,
    StockLoad,
    StockPlugin,
    go_command,
    sdk_command,
    start_ms,
    stock_plugin,
    stock_program,
)

T = TypeVar("T")

_HOOK: Final = "MessageWillBePosted"
_HOOK_WITH_CALL: Final = "MessageHasBeenPosted"

_P50_AT_MOST: Final[dict[Mode, Target]] = {"async": Target("<=", 1.5), "sync": Target("<=", 2.0)}
_RATE_AT_LEAST: Final = Target(">=", 8000.0, of="ours")
_CALL_AT_MOST: Final = Target("<=", 1.5)
_GET_AT_MOST: Final = Target("<=", 1.0)
_ECHO_AT_LEAST: Final = Target(">=", 1.5)
_ACTIVE_AT_MOST: Final = Target("<=", 250.0, of="ours")
_GROWTH_AT_MOST: Final = Target("<=", 2.0, of="ours")
"""Room for what the allocators keep; a leak of one small object per call would not fit."""

_PROCESSES: Final = 2
"""Pairs of processes that share the rounds: two processes of the same program differ too."""
_ECHO_MIB: Final = 64
_EARLY_CALLS: Final = 5000


@dataclass(slots=True)
class _Samples:
    """Pairs of (Go, ours)."""

    alone: list[tuple[StockLoad, StockLoad]] = field(default_factory=list)
    crowd: list[tuple[StockLoad, StockLoad]] = field(default_factory=list)
    calling: list[tuple[StockLoad, StockLoad]] = field(default_factory=list)
    gets: list[tuple[float, float]] = field(default_factory=list)
    echoes: list[tuple[float, float]] = field(default_factory=list)


async def measure_stock(place: Workplace, effort: Effort) -> list[Result]:
    """Compare everything that goes over the wire. Where Go is missing it says so and measures nothing."""
    program = stock_program()
    if program is None:
        print(GO_MISSING)
        return []
    results: list[Result] = []
    for mode in ("async", "sync"):
        samples = _Samples()
        for _ in range(_PROCESSES):
            with (
                stock_plugin(program, go_command(program)) as bare,
                stock_plugin(program, sdk_command(place, mode)) as ours,
            ):
                await _measure(bare, ours, effort, samples)
        results += _results(mode, samples)
    return [*results, *await _starts(program, place, effort), *_memory(program, place, effort)]


async def _measure(bare: StockPlugin, ours: StockPlugin, effort: Effort, samples: _Samples) -> None:
    rounds, calls, crowd = effort.stock_rounds, effort.stock_calls, effort.stock_calls_in_flight
    samples.alone += await _both(rounds, bare, ours, lambda plugin: plugin.hooks(_HOOK, calls, 1))
    samples.crowd += await _both(rounds, bare, ours, lambda plugin: plugin.hooks(_HOOK, crowd, IN_FLIGHT))
    samples.calling += await _both(rounds, bare, ours, lambda plugin: plugin.hooks(_HOOK_WITH_CALL, calls, 1))
    samples.gets += await _both(rounds, bare, ours, lambda plugin: plugin.gets(calls))
    samples.echoes += await _both(effort.stock_echo_rounds, bare, ours, lambda plugin: plugin.echo(_ECHO_MIB))


async def _both(
    rounds: int, bare: StockPlugin, ours: StockPlugin, measure: Callable[[StockPlugin], T]
) -> list[tuple[T, T]]:
    """Measure both in turns, after one round that does not count."""

    async def one(plugin: StockPlugin) -> T:
        return measure(plugin)

    found = await interleave(rounds + 1, partial(one, bare), partial(one, ours))
    return found[1:]


def _results(mode: Mode, samples: _Samples) -> list[Result]:
    name = f"stock, {mode}"
    return [
        result_of(f"{name}: hook p50, 1 in flight", "us", samples.alone, _p50, _P50_AT_MOST[mode]),
        result_of(f"{name}: hook p99, 1 in flight", "us", samples.alone, _p99),
        result_of(f"{name}: plugin's CPU per hook", "us", samples.alone, lambda load: load.cpu_us),
        result_of(f"{name}: its sleeps per hook", "times", samples.alone, lambda load: load.waits),
        result_of(f"{name}: rate, {IN_FLIGHT} in flight", "calls/s", samples.crowd, lambda x: x.rate, _RATE_AT_LEAST),
        result_of(f"{name}: hook with an API call, p50", "us", samples.calling, _p50, _CALL_AT_MOST),
        result_of(f"{name}: its sleeps per hook", "times", samples.calling, lambda load: load.waits),
        result_of(f"{name}: ServeHTTP small, p50", "us", samples.gets, float, _GET_AT_MOST),
        result_of(f"{name}: {_ECHO_MIB} MiB echo", "MiB/s", samples.echoes, float, _ECHO_AT_LEAST),
    ]


def _p50(load: StockLoad) -> float:
    return load.p50_us


def _p99(load: StockLoad) -> float:
    return load.p99_us


async def _starts(program: Path, place: Workplace, effort: Effort) -> list[Result]:
    async def start(command: list[str]) -> tuple[float, float]:
        return start_ms(program, command)

    go, ours = partial(start, go_command(program)), partial(start, sdk_command(place, "async"))
    starts = (await interleave(effort.stock_starts + 1, go, ours))[1:]
    return [
        result_of("stock: process to active", "ms", starts, lambda start: start[0], _ACTIVE_AT_MOST),
        result_of("stock: process to first hook's reply", "ms", starts, lambda start: start[1]),
    ]


def _memory(program: Path, place: Workplace, effort: Effort) -> list[Result]:
    bare_early, bare_late = _resident(program, go_command(program), effort)
    early, late = _resident(program, sdk_command(place, "async"), effort)
    calls = f"{effort.stock_memory_calls:,}"
    return [
        Result(f"stock: RSS after {_EARLY_CALLS:,} hooks", "MiB", (Pair(bare_early, early),)),
        Result(f"stock: RSS after {calls} more", "MiB", (Pair(bare_late, late),)),
        Result("stock: growth between them", "MiB", (Pair(bare_late - bare_early, late - early),), _GROWTH_AT_MOST),
    ]


def _resident(program: Path, command: list[str], effort: Effort) -> tuple[float, float]:
    with stock_plugin(program, command) as plugin:
        plugin.hooks(_HOOK, _EARLY_CALLS, IN_FLIGHT)
        early = plugin.rss_mib()
        plugin.hooks(_HOOK, effort.stock_memory_calls, IN_FLIGHT)
        return early, plugin.rss_mib()
