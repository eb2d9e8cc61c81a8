"""A mutex as threads and coroutines share it: what both kinds do on the event loop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mattermost_plugin._cluster_errors import LockLostError, LockTimeoutError
from mattermost_plugin._cluster_keys import checked_name, lock_key
from mattermost_plugin._lease import checked_ttl

if TYPE_CHECKING:
    from mattermost_plugin._held_lock import HeldLock
    from mattermost_plugin._locks import Locks


class MutexCore:
    """One mutex. Its coroutines run on the plugin's event loop, everything else anywhere.

    Args:
        locks: takes the lock.
        name: the mutex's name.
        ttl: seconds after which the server forgets the lock if it is not refreshed.
        timeout: seconds that `with` and `acquire` wait, unless the latter is told another time; None for no limit.

    Raises:
        ValueError: one of them is not what it must be.
    """

    def __init__(self, locks: Locks, name: str, ttl: int, timeout: float | None) -> None:
        self.name = checked_name("the name of a mutex", name)
        self._timeout_s = checked_patience(timeout)
        self._ttl_s = checked_ttl(ttl)
        self._locks = locks
        self._held: HeldLock | None = None
        self._holder: object = None
        self._key = lock_key("mutex", self.name)
        # Two that use one object take turns, also when the lock is lost while one of them has it.
        self._is_taken = False

    @property
    def held(self) -> HeldLock:
        """The lock.

        Raises:
            RuntimeError: nobody holds it through this object.
        """
        if self._held is None:
            raise RuntimeError(f"the mutex {self.name} is not held")
        return self._held

    def check(self) -> None:
        """Raise what a holder that has lost the lock must know.

        Raises:
            LockLostError: the lock is lost.
            RuntimeError: nobody holds it through this object.
        """
        held = self.held
        if held.is_lost:
            raise LockLostError(self.name, held.reason)

    def patience_s(self, timeout: float | None) -> float | None:
        """How long `acquire` waits that was given this time; None for no limit.

        Raises:
            ValueError: it is no time.
        """
        return self._timeout_s if timeout is None else checked_patience(timeout)

    def timed_out(self) -> LockTimeoutError:
        """What `with` raises when its time is over."""
        return LockTimeoutError(self.name, self._timeout_s or 0.0)

    async def acquire(self, holder: object, patience_s: float | None) -> bool:
        """Take the lock. Returns whether it was free in time.

        Args:
            holder: the thread or task that asks.
            patience_s: how long to wait; None for no limit.
        """
        if self._held is not None and self._holder == holder:
            raise RuntimeError(f"the mutex {self.name} is held by who asks for it, who would wait for ever")
        clock = self._locks.clock
        until = math.inf if patience_s is None else clock.now() + patience_s
        while self._is_taken:
            if clock.now() >= until:
                return False
            await self._locks.wait_free(self._key, until)
        self._is_taken = True
        try:
            left_s = None if patience_s is None else max(0.0, until - clock.now())
            self._held = await self._locks.take(self._key, self.name, self._ttl_s, left_s)
        finally:
            self._is_taken = self._held is not None
        self._holder = holder
        return self._is_taken

    async def release(self) -> None:
        """Give the lock back.

        Raises:
            LockLostError: it was lost before.
            RuntimeError: nobody holds it through this object.
        """
        held, self._held, self._holder = self.held, None, None
        self._is_taken = False
        await self._locks.give_back(held)


def checked_patience(timeout: object) -> float | None:
    """How long somebody waits, if it is that.

    Raises:
        ValueError: it is no number from 0.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 <= timeout < math.inf:
        raise ValueError("timeout must be None or a number of seconds from 0")
    return float(timeout)
