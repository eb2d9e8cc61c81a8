"""A million calls of the plugin API, half of them from threads, and what they leave behind: `python -m bench.soak_api`.

Ends with 1 if the resident set has grown by more than what allocators keep.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.kv_server import kv_server
from bench.plugin_process import status_mib
from mattermost_plugin import Plugin
from mattermost_plugin.api import InvalidArgumentError
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer

_CALLS: Final = 1_000_000
_STEPS: Final = 10
_WORKERS: Final = 8
"""Threads, and as many tasks."""
_KEYS: Final = 100
"""Keys of each worker."""
_VALUE: Final = bytes(range(256)) * 4
_TOO_LONG: Final = "x" * 151
_GROWTH_AT_MOST_MIB: Final = 4.0
"""From the first step on. Four bytes a call, so that a leak of the smallest object would not fit."""


class _Calling(Plugin):
    """Needs no hook: its client is what is called."""


@dataclass(frozen=True, slots=True)
class _Step:
    calls: int
    rate: float
    rss_mib: float


def _keys(worker: str, rounds: int) -> Iterator[str]:
    """A key for each round of five calls."""
    return (f"{worker} {number % _KEYS}" for number in range(rounds))


def _call_from_thread(plugin: Plugin, worker: str, rounds: int) -> None:
    api = plugin.api
    for key in _keys(worker, rounds):
        api.kv_set(key, _VALUE)
        if api.kv_get(key) != _VALUE:
            raise RuntimeError("the value that came back is another one")
        api.kv_list(per_page=2)
        api.kv_delete(key)
        try:
            api.kv_set(_TOO_LONG, _VALUE)
        except InvalidArgumentError:
            continue
        raise RuntimeError("a key that is too long was taken")


async def _call_from_task(plugin: Plugin, worker: str, rounds: int) -> None:
    api = plugin.api.aio
    for key in _keys(worker, rounds):
        await api.kv_set(key, _VALUE)
        if await api.kv_get(key) != _VALUE:
            raise RuntimeError("the value that came back is another one")
        await api.kv_list(per_page=2)
        await api.kv_delete(key)
        try:
            await api.kv_set(_TOO_LONG, _VALUE)
        except InvalidArgumentError:
            continue
        raise RuntimeError("a key that is too long was taken")


async def _steps(plugin: Plugin, calls: int) -> list[_Step]:
    rounds = calls // _STEPS // (2 * _WORKERS) // 5
    steps: list[_Step] = []
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_WORKERS))
    for _ in range(_STEPS):
        began = time.perf_counter()
        await asyncio.gather(
            *(asyncio.to_thread(_call_from_thread, plugin, f"thread {n}", rounds) for n in range(_WORKERS)),
            *(_call_from_task(plugin, f"task {n}", rounds) for n in range(_WORKERS)),
        )
        made = rounds * 2 * _WORKERS * 5
        done = (steps[-1].calls if steps else 0) + made
        steps.append(_Step(done, made / (time.perf_counter() - began), status_mib(os.getpid(), "VmRSS")))
        print(f"{steps[-1].calls:>12,} calls {steps[-1].rate:>9,.0f}/s {steps[-1].rss_mib:>8.1f} MiB", flush=True)
    return steps


async def _soak(calls: int) -> float:
    """Make the calls. Returns the growth from the first step to the last, in MiB."""
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        async with kv_server(Path(folder)) as address:
            server = PluginServer(_Calling, RuntimeConfig(api_target=address), socket_folder=folder)
            await server.start()
            try:
                steps = await _steps(server.plugin, calls)
            finally:
                await server.stop()
    return steps[-1].rss_mib - steps[0].rss_mib


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak_api", description=__doc__)
    parser.add_argument("--calls", type=int, default=_CALLS, metavar="N", help="how many, a million by default")
    growth_mib = asyncio.run(_soak(parser.parse_args().calls))
    is_flat = growth_mib <= _GROWTH_AT_MOST_MIB
    verdict = "met" if is_flat else "MISSED"
    print(
        f"The resident set grew by {growth_mib:.1f} MiB after the first step; <= {_GROWTH_AT_MOST_MIB:g} MiB {verdict}."
    )
    raise SystemExit(0 if is_flat else 1)


if __name__ == "__main__":
    main()
