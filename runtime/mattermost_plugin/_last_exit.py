"""The bound on a process's end.

A host kills a plugin 2 s after it asked it to stop. Whatever hangs at the end (a thread that never returns, an atexit
function that waits) must not take the rest with it, so the process ends by itself a little earlier, with the atexit
functions run.
"""

import atexit
import logging
import os
import sys
import threading
from types import FrameType

_log = logging.getLogger(__name__)

_ATEXIT_BOUND_S = 0.2
"""How long the atexit functions may take once the process is being ended by force."""


class LastExit:
    """Ends the process after a time, if it has not ended by then. Armed once; later calls change nothing."""

    def __init__(self) -> None:
        self._armed = threading.Lock()
        self._atexit_begun = threading.Event()

    def arm(self, seconds: float, code: int) -> None:
        """Start the time. The process ends with `code` unless it ends by itself before."""
        if not self._armed.acquire(blocking=False):
            return
        # Registered last, so called first: from then on the interpreter itself runs the atexit functions.
        atexit.register(self._atexit_begun.set)
        threading.Thread(target=self._run, args=(seconds, code), name="last-exit", daemon=True).start()

    def _run(self, seconds: float, code: int) -> None:
        threading.Event().wait(seconds)
        logging_thread = threading.Thread(target=_name_the_living, daemon=True)
        logging_thread.start()
        logging_thread.join(_ATEXIT_BOUND_S)
        if not self._atexit_begun.is_set():
            # Private, and the only way: the interpreter runs these after joining threads, which is what hangs.
            functions = threading.Thread(target=atexit._run_exitfuncs, daemon=True)
            functions.start()
            functions.join(_ATEXIT_BOUND_S)
        os._exit(code)


def _name_the_living() -> None:
    names = ", ".join(sorted(thread.name for thread in threading.enumerate() if not thread.daemon))
    _log.error("The plugin did not end in time and is ended by force. Still running: %s.\n%s", names, _main_stack())


def _main_stack() -> str:
    from traceback import format_stack

    main = threading.main_thread().ident
    frames: dict[int, FrameType] = sys._current_frames()
    frame = frames.get(main) if main is not None else None
    return "".join(format_stack(frame)) if frame is not None else ""
