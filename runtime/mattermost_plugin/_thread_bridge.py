"""Lets handlers that run in threads call what lives on the event loop."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from mattermost_plugin._start_task import start_task

_P = ParamSpec("_P")
_T = TypeVar("_T")


class LoopBridge:
    """Runs coroutines on the loop for threads that wait for their results.

    Made on the loop's thread. After `close` no thread gets through any more, and those that wait are woken.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self._closed = False

    def check_thread(self, blocking: str, instead: str) -> None:
        """Raise RuntimeError on the loop's thread, where `blocking` would stop everything."""
        if threading.get_ident() == self._loop_thread:
            raise RuntimeError(f"{blocking} would block the event loop: use {instead} in async handlers")

    def call(self, function: Callable[_P, Coroutine[Any, Any, _T]], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Run the coroutine function on the loop and wait for its result.

        Raises:
            concurrent.futures.CancelledError: the bridge is closed, or was closed while the thread waited.
        """
        if self._closed:
            raise concurrent.futures.CancelledError
        future: concurrent.futures.Future[_T] = concurrent.futures.Future()
        self._calls.add(future)
        try:
            self._begin_soon(future, partial(function, *arguments, **named))
            # Closed since the check above: `close` may have missed this call.
            if self._closed:
                future.cancel()
            return future.result()
        finally:
            self._calls.discard(future)

    def _begin_soon(
        self, future: concurrent.futures.Future[_T], function: Callable[[], Coroutine[Any, Any, _T]]
    ) -> None:
        try:
            self._loop.call_soon_threadsafe(self._begin, future, function)
        except RuntimeError as error:
            # The loop itself is closed: this thread has outlived the plugin's run.
            raise concurrent.futures.CancelledError from error

    def _begin(self, future: concurrent.futures.Future[_T], function: Callable[[], Coroutine[Any, Any, _T]]) -> None:
        """Run it, at once: the thread waits. Called on the loop."""
        if future.cancelled():
            return
        task = start_task(_report(function(), future), self._loop)
        if not task.done():
            future.add_done_callback(partial(self._ended, task))

    def _ended(self, task: asyncio.Task[None], future: concurrent.futures.Future[Any]) -> None:
        if future.cancelled():
            self._loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Wake the threads that wait. Called on the loop, when the handler's time is over."""
        self._closed = True
        for future in tuple(self._calls):
            future.cancel()


async def _report(coroutine: Coroutine[Any, Any, _T], future: concurrent.futures.Future[_T]) -> None:
    """Wake the thread in the turn of the loop in which the coroutine ends."""
    try:
        result = await coroutine
    except asyncio.CancelledError:
        future.cancel()
        raise
    except BaseException as error:  # noqa: BLE001 - raised in the thread
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
    else:
        if future.set_running_or_notify_cancel():
            future.set_result(result)
