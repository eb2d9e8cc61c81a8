"""The time by which mutexes and jobs go: the machine's, or one that a test sets."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol, TypeVar

__all__ = ["PluginClock", "SystemClock", "is_done_by", "steady"]

_T = TypeVar("_T")

_LONGEST_NAP_S: Final = 30.0
"""The event loop's timers do not see that the machine's clock was set, or that the machine was suspended; who sleeps
looks again after this time."""


class PluginClock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> float:
        """Seconds since 1970, UTC. From any thread."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return when it is that time, at once if it has passed. On the plugin's event loop.

        Args:
            when: seconds since 1970.
        """
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    async def sleep_until(self, when: float) -> None:
        """Return when it is that time, also if the clock is set meanwhile (then up to 30 s late)."""
        await _sleep_until(self, when)


class _UptimeClock:
    """The machine's time since its start, which nobody sets: only differences between its times mean something."""

    def now(self) -> float:
        return _uptime()

    async def sleep_until(self, when: float) -> None:
        await _sleep_until(self, when)


def steady(clock: PluginClock) -> PluginClock:
    """A clock for measuring how long something takes: the given one, unless that can be set while it runs."""
    return _UptimeClock() if isinstance(clock, SystemClock) else clock


async def is_done_by(clock: PluginClock, when: float, future: asyncio.Future[_T]) -> bool:
    """Wait for a future until that time. Returns whether it is done; if it is not, it goes on."""
    alarm = asyncio.ensure_future(clock.sleep_until(when))
    try:
        await asyncio.wait((future, alarm), return_when=asyncio.FIRST_COMPLETED)
        if alarm.done():
            alarm.result()
    finally:
        alarm.cancel()
    return future.done()


async def _sleep_until(clock: PluginClock, when: float) -> None:
    # At least once: who sleeps in a loop must let others run, whatever the time.
    await asyncio.sleep(0)
    while (left_s := when - clock.now()) > 0:  # noqa: ASYNC110 - a clock that is set tells nobody
        await asyncio.sleep(min(left_s, _LONGEST_NAP_S))


if hasattr(time, "CLOCK_BOOTTIME"):

    def _uptime() -> float:
        # Time goes on in a machine that is suspended, and the server's database sees it.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def _uptime() -> float:
        return time.monotonic()
