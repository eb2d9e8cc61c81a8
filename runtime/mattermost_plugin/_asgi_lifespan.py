"""The lifespan protocol: tells an ASGI application that the plugin starts and stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Literal, TypeAlias

from mattermost_plugin._asgi_scope import ASGI_VERSIONS
from mattermost_plugin._exits import contain_exit
from mattermost_plugin.errors import PluginError

_log = logging.getLogger(__name__)

LifespanMode: TypeAlias = Literal["auto", "on", "off"]
"""Whether an application takes part: "auto" tries and goes on without it if the application does not."""

# Whatever framework an application comes from, it has its own types for scope, receive and send.
ASGIApp: TypeAlias = Callable[..., Awaitable[object]]
"""An ASGI 3 application: a callable that takes scope, receive and send."""


class LifespanError(PluginError):
    """An application's own startup or shutdown failed. The author must act; the message is the application's."""


class Lifespan:
    """Runs an application's lifespan, from `start` to `stop`.

    Attributes:
        state: what the application put into its state at startup; every request gets a copy.
    """

    def __init__(self, app: ASGIApp, plugin: object, mode: LifespanMode) -> None:
        self.state: dict[str, object] = {}
        self._app = app
        self._plugin = plugin
        self._mode = mode
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[str] | None = None
        self._stopped: asyncio.Future[str] | None = None
        self._stopping = asyncio.Event()
        self._told = 0

    async def start(self) -> None:
        """Start the application and wait until it says that it is ready; nothing if it is running already.

        Raises:
            LifespanError: its startup failed, or mode "on" and it does not take part.
        """
        if self._mode == "off" or self._task is not None:
            return
        loop = asyncio.get_running_loop()
        self._started, self._stopped = loop.create_future(), loop.create_future()
        self._task = asyncio.create_task(self._run(), name="ASGI lifespan")
        try:
            await asyncio.wait((self._task, self._started), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._end()
            raise
        if not self._started.done():
            self._go_without(await self._end())
            return
        failure = self._started.result()
        if failure:
            await self._end()
            raise LifespanError(f"the application's startup failed: {failure}")

    async def stop(self) -> None:
        """Stop the application and wait until it says that it has; nothing if it is not running.

        Raises:
            LifespanError: its shutdown failed.
        """
        if self._task is None or self._stopped is None:
            return
        self._stopping.set()
        try:
            await asyncio.wait((self._task, self._stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            error = await self._end()
        failure = self._stopped.result() if self._stopped.done() else ""
        if failure or error is not None:
            raise LifespanError(f"the application's shutdown failed: {failure or error}") from error

    async def _run(self) -> None:
        scope: MutableMapping[str, object] = {
            "type": "lifespan",
            "asgi": dict(ASGI_VERSIONS),
            "state": self.state,
            "mattermost.plugin": self._plugin,
        }
        await contain_exit(self._app(scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, object]:
        self._told += 1
        if self._told == 1:
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: MutableMapping[str, object]) -> None:
        kind = message["type"]
        started, stopped = self._started, self._stopped
        if started is None or stopped is None:
            raise RuntimeError("the lifespan has not begun")
        if kind == "lifespan.startup.complete" and not started.done():
            started.set_result("")
        elif kind == "lifespan.startup.failed" and not started.done():
            started.set_result(str(message.get("message") or "it gave no reason"))
        elif kind == "lifespan.shutdown.complete" and not stopped.done():
            stopped.set_result("")
        elif kind == "lifespan.shutdown.failed" and not stopped.done():
            stopped.set_result(str(message.get("message") or "it gave no reason"))
        else:
            raise RuntimeError(f"the ASGI application sent {kind!r} out of turn in its lifespan")

    async def _end(self) -> BaseException | None:
        """Make sure that the application's task is over; returns what it raised."""
        task, self._task = self._task, None
        if task is None:
            return None
        task.cancel()
        await asyncio.wait((task,))
        return None if task.cancelled() else task.exception()

    def _go_without(self, error: BaseException | None) -> None:
        if self._mode == "on":
            raise LifespanError("the application does not take part in the lifespan protocol") from error
        _log.debug("the ASGI application does not take part in the lifespan protocol", exc_info=error)
        self.state.clear()
