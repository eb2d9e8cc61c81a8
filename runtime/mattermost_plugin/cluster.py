"""Mutexes that hold on all nodes of a server: `self.cluster.mutex(name)`, `self.cluster.aio.mutex(name)`.

A plugin runs once on every node of a server. A mutex is held by one of all their threads and coroutines at a time. Its
lock is a key in the plugin's part of the server's key-value store, so mutexes of different plugins have nothing to do
with each other.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mattermost_plugin._background import call_on_loop
from mattermost_plugin._cluster_errors import LockLostError, LockTimeoutError, PluginStoppedError
from mattermost_plugin._cluster_keys import RESERVED_PREFIX
from mattermost_plugin._lease import DEFAULT_TTL_S
from mattermost_plugin._locks import Locks
from mattermost_plugin._mutex import MutexCore

if TYPE_CHECKING:
    from mattermost_plugin._held_lock import HeldLock
    from mattermost_plugin.plugin import Plugin

__all__ = [
    "RESERVED_PREFIX",
    "AsyncCluster",
    "AsyncMutex",
    "Cluster",
    "LockLostError",
    "LockTimeoutError",
    "Mutex",
    "PluginStoppedError",
]


class Cluster:
    """What the nodes of a server share, for threads; `aio` is for coroutines. Given as `self.cluster`.

    Args:
        plugin: the plugin.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._locks = Locks(plugin)
        self._aio = AsyncCluster(self._locks)

    @property
    def aio(self) -> AsyncCluster:
        """The same for coroutines."""
        return self._aio

    def mutex(self, name: str, *, ttl: int = DEFAULT_TTL_S, timeout: float | None = None) -> Mutex:
        """A mutex for `def` handlers and other threads. It asks the server nothing before it is acquired.

        Two mutexes of the same name exclude each other, on one node and on several, for threads and for coroutines.

        Args:
            name: 1 to 100 ASCII letters, digits and . _ / @ + = , -
            ttl: seconds, 5 to 3600, after which the lock of a node that died is free. While it is held it is
                refreshed three times as often. After nine tenths of this time (for short ones a second less) without a
                refresh, because the server is away for example, the holder has lost it.
            timeout: seconds that `with` and `acquire` wait for the lock; None for no limit.

        Raises:
            ValueError: one of them is not what it must be.
        """
        return Mutex(self._plugin, MutexCore(self._locks, name, ttl, timeout))


class AsyncCluster:
    """What the nodes of a server share, for coroutines. Given as `self.cluster.aio`."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def mutex(self, name: str, *, ttl: int = DEFAULT_TTL_S, timeout: float | None = None) -> AsyncMutex:
        """A mutex for `async def` handlers and other coroutines on the plugin's event loop.

        Args:
            name: see `Cluster.mutex`.
            ttl: see `Cluster.mutex`.
            timeout: seconds that `async with` and `acquire` wait for the lock; None for no limit.

        Raises:
            ValueError: one of them is not what it must be.
        """
        return AsyncMutex(MutexCore(self._locks, name, ttl, timeout))


class Mutex:
    """A mutex for threads. Not reentrant, and not fair: who waits longest is not always next.

    Example:
        with self.cluster.mutex("nightly-report") as mutex:
            for team in teams:
                mutex.check()
                self.report(team)

    `with` raises LockLostError at its end if the lock was lost in between, unless its body has raised already. One
    object may be used by several threads: they take turns.
    """

    def __init__(self, plugin: Plugin, core: MutexCore) -> None:
        self._plugin = plugin
        self._core = core

    @property
    def name(self) -> str:
        """Its name."""
        return self._core.name

    @property
    def lost(self) -> threading.Event:
        """Set when the lock that is held now is lost, for those who wait. `check` may know it sooner.

        Raises:
            RuntimeError: nobody holds the mutex through this object.
        """
        return self._core.held.lost

    def check(self) -> None:
        """Ask whether the lock is still held, before each step that must not be done twice. Costs nothing.

        Raises:
            LockLostError: the lock is lost.
            RuntimeError: nobody holds the mutex through this object.
        """
        self._core.check()

    def acquire(self, timeout: float | None = None) -> bool:
        """Take the lock, as soon as it is free.

        While the server is away, this waits for it.

        Args:
            timeout: seconds to wait; 0 for one attempt, None for the mutex's own, which has no limit by default.

        Returns:
            Whether the lock is held now; False if it was not free in time.

        Raises:
            PluginStoppedError: the plugin stops.
            RuntimeError: this thread holds it through this object, or is the event loop's; or the plugin is not
                being served.
            PluginAPIError: the server refused. If it failed, that is raised when the time is over.
            APITransportError: the server gave no answer until the time was over.
        """
        patience_s, holder = self._core.patience_s(timeout), threading.get_ident()
        return call_on_loop(self._plugin, "cluster.mutex(...).acquire()", self._core.acquire, holder, patience_s)

    def try_acquire(self) -> bool:
        """Take the lock if it is free: `acquire(timeout=0)`."""
        return self.acquire(0)

    def release(self) -> None:
        """Give the lock back.

        A lock that cannot be given back because the server is away is freed later, by its time to live at the latest.

        Raises:
            LockLostError: it was lost before. It is not held any more after this either.
            RuntimeError: nobody holds the mutex through this object, or this is the event loop's thread.
            PluginStoppedError: the plugin has stopped.
        """
        try:
            call_on_loop(self._plugin, "cluster.mutex(...).release()", self._core.release)
        except PluginStoppedError:
            # The plugin's end has taken the lock away, and that is what the holder must know.
            self._core.check()
            raise

    def __enter__(self) -> Self:
        if not self.acquire():
            raise self._core.timed_out()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except (LockLostError, PluginStoppedError) as lost:
            if error is None:
                raise
            error.add_note(str(lost))


class AsyncMutex:
    """A mutex for coroutines. Not reentrant, and not fair: who waits longest is not always next.

    Example:
        async with self.cluster.aio.mutex("nightly-report"):
            await self.report()

    If the lock is lost, the body of `async with` is cancelled, and `async with` raises LockLostError in place of the
    CancelledError. One object may be used by several tasks: they take turns.
    """

    def __init__(self, core: MutexCore) -> None:
        self._core = core
        self._body: _Body | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self._core.name

    @property
    def lost(self) -> asyncio.Event:
        """Set when the lock that is held now is lost, for those who wait. `check` may know it sooner.

        Raises:
            RuntimeError: nobody holds the mutex through this object.
        """
        return self._core.held.lost_async

    def check(self) -> None:
        """Ask whether the lock is still held. Costs nothing; of use after code that has kept the event loop busy.

        Raises:
            LockLostError: the lock is lost.
            RuntimeError: nobody holds the mutex through this object.
        """
        self._core.check()

    async def acquire(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the same as for threads
        """Take the lock, as soon as it is free. Nothing is cancelled if it is lost: see `lost` and `check`.

        Args:
            timeout: seconds to wait; 0 for one attempt, None for the mutex's own, which has no limit by default.

        Returns:
            Whether the lock is held now; False if it was not free in time.

        Raises:
            PluginStoppedError: the plugin stops.
            RuntimeError: this task holds it through this object, or runs on another event loop than the plugin's.
            PluginAPIError: the server refused. If it failed, that is raised when the time is over.
            APITransportError: the server gave no answer until the time was over.
        """
        return await self._core.acquire(asyncio.current_task(), self._core.patience_s(timeout))

    async def try_acquire(self) -> bool:
        """Take the lock if it is free: `acquire(timeout=0)`."""
        return await self.acquire(0)

    async def release(self) -> None:
        """Give the lock back.

        A lock that cannot be given back because the server is away is freed later, by its time to live at the latest.

        Raises:
            LockLostError: it was lost before. It is not held any more after this either.
            RuntimeError: nobody holds the mutex through this object.
        """
        await self._core.release()

    async def __aenter__(self) -> Self:
        if not await self.acquire():
            raise self._core.timed_out()
        self._body = _Body(self._core.held)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        body, self._body = self._body, None
        was_ended = body is not None and body.leave(kind)
        try:
            await self._core.release()
        except LockLostError as lost:
            if error is None or was_ended:
                raise lost from error
            error.add_note(str(lost))


class _Body:
    """The body of an `async with`, which the loss of its lock cancels. The same way as `asyncio.timeout` does it."""

    def __init__(self, held: HeldLock) -> None:
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self._was_cancelled = False
        held.tell(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._was_cancelled = True
            self._task.cancel()

    def leave(self, kind: type[BaseException] | None) -> bool:
        """Whether the body ended because its lock was lost, and for no other reason."""
        if self._task is None or not self._was_cancelled:
            return False
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError
