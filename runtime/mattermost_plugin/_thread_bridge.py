"""Lets handlers that run in threads call what lives on the event loop."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

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
        coroutine = function(*arguments, **named)
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:
            # The loop itself is closed: this thread has outlived the plugin's run.
            coroutine.close()
            raise concurrent.futures.CancelledError from error
        self._calls.add(future)
        try:
            # Closed since the check above: `close` may have missed this call.
            if self._closed:
                future.cancel()
            return future.result()
        finally:
            self._calls.discard(future)

    def close(self) -> None:
        """Wake the threads that wait. Called on the loop, when the handler's time is over."""
        self._closed = True
        for future in tuple(self._calls):
            future.cancel()
