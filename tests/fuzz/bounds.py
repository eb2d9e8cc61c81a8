"""Bounds on time and memory of one run."""

from __future__ import annotations

import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["MAX_SECONDS", "TooSlow", "bounded_time", "memory_allowed", "peak_memory"]

MAX_SECONDS: Final = 10.0
"""Time of the processor for one run, all of its ways and both readers included. Most take a thousandth of it."""

_FIRST_BYTES: Final = 8 << 20
"""For what a run has whatever comes: sessions, decoders, code that is compiled for the first time."""

_BYTES_PER_BYTE: Final = 4096
"""One byte is an empty struct in a list, and for each of several ways to read it that is a dict or a message; a dozen
bytes are a type, for which several functions are compiled."""


class TooSlow(BaseException):
    """A run takes too long."""


@contextmanager
def bounded_time(seconds: float = MAX_SECONDS) -> Iterator[None]:
    """Raise TooSlow in what takes longer. In time of the processor: a busy machine finds nothing. Main thread only."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def peak_memory(run: Callable[[bytes], None], data: bytes) -> int:
    """Most bytes of Python objects that a run has held at once."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        run(data)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def memory_allowed(data: bytes) -> int:
    """What a run of an input may hold."""
    return _FIRST_BYTES + _BYTES_PER_BYTE * len(data)
