"""How long a lock is surely held. Arithmetic on times, without clock, server or tasks.

The server lets a lock expire its time to live after it has handled the claim. The holder counts from when it sent
that claim, which is earlier, and stops a margin before: it knows that it has lost the lock before anybody else can
have it, and has the margin to stop what it does. That holds as long as clocks run at the same speed, and as the
clocks of the server's nodes, each of which reads the time of expiry by its own, differ by less than the margin.
"""

from __future__ import annotations

from typing import Final

from mattermost_plugin._api_call import RetryPolicy

SHORTEST_TTL_S: Final = 5
LONGEST_TTL_S: Final = 3600

DEFAULT_TTL_S: Final = 15
"""Go plugins' mutexes have the same."""

_REFRESHES: Final = 3
"""How many times a lock could be refreshed within its time to live: the second and the third are for when the first
fails."""

_MARGIN: Final = 0.1
"""Part of the time to live by which the holder gives up before the server does."""
_LEAST_MARGIN_S: Final = 1.0

_PAUSES: Final = RetryPolicy(first_pause_s=0.25, longest_pause_s=2.0)
"""Between attempts to refresh a lock, after one has failed."""


def checked_ttl(ttl: object) -> int:
    """The time to live, if it is one.

    Raises:
        ValueError: it is no whole number of seconds in the range.
    """
    if isinstance(ttl, int) and not isinstance(ttl, bool) and SHORTEST_TTL_S <= ttl <= LONGEST_TTL_S:
        return ttl
    raise ValueError(f"ttl must be a whole number of seconds from {SHORTEST_TTL_S} to {LONGEST_TTL_S}, not {ttl!r:.40}")


class Lease:
    """The time for which a lock is held.

    Args:
        ttl_s: the lock's time to live.
        sent_at: when the claim was sent that the server has granted.
    """

    def __init__(self, ttl_s: int, sent_at: float) -> None:
        self.ttl_s = ttl_s
        self.renew(sent_at)

    @property
    def call_limit_s(self) -> float:
        """How long one claim may take: there is time for another one."""
        return call_limit_s(self.ttl_s)

    def renew(self, sent_at: float) -> None:
        """The server has granted the claim that was sent then."""
        self.failures = 0
        """Claims since then that have failed."""
        self.lost_at: float = sent_at + self.ttl_s - max(_LEAST_MARGIN_S, self.ttl_s * _MARGIN)
        """From then on the lock counts as lost."""
        self.refresh_at: float = sent_at + self.ttl_s / _REFRESHES
        """When the next claim is due. Before `lost_at`, or at that time."""

    def delay(self, now: float) -> None:
        """A claim has failed: the next one is due after a pause, which grows."""
        self.failures += 1
        self.refresh_at = min(now + _PAUSES.pause(self.failures), self.lost_at)

    def is_over(self, now: float) -> bool:
        """Whether the lock counts as lost."""
        return now >= self.lost_at


def call_limit_s(ttl_s: int) -> float:
    """How long a claim may take, of a lock with that time to live."""
    return ttl_s / _REFRESHES
