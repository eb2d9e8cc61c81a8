"""When a recurring job is due. Whole milliseconds since 1970, so that nothing drifts however long it goes on.

Due times lie on a grid: one interval apart, at a phase. An aligned grid has its phase from 1970 on; any other one is
as the last due time lies, so that this time, which is stored, holds the grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

SHORTEST_INTERVAL_MS: Final = 1_000
LONGEST_INTERVAL_MS: Final = 366 * 24 * 3600 * 1_000

_LARGEST_SKEW_MS: Final = 3600 * 1_000
"""More than the clocks of a server's nodes ever differ."""

_LATEST_S: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


class Due(NamedTuple):
    """A due time that has come."""

    at_ms: int
    missed: int
    """Due times before this one that no run was started for."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due times without end."""

    interval_ms: int
    phase_ms: int | None = None
    """What due times are when divided by the interval; None if the last due time says it."""

    def after(self, last_ms: int) -> int:
        """The first due time after the last one."""
        phase_ms = last_ms if self.phase_ms is None else self.phase_ms
        return last_ms + self.interval_ms - (last_ms - phase_ms) % self.interval_ms

    def due(self, last_ms: int, now_ms: int) -> Due | None:
        """The latest due time that has come since the last one; None if there is none yet."""
        first_ms = self.after(last_ms)
        if first_ms > now_ms:
            return None
        missed = (now_ms - first_ms) // self.interval_ms
        return Due(first_ms + missed * self.interval_ms, missed)


def is_too_far_ahead(last_ms: int, now_ms: int) -> bool:
    """Whether a due time that is said to be past cannot be: the clock that said so was set wrong, and the job would
    wait until then."""
    return last_ms - now_ms > _LARGEST_SKEW_MS


def seconds(what: str, duration: object) -> float:
    """A duration in seconds.

    Args:
        what: what an error calls it.
        duration: a `timedelta` or a number of seconds.

    Raises:
        TypeError: it is neither.
        ValueError: it is not finite.
    """
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise TypeError(f"{what} must be a timedelta or a number of seconds, not {type(duration).__name__}")
    if not math.isfinite(duration):
        raise ValueError(f"{what} must be finite")
    return float(duration)


def schedule_of(interval: object, align: object) -> Schedule:
    """The schedule that an author means.

    Args:
        interval: between due times.
        align: None, or how long after whole intervals since 1970 they are.

    Raises:
        TypeError: one of them is no duration.
        ValueError: the interval is out of range.
    """
    interval_ms = round(seconds("interval", interval) * 1000)
    if not SHORTEST_INTERVAL_MS <= interval_ms <= LONGEST_INTERVAL_MS:
        raise ValueError("interval must be from 1 second to 366 days")
    if align is None:
        return Schedule(interval_ms)
    return Schedule(interval_ms, round(seconds("align", align) * 1000) % interval_ms)


def is_time(at_ms: int) -> bool:
    """Whether a datetime can hold it."""
    return 0 <= at_ms < _LATEST_S * 1000


def timestamp_ms(when: object) -> int:
    """A time in milliseconds since 1970.

    Args:
        when: a `datetime` with a time zone, or seconds since 1970.

    Raises:
        TypeError: it is neither.
        ValueError: it has no time zone, or no calendar has it.
    """
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ValueError("a datetime without a time zone is no point in time: use datetime.now(UTC), for example")
        when = when.timestamp()
    if isinstance(when, bool) or not isinstance(when, (int, float)):
        raise TypeError(f"when must be a datetime or seconds since 1970, not {type(when).__name__}")
    if not 0 <= when < _LATEST_S:
        raise ValueError("when must be a time from 1970 to 9999, in seconds")
    return round(when * 1000)


def as_datetime(at_ms: int) -> datetime:
    """The time as a datetime in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
