"""Two sides within this process, which take turns too short for anything to disturb one of them alone."""

import gc
import time
from collections.abc import Callable
from typing import Final

from bench.compare import Pair

_ROUND_S: Final = 0.02
"""Seconds of one side's turn."""


def rounds_in_process(count: int, bare: Callable[[], object], ours: Callable[[], object]) -> tuple[Pair, ...]:
    """Microseconds for a call of each, in `count` rounds, without the garbage collector."""
    bare_calls, our_calls = _calls(bare), _calls(ours)
    gc.collect()
    gc.disable()
    try:
        return tuple([Pair(_us(bare, bare_calls), _us(ours, our_calls)) for _ in range(count)])
    finally:
        gc.enable()


def _calls(call: Callable[[], object]) -> int:
    """How many calls fill a turn."""
    call()
    count = 1
    while _us(call, count) * count < _ROUND_S * 1e6:
        count *= 2
    return count


def _us(call: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count * 1e6
