"""Notices when the event loop stands still, names what blocks it, and in the end gives the process up.

While the loop is blocked, health checks get no answer, and a host that waits for one checks no other plugin meanwhile.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import CodeType

from mattermost_plugin._handler_pool import thread_stack

_log = logging.getLogger(__name__)

_BEAT_INTERVAL_S = 1.0
"""How often the loop is asked for a sign of life."""

_EXIT_CODE = 70
"""EX_SOFTWARE: the host sees a crash and starts the plugin again."""


class LoopWatch:
    """A thread that watches the event loop.

    Args:
        loop: the loop. It must run in the thread that calls `start`.
        warn_s: seconds of standstill after which the log names what blocks the loop.
        exit_s: seconds of standstill after which the process ends.
        may_exit: whether the process may be ended now; it may not while the plugin is being activated.
        labels: the code of async handlers, to name the one that blocks.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        warn_s: float,
        exit_s: float,
        may_exit: Callable[[], bool],
        labels: Mapping[CodeType, str],
    ) -> None:
        self._loop = loop
        self._warn_s = warn_s
        self._exit_s = exit_s
        self._may_exit = may_exit
        self._labels = labels
        self._loop_thread = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._loop_thread = threading.get_ident()
        self._thread.start()

    def stop(self) -> None:
        """End the thread soon."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_BEAT_INTERVAL_S):
            beat = threading.Event()
            try:
                self._loop.call_soon_threadsafe(beat.set)
            except RuntimeError:
                # The loop is closed: there is nothing left to watch.
                return
            if not beat.wait(self._warn_s):
                self._wait_out(beat)

    def _wait_out(self, beat: threading.Event) -> None:
        started = time.monotonic() - self._warn_s
        culprit = self._culprit()
        _log.warning(
            "%s blocks the event loop: no other handler and no health check runs meanwhile. "
            "An async handler must not block; make it a plain def, or use asyncio.to_thread.\n%s",
            culprit,
            thread_stack(self._loop_thread),
        )
        # Counted in slices of its own, so that a process that was suspended is not taken for a blocked one.
        waited = self._warn_s
        while not beat.wait(_BEAT_INTERVAL_S):
            if self._stopped.is_set():
                return
            waited += _BEAT_INTERVAL_S
            if waited >= self._exit_s and self._may_exit():
                self._give_up(waited)
        _log.warning("%s blocked the event loop for %.1f s", culprit, time.monotonic() - started)

    def _give_up(self, waited: float) -> None:
        _log.error(
            "The event loop has stood still for %.0f s; the process ends so that the host can start it again.\n%s",
            waited,
            thread_stack(self._loop_thread),
        )
        os._exit(_EXIT_CODE)

    def _culprit(self) -> str:
        """The handler whose code is on the loop's stack, or the place where the loop stands."""
        frame = sys._current_frames().get(self._loop_thread)
        place = "Something"
        if frame is not None:
            place = f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
        while frame is not None:
            if frame.f_code in self._labels:
                return self._labels[frame.f_code]
            frame = frame.f_back
        return place
