"""Threads for handlers that may block.

A pool of the plugin's own: bounded, apart from the event loop's executor, and with daemon threads, so that a handler
that never returns cannot keep the process from ending. A thread that is stuck stays counted until its handler returns;
when every thread is stuck the pool is exhausted, and the health check says so.
"""

import asyncio
import contextvars
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from queue import SimpleQueue

_log = logging.getLogger(__name__)

_LEAVE_S = 10.0
"""How long a handler may go on after its call was withdrawn (an HTTP client that left) before it counts as stuck."""

STUCK_TEXT = "Every thread of the plugin is stuck in a handler: it must be restarted"
"""What a host is told that asks after the plugin's health when a pool is exhausted."""


class PoolTimeoutError(Exception):
    """A job did not finish in time.

    Attributes:
        started: whether it got a thread at all.
        stack: where its thread is, as text; "" if it never started.
    """

    def __init__(self, *, started: bool, stack: str) -> None:
        super().__init__("started" if started else "no free thread")
        self.started = started
        self.stack = stack


class Job:
    """A function that runs in a thread, or waits for one.

    Attributes:
        result: what it returned.
        error: what it raised.
    """

    __slots__ = (
        "abandoned",
        "arguments",
        "context",
        "done",
        "error",
        "function",
        "label",
        "loop",
        "result",
        "settled",
        "started_at",
        "thread_id",
    )

    def __init__(
        self,
        function: Callable[..., object],
        arguments: tuple[object, ...],
        label: str,
        done: "Callable[[Job], None]",
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.label = label
        self.done = done
        self.loop = asyncio.get_running_loop()
        self.context = contextvars.copy_context()
        self.result: object = None
        self.error: BaseException | None = None
        self.thread_id = 0
        self.started_at = 0.0
        self.abandoned = False
        self.settled = False

    def empty(self) -> None:
        """Hold nothing of what will never run: when every thread is stuck, many jobs wait in vain, and for long."""
        self.function, self.arguments, self.done = _do_nothing, (), _do_nothing
        self.context = contextvars.Context()


class HandlerPool:
    """Runs handlers in at most `size` threads, which start when they are first needed."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._free = 0
        self._waiting = 0
        self._stuck: dict[Job, float] = {}
        """Jobs that nobody waits for any more, and since when they count as stuck."""

    @property
    def size(self) -> int:
        """The most threads that the pool starts."""
        return self._size

    @property
    def stuck(self) -> int:
        """Threads whose handler has outrun its time."""
        now = time.monotonic()
        with self._lock:
            return sum(since <= now for since in self._stuck.values())

    @property
    def is_exhausted(self) -> bool:
        """Whether every thread is stuck: no handler can run."""
        return self.stuck >= self._size

    async def run(
        self,
        function: Callable[..., object],
        arguments: tuple[object, ...],
        label: str,
        timeout_s: float | None,
    ) -> object:
        """Run the function in a thread and return its result.

        Raises:
            PoolTimeoutError: it did not finish in time. If it has started, it goes on; if not, it never will.
            BaseException: what the function raised.
        """
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        job = self.submit(function, arguments, label, lambda _: wake(over))
        deadline = asyncio.timeout(timeout_s)
        try:
            async with deadline:
                await over
        except TimeoutError:
            if not deadline.expired():
                raise
            raise self.give_up(job) from None
        except asyncio.CancelledError:
            self.abandon(job)
            raise
        if job.error is not None:
            raise job.error
        return job.result

    def submit(
        self, function: Callable[..., object], arguments: tuple[object, ...], label: str, done: Callable[[Job], None]
    ) -> Job:
        """Run the function in a thread.

        Args:
            function: what to run, in a copy of the caller's context.
            arguments: its arguments.
            label: what log lines call it.
            done: called with the job on the event loop when the function has returned or raised, given up or not.
        """
        job = Job(function, arguments, label, done)
        self._start_thread_if_needed()
        self._queue.put(job)
        return job

    def give_up(self, job: Job) -> PoolTimeoutError:
        """Wait no longer for a job that was not done in time. If it has started, its thread is stuck from now on."""
        if not self._abandon(job, grace_s=0):
            return PoolTimeoutError(started=False, stack="")
        return PoolTimeoutError(started=True, stack=thread_stack(job.thread_id))

    def abandon(self, job: Job) -> None:
        """Wait no longer for a job whose call was withdrawn. If it has started, it may go on for a while."""
        self._abandon(job, _LEAVE_S)

    def close(self) -> None:
        """Let idle threads end. Those that run a handler are left alone."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._queue.put(None)

    def _start_thread_if_needed(self) -> None:
        with self._lock:
            self._waiting += 1
            if self._waiting <= self._free or self._threads >= self._size:
                return
            try:
                # Under the lock, and counted only once it runs: a system out of threads must not shrink the pool.
                name = f"{self._name}-{self._threads + 1}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            except BaseException:
                self._waiting -= 1
                raise
            self._threads += 1
            self._free += 1

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                self._waiting -= 1
                if job.abandoned:
                    continue
                self._free -= 1
                job.started_at = time.monotonic()
                job.thread_id = threading.get_ident()
            try:
                job.result = job.context.run(job.function, *job.arguments)
            except BaseException as error:  # noqa: BLE001 - raised where the job is awaited
                job.error = error
            self._settle(job)
            # Keep nothing of the job while waiting for the next one: results can be large.
            del job

    def _settle(self, job: Job) -> None:
        with self._lock:
            self._free += 1
            job.settled = True
            stuck_since = self._stuck.pop(job, float("inf"))
        if stuck_since <= time.monotonic():
            _log.warning("%s returned after %.1f s, too late", job.label, time.monotonic() - job.started_at)
        try:
            job.loop.call_soon_threadsafe(job.done, job)
        except RuntimeError:
            # The loop is closed: the plugin is ending and nobody waits for this result.
            _log.debug("%s returned after the plugin had stopped", job.label)

    def _abandon(self, job: Job, grace_s: float) -> bool:
        """Give the job up. Returns whether it had started; if not, it never will.

        Args:
            job: the job.
            grace_s: seconds until its thread counts as stuck.
        """
        with self._lock:
            job.abandoned = True
            if not job.thread_id:
                job.empty()
                return False
            if not job.settled:
                self._stuck[job] = time.monotonic() + grace_s
            return True


def _do_nothing(*_: object) -> None:
    pass


def wake(future: "asyncio.Future[None]") -> None:
    """End a wait that may have ended."""
    if not future.done():
        future.set_result(None)


def thread_stack(thread_id: int) -> str:
    """The stack of a running thread as text; "" if it has ended."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""
