"""One-shot jobs as they are stored: planned, cancelled, listed. On the plugin's event loop."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from mattermost_plugin._cluster_keys import once_key, parse_once_key
from mattermost_plugin._job_records import OneShotRecord
from mattermost_plugin._schedule import as_datetime

if TYPE_CHECKING:
    from mattermost_plugin.api import AsyncPluginAPI
    from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)

_KEYS_PER_PAGE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A one-shot job that has not done its work yet."""

    name: str
    """Name of its handler."""
    key: str
    """Its own key."""
    due: datetime
    """When it is to run, or to run again after a failure, in UTC. In the past while it runs."""
    payload: dict[str, object]
    """What it was given."""
    attempts: int
    """How many runs were begun."""
    has_failed: bool
    """Whether it has failed too often, and is kept for you to look at: plan it anew or cancel it."""


class JobId(NamedTuple):
    """Which one-shot job."""

    name: str
    """Name of its handler."""
    key: str
    """Its own key."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A one-shot job with its record."""

    id: JobId
    raw: bytes
    """The record as it is stored."""
    record: OneShotRecord

    @property
    def label(self) -> str:
        """What logs call it."""
        return f"one-shot job {self.id.name} {self.id.key}"

    @property
    def described(self) -> PlannedJob:
        """The job for its author."""
        record = self.record
        return PlannedJob(
            name=self.id.name,
            key=self.id.key,
            due=as_datetime(record.due_ms),
            payload=dict(record.payload),
            attempts=record.attempt,
            has_failed=record.has_failed,
        )


class OneShotStore:
    """Reads and writes the plugin's one-shot jobs.

    Args:
        plugin: the plugin; its API is used when the first call is made.
    """

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._unreadable: set[str] = set()
        """Keys of records that cannot be read, each of which is logged once."""

    @property
    def _api(self) -> AsyncPluginAPI:
        return self._plugin.api.aio

    async def put(self, name: str, key: str, record: OneShotRecord) -> StoredJob:
        """Store a job, in the place of one with the same key."""
        raw = record.encode()
        await self._api.kv_set(once_key(name, key), raw)
        return StoredJob(JobId(name, key), raw, record)

    async def get(self, job_id: JobId) -> StoredJob | None:
        """A job; None if there is none or its record cannot be read."""
        stored_key = once_key(*job_id)
        raw = await self._api.kv_get(stored_key)
        if raw is None:
            return None
        record = OneShotRecord.decode(raw)
        if record is not None:
            return StoredJob(job_id, raw, record)
        if stored_key not in self._unreadable:
            self._unreadable.add(stored_key)
            _log.warning("The record of the one-shot job %s %s cannot be read; the job is left alone", *job_id)
        return None

    async def delete(self, name: str, key: str) -> bool:
        """Delete a job. Returns whether there was one, as far as the server's answer was not old."""
        stored_key = once_key(name, key)
        was_there = await self._api.kv_get(stored_key) is not None
        await self._api.kv_delete(stored_key)
        return was_there

    async def keys(self) -> list[JobId]:
        """All jobs."""
        # All keys of the plugin: the server cannot list by prefix.
        stored_keys = self._api.iter_kv_list(page_size=_KEYS_PER_PAGE)
        return [JobId(*parsed) async for stored in stored_keys if (parsed := parse_once_key(stored)) is not None]
