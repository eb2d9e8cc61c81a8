"""The bound on a process's end.

A host kills a plugin 2 s after it asked it to stop. Whatever hangs at the end (a thread that never returns, an atexit
function that waits) must not take the rest with it, so the process ends by itself a little earlier, with the atexit
functions run.
"""

import atexit
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger(__name__)

_LOG_BOUND_S = 0.1
"""How long the last log line may take. Its reader may be gone, or stuck with the pipe full."""

_ATEXIT_BOUND_S = 0.2
"""How long the atexit functions may take once the process is being ended by force."""


class LastExit:
    """Ends the process after a time, if it has not ended by then."""

    def __init__(self) -> None:
        self._armed = threading.Lock()
        self._atexit_begun = threading.Event()
        # Of all ways to pass something to a thread, this one may be used in a signal handler.
        self._deadlines: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._code: int | None = None

    def choose_code(self, code: int) -> None:
        """Set the exit code, unless there is one."""
        if self._code is None:
            self._code = code

    def arm(self, seconds: float, code: int) -> None:
        """Start the time. The process ends with `code` unless it ends by itself before.

        May be called again, also in a signal handler: the earliest end and the first code are the ones that count.
        """
        self.choose_code(code)
        self._deadlines.put(time.monotonic() + seconds)
        if not self._armed.acquire(blocking=False):
            return
        # Registered last, so called first: from then on the interpreter itself runs the atexit functions.
        atexit.register(self._atexit_begun.set)
        # All threads now: while the interpreter waits for other threads at its end, it starts none.
        log = _ParkedThread(_name_the_living)
        # Private, and the only way: the interpreter runs these after joining threads, which is what hangs.
        functions = _ParkedThread(atexit._run_exitfuncs)
        timer = threading.Thread(target=self._run, args=(log, functions), name="last-exit", daemon=True)
        if not _started(timer):
            _log.error("The process can have no more threads: nothing bounds its end but the host.")

    def _run(self, log: "_ParkedThread", functions: "_ParkedThread") -> None:
        try:
            self._wait_out()
            log.run(_LOG_BOUND_S)
            if not self._atexit_begun.is_set():
                functions.run(_ATEXIT_BOUND_S)
        finally:
            os._exit(self._code or 0)

    def _wait_out(self) -> None:
        deadline = self._deadlines.get()
        while (left := deadline - time.monotonic()) > 0:
            try:
                deadline = min(deadline, self._deadlines.get(timeout=left))
            except queue.Empty:
                return


class _ParkedThread:
    """A thread that exists before it is needed."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="last-exit-work", daemon=True)
        self._is_there = _started(self._thread)

    def run(self, bound_s: float) -> None:
        """Do the work now; returns after `bound_s` even if it is not done."""
        self._wanted.set()
        if self._is_there:
            self._thread.join(bound_s)

    def _wait(self) -> None:
        self._wanted.wait()
        self._work()


def _started(thread: threading.Thread) -> bool:
    """Start a thread; False if the process can have no more."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _name_the_living() -> None:
    names = ", ".join(sorted(thread.name for thread in threading.enumerate() if not thread.daemon))
    _log.error("The plugin did not end in time and is ended by force. Still running: %s.\n%s", names, _main_stack())


def _main_stack() -> str:
    from traceback import format_stack

    main = threading.main_thread().ident
    frames: dict[int, FrameType] = sys._current_frames()
    frame = frames.get(main) if main is not None else None
    return "".join(format_stack(frame)) if frame is not None else ""
