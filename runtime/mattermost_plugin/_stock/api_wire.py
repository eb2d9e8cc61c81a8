"""The plugin API's calls over a stock server's API stream. See `_api_wire`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from mattermost_plugin._api_wire import PLUGIN_STOPPED, STOPPED_TEXT, CallFailed
from mattermost_plugin._stock.api_link import StockApi, is_simple
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

__all__ = ["StockCoroutineWire", "StockThreadWire"]


class StockCoroutineWire:
    """Sends requests for coroutines.

    Args:
        api: the API stream.
    """

    def __init__(self, api: StockApi) -> None:
        self._api = api

    async def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """See CoroutineWire. This protocol has no place for the request's id."""
        return await self._api.send(method, request, timeout_s)

    async def close(self) -> None:
        """See CoroutineWire."""
        self._api.close()


class StockThreadWire:
    """Sends requests for threads: there is one stream, and it lives on the event loop.

    Args:
        api: the API stream.
    """

    def __init__(self, api: StockApi) -> None:
        self._api = api
        self._loop = api.place.loop
        self._lock = threading.Lock()
        self._waiting: set[_Waiting] = set()
        self._is_closed = False

    def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """See ThreadWire."""
        call = _Waiting()
        with self._lock:
            if self._is_closed:
                return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
            self._waiting.add(call)
        try:
            return self._outcome(call, method, request, timeout_s)
        finally:
            with self._lock:
                self._waiting.discard(call)

    def close(self) -> None:
        """See ThreadWire."""
        with self._lock:
            self._is_closed = True
            waiting = tuple(self._waiting)
        for call in waiting:
            call.settle(CallFailed(PLUGIN_STOPPED, STOPPED_TEXT))

    def _outcome(
        self, call: _Waiting, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float
    ) -> ResponseT | CallFailed:
        try:
            self._loop.call_soon_threadsafe(self._begin, call, method, request, timeout_s)
        except RuntimeError:
            # The loop has ended, and this thread has outlived it.
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
        try:
            outcome: ResponseT | CallFailed = call.outcome(timeout_s)
        except queue.Empty:
            return self._give_up(call)
        return outcome

    def _begin(self, call: _Waiting, method: ApiMethod[Any, Any], request: Any, timeout_s: float) -> None:
        """Runs on the event loop, as what follows."""
        if call not in self._waiting:
            return
        try:
            begun = self._start(call, method, request, timeout_s)
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            call.fail(error)
            return
        if isinstance(begun, CallFailed):
            call.settle(begun)
            return
        with self._lock:
            call.forget = begun
            is_waiting = call in self._waiting
        if not is_waiting:
            # Its thread has given up in this moment, and could not forget it.
            begun()

    def _start(
        self, call: _Waiting, method: ApiMethod[Any, Any], request: Any, timeout_s: float
    ) -> Callable[[], object] | CallFailed:
        if is_simple(method):
            return self._api.begin(method, request, call.settle)
        task = self._loop.create_task(self._api.send(method, request, timeout_s))
        task.add_done_callback(call.take)
        return task.cancel

    def _give_up(self, call: _Waiting) -> CallFailed:
        """The time of a call is over."""
        with self._lock:
            self._waiting.discard(call)
            forget = call.forget
        if forget is None:
            return CallFailed("DEADLINE_EXCEEDED", "no answer in time: the event loop is blocked")
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(forget)
        return CallFailed("DEADLINE_EXCEEDED", "no answer in time")


class _Waiting:
    """A call for which a thread waits."""

    __slots__ = ("_outcome", "forget")

    def __init__(self) -> None:
        self._outcome: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.forget: Callable[[], object] | None = None
        """Ends it on the event loop, once it is sent."""

    def outcome(self, timeout_s: float) -> Any:
        """Wait for what comes of it.

        Raises:
            queue.Empty: nothing in time.
        """
        outcome, error = self._outcome.get(timeout=min(timeout_s, threading.TIMEOUT_MAX))
        if error is not None:
            raise error
        return outcome

    def settle(self, outcome: Message | CallFailed) -> None:
        """Wake the thread; of several outcomes it gets the first."""
        self._outcome.put((outcome, None))

    def fail(self, error: BaseException) -> None:
        """Wake the thread with an error."""
        self._outcome.put((None, error))

    def take(self, task: asyncio.Task[Any]) -> None:
        """Wake the thread with what came of a task."""
        if task.cancelled():
            self.settle(CallFailed(PLUGIN_STOPPED, STOPPED_TEXT))
        elif (error := task.exception()) is not None:
            self.fail(error)
        else:
            self.settle(task.result())
