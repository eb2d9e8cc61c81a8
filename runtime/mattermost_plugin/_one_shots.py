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
from mattermost_plugin._job_site import IDLE_PAUSES, Claim, JobSite, Outcome
from mattermost_plugin._one_shot_store import JobId, OneShotStore, StoredJob
from mattermost_plugin._schedule import as_datetime

if TYPE_CHECKING:
    from mattermost_plugin._held_lock import HeldLock

_log = logging.getLogger(__name__)

SCAN_S: Final = 300.0
"""How often a node looks for jobs that others have planned. Each time it lists all keys of the plugin."""

_MOST_RUNS: Final = 8
"""Runs at the same time on one node; the others wait for their turn."""

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
        self.outlived_scan = False
        """Whether it was there at the end of a scan: what the next one does not find is gone, and not just new."""
        self.update(job)

    def update(self, job: StoredJob) -> None:
        self.job = job
        self.claimed: OneShotRecord | None = None
        """The record with this node's claim to a run that has not begun. It may be stored: an answer may be lost."""
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
        self._known: dict[JobId, _Entry] = {}
        self._runs = 0
        self._changed = asyncio.Event()
        self._must_scan = asyncio.Event()
        self._failed_scans = 0
        # Apart: a scan asks for each job, and jobs that are known must not be late for it.
        self._tasks = [
            site.watch(self._watch(), "one-shot jobs"),
            site.watch(self._look_for_more(), "search for one-shot jobs"),
        ]

    def look_around(self) -> None:
        """Look for stored jobs now: there is a new kind."""
        self._must_scan.set()

    def remember(self, job: StoredJob) -> None:
        """A job was planned, maybe anew."""
        self._known[job.id] = _Entry(job)
        self._changed.set()

    def forget(self, name: str, key: str) -> None:
        """A job was cancelled. A run that goes on is not."""
        self._known.pop(JobId(name, key), None)

    async def _watch(self) -> None:
        while True:
            self._changed.clear()
            self._begin_runs()
            await self._pause(self._next_look(), self._changed)

    async def _look_for_more(self) -> None:
        while True:
            self._must_scan.clear()
            pause_s = await self._scan()
            await self._pause(self._site.clock.now() + pause_s, self._must_scan)

    async def _pause(self, until: float, sooner: asyncio.Event) -> None:
        """Wait until that time or that event."""
        waiting = asyncio.ensure_future(sooner.wait())
        try:
            await is_done_by(self._site.clock, until, waiting)
        finally:
            waiting.cancel()

    async def _scan(self) -> float:
        """Find what is stored. Returns after how many seconds to do so again."""
        try:
            await self._find()
        except Exception as error:  # noqa: BLE001 - the top of the scan: whatever goes wrong, there will be another
            self._failed_scans += 1
            if self._failed_scans == 1:
                is_expected = isinstance(error, (APITransportError, PluginAPIError))
                _log.warning("One-shot jobs could not be looked for: %s", error, exc_info=not is_expected)
            return IDLE_PAUSES.pause(self._failed_scans)
        self._failed_scans = 0
        # Spread, so that the nodes do not ask all at once.
        return SCAN_S * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    async def _find(self) -> None:
        stored = dict.fromkeys(each for each in await self._store.keys() if each.name in self._specs)
        missing = [each for each, entry in self._known.items() if entry.outlived_scan and each not in stored]
        for job_id in (*stored, *missing):
            entry = self._known.get(job_id)
            if entry is None or entry.run is None:
                self._found(job_id, entry, await self._store.get(job_id))
        for entry in self._known.values():
            entry.outlived_scan = True
        self._changed.set()

    def _found(self, job_id: JobId, entry: _Entry | None, job: StoredJob | None) -> None:
        """Take in what the server says of a job, unless more is known by now."""
        if self._known.get(job_id) is not entry or (entry is not None and entry.run is not None):
            return
        if job is None or job.record.has_failed:
            self._known.pop(job_id, None)
        elif entry is None:
            self._known[job_id] = _Entry(job)
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
            entry.run = self._site.turn(self._turn(entry), entry.job.label)

    async def _turn(self, entry: _Entry) -> None:
        label = entry.job.label
        try:
            await self._attempt(entry, entry.job)
        except (APITransportError, PluginAPIError) as error:
            if not entry.idle_turns:
                _log.warning("The %s waits for the server: %s", label, error)
            self._later(entry)
        except PluginStoppedError:
            self._later(entry)
        except Exception:  # noqa: BLE001 - the top of a run: whatever goes wrong, the other jobs go on
            _log.exception("The %s could not be run", label)
            self._later(entry)
        finally:
            entry.run = None
            self._runs -= 1
            self._changed.set()

    async def _attempt(self, entry: _Entry, job: StoredJob) -> None:
        """Run a job that is due, if no other node does."""
        spec = self._specs.get(job.id.name)
        if spec is None:
            self._drop(entry)
            return
        # The same one as in an attempt before that came to nothing, so that it is known again if it is stored.
        claimed = entry.claimed = entry.claimed or job.record.claimed()
        claim = Claim(
            name=job.label,
            lock=lock_key("once", f"{job.id.name}:{job.id.key}"),
            ttl_s=spec.ttl_s,
            record=once_key(job.id.name, job.id.key),
            before=job.raw,
            claimed=claimed.encode(),
        )
        after: OneShotRecord | None = None

        async def perform(held: HeldLock) -> bytes:
            nonlocal after
            entry.claimed = None
            after = await self._perform(spec, job, claimed, held)
            return b"" if after is None else after.encode()

        outcome = await self._site.run(claim, perform)
        if outcome is Outcome.BUSY:
            entry.idle_turns = 0
            entry.look_at = self._site.clock.now() + _LOOK_AGAIN_S * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        elif outcome is Outcome.STALE:
            self._reloaded(entry, await self._store.get(job.id))
        elif after is None or after.has_failed:
            self._drop(entry)
        else:
            entry.idle_turns = 0
            entry.update(StoredJob(job.id, after.encode(), after))

    async def _perform(
        self, spec: OneShotSpec, job: StoredJob, claimed: OneShotRecord, held: HeldLock
    ) -> OneShotRecord | None:
        """Make a run. Returns the record for afterwards; None for none."""
        if claimed.attempt > spec.retry.attempts:
            _log.error("The %s is given up: its last run has ended with its node", job.label)
            return self._given_up(spec, job.record)
        control = RunControl(held)
        due = as_datetime(job.record.due_ms)
        run = OneShotRun(job.id.name, due, job.id.key, job.record.payload, claimed.attempt, control)
        ending = await self._site.perform(Performance(spec.callback, run, control, held, job.label), spec.timeout_s)
        if ending is Ending.DONE:
            return None
        if ending is Ending.CANCELLED:
            # Not to blame: the attempt does not count.
            return job.record
        if claimed.attempt >= spec.retry.attempts:
            _log.error("The %s is given up: it has failed %d times", job.label, claimed.attempt)
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
        elif entry.claimed is not None and job.raw == entry.claimed.encode():
            # Nothing was run under it, so the attempt does not count.
            entry.update(StoredJob(job.id, job.raw, entry.job.record))
        else:
            entry.update(job)

    def _drop(self, entry: _Entry) -> None:
        if self._known.get(entry.job.id) is entry:
            del self._known[entry.job.id]

    def _later(self, entry: _Entry) -> None:
        entry.idle_turns += 1
        entry.look_at = self._site.clock.now() + IDLE_PAUSES.pause(entry.idle_turns)
