# pyright: strict
"""Uses of mutexes and jobs that both type checkers must take."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from mattermost_plugin import Plugin
from mattermost_plugin.cluster import AsyncMutex, LockLostError, Mutex
from mattermost_plugin.jobs import JobRun, OneShotRun, PlannedJob, RecurringJob, RecurringRun


class Everywhere(Plugin):
    def on_activate(self) -> None:
        job: RecurringJob = self.jobs.every("hourly", timedelta(hours=1), self.hourly, align=0)
        self.jobs.every("quick", 1.5, self.in_thread, timeout=30, ttl=60)
        self.jobs.every("any", 60, self.any_run)
        self.jobs.every("passed", 60, self.passes_on)
        self.jobs.handle("remind", self.remind, attempts=3, retry_after=timedelta(minutes=1), keep_failed=False)
        self.jobs.handle("any-once", self.any_run)
        key: str = self.jobs.run_at(datetime.now(UTC), "remind", "k", {"post": "p", "tags": ["a"], "n": 1})
        self.jobs.run_after(60, "remind", payload={})
        planned: list[PlannedJob] = self.jobs.list("remind")
        was_there: bool = self.jobs.cancel("remind", key)
        job.close()
        with self.cluster.mutex("m", ttl=30, timeout=5) as mutex:
            held: Mutex = mutex
            held.check()
            if held.lost.wait(1) or not was_there or not planned:
                return
        if held.try_acquire() or held.acquire(timeout=2):
            held.release()

    async def hourly(self, run: RecurringRun) -> None:
        since: datetime | None = run.previous_due
        missed: int = run.missed
        self.logger.info("%s %s", since, missed)
        await self.clock.sleep_until(self.clock.now() + 1)
        try:
            async with self.cluster.aio.mutex("m") as mutex:
                held: AsyncMutex = mutex
                await held.lost.wait()
        except LockLostError as lost:
            self.logger.info("%s: %s", lost.name, lost.reason)
        await self.jobs.aio.run_after(timedelta(days=1), "remind", "k")
        for planned in await self.jobs.aio.list():
            await self.jobs.aio.cancel(planned.name, planned.key)

    def in_thread(self, run: RecurringRun) -> None:
        if not run.is_cancelled:
            run.check()

    def any_run(self, run: JobRun) -> None:
        self.logger.info("%s %s", run.name, run.due)

    def passes_on(self, run: RecurringRun) -> Awaitable[None]:
        return self.hourly(run)

    async def remind(self, run: OneShotRun) -> None:
        post: object = run.payload["post"]
        self.logger.info("%s %s %d", run.key, post, run.attempt)
