"""The two clients of the plugin API: for coroutines on the plugin's event loop, and for threads."""

from __future__ import annotations

import asyncio
import os
import threading

from mattermost_plugin._api_call import ApiCall, CallSettings
from mattermost_plugin._api_errors import APIUnavailable
from mattermost_plugin._api_wire import CallFailed, CoroutineWire, ThreadWire
from mattermost_plugin._loop_place import LoopPlace
from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT


class AsyncClient(AsyncPluginAPI):
    """The client for coroutines on the plugin's event loop."""

    def __init__(self, wire: CoroutineWire, settings: CallSettings, place: LoopPlace) -> None:
        self._wire = wire
        self._settings = settings
        self._place = place
        self._stopped = asyncio.Event()

    async def _call(
        self,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None,  # noqa: ASYNC109 - gRPC's
    ) -> ResponseT:
        if asyncio.get_running_loop() is not self._place.loop:
            raise RuntimeError(
                f"self.api.aio.{method.method} was called on another event loop than the plugin's: use "
                f"self.api.{method.method}(...) in threads"
            )
        call = ApiCall(method, request, timeout, self._settings)
        outcome = await self._wire.send(method, request, call.time_left_s, call.request_id)
        while isinstance(outcome, CallFailed):
            await self._pause(call.pause_after(outcome))
            outcome = await self._wire.send(method, request, call.time_left_s, call.request_id)
        return call.answer(outcome)

    async def close(self) -> None:
        """End calls that wait, and refuse later ones."""
        self._stopped.set()
        await self._wire.close()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            pass


class ThreadClient(PluginAPI):
    """The client for threads.

    Args:
        wire: sends their requests.
        settings: what all calls have in common.
        place: where the plugin's event loop runs.
        aio: the client for coroutines.
    """

    def __init__(self, wire: ThreadWire, settings: CallSettings, place: LoopPlace, aio: AsyncClient) -> None:
        self._wire = wire
        self._settings = settings
        self._place = place
        self._aio = aio
        self._stopped = threading.Event()

    @property
    def aio(self) -> AsyncPluginAPI:
        """The same methods for coroutines."""
        return self._aio

    def _call(self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout: float | None) -> ResponseT:
        if threading.get_ident() == self._place.thread or os.getpid() != self._place.process:
            raise self._wrong_place(method.method)
        call = ApiCall(method, request, timeout, self._settings)
        outcome = self._wire.send(method, request, call.time_left_s, call.request_id)
        while isinstance(outcome, CallFailed):
            self._stopped.wait(call.pause_after(outcome))
            outcome = self._wire.send(method, request, call.time_left_s, call.request_id)
        return call.answer(outcome)

    async def close(self) -> None:
        """End calls that wait, in threads and in coroutines, and refuse later ones."""
        self._stopped.set()
        self._wire.close()
        await self._aio.close()

    def _wrong_place(self, method: str) -> Exception:
        """Why a thread must not call."""
        if os.getpid() != self._place.process:
            return RuntimeError(
                f"self.api.{method} was called in a process that was forked off the plugin's: a connection does not "
                "survive that; call it in the plugin's own process"
            )
        if self._stopped.is_set():
            # The event loop may have ended too, and what this thread does now blocks nobody.
            return APIUnavailable(method, "the plugin has stopped", may_have_taken_effect=False)
        instead = f"`await self.api.aio.{method}(...)`"
        if method.startswith("kv_"):
            # Whoever calls self.kv has not named this method.
            instead += ", or `self.kv.aio` in the place of `self.kv`,"
        return RuntimeError(f"self.api.{method} would block the event loop: use {instead} in async handlers")
