"""One-shot jobs on this node: found, run when they are due, and tried again when they fail."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattermost_plugin._api_call import RetryPolicy
from mattermost_plugin._api_errors import APITransportError, PluginAPIError
from mattermost_plugin._clock import is_done_by
from mattermost_plugin._cluster_errors import PluginStoppedError
from mattermost_plugin._cluster_keys import lock_key, once_key
from mattermost_plugin._job_records import OneShotRecord
from mattermost_plugin._job_run import Callback, Ending, OneShotRun, Performance, RunControl
from mattermost_plugin._job_site import Claim, JobSite, Outcome
from mattermost_plugin._one_shot_store import OneShotStore, StoredJob
from mattermost_plugin._schedule import as_datetime

if TYPE_CHECKING:
    from mattermost_plugin._held_lock import HeldLock

_log = logging.getLogger(__name__)

SCAN_S: Final = 300.0
"""How often a node looks for jobs that others have planned. Each time it lists all keys of the plugin."""

_MOST_RUNS: Final = 8
"""Runs at the same time on one node; the others wait for their turn."""

_PAUSES: Final = RetryPolicy(first_pause_s=1.0, longest_pause_s=30.0)
"""After the server could not be asked, or has given an old answer."""

_LOOK_AGAIN_S: Final = 10.0
"""How often a node looks whether the one that runs a job still does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShotSpec:
    """A kind of one-shot jobs as its author wants it."""

    name: str
    callback: Callback[OneShotRun]
    retry: RetryPolicy
    keep_failed: bool
    timeout_s: float | None
    ttl_s: int


class _Entry:
    """A job that this node knows."""

    def __init__(self, job: StoredJob) -> None:
        self.run: asyncio.Task[None] | None = None
        """What is being done about it."""
        self.idle_turns = 0
        """How many attempts in a row came to nothing."""
        self.update(job)

    def update(self, job: StoredJob) -> None:
        self.job = job
        self.look_at = job.record.due_ms / 1000
        """When to do something about it."""


class OneShotWatch:
    """Runs one-shot jobs while the plugin is active. On the event loop.

    Args:
        specs: the kinds of jobs that this node runs; others are left to nodes that know them.
        store: the stored jobs.
        site: where they run.
    """

    def __init__(self, specs: Mapping[str, OneShotSpec], store: OneShotStore, site: JobSite) -> None:
        self._specs = specs
        self._store = store
        self._site = site
        self._known: dict[tuple[str, str], _Entry] = {}
        self._runs = 0
        self._changed = asyncio.Event()
        self._scan_at = 0.0
        self._failed_scans = 0
        self._task = site.watch(self._watch(), "one-shot jobs")

    def look_around(self) -> None:
        """Look for stored jobs now: there is a new kind."""
        self._scan_at = 0.0
        self._changed.set()

    def remember(self, job: StoredJob) -> None:
        """A job was planned, maybe anew."""
        self._known[job.name, job.key] = _Entry(job)
        self._changed.set()

    def forget(self, name: str, key: str) -> None:
        """A job was cancelled. A run that goes on is not."""
        self._known.pop((name, key), None)

    async def _watch(self) -> None:
        clock = self._site.clock
        while True:
            self._changed.clear()
            if clock.now() >= self._scan_at:
                await self._scan()
            self._begin_runs()
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await is_done_by(clock, min(self._scan_at, self._next_look()), changed)
            finally:
                changed.cancel()

    async def _scan(self) -> None:
        """Find what is stored. Sets when to do so again."""
        clock = self._site.clock
        self._scan_at = math.inf
        try:
            for name, key in await self._store.keys():
                entry = self._known.get((name, key))
                if name in self._specs and (entry is None or entry.run is None):
                    self._found(entry, await self._store.get(name, key))
        except Exception as error:  # noqa: BLE001 - the top of the scan: jobs that are known go on, whatever goes wrong
            self._failed_scans += 1
            if self._failed_scans == 1:
                is_expected = isinstance(error, (APITransportError, PluginAPIError))
                _log.warning("One-shot jobs could not be looked for: %s", error, exc_info=not is_expected)
            pause_s = _PAUSES.pause(self._failed_scans)
        else:
            self._failed_scans = 0
            # Spread, so that the nodes do not ask all at once.
            pause_s = SCAN_S * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        # Unless somebody wants it sooner.
        self._scan_at = min(self._scan_at, clock.now() + pause_s)

    def _found(self, entry: _Entry | None, job: StoredJob | None) -> None:
        if job is None or job.record.has_failed:
            return
        if entry is None:
            self._known[job.name, job.key] = _Entry(job)
        elif entry.job.raw != job.raw:
            entry.update(job)

    def _next_look(self) -> float:
        if self._runs >= _MOST_RUNS:
            return math.inf
        return min((entry.look_at for entry in self._known.values() if entry.run is None), default=math.inf)

    def _begin_runs(self) -> None:
        now = self._site.clock.now()
        waiting = [entry for entry in self._known.values() if entry.run is None and entry.look_at <= now]
        waiting.sort(key=lambda entry: entry.look_at)
        for entry in waiting[: _MOST_RUNS - self._runs]:
            self._runs += 1
            entry.run = self._site.turn(self._turn(entry), f"one-shot job {entry.job.name} {entry.job.key}")

    async def _turn(self, entry: _Entry) -> None:
        job = entry.job
        try:
            await self._attempt(entry, job)
        except (APITransportError, PluginAPIError) as error:
            _log.warning("The one-shot job %s %s waits for the server: %s", job.name, job.key, error)
            self._later(entry)
        except PluginStoppedError:
            self._later(entry)
        except Exception:  # noqa: BLE001 - the top of a run: whatever goes wrong, the other jobs go on
            _log.exception("The one-shot job %s %s could not be run", job.name, job.key)
            self._later(entry)
        finally:
            entry.run = None
            self._runs -= 1
            self._changed.set()

    async def _attempt(self, entry: _Entry, job: StoredJob) -> None:
        """Run a job that is due, if no other node does."""
        spec = self._specs.get(job.name)
        if spec is None:
            self._drop(entry)
            return
        claimed = job.record.claimed()
        claim = Claim(
            name=f"one-shot job {job.name} {job.key}",
            lock=lock_key("once", f"{job.name}:{job.key}"),
            ttl_s=spec.ttl_s,
            record=once_key(job.name, job.key),
            before=job.raw,
            claimed=claimed.encode(),
        )
        after: OneShotRecord | None = None

        async def perform(held: HeldLock) -> bytes:
            nonlocal after
            after = await self._perform(spec, claim.name, job, held)
            return b"" if after is None else after.encode()

        outcome = await self._site.run(claim, perform)
        if outcome is Outcome.BUSY:
            entry.idle_turns = 0
            entry.look_at = self._site.clock.now() + _LOOK_AGAIN_S * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        elif outcome is Outcome.STALE:
            self._reloaded(entry, await self._store.get(job.name, job.key))
        elif after is None or after.has_failed:
            self._drop(entry)
        else:
            entry.idle_turns = 0
            entry.update(StoredJob(job.name, job.key, after.encode(), after))

    async def _perform(self, spec: OneShotSpec, label: str, job: StoredJob, held: HeldLock) -> OneShotRecord | None:
        """Make a run. Returns the record for afterwards; None for none."""
        claimed = job.record.claimed()
        if claimed.attempt > spec.retry.attempts:
            _log.error("The %s is given up: its last run has ended with its node", label)
            return self._given_up(spec, job.record)
        control = RunControl(held)
        due = as_datetime(job.record.due_ms)
        run = OneShotRun(job.name, due, job.key, job.record.payload, claimed.attempt, control)
        ending = await self._site.perform(Performance(spec.callback, run, control, held, label), spec.timeout_s)
        if ending is Ending.DONE:
            return None
        if ending is Ending.CANCELLED:
            # Not to blame: the attempt does not count.
            return job.record
        if claimed.attempt >= spec.retry.attempts:
            _log.error("The %s is given up: it has failed %d times", label, claimed.attempt)
            return self._given_up(spec, claimed)
        return claimed.postponed(self._site.now_ms() + round(spec.retry.pause(claimed.attempt) * 1000))

    def _given_up(self, spec: OneShotSpec, record: OneShotRecord) -> OneShotRecord | None:
        return record.given_up() if spec.keep_failed else None

    def _reloaded(self, entry: _Entry, job: StoredJob | None) -> None:
        """The record was another one than was thought."""
        if job is None or job.record.has_failed:
            self._drop(entry)
        elif job.raw == entry.job.raw:
            # An answer that was old.
            self._later(entry)
        else:
            entry.update(job)

    def _drop(self, entry: _Entry) -> None:
        identity = entry.job.name, entry.job.key
        if self._known.get(identity) is entry:
            del self._known[identity]

    def _later(self, entry: _Entry) -> None:
        entry.idle_turns += 1
        entry.look_at = self._site.clock.now() + _PAUSES.pause(entry.idle_turns)
