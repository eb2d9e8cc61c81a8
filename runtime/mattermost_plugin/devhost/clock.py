"""The host's time: one object that everything asks, so that a test can set it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Clock", "ManualClock", "ManualPluginClock", "SystemClock"]

_NS_PER_MS: Final = 1_000_000
_MS_PER_S: Final = 1000

_NEVER_MS: Final = 2**62
"""Later than any time that a test sets: sleepers that wait for ever have a place in the order."""


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


@dataclass(order=True, slots=True)
class _Sleeper:
    when_ms: int
    number: int
    """Of two that wake at the same time, the one that fell asleep first wakes first."""
    loop: asyncio.AbstractEventLoop = field(compare=False)
    awake: asyncio.Future[None] = field(compare=False)

    def wake(self) -> None:
        # A loop that is closed has nobody to wake.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(_wake, self.awake)


class ManualClock(Clock):
    """A clock that a test sets, from any thread. It steps one millisecond each time it is asked, as `SystemClock` does.

    Who sleeps on it is woken by `advance` alone: what the steps add up to wakes nobody, so that a test decides what
    happens when.

    Args:
        start_ms: the first time that it tells.
    """

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._lock = threading.Lock()
        self._now = start_ms - 1
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()

    def now_ms(self) -> int:
        """The time."""
        with self._lock:
            self._now += 1
            return self._now

    @property
    def time_ms(self) -> int:
        """The time, without a step."""
        return self._now

    @property
    def next_wake_ms(self) -> int | None:
        """When the next sleeper is due; None if nobody sleeps."""
        with self._lock:
            return self._sleepers[0].when_ms if self._sleepers else None

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        with self._lock:
            return len(self._sleepers)

    def advance(self, *, seconds: float = 0, ms: int = 0) -> None:
        """Let time pass, in one leap, and wake who is due then.

        Args:
            seconds: how many seconds.
            ms: how many milliseconds more.

        Raises:
            ValueError: time would go back.
        """
        leap = int(seconds * _MS_PER_S) + ms
        if leap < 0:
            raise ValueError("a clock does not go back")
        due: list[_Sleeper] = []
        with self._lock:
            self._now += leap
            while self._sleepers and self._sleepers[0].when_ms <= self._now:
                due.append(heapq.heappop(self._sleepers))
        for sleeper in due:
            sleeper.wake()

    async def sleep_until(self, when_ms: int) -> None:
        """Return when it is that time, at once if it has been."""
        loop = asyncio.get_running_loop()
        sleeper = _Sleeper(when_ms, next(self._numbers), loop, loop.create_future())
        with self._lock:
            is_due = when_ms <= self._now
            if not is_due:
                heapq.heappush(self._sleepers, sleeper)
        if is_due:
            # As any sleep it lets others run.
            await asyncio.sleep(0)
            return
        try:
            await sleeper.awake
        finally:
            self._forget(sleeper)

    def _forget(self, sleeper: _Sleeper) -> None:
        with self._lock:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)


class ManualPluginClock:
    """A `ManualClock` as a plugin's own clock, in seconds.

    Args:
        clock: the host's clock.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970. It takes no step: a plugin that looks twice sees the same time."""
        return self._clock.time_ms / _MS_PER_S

    async def sleep_until(self, when: float) -> None:
        """Return when it is that time, on the loop that asks; infinity is never.

        Raises:
            ValueError: it is no time.
        """
        if math.isnan(when):
            raise ValueError("when must be a number of seconds since 1970, not NaN")
        # Up, so that whoever wakes finds the time that it waited for, or a later one.
        when_ms = math.ceil(when * _MS_PER_S) if abs(when) < _NEVER_MS / _MS_PER_S else _NEVER_MS
        await self._clock.sleep_until(when_ms if when > 0 else 0)


def _wake(awake: asyncio.Future[None]) -> None:
    if not awake.done():
        awake.set_result(None)
