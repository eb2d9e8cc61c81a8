"""What all jobs of an active plugin share on its event loop: the claim of a run, its performance, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mattermost_plugin._api_call import RetryPolicy
from mattermost_plugin._api_errors import APITransportError, PluginAPIError
from mattermost_plugin._cluster_errors import LockLostError
from mattermost_plugin._job_run import Ending, Performance, RunT
from mattermost_plugin.models import PluginKVSetOptions

if TYPE_CHECKING:
    from mattermost_plugin._handler_pool import HandlerPool
    from mattermost_plugin._held_lock import HeldLock
    from mattermost_plugin.api import AsyncPluginAPI
    from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_RECORD_PAUSES: Final = RetryPolicy(attempts=10, first_pause_s=0.2, longest_pause_s=5.0)
"""Between attempts to record how a run has ended."""

IDLE_PAUSES: Final = RetryPolicy(first_pause_s=1.0, longest_pause_s=30.0)
"""Between attempts to run a job, after the server could not be asked or has given an old answer."""

STOPPING: Final = "the plugin stops"


class Outcome(Enum):
    """What became of an attempt to run a job."""

    RAN = auto()
    BUSY = auto()
    """Another node runs it."""
    STALE = auto()
    """Its record is not what it was taken for: another node has been faster, or the server's answer was old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that this node wants to make."""

    name: str
    """What logs call it."""
    lock: str
    """Key of its lock."""
    ttl_s: int
    """The lock's time to live."""
    record: str
    """Key of its record."""
    before: bytes
    """The record as it is known."""
    claimed: bytes
    """The record while the run goes on."""


async def swap(api: AsyncPluginAPI, key: str, before: bytes, after: bytes) -> bool:
    """Replace a record that is as expected. Returns whether it was.

    Args:
        api: the server.
        key: the record's.
        before: what is expected; empty for no record.
        after: what takes its place; empty for no record.

    Raises:
        PluginAPIError: the server refused or failed.
        APITransportError: no answer came.
    """
    if not after:
        return await api.kv_compare_and_delete(key, before)
    return await api.kv_set_with_options(key, after, PluginKVSetOptions(atomic=True, old_value=before))


class JobSite:
    """Where an active plugin's jobs run, from the end of one activation to the next deactivation.

    Args:
        plugin: the plugin.
        pool: threads for callbacks that are no coroutines.
    """

    def __init__(self, plugin: Plugin, pool: HandlerPool) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = plugin.clock
        self.is_stopping = False
        """Whether no run begins any more."""
        self._plugin = plugin
        self._pool = pool
        self._watches: set[asyncio.Task[object]] = set()
        self._turns: set[asyncio.Task[object]] = set()
        # Any: of runs of all kinds; only their ends are asked for here.
        self._performances: set[Performance[Any]] = set()

    @property
    def api(self) -> AsyncPluginAPI:
        """The server."""
        return self._plugin.api.aio

    def now_ms(self) -> int:
        """The time, in milliseconds since 1970."""
        return round(self.clock.now() * 1000)

    def watch(self, watch: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run what waits for due times. It is cancelled when the plugin stops."""
        return self._start(self._watches, watch, name)

    def turn(self, turn: Coroutine[object, object, _T], name: str) -> asyncio.Task[_T]:
        """Run something that must come to its end. It is waited for when the plugin stops."""
        return self._start(self._turns, turn, name)

    async def stop(self, patience_s: float) -> None:
        """Begin no more runs, cancel those that go on, and wait for their ends.

        Args:
            patience_s: how long. A run that goes on keeps its lock, which frees itself when the process has ended.
        """
        self.is_stopping = True
        for watch in tuple(self._watches):
            watch.cancel()
        for performance in tuple(self._performances):
            performance.cancel(STOPPING)
        if self._turns:
            await asyncio.wait(tuple(self._turns), timeout=patience_s)
        for performance in self._performances:
            _log.warning("The %s goes on though the plugin stops; its lock frees itself later", performance.label)

    async def run(self, claim: Claim, perform: Callable[[HeldLock], Awaitable[bytes]]) -> Outcome:
        """Make a run, if no other node does.

        The lock keeps other nodes away while the run goes on. The record is changed on condition that it is as known,
        before the run and after: nothing is run twice because of an answer that was old.

        Args:
            claim: the run.
            perform: makes it under the lock, and returns the record for afterwards; empty for none.

        Raises:
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
            PluginStoppedError: the plugin stops.
        """
        locks = self._plugin.cluster._locks
        held = await locks.take(claim.lock, claim.name, claim.ttl_s, 0)
        if held is None:
            return Outcome.BUSY
        try:
            if self.is_stopping:
                return Outcome.BUSY
            if not await swap(self.api, claim.record, claim.before, claim.claimed):
                return Outcome.STALE
            await self._record(claim, held, await perform(held))
            return Outcome.RAN
        finally:
            try:
                await locks.give_back(held)
            except LockLostError as lost:
                _log.warning("The %s may have run beside another run of it: %s", claim.name, lost)

    async def perform(self, performance: Performance[RunT], timeout_s: float | None) -> Ending:
        """Call a run's callback, until its end.

        Args:
            performance: the run.
            timeout_s: after how many seconds it is cancelled; None for never.
        """
        if self.is_stopping:
            return Ending.CANCELLED
        self._performances.add(performance)
        try:
            return await performance.perform(self._pool, self.clock, timeout_s)
        finally:
            self._performances.discard(performance)

    async def _record(self, claim: Claim, held: HeldLock, after: bytes) -> None:
        """Replace the record of a run that has ended. If that fails for good, the run counts as one that broke off."""
        for tries in range(1, _RECORD_PAUSES.attempts + 1):
            try:
                was_as_known = await swap(self.api, claim.record, claim.claimed, after)
            except (APITransportError, PluginAPIError) as error:
                if self.is_stopping or held.is_lost or tries == _RECORD_PAUSES.attempts:
                    _log.warning("The end of the %s is not recorded, so it may be run again: %s", claim.name, error)
                    return
                if tries == 1:
                    _log.warning("The end of the %s could not be recorded, which is tried again: %s", claim.name, error)
            else:
                if not was_as_known and tries == 1:
                    _log.info("The %s was planned anew, cancelled or taken over while it ran", claim.name)
                return
            await self.clock.sleep_until(self.clock.now() + _RECORD_PAUSES.pause(tries))

    def _start(
        self, tasks: set[asyncio.Task[object]], work: Coroutine[object, object, _T], name: str
    ) -> asyncio.Task[_T]:
        task = self.loop.create_task(work, name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task
