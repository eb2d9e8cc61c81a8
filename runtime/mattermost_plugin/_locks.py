"""The locks of one plugin on this node: taken, waited for, given back. All of it on the plugin's event loop."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Final, TypeVar

from mattermost_plugin._api_call import RetryPolicy
from mattermost_plugin._api_errors import APITransportError, PluginAPIError, ServerError
from mattermost_plugin._clock import PluginClock, is_done_by, steady
from mattermost_plugin._cluster_errors import LockLostError, PluginStoppedError
from mattermost_plugin._held_lock import HeldLock
from mattermost_plugin._lease import Lease, call_limit_s
from mattermost_plugin._lock_store import LockStore

if TYPE_CHECKING:
    from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_PAUSES: Final = RetryPolicy(first_pause_s=0.2, longest_pause_s=2.0)
"""Between attempts to take a lock that another holder has."""

_LEAST_CALL_S: Final = 2.0
"""What a call gets, however little time a waiter has left: an attempt that is cut off may claim the lock all the
same, and it then has to be freed."""

_GIVE_BACK_TRIES: Final = 5

_STOPPED: Final = "the plugin has stopped"


class _Wanted:
    """A lock that somebody asks for."""

    def __init__(self, name: str, store: LockStore, clock: PluginClock) -> None:
        self.name = name
        self.store = store
        self.clock = clock
        self.claim: asyncio.Task[bool] | None = None
        """The latest attempt."""


class Locks:
    """Takes locks and gives them back.

    Args:
        plugin: whose locks; its API is used when the first lock is taken.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._held: set[HeldLock] = set()
        self._waiters: dict[str, deque[asyncio.Future[None]]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping = False

    @property
    def clock(self) -> PluginClock:
        """The time that waiters give."""
        return steady(self._plugin.clock)

    async def take(self, key: str, name: str, ttl_s: int, patience_s: float | None) -> HeldLock | None:
        """Take a lock, as soon as it is free. Returns None if it was not free in time.

        Args:
            key: where it is.
            name: what logs and errors call it.
            ttl_s: its time to live.
            patience_s: how long to wait for it; 0 for one attempt, None for no limit.

        Raises:
            PluginStoppedError: the plugin stops.
            PluginAPIError: the server refused. If it failed in the attempt, that is raised when the time is over.
            APITransportError: the server gave no answer until the time was over.
        """
        wanted = _Wanted(name, LockStore(self._plugin.api.aio, key, ttl_s), self.clock)
        until = math.inf if patience_s is None else wanted.clock.now() + patience_s
        held: HeldLock | None = None
        try:
            held = await self._take(wanted, until)
        finally:
            if held is None and wanted.store.may_be_ours:
                self._leave(self._undo(wanted))
        return held

    async def wait_free(self, key: str, until: float) -> None:
        """Wait until a lock of that key is given back on this node, until that time, or for a little while.

        Raises:
            PluginStoppedError: the plugin stops.
        """
        self._check_running()
        clock = self.clock
        await self._pause(key, clock, min(until, clock.now() + _PAUSES.longest_pause_s))
        self._check_running()

    async def give_back(self, held: HeldLock) -> None:
        """Free a lock. If the server is away, that is tried again in the background.

        Raises:
            LockLostError: it was lost before.
        """
        was_lost = held.is_lost
        held.let_go()
        self._held.discard(held)
        freeing = self._start(self._free(held.name, held.store))
        if was_lost:
            raise LockLostError(held.name, held.reason)
        # The lock is freed, also if who gives it back is cancelled meanwhile.
        if not await asyncio.shield(freeing):
            raise LockLostError(held.name, "it was not there any more when it was given back")

    def reopen(self) -> None:
        """Take locks, also after a stop."""
        self._stopping = False

    def stop_waiting(self) -> None:
        """Let nobody take or wait for a lock any more; those that are held stay so."""
        self._stopping = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                _wake(waiter)

    async def close(self, patience_s: float) -> None:
        """Tell the holders of all locks that they have lost them, and free the locks.

        Args:
            patience_s: how long to wait for the server; locks that are not free then free themselves.
        """
        self.stop_waiting()
        for held in tuple(self._held):
            held.lose(_STOPPED)
            self._leave(self._free(held.name, held.store))
        self._held.clear()
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        # Again and again: a claim that is granted now leaves a lock to be freed.
        while self._tasks and (left_s := until - loop.time()) > 0:
            await asyncio.wait(tuple(self._tasks), timeout=left_s)
        for task in tuple(self._tasks):
            task.cancel()

    async def _take(self, wanted: _Wanted, until: float) -> HeldLock | None:
        clock, tries = wanted.clock, 0
        while True:
            held: HeldLock | None = None
            failure: APITransportError | ServerError | None = None
            try:
                held = await self._claim(wanted, until)
            except (APITransportError, ServerError) as error:
                failure = error
                if not tries:
                    _log.warning("The lock %s could not be asked for: %s", wanted.name, error)
            if held is not None:
                return held
            tries += 1
            now = clock.now()
            if now >= until:
                if failure is not None:
                    raise failure
                return None
            await self._pause(wanted.store.key, clock, min(until, now + _PAUSES.pause(tries)))

    async def _claim(self, wanted: _Wanted, until: float) -> HeldLock | None:
        """Ask for the lock once."""
        self._check_running()
        store, sent_at = wanted.store, wanted.clock.now()
        limit_s = min(call_limit_s(store.ttl_s), max(_LEAST_CALL_S, until - sent_at))
        # A call that is given up may still claim the lock: it goes on, so that the lock can then be freed for certain.
        wanted.claim = self._start(store.claim(limit_s))
        if not await asyncio.shield(wanted.claim):
            return None
        lease = Lease(store.ttl_s, sent_at)
        self._check_running()
        if lease.is_over(wanted.clock.now()):
            return None
        held = HeldLock(wanted.name, store, lease, wanted.clock)
        self._held.add(held)
        return held

    async def _pause(self, key: str, clock: PluginClock, until: float) -> None:
        """Wait a while, or until a lock of that key is given back on this node."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(key, deque())
        waiters.append(waiter)
        try:
            if not self._stopping:
                await is_done_by(clock, until, waiter)
        finally:
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[key]

    async def _undo(self, wanted: _Wanted) -> None:
        """Free a lock that nobody wants any more, if there is one."""
        if wanted.claim is not None:
            await asyncio.wait((wanted.claim,))
        if wanted.store.may_be_ours:
            await self._free(wanted.name, wanted.store)

    async def _free(self, name: str, store: LockStore) -> bool:
        """Free a lock. Returns False if it certainly was not this holder's any more."""
        try:
            deleted = await store.delete(call_limit_s(store.ttl_s))
        except (APITransportError, PluginAPIError) as error:
            _log.warning("The lock %s could not be freed; it frees itself within %d s: %s", name, store.ttl_s, error)
            if not self._stopping:
                self._leave(self._free_later(store))
            return True
        self._wake_next(store.key)
        return deleted

    async def _free_later(self, store: LockStore) -> None:
        """Free a lock before it frees itself, if the server comes back."""
        clock = self.clock
        for tries in range(1, _GIVE_BACK_TRIES):
            await clock.sleep_until(clock.now() + _PAUSES.pause(tries))
            try:
                await store.delete(call_limit_s(store.ttl_s))
            except (APITransportError, PluginAPIError):
                continue
            self._wake_next(store.key)
            return

    def _wake_next(self, key: str) -> None:
        for waiter in self._waiters.get(key, ()):
            if not waiter.done():
                _wake(waiter)
                return

    def _check_running(self) -> None:
        if self._stopping:
            raise PluginStoppedError("the plugin stops: no more locks are taken")

    def _start(self, work: Coroutine[object, object, _T]) -> asyncio.Task[_T]:
        """Run it to its end, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._keep(task)
        return task

    def _leave(self, work: Coroutine[object, object, object]) -> None:
        """Run it to its end, though nobody waits for it."""
        self._keep(asyncio.get_running_loop().create_task(work))

    def _keep(self, task: asyncio.Task[object]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        # Who waits for it has the error; who has stopped waiting does not miss it.
        if not task.cancelled():
            task.exception()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
