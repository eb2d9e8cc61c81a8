"""How a command is ended from outside: in good order at the first signal, at once at the second."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["ends_at_signals"]

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

REPEATED_S: Final = 0.25
"""Signals that come so soon after each other count as one: Ctrl-C reaches the whole process group, and a wrapper such
as `timeout` or a tool that runs scripts passes on what it gets."""


@contextmanager
def ends_at_signals(on_first: Callable[[signal.Signals], None], on_second: Callable[[], None]) -> Iterator[None]:
    """Hear Ctrl-C, SIGTERM and the end of the terminal while the body runs, which is in the main thread's event loop.

    A signal that is ignored when the body begins, as nohup does with one, stays ignored.

    Args:
        on_first: called on the event loop with the first signal.
        on_second: called at once with the second one, wherever the main thread is; then the process ends with the
            exit code 128 + the signal's number.
    """
    loop = asyncio.get_running_loop()
    heard_at = -math.inf

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal heard_at
        now, before = time.monotonic(), heard_at
        if now - before < REPEATED_S:
            return
        heard_at = now
        if before > -math.inf:
            try:
                on_second()
            finally:
                os._exit(128 + number)
        loop.call_soon_threadsafe(on_first, signal.Signals(number))

    handlers = {each: signal.getsignal(each) for each in SIGNALS}
    heeded = [each for each in SIGNALS if handlers[each] is not signal.SIG_IGN]
    for each in heeded:
        signal.signal(each, handle)
    try:
        yield
    finally:
        for each in heeded:
            signal.signal(each, handlers[each])
