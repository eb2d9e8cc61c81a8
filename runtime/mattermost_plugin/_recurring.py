"""A recurring job on this node: waits for due times, and runs those that no other node runs."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from mattermost_plugin._api_errors import APITransportError, PluginAPIError
from mattermost_plugin._cluster_errors import PluginStoppedError
from mattermost_plugin._cluster_keys import job_key, lock_key
from mattermost_plugin._job_records import RecurringRecord
from mattermost_plugin._job_run import Callback, Ending, Performance, RecurringRun, RunControl
from mattermost_plugin._job_site import IDLE_PAUSES, Claim, JobSite, Outcome, swap
from mattermost_plugin._schedule import Due, Schedule, as_datetime, is_too_far_ahead

if TYPE_CHECKING:
    from mattermost_plugin._held_lock import HeldLock

_log = logging.getLogger(__name__)

MOST_TRIES: Final = 3
"""How many runs in a row may end with their nodes before one is left out."""

_LOOK_AGAIN_S: Final = 5.0
"""How often a node looks whether the one that runs a job still does. A lock's time to live comes on top of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringSpec:
    """A recurring job as its author wants it."""

    name: str
    schedule: Schedule
    callback: Callback[RecurringRun]
    timeout_s: float | None
    ttl_s: int


class _Unmade(NamedTuple):
    """A claim to a run that has not begun. It may be stored: an answer may be lost."""

    before: bytes
    record: RecurringRecord
    claimed: bytes


class RecurringWatch:
    """Runs a recurring job while the plugin is active. On the event loop.

    Args:
        spec: the job.
        site: where it runs.
    """

    def __init__(self, spec: RecurringSpec, site: JobSite) -> None:
        self._spec = spec
        self._site = site
        self._label = f"job {spec.name}"
        self._key = job_key(spec.name)
        self._idle_turns = 0
        """How many turns in a row came to nothing."""
        self._performance: Performance[RecurringRun] | None = None
        self._is_closed = False
        self._was_cut_short = False
        self._unmade: _Unmade | None = None
        self._task = site.watch(self._watch(), self._label)

    def close(self) -> None:
        """Begin no more runs, and cancel one that goes on."""
        self._is_closed = True
        self._task.cancel()
        if self._performance is not None:
            self._performance.cancel("it was closed")

    async def _watch(self) -> None:
        while True:
            # A turn that has begun comes to its end, also if this is cancelled.
            when = await asyncio.shield(self._site.turn(self._turn(), self._label))
            await self._site.clock.sleep_until(when)

    async def _turn(self) -> float:
        """Run the job if it is due. Returns when to look again."""
        try:
            return await self._run_if_due()
        except (APITransportError, PluginAPIError) as error:
            if not self._idle_turns:
                _log.warning("The %s waits for the server: %s", self._label, error)
        except PluginStoppedError:
            pass
        except Exception:  # noqa: BLE001 - the top of the job: whatever goes wrong, the schedule goes on
            _log.exception("The %s could not be run", self._label)
        return self._later()

    async def _run_if_due(self) -> float:
        raw = await self._site.api.kv_get(self._key) or b""
        now_ms = self._site.now_ms()
        record = self._record_of(raw)
        schedule = self._spec.schedule
        if record is None or is_too_far_ahead(record.last_ms, now_ms):
            return await self._begin(raw, now_ms)
        due = schedule.due(record.last_ms, now_ms)
        if due is None:
            return self._next(record.last_ms)
        outcome = await self._site.run(self._claim(raw, record), lambda held: self._run(held, record, due))
        if outcome is Outcome.BUSY:
            self._idle_turns = 0
            return self._site.clock.now() + _LOOK_AGAIN_S * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if outcome is Outcome.STALE or self._was_cut_short:
            return self._later()
        return self._next(due.at_ms)

    async def _begin(self, raw: bytes, now_ms: int) -> float:
        """Begin the schedule, on whatever node it is seen first."""
        if raw:
            _log.warning("The %s begins its schedule anew: its record cannot be used", self._label)
        if not await swap(self._site.api, self._key, raw, RecurringRecord(now_ms).encode()):
            return self._later()
        return self._next(now_ms)

    async def _run(self, held: HeldLock, record: RecurringRecord, due: Due) -> bytes:
        """Make a run. Returns the record for afterwards."""
        self._was_cut_short = False
        self._unmade = None
        if record.tries >= MOST_TRIES:
            _log.error("The %s is left out this time: %d runs have ended with their node", self._label, record.tries)
            return record.done(due.at_ms).encode()
        control = RunControl(held)
        run = RecurringRun(
            self._spec.name,
            as_datetime(due.at_ms),
            as_datetime(record.last_ms) if record.has_run else None,
            due.missed,
            control,
        )
        self._performance = Performance(self._spec.callback, run, control, held, self._label)
        try:
            ending = Ending.CANCELLED
            if not self._is_closed:
                ending = await self._site.perform(self._performance, self._spec.timeout_s)
        finally:
            self._performance = None
        self._was_cut_short = ending is Ending.CANCELLED
        return (record if self._was_cut_short else record.done(due.at_ms)).encode()

    def _record_of(self, raw: bytes) -> RecurringRecord | None:
        if self._unmade is not None and self._unmade.claimed == raw:
            # Nothing was run under it, so the try does not count.
            return self._unmade.record
        return RecurringRecord.decode(raw)

    def _claim(self, raw: bytes, record: RecurringRecord) -> Claim:
        if self._unmade is None or self._unmade.before != raw:
            self._unmade = _Unmade(raw, record, record.claimed().encode())
        # Or the same claim as in a turn before that came to nothing, so that it is known again if it is stored.
        return Claim(
            name=self._label,
            lock=lock_key("job", self._spec.name),
            ttl_s=self._spec.ttl_s,
            record=self._key,
            before=raw,
            claimed=self._unmade.claimed,
        )

    def _next(self, last_ms: int) -> float:
        """When the job is due next."""
        self._idle_turns = 0
        return self._spec.schedule.after(last_ms) / 1000

    def _later(self) -> float:
        """When to try again what came to nothing."""
        self._idle_turns += 1
        return self._site.clock.now() + IDLE_PAUSES.pause(self._idle_turns)
