"""Run the benchmark: `python -m bench`, from the repository's root."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.compare import Result
from bench.effort import FULL, QUICK, Effort
from bench.measure_api import measure_api
from bench.measure_hooks import measure_hooks
from bench.measure_http import measure_http
from bench.measure_imports import SERVING, import_profile, measure_imports
from bench.measure_memory import measure_memory
from bench.measure_packed import measure_packed
from bench.measure_startup import measure_startup
from bench.measure_stock import measure_stock
from bench.measure_stock_codec import measure_stock_codec, profile_codec
from bench.plugin_process import Workplace, workplace
from bench.profile_stock import profile_stock
from bench.report import print_header, print_load_warning, print_results, print_summary, write_json

_DEFAULT_JSON = Path(__file__).parent / "results" / "latest.json"
_PROFILE_LINES = 40

_PARTS: Mapping[str, Callable[[Workplace, Effort], Awaitable[list[Result]]]] = {
    "async": partial(measure_hooks, mode="async"),
    "sync": partial(measure_hooks, mode="sync"),
    "api": measure_api,
    "http": measure_http,
    "startup": measure_startup,
    "packed": measure_packed,
    "imports": measure_imports,
    "memory": measure_memory,
    "stock": measure_stock,
    "codec": measure_stock_codec,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the SDK against a bare grpc.aio server that does the same work, and on the stock wire "
        "against a Go plugin. A missed target is reported and is no failure.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: rough numbers in half a minute")
    parser.add_argument("--json", type=Path, default=_DEFAULT_JSON, metavar="PATH", help="where to write the results")
    parser.add_argument("--only", action="append", choices=_PARTS, help="measure only this; may be repeated")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where the time goes, and end: in a hook with --only stock or codec, else in the imports of "
        "a serving plugin",
    )
    return parser.parse_args()


async def _measure(names: Sequence[str], effort: Effort) -> list[Result]:
    results: list[Result] = []
    with workplace() as place:
        print_header()
        for name in names:
            found = await _PARTS[name](place, effort)
            print_results(found)
            results += found
    return results


async def _profile(parts: Sequence[str]) -> None:
    with workplace() as place:
        if "codec" in parts:
            profile_codec()
        if "stock" in parts:
            profile_stock(place)
        if not {"codec", "stock"}.isdisjoint(parts):
            return
        for title, modules in (("SDK", SERVING), ("bare", "bare_plugin")):
            print(f"{title}: import {modules}\n{await import_profile(place, modules, _PROFILE_LINES)}\n")


def main() -> None:
    arguments = _arguments()
    if arguments.profile:
        asyncio.run(_profile(arguments.only or ()))
        return
    print_load_warning()
    began = time.monotonic()
    results = asyncio.run(_measure(arguments.only or [*_PARTS], QUICK if arguments.quick else FULL))
    print_summary(results)
    write_json(arguments.json, results, quick=arguments.quick)
    print(f"{time.monotonic() - began:.0f} s; written to {arguments.json}")


if __name__ == "__main__":
    main()
