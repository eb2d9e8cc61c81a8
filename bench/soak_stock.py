"""A million hooks over the stock wire, and what they leave behind: `python -m bench.soak_stock`.

Two plugins take turns, one with async handlers and one with handlers in threads. Nine hooks of ten return a changed
post; the tenth calls the plugin API. Ends with 1 if a resident set has grown by more than what allocators keep.
"""

import argparse
import time
from typing import Final, get_args

from bench.load import IN_FLIGHT
from bench.plugin_process import Mode, workplace
from bench.stock_host import GO_MISSING, StockPlugin, sdk_command, stock_plugin, stock_program

_HOOKS: Final = 1_000_000
_STEPS: Final = 10
_API_SHARE: Final = 10
_GROWTH_AT_MOST_MIB: Final = 4.0
"""From the first step on. Eight bytes a hook, so that a leak of the smallest object would not fit."""


def _step(plugin: StockPlugin, hooks: int) -> None:
    calling = hooks // _API_SHARE
    plugin.hooks("MessageWillBePosted", hooks - calling, IN_FLIGHT)
    plugin.hooks("MessageHasBeenPosted", calling, IN_FLIGHT)


def _soak(plugins: dict[Mode, StockPlugin], hooks: int) -> float:
    """Call the hooks. Returns the larger growth from the first step to the last, in MiB."""
    sizes: dict[Mode, list[float]] = {mode: [] for mode in plugins}
    share = hooks // _STEPS // len(plugins)
    for number in range(1, _STEPS + 1):
        began = time.perf_counter()
        for mode, plugin in plugins.items():
            _step(plugin, share)
            sizes[mode].append(plugin.rss_mib())
        rate = share * len(plugins) / (time.perf_counter() - began)
        shown = "  ".join(f"{mode} {found[-1]:>6.1f} MiB" for mode, found in sizes.items())
        print(f"{number * share * len(plugins):>12,} hooks {rate:>9,.0f}/s  {shown}", flush=True)
    return max(found[-1] - found[0] for found in sizes.values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak_stock", description=__doc__)
    parser.add_argument("--hooks", type=int, default=_HOOKS, metavar="N", help="how many, a million by default")
    hooks = parser.parse_args().hooks
    program = stock_program()
    if program is None:
        raise SystemExit(GO_MISSING)
    with workplace() as place:
        async_mode, sync_mode = get_args(Mode)
        with (
            stock_plugin(program, sdk_command(place, async_mode)) as on_loop,
            stock_plugin(program, sdk_command(place, sync_mode)) as in_threads,
        ):
            growth_mib = _soak({async_mode: on_loop, sync_mode: in_threads}, hooks)
    is_flat = growth_mib <= _GROWTH_AT_MOST_MIB
    verdict = "met" if is_flat else "MISSED"
    print(
        f"The resident set grew by {growth_mib:.1f} MiB after the first step; <= {_GROWTH_AT_MOST_MIB:g} MiB {verdict}."
    )
    raise SystemExit(0 if is_flat else 1)


if __name__ == "__main__":
    main()
