"""The calls of one-shot jobs that reach the server. Threads make the same ones through the event loop."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mattermost_plugin._cluster_keys import checked_handler_name, checked_once_key
from mattermost_plugin._job_errors import UnknownJobError
from mattermost_plugin._job_records import OneShotRecord
from mattermost_plugin._one_shot_store import OneShotStore, PlannedJob
from mattermost_plugin._one_shots import OneShotSpec, OneShotWatch
from mattermost_plugin._schedule import seconds, timestamp_ms

if TYPE_CHECKING:
    from mattermost_plugin._job_site import JobSite
    from mattermost_plugin.plugin import Plugin


class AsyncJobs:
    """The calls of `Jobs` that reach the server, for coroutines on the plugin's event loop. Given as `self.jobs.aio`.

    Args:
        plugin: the plugin.
        kinds: the kinds of jobs that are registered, by name.
    """

    def __init__(self, plugin: Plugin, kinds: Mapping[str, OneShotSpec]) -> None:
        self._plugin = plugin
        self._kinds = kinds
        self._store = OneShotStore(plugin)
        self._watch: OneShotWatch | None = None
        self._watched = 0

    async def run_at(
        self,
        when: datetime | float,
        name: str,
        key: str | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> str:
        """Plan a one-shot job; see `Jobs.run_at`."""
        return await self._plan(timestamp_ms(when), name, key, payload)

    async def run_after(
        self,
        delay: timedelta | float,
        name: str,
        key: str | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> str:
        """Plan a one-shot job for after a while; see `Jobs.run_after`."""
        when = self._plugin.clock.now() + seconds("delay", delay)
        return await self._plan(timestamp_ms(when), name, key, payload)

    async def cancel(self, name: str, key: str) -> bool:
        """Remove a one-shot job; see `Jobs.cancel`."""
        was_there = await self._store.delete(checked_handler_name(name), checked_once_key(key))
        if self._watch is not None:
            self._watch.forget(name, key)
        return was_there

    async def list(self, name: str | None = None) -> list[PlannedJob]:
        """The one-shot jobs that are planned, or kept because they have failed; see `Jobs.list`."""
        store = self._store
        ids = [each for each in await store.keys() if name is None or each.name == name]
        found = [job for each in ids if (job := await store.get(each)) is not None]
        return sorted((job.described for job in found), key=lambda job: (job.due, job.name, job.key))

    async def _plan(self, due_ms: int, name: str, key: str | None, payload: object) -> str:
        if checked_handler_name(name) not in self._kinds:
            raise UnknownJobError(name)
        key = secrets.token_hex(16) if key is None else checked_once_key(key)
        job = await self._store.put(name, key, OneShotRecord.planned(due_ms, payload))
        if self._watch is not None:
            self._watch.remember(job)
        return key

    # What follows is called by `Jobs`, on the event loop.

    def _begin(self, site: JobSite) -> None:
        """Run jobs at a site, or look for those of a new kind."""
        if self._watch is None:
            self._watch = OneShotWatch(self._kinds, self._store, site)
        elif self._watched != len(self._kinds):
            self._watch.look_around()
        self._watched = len(self._kinds)

    def _end(self) -> None:
        """The site has ended, or is about to."""
        self._watch = None
