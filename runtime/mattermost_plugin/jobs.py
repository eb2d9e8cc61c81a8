"""Work at certain times, on one node of the server at a time: `self.jobs`, and `self.jobs.aio` for coroutines.

Recurring jobs run again and again; one-shot jobs run once, later, also if the plugin or the server was restarted
meanwhile. Both keep what they need in the plugin's part of the server's key-value store.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from mattermost_plugin._api_call import RetryPolicy
from mattermost_plugin._async_jobs import AsyncJobs
from mattermost_plugin._background import call_on_loop
from mattermost_plugin._cluster_errors import PluginStoppedError
from mattermost_plugin._cluster_keys import checked_handler_name, checked_name
from mattermost_plugin._job_errors import DuplicateJobError, JobCancelledError, UnknownJobError
from mattermost_plugin._job_run import Callback, JobRun, OneShotRun, RecurringRun, RunT
from mattermost_plugin._job_site import JobSite
from mattermost_plugin._lease import DEFAULT_TTL_S, checked_ttl
from mattermost_plugin._one_shot_store import PlannedJob
from mattermost_plugin._one_shots import OneShotSpec
from mattermost_plugin._recurring import RecurringSpec, RecurringWatch
from mattermost_plugin._schedule import schedule_of, seconds

if TYPE_CHECKING:
    from mattermost_plugin._background import Background
    from mattermost_plugin.plugin import Plugin

__all__ = [
    "AsyncJobs",
    "Callback",
    "DuplicateJobError",
    "JobCancelledError",
    "JobRun",
    "Jobs",
    "OneShotRun",
    "PlannedJob",
    "PluginStoppedError",
    "RecurringJob",
    "RecurringRun",
    "UnknownJobError",
]

_LONGEST_RETRY_S: Final = 3600.0
_MOST_ATTEMPTS: Final = 1000


class Jobs:
    """An author's jobs, for threads; `aio` has the calls that reach the server for coroutines. Given as `self.jobs`.

    Register jobs in `__init__` or `on_activate`, on every node alike. They run from when `on_activate` has returned
    until just before `on_deactivate`: then no more runs begin, and those that go on are cancelled.

    Callbacks take one argument, the run: an `async def` runs on the event loop, a `def` in a thread of those that
    handle hooks. What a callback raises is logged with its traceback, and ends no schedule.

    Args:
        plugin: the plugin.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._lock = threading.Lock()
        # Guarded by the lock: authors register from any thread.
        self._recurring: dict[str, RecurringJob] = {}
        self._one_shots: dict[str, OneShotSpec] = {}
        self._of_activation: set[str] = set()
        """Names that were registered since the activation began; the next one registers them again."""
        self._site: JobSite | None = None
        self._aio = AsyncJobs(plugin, self._one_shots)

    @property
    def aio(self) -> AsyncJobs:
        """The calls that reach the server, for coroutines."""
        return self._aio

    def every(
        self,
        name: str,
        interval: timedelta | float,
        callback: Callback[RecurringRun],
        *,
        align: timedelta | float | None = None,
        timeout: float | None = None,
        ttl: int = DEFAULT_TTL_S,
    ) -> RecurringJob:
        """Run a callback again and again, on one node at a time. From any thread, and on the event loop.

        Due times lie one interval apart. A run that begins late or takes long does not shift those that follow. Due
        times that were missed, because no node was there or a run took longer than the interval, are made up for by
        one run, at once. The first run is one interval after the job was first registered on this server; restarts do
        not change that. A new interval counts from the last due time.

        A run that was cut short, because the plugin stops there, its lock was lost or its node died, is made again by
        any node; if its node dies three times, it is left out. A run that raises is not made again.

        Args:
            name: 1 to 100 ASCII letters, digits and . _ / @ + = , -; one of a kind in the plugin.
            interval: between due times, as a timedelta or in seconds: 1 second to 366 days.
            callback: an `async def` or `def` that takes the run.
            align: the due times are whole multiples of the interval since 1970, UTC, plus this: an interval of an hour
                and 0 mean every hour on the hour; 24 hours and 3 hours, every day at 3:00 UTC. None: see above.
            timeout: seconds after which a run is cancelled and has failed; None for never.
            ttl: seconds after which another node may take over from one that has died, 5 to 3600.

        Raises:
            DuplicateJobError: there is a job of that name.
            TypeError: interval or align are no durations, or the callback cannot be called.
            ValueError: another argument is not what it must be.
        """
        spec = RecurringSpec(
            name=checked_name("the name of a job", name),
            schedule=schedule_of(interval, align),
            callback=_checked_callback(callback),
            timeout_s=_checked_timeout(timeout),
            ttl_s=checked_ttl(ttl),
        )
        with self._lock:
            self._register(name)
            job = self._recurring[name] = RecurringJob(spec, self._close)
        self._start_soon()
        return job

    def handle(
        self,
        name: str,
        callback: Callback[OneShotRun],
        *,
        attempts: int = 5,
        retry_after: timedelta | float = 60.0,
        keep_failed: bool = True,
        timeout: float | None = None,
        ttl: int = DEFAULT_TTL_S,
    ) -> None:
        """Say what one-shot jobs of a name do. `run_at` and `run_after` plan them.

        From any thread, and on the event loop. Asks the server nothing.

        A job runs when it is due, on the node that planned it, or on another one if that node is gone. It runs at
        least once, and on one node at a time; only if its node dies or loses its lock in the run, it runs again
        without having failed. Callbacks must bear that.

        Args:
            name: 1 to 40 characters of those that names may have; one of a kind in the plugin.
            callback: an `async def` or `def` that takes the run.
            attempts: how many runs that raise a job may have, 1 to 1000.
            retry_after: the pause after the first run that raises, as a timedelta or in seconds, above 0. Each later
                pause is twice as long, up to an hour; each is shortened at random, to half at most.
            keep_failed: whether a job that has failed for the last time is kept: `list` shows it until it is planned
                anew or cancelled. If not, it is dropped. The log has its errors in both cases.
            timeout: seconds after which a run is cancelled and has failed; None for never.
            ttl: seconds after which another node may take over from one that has died, 5 to 3600.

        Raises:
            DuplicateJobError: there is a job of that name.
            TypeError: retry_after is no duration, or the callback cannot be called.
            ValueError: another argument is not what it must be.
        """
        if type(attempts) is not int or not 1 <= attempts <= _MOST_ATTEMPTS:
            raise ValueError(f"attempts must be a whole number from 1 to {_MOST_ATTEMPTS}")
        first_pause_s = seconds("retry_after", retry_after)
        if first_pause_s <= 0:
            raise ValueError("retry_after must be above 0")
        spec = OneShotSpec(
            name=checked_handler_name(name),
            callback=_checked_callback(callback),
            retry=RetryPolicy(attempts, first_pause_s, max(first_pause_s, _LONGEST_RETRY_S)),
            keep_failed=keep_failed,
            timeout_s=_checked_timeout(timeout),
            ttl_s=checked_ttl(ttl),
        )
        with self._lock:
            self._register(name)
            self._one_shots[name] = spec
        self._start_soon()

    def run_at(
        self,
        when: datetime | float,
        name: str,
        key: str | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> str:
        """Plan a one-shot job. A job of the same name and key is replaced; a run of it that goes on is not touched.

        Args:
            when: a datetime with a time zone, or seconds since 1970. A time in the past means now.
            name: which handler it is for.
            key: 1 to 80 characters of those that names may have: what it is cancelled and replaced by. None: a key
                that nothing has.
            payload: a JSON object for the handler, at most 64 KiB.

        Returns:
            The key.

        Raises:
            UnknownJobError: no handler is registered under the name.
            TypeError: an argument is of a wrong type.
            ValueError: an argument is not what it must be.
            PluginStoppedError: the plugin has stopped.
            RuntimeError: this is the event loop's thread, or the plugin is not being served.
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        return call_on_loop(self._plugin, "jobs.run_at(...)", self._aio.run_at, when, name, key, payload)

    def run_after(
        self,
        delay: timedelta | float,
        name: str,
        key: str | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> str:
        """Plan a one-shot job for after a while.

        Args:
            delay: how long from now, as a timedelta or in seconds.
            name: see `run_at`.
            key: see `run_at`.
            payload: see `run_at`.

        Returns:
            The key.

        Raises:
            Exception: see `run_at`.
        """
        return call_on_loop(self._plugin, "jobs.run_after(...)", self._aio.run_after, delay, name, key, payload)

    def cancel(self, name: str, key: str) -> bool:
        """Remove a one-shot job. A run that goes on comes to its end, but is not made again.

        Args:
            name: its handler's name.
            key: its key.

        Returns:
            Whether there was one.

        Raises:
            ValueError: one of them is no name or key.
            PluginStoppedError: the plugin has stopped.
            RuntimeError: this is the event loop's thread, or the plugin is not being served.
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        return call_on_loop(self._plugin, "jobs.cancel(...)", self._aio.cancel, name, key)

    def list(self, name: str | None = None) -> list[PlannedJob]:
        """The one-shot jobs that are planned, or kept because they have failed, by due time.

        Asks the server for all keys of the plugin and for each job: not for every request of a user's.

        Args:
            name: of which handler; None for all.

        Raises:
            PluginStoppedError: the plugin has stopped.
            RuntimeError: this is the event loop's thread, or the plugin is not being served.
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        return call_on_loop(self._plugin, "jobs.list(...)", self._aio.list, name)

    def _register(self, name: str) -> None:
        if name in self._recurring or name in self._one_shots:
            raise DuplicateJobError(name)
        background = self._plugin._background
        if background is not None and background.has_begun:
            self._of_activation.add(name)

    def _start_soon(self) -> None:
        """Run what was registered, if the plugin is active."""
        background = self._plugin._background
        loop = None if background is None else background.loop
        if background is not None and loop is not None:
            _call_soon(loop, lambda: self._start(background))

    def _close(self, job: RecurringJob) -> None:
        with self._lock:
            if self._recurring.get(job.name) is job:
                del self._recurring[job.name]
                self._of_activation.discard(job.name)
            site = self._site
        if site is not None:
            _call_soon(site.loop, job._end)

    # What follows is called by the runtime, on the event loop.

    def _begin(self) -> None:
        """An activation begins, which will register its jobs."""
        with self._lock:
            for name in self._of_activation:
                self._recurring.pop(name, None)
                self._one_shots.pop(name, None)
            self._of_activation.clear()

    def _start(self, background: Background) -> None:
        """Run from now on what is registered and does not run yet."""
        if background.loop is None:
            # The plugin has been deactivated since this was asked for.
            return
        with self._lock:
            if self._site is None:
                self._site = JobSite(self._plugin, background.pool)
            site, jobs, has_one_shots = self._site, tuple(self._recurring.values()), bool(self._one_shots)
        for job in jobs:
            job._begin(site)
        if has_one_shots:
            self._aio._begin(site)

    async def _stop(self, patience_s: float) -> None:
        """Run jobs no more."""
        with self._lock:
            site, self._site = self._site, None
            jobs = tuple(self._recurring.values())
        self._aio._end()
        for job in jobs:
            job._watch = None
        if site is not None:
            await site.stop(patience_s)


class RecurringJob:
    """A recurring job that is registered. Made by `Jobs.every`."""

    def __init__(self, spec: RecurringSpec, close: Callable[[RecurringJob], None]) -> None:
        self._spec = spec
        self._close = close
        self._watch: RecurringWatch | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self._spec.name

    def close(self) -> None:
        """End the job on this node: no more runs begin, and one that goes on is cancelled. From any thread.

        Does not wait for that. The schedule stays stored; a job registered under the name goes on with it.
        """
        self._close(self)

    def _begin(self, site: JobSite) -> None:
        if self._watch is None:
            self._watch = RecurringWatch(self._spec, site)

    def _end(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Have a function called on the event loop; nothing if the loop is closed, and the plugin with it stopped."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


def _checked_callback(callback: Callback[RunT]) -> Callback[RunT]:
    if not callable(callback):
        raise TypeError(f"a job's callback must be a function, not {type(callback).__name__}")
    return callback


def _checked_timeout(timeout: object) -> float | None:
    if timeout is None:
        return None
    timeout_s = seconds("timeout", timeout)
    if timeout_s <= 0:
        raise ValueError("timeout must be None or a number of seconds above 0")
    return timeout_s
