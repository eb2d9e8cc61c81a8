"""A lock that this node holds: refreshed on the event loop until it is given back or lost."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Final

from mattermost_plugin._clock import PluginClock, is_done_by
from mattermost_plugin._lease import Lease
from mattermost_plugin._lock_store import LockStore

_log = logging.getLogger(__name__)

_NOT_REFRESHED: Final = "it could not be refreshed in time"
_NOT_OURS: Final = "it is not there any more, or another holder has it"


class HeldLock:
    """One lock from when the server has granted it. Made on the event loop.

    Args:
        name: what logs and errors call it.
        store: the lock on the server.
        lease: for how long it is held.
        clock: a steady one.
    """

    def __init__(self, name: str, store: LockStore, lease: Lease, clock: PluginClock) -> None:
        self.name = name
        self.store = store
        self.lost = threading.Event()
        """Set once the lock is lost. `is_lost` may know it sooner."""
        self.lost_async = asyncio.Event()
        self.reason = ""
        """Why it was lost."""
        self._lease = lease
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._is_given_back = False
        self._mutex = threading.Lock()
        self._told: list[Callable[[], object]] = []
        self._keeper = self._loop.create_task(self._keep(), name=f"keeper of the lock {name}")

    @property
    def is_lost(self) -> bool:
        """Whether the lock is lost. From any thread; it stays so.

        It is, too, when its time is over and the event loop, which may be blocked, has not noticed.
        """
        if not self.lost.is_set() and not self._is_given_back and self._lease.is_over(self._clock.now()):
            self._declare_lost(_NOT_REFRESHED)
        return self.lost.is_set()

    def tell(self, told: Callable[[], object]) -> None:
        """Have a function called when the lock is lost, soon if it is. On the event loop."""
        self._told.append(told)
        if self.is_lost:
            self._loop.call_soon(self._tell)

    def lose(self, reason: str) -> None:
        """Count the lock as lost, and tell the holder. On the event loop."""
        self._keeper.cancel()
        self._declare_lost(reason)

    def let_go(self) -> None:
        """Refresh the lock no longer: it is given back, and no loss from now on. On the event loop."""
        self._is_given_back = True
        self._told.clear()
        self._keeper.cancel()

    def _declare_lost(self, reason: str) -> None:
        with self._mutex:
            if self.lost.is_set():
                return
            self.reason = reason
            self.lost.set()
        _log.warning("The lock %s was lost: %s", self.name, reason)
        try:
            self._loop.call_soon_threadsafe(self._tell)
        except RuntimeError:
            # The loop is closed: nobody there is to be told.
            _log.debug("The lock %s was lost after the plugin had stopped", self.name)

    def _tell(self) -> None:
        self.lost_async.set()
        told, self._told = self._told, []
        for function in told:
            function()

    async def _keep(self) -> None:
        try:
            while not self.is_lost:
                await self._clock.sleep_until(self._lease.refresh_at)
                if not self.is_lost:
                    await self._refresh()
        except Exception:  # noqa: BLE001 - the top of the task: a holder whose lock is not refreshed must know
            _log.exception("The lock %s cannot be refreshed", self.name)
            self._declare_lost(_NOT_REFRESHED)

    async def _refresh(self) -> None:
        sent_at = self._clock.now()
        call = asyncio.ensure_future(self.store.refresh(self._lease.call_limit_s))
        try:
            if not await is_done_by(self._clock, self._lease.lost_at, call):
                return
        finally:
            call.cancel()
        error = call.exception()
        if error is not None:
            self._lease.delay(self._clock.now())
            if self._lease.failures == 1:
                _log.warning("The lock %s could not be refreshed, which is tried again: %s", self.name, error)
        elif not call.result():
            self._declare_lost(_NOT_OURS)
        elif not self.is_lost:
            self._lease.renew(sent_at)
