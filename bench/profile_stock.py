"""Where the time of a hook goes on the stock wire: functions of the event loop's thread, under cProfile.

cProfile makes every call of a Python function slower, so the shares say more than the times. Handlers in threads do
not show; the time of the loop that waits for them does.
"""

from __future__ import annotations

import pstats
from pathlib import Path
from typing import Final, get_args

from bench.load import IN_FLIGHT
from bench.plugin_process import Mode, Workplace
from bench.stock_host import GO_MISSING, sdk_command, stock_plugin, stock_program

_CALLS: Final = 10_000
_LINES: Final = 40
_CASES: Final = (
    ("MessageWillBePosted", 1),
    ("MessageWillBePosted", IN_FLIGHT),
    ("MessageHasBeenPosted", 1),
    ("ServeHTTP", 1),
)


def profile_stock(place: Workplace) -> None:
    """Print the functions that most of the time goes to, for each hook and kind of handler."""
    program = stock_program()
    if program is None:
        print(GO_MISSING)
        return
    for mode in get_args(Mode):
        for hook, in_flight in _CASES:
            print(f"{mode} handlers, {_CALLS:,} x {hook}, {in_flight} in flight\n")
            _profile(program, place, mode, hook, in_flight)


def _profile(program: Path, place: Workplace, mode: Mode, hook: str, in_flight: int) -> None:
    path = place.folder / "profile"
    with stock_plugin(program, sdk_command(place, mode), {"BENCH_PROFILE": str(path)}) as plugin:
        if hook == "ServeHTTP":
            plugin.gets(_CALLS)
        else:
            plugin.hooks(hook, _CALLS, in_flight)
    pstats.Stats(str(path)).sort_stats("tottime").print_stats(_LINES)
