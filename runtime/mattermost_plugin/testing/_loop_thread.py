"""An event loop in a thread of its own, for callers in other threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from mattermost_plugin._handler_pool import thread_stack

__all__ = ["LoopThread", "WorkTimeoutError"]

__tracebackhide__ = True  # pytest shows the line of the test

T = TypeVar("T")

RESPONSE_S: Final = 0.5
"""How long a loop may take to answer before it counts as blocked. Only asked when something has taken too long."""

STOP_S: Final = 5.0
"""How long the thread may take to end. It is a daemon: one that is blocked for good keeps no process from ending."""

_GRPC_POLLER: Final = "PollerCompletionQueue._handle_events"


class WorkTimeoutError(Exception):
    """The work was not done in time and was cancelled.

    Attributes:
        situation: what went on when the time was over.
    """

    def __init__(self, situation: str) -> None:
        super().__init__(situation)
        self.situation = situation


class LoopThread:
    """Runs coroutines on a loop of its own.

    Args:
        name: name of the thread.
        on_failure: told what the loop has to complain about, such as a task whose exception nobody took.
    """

    def __init__(self, name: str, on_failure: Callable[[str, BaseException | None], None]) -> None:
        self._on_failure = on_failure
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._complain)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    @property
    def is_current(self) -> bool:
        """Whether the caller is on the loop's thread, where waiting for the loop would never end."""
        return threading.current_thread() is self._thread

    def run(
        self,
        work: Coroutine[Any, Any, T],
        timeout_s: float | None,
        situation: Callable[[], str] = str,
        begun: Callable[[], object] = bool,
    ) -> T:
        """Run a coroutine and wait for its result; it is cancelled if the wait ends early.

        Args:
            work: the coroutine.
            timeout_s: how long it may take; None for no limit.
            situation: says what goes on, before it is cancelled.
            begun: called when everything that is run later will be begun later, too.

        Raises:
            WorkTimeoutError: it took longer.
            Exception: what it raised.
        """
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        begun()
        try:
            # Not result(): it would add its own frames to what a failed test shows.
            error = future.exception(timeout_s)
        except TimeoutError:
            raise WorkTimeoutError(situation()) from None
        finally:
            future.cancel()
        if error is not None:
            raise error
        return future.result()

    def blocked_at(self) -> str:
        """Where the loop's thread stands, if the loop does not answer; "" if it does."""
        answered = threading.Event()
        self.loop.call_soon_threadsafe(answered.set)
        return "" if answered.wait(RESPONSE_S) else thread_stack(self._thread.ident or 0)

    def stop(self) -> bool:
        """Cancel all tasks and end the thread. Returns whether it has ended."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._wind_down(), self.loop)
            self._thread.join(STOP_S)
        return not self._thread.is_alive()

    async def _wind_down(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S / 2)
        await self.loop.shutdown_asyncgens()
        self.loop.stop()

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        failure, message = context.get("exception"), str(context["message"])
        # grpc wakes every loop of the process for what concerns one of them. The others find nothing to read, or that
        # the one it is for has been closed: a server of an earlier test, for instance.
        is_grpcs = _GRPC_POLLER in message and isinstance(failure, RuntimeError)
        if not is_grpcs and not isinstance(failure, BlockingIOError):
            self._on_failure(message, failure)
