"""Tells who has started a thread when what it does has begun."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Final

__all__ = ["say_begun", "tell_begun"]

__tracebackhide__ = True  # pytest shows the line of the test

_BEGUN: Final[ContextVar[threading.Event | None]] = ContextVar("mattermost_plugin_testing_begun", default=None)


def tell_begun(begun: threading.Event) -> None:
    """Have an event set when this thread has something on the server's loop, or waits for something there."""
    _BEGUN.set(begun)


def say_begun() -> None:
    """Set this thread's event, if it has one."""
    begun = _BEGUN.get()
    if begun is not None:
        begun.set()
