"""What a plugin does beside its hooks, its mutexes and jobs, in the order of the plugin's life.

Nothing of either is loaded here: a plugin that uses neither pays for neither.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from mattermost_plugin._cluster_errors import PluginStoppedError
from mattermost_plugin._thread_bridge import LoopBridge

if TYPE_CHECKING:
    from mattermost_plugin._handler_pool import HandlerPool
    from mattermost_plugin.plugin import Plugin

_P = ParamSpec("_P")
_T = TypeVar("_T")

_LONGEST_JOBS_END_S: Final = 5.0
_JOBS_SHARE: Final = 0.3
"""Part of the time for the end that jobs may use; the rest is OnDeactivate's."""

_LOCKS_END_S: Final = 0.3
"""For freeing locks that are held when everything else has ended."""


class Background:
    """Starts and ends jobs, and ends mutexes.

    Args:
        plugin: the plugin.
        pool: threads for jobs that are no coroutines.
        deactivate_s: how long OnDeactivate may take if the host sets no time.
    """

    def __init__(self, plugin: Plugin, pool: HandlerPool, deactivate_s: float) -> None:
        self.pool = pool
        self.bridge: LoopBridge | None = None
        """How threads get to the event loop; None before the plugin is served."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """The event loop, while jobs run; None else."""
        self.has_begun = False
        """Whether the plugin has been activated, or is being activated."""
        self._plugin = plugin
        self._deactivate_s = deactivate_s

    def open(self) -> None:
        """Let threads through to the event loop. On that loop, before anything of the plugin's is called."""
        self.bridge = LoopBridge()
        if self._plugin._cluster is not None:
            self._plugin._cluster._locks.reopen()

    def begin(self) -> None:
        """An activation begins: forget the jobs that an earlier one has registered."""
        self.has_begun = True
        if self._plugin._jobs is not None:
            self._plugin._jobs._begin()

    def start(self) -> None:
        """Run jobs from now on: the plugin is active."""
        self.loop = asyncio.get_running_loop()
        if self._plugin._jobs is not None:
            self._plugin._jobs._start(self)

    async def stop(self, deadline: float | None) -> None:
        """Run no more jobs, tell those that run, and give them a while.

        Args:
            deadline: by when OnDeactivate must be done; a time of the event loop.
        """
        self.loop = None
        if self._plugin._jobs is None:
            return
        left_s = self._deactivate_s if deadline is None else deadline - asyncio.get_running_loop().time()
        await self._plugin._jobs._stop(max(0.0, min(left_s * _JOBS_SHARE, _LONGEST_JOBS_END_S)))

    def stop_waiting(self) -> None:
        """Let no handler wait for a mutex any more."""
        if self._plugin._cluster is not None:
            self._plugin._cluster._locks.stop_waiting()

    async def close(self) -> None:
        """Free the mutexes that are held, and wake the threads that still wait for something here."""
        if self._plugin._cluster is not None:
            await self._plugin._cluster._locks.close(_LOCKS_END_S)
        if self.bridge is not None:
            self.bridge.close()


def call_on_loop(
    plugin: Plugin,
    spelling: str,
    function: Callable[_P, Coroutine[object, object, _T]],
    *arguments: _P.args,
    **named: _P.kwargs,
) -> _T:
    """Run a coroutine function on the plugin's event loop, and wait in this thread for what it returns.

    Args:
        plugin: the plugin.
        spelling: what was called, after "self.", for errors.
        function: the coroutine function.
        arguments: its arguments.
        named: its arguments by name.

    Raises:
        PluginStoppedError: the plugin has stopped.
        RuntimeError: this is the event loop's own thread, or the plugin is not being served.
    """
    bridge = None if plugin._background is None else plugin._background.bridge
    if bridge is None:
        raise RuntimeError(f"self.{spelling} needs the server, which is there once the plugin is served")
    bridge.check_thread(f"self.{spelling}", f"`await self.{spelling.replace('.', '.aio.', 1)}`")
    try:
        return bridge.call(function, *arguments, **named)
    except concurrent.futures.CancelledError:
        raise PluginStoppedError("the plugin has stopped") from None
