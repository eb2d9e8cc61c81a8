"""The server's time, as a test lets it pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from mattermost_plugin.devhost import DevHost, ManualClock
from mattermost_plugin.testing._core import ServerCore
from mattermost_plugin.testing._work import quiet
from mattermost_plugin.testing.errors import MisuseError

__all__ = ["TestClock", "advance"]

__tracebackhide__ = True  # pytest shows the line of the test

_MS: Final = timedelta(milliseconds=1)


async def advance(host: DevHost, by: timedelta, *, calls_under_way: Callable[[], int] = int) -> None:
    """Let time pass, and return when everything that became due meanwhile has run.

    It goes from one thing that is due to the next: each runs at its own time, and so does what it plans for a time that
    still lies within.

    Args:
        host: the host, with a `ManualClock`; on its loop.
        by: how much time.
        calls_under_way: how many API calls the host is answering.

    Raises:
        MisuseError: the host's clock is not one that can be set, or time would go back.
    """
    clock = host.clock
    if not isinstance(clock, ManualClock):
        raise MisuseError("the server runs on the machine's time, which nobody can advance")
    if by < timedelta():
        raise MisuseError("a clock does not go back")
    until_ms = clock.time_ms + by // _MS
    await quiet(host, calls_under_way=calls_under_way)
    while (due_ms := clock.next_wake_ms) is not None and due_ms <= until_ms:
        clock.advance(ms=max(0, due_ms - clock.time_ms))
        await quiet(host, calls_under_way=calls_under_way)
    clock.advance(ms=max(0, until_ms - clock.time_ms))
    await quiet(host, calls_under_way=calls_under_way)


class TestClock:
    """The server's clock. It stands still, but for the millisecond that each question takes, until the test moves it.

    It is also the clock of the plugins in this process (`plugin.clock`), and so of their jobs. A plugin that asks the
    machine for the time, and one that runs as a process, sees the machine's time.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    @property
    def now(self) -> datetime:
        """The time."""
        return _datetime(self.now_ms)

    @property
    def now_ms(self) -> int:
        """The time in milliseconds since 1970, as posts carry it."""
        clock = self._core._host.clock
        return clock.time_ms if isinstance(clock, ManualClock) else clock.now_ms()

    @property
    def next_due(self) -> datetime | None:
        """When the next one that waits on the clock is due; None if nobody waits."""
        clock = self._core._host.clock
        due_ms = clock.next_wake_ms if isinstance(clock, ManualClock) else None
        return None if due_ms is None else _datetime(due_ms)

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, milliseconds: float = 0
    ) -> None:
        """Let time pass, and return when everything that became due meanwhile has run.

        It goes from one thing that is due to the next: a job that runs every five minutes runs twelve times in an hour.

        Raises:
            MisuseError: the server runs on the machine's time, or time would go back.
            DeadlineError: what became due does not end.
        """
        by = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
        core = self._core
        core._act(
            f"clock.advance({by})",
            lambda host: advance(host, by, calls_under_way=lambda: core._faults.under_way),
            settles=False,
        )

    def advance_to(self, when: datetime) -> None:
        """Let time pass until a time, which must have a time zone. See `advance`."""
        self.advance(milliseconds=max(0, (when - self.now) // _MS))

    def __repr__(self) -> str:
        return f"<clock {self.now.isoformat()}>"


def _datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + ms * _MS
