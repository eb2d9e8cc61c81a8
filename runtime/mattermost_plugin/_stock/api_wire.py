"""The plugin API's calls over a stock server's API stream. See `_api_wire`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any, Final

from mattermost_plugin._api_wire import PLUGIN_STOPPED, CallFailed
from mattermost_plugin._stock.api_link import StockApi
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

__all__ = ["StockCoroutineWire", "StockThreadWire"]

_LOOP_GRACE_S: Final = 1.0
"""How much longer than the call's time a thread waits for the event loop, which keeps that time."""

_STOPPED: Final = "the plugin has stopped"


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
        self._lock = threading.Lock()
        self._waiting: set[concurrent.futures.Future[Any]] = set()
        self._is_closed = False

    def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float, request_id: str
    ) -> ResponseT | CallFailed:
        """See ThreadWire."""
        future = self._start(method, request, timeout_s)
        if future is None:
            return CallFailed(PLUGIN_STOPPED, _STOPPED, was_sent=False)
        try:
            return future.result(timeout_s + _LOOP_GRACE_S)
        except TimeoutError:
            future.cancel()
            return CallFailed("DEADLINE_EXCEEDED", "no answer in time: the event loop is blocked")
        except concurrent.futures.CancelledError:
            return CallFailed(PLUGIN_STOPPED, _STOPPED)
        finally:
            with self._lock:
                self._waiting.discard(future)

    def close(self) -> None:
        """See ThreadWire."""
        with self._lock:
            self._is_closed = True
            waiting = tuple(self._waiting)
        for future in waiting:
            future.cancel()

    def _start(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float
    ) -> concurrent.futures.Future[ResponseT | CallFailed] | None:
        with self._lock:
            if self._is_closed:
                return None
            coroutine = self._api.send(method, request, timeout_s)
            try:
                future = asyncio.run_coroutine_threadsafe(coroutine, self._api.place.loop)
            except RuntimeError:
                # The loop has ended, and this thread has outlived it.
                coroutine.close()
                return None
            self._waiting.add(future)
            return future
