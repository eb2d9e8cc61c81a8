"""The host's time: one object that everything asks, so that a test can set it."""

import time
from abc import ABC, abstractmethod
from typing import Final

__all__ = ["Clock", "ManualClock", "SystemClock"]

_NS_PER_MS: Final = 1_000_000


class Clock(ABC):
    """Tells the time in milliseconds since 1970."""

    @abstractmethod
    def now_ms(self) -> int:
        """The time."""


class SystemClock(Clock):
    """The machine's time, which never tells the same millisecond to two askers.

    Rows are ordered by their time of creation, so two posts of one millisecond would have no order.
    """

    def __init__(self) -> None:
        self._last = 0

    def now_ms(self) -> int:
        """The time."""
        self._last = max(time.time_ns() // _NS_PER_MS, self._last + 1)
        return self._last


class ManualClock(Clock):
    """A clock that a test sets. It steps one millisecond each time it is asked, as `SystemClock` does.

    Args:
        start_ms: the first time that it tells.
    """

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._now = start_ms - 1

    def now_ms(self) -> int:
        """The time."""
        self._now += 1
        return self._now

    def advance(self, *, seconds: float = 0, ms: int = 0) -> None:
        """Let time pass.

        Args:
            seconds: how many seconds.
            ms: how many milliseconds more.
        """
        self._now += int(seconds * 1000) + ms
