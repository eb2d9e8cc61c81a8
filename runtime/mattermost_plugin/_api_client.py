"""The two clients of the plugin API, on one connection that belongs to the plugin's event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from _thread import LockType, allocate_lock
from typing import Any, Final, Generic

from mattermost_plugin._api_call import ApiCaller, checked_timeout
from mattermost_plugin._api_errors import APIDeadlineExceeded, APIUnavailable
from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

_LATE_S: Final = 5.0
"""How much longer than a call's deadline a thread waits for the event loop to tell it: a loop that is blocked for
longer is not waited for."""


class AsyncClient(AsyncPluginAPI):
    """The client for coroutines on the plugin's event loop."""

    def __init__(self, caller: ApiCaller, loop: asyncio.AbstractEventLoop) -> None:
        self._caller = caller
        self._loop = loop

    async def _call(
        self,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None,  # noqa: ASYNC109 - gRPC's
    ) -> ResponseT:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                f"self.api.aio.{method.method} was called on another event loop than the plugin's: use "
                f"self.api.{method.method}(...) in threads"
            )
        return await self._caller.call(method, request, timeout)


class ThreadClient(PluginAPI):
    """The client for threads: calls run on the event loop while the thread waits.

    Args:
        caller: makes the calls.
        loop: the plugin's event loop.
        loop_thread: ident of the thread that it runs in.
    """

    def __init__(self, caller: ApiCaller, loop: asyncio.AbstractEventLoop, loop_thread: int) -> None:
        self._caller = caller
        self._loop = loop
        self._loop_thread = loop_thread
        self._aio = AsyncClient(caller, loop)
        self._waiting: set[_Waiting[Any, Any]] = set()
        self._closed = False

    @property
    def aio(self) -> AsyncPluginAPI:
        """The same methods for coroutines."""
        return self._aio

    def _call(self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout: float | None) -> ResponseT:
        if threading.get_ident() == self._loop_thread:
            raise RuntimeError(
                f"self.api.{method.method} would block the event loop: use `await self.api.aio.{method.method}(...)` "
                "in async handlers"
            )
        limit_s = self._caller.timeout_s if timeout is None else checked_timeout(method.method, timeout)
        waiting = _Waiting(self._caller, self._loop, method, request, timeout)
        self._waiting.add(waiting)
        try:
            # Closed or not is asked after the call is in the set: `close` sees the one or this sees the other.
            if self._closed:
                raise waiting.stopped(may_have_taken_effect=False)
            try:
                self._loop.call_soon_threadsafe(waiting.start, context=contextvars.copy_context())
            except RuntimeError:
                # The loop itself is closed: this thread has outlived the plugin's run.
                raise waiting.stopped(may_have_taken_effect=False) from None
            return waiting.result(limit_s)
        finally:
            self._waiting.discard(waiting)

    async def close(self) -> None:
        """Wake the threads that wait, and close the connection."""
        self._closed = True
        for waiting in tuple(self._waiting):
            waiting.stop()
        await self._caller.close()


class _Waiting(Generic[RequestT, ResponseT]):
    """A call that a thread waits for. A bare lock wakes it sooner than a future's condition would."""

    __slots__ = (
        "_caller",
        "_error",
        "_lock",
        "_loop",
        "_method",
        "_request",
        "_response",
        "_settled",
        "_task",
        "_timeout",
    )

    def __init__(
        self,
        caller: ApiCaller,
        loop: asyncio.AbstractEventLoop,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None,
    ) -> None:
        self._caller = caller
        self._loop = loop
        self._method = method
        self._request = request
        self._timeout = timeout
        self._response: ResponseT | None = None
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = False
        self._lock: LockType = allocate_lock()
        self._lock.acquire()

    # On the event loop

    def start(self) -> None:
        if not self._settled:
            self._task = self._loop.create_task(self._run())

    def stop(self) -> None:
        """Give the call up because the plugin stops."""
        self._settle(self.stopped(may_have_taken_effect=self._task is not None))
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._response = await self._caller.call(self._method, self._request, self._timeout)
        except asyncio.CancelledError:
            error = self.stopped(may_have_taken_effect=True)
        except BaseException as raised:  # noqa: BLE001 - raised in the thread that waits
            error = raised
        self._settle(error)

    def _settle(self, error: BaseException | None) -> None:
        if not self._settled:
            self._settled = True
            self._error = error
            self._lock.release()

    # In the thread

    def result(self, limit_s: float) -> ResponseT:
        """Wait for the reply and return it, or raise what became of the call."""
        if not self._lock.acquire(timeout=limit_s + _LATE_S):
            self._loop.call_soon_threadsafe(self.stop)
            reason = "the plugin's event loop did not run in time to deliver an answer"
            raise APIDeadlineExceeded(
                self._method.method, reason, elapsed_s=limit_s + _LATE_S, may_have_taken_effect=True
            )
        response, error = self._response, self._error
        # An exception's traceback must not keep itself alive through this object.
        self._error = None
        if response is not None:
            return response
        raise error if error is not None else self.stopped(may_have_taken_effect=True)

    def stopped(self, *, may_have_taken_effect: bool) -> APIUnavailable:
        reason = "the plugin has stopped"
        return APIUnavailable(self._method.method, reason, elapsed_s=0.0, may_have_taken_effect=may_have_taken_effect)
