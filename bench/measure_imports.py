"""What imports cost, in processes of their own."""

import asyncio
import re
import sys
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.plugin_process import Workplace

_CODE: Final = (
    "import sys, time; before = len(sys.modules); began = time.perf_counter(); import {modules}; "
    "print(time.perf_counter() - began, len(sys.modules) - before)"
)
PUBLIC: Final = "mattermost_plugin"
SERVING: Final = "mattermost_plugin._process, mattermost_plugin._grpc_server"
"""All that a plugin has loaded when it serves."""
_BARE_SERVING: Final = "bare_plugin"
_PUBLIC_AT_MOST: Final = Target("<=", 150.0, of="ours")

_IMPORT_TIME: Final = re.compile(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)")


@dataclass(frozen=True, slots=True)
class _Import:
    took_ms: float
    modules: int


async def measure_imports(place: Workplace, effort: Effort) -> list[Result]:
    """Compare the public package with grpc, and all that is loaded for serving with what the bare one loads."""
    results: list[Result] = []
    for name, bare, ours, target in (
        (f"import: {PUBLIC} (bare: grpc)", "grpc", PUBLIC, _PUBLIC_AT_MOST),
        ("import: all for serving", _BARE_SERVING, SERVING, None),
    ):
        for modules in (bare, ours):
            await _import(place, modules)
        samples = await interleave(effort.imports, partial(_import, place, bare), partial(_import, place, ours))
        results += [
            result_of(name, "ms", samples, lambda sample: sample.took_ms, target),
            result_of(f"{name}, count", "modules", samples, lambda sample: sample.modules),
        ]
    return results


async def import_profile(place: Workplace, modules: str, lines: int) -> str:
    """The modules that take longest to import, each with all that it imports itself."""
    _, log = await _run(place, "-X", "importtime", "-c", f"import {modules}")
    found = [
        (int(cumulative), int(own), name) for own, cumulative, _, name in _IMPORT_TIME.findall(log) if name != "site"
    ]
    rows = [f"{'cumulative':>12} {'own':>9}  module"]
    for cumulative, own, name in sorted(found, reverse=True)[:lines]:
        rows.append(f"{cumulative / 1000:>9.1f} ms {own / 1000:>6.1f} ms  {name}")
    return "\n".join(rows)


async def _import(place: Workplace, modules: str) -> _Import:
    output, _ = await _run(place, "-c", _CODE.format(modules=modules))
    took_s, count = output.split()
    return _Import(float(took_s) * 1e3, int(count))


async def _run(place: Workplace, *arguments: str) -> tuple[str, str]:
    # -c puts the current folder first in the path: bare_plugin is found there, compiled.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=place.folder,
    )
    output, log = await process.communicate()
    if process.returncode:
        raise RuntimeError(log.decode())
    return output.decode(), log.decode()
