"""What the host's libraries log, as lines of the host's own log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Final

from mattermost_plugin._redaction import traceback_text
from mattermost_plugin.devhost import DevHost

__all__ = ["library_log_in"]

_LEVELS: Final[Mapping[int, str]] = {logging.ERROR: "error", logging.WARNING: "warn", logging.INFO: "info"}


class _HostLogHandler(logging.Handler):
    def __init__(self, host: DevHost) -> None:
        super().__init__(logging.WARNING)
        self._host = host
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for number, name in _LEVELS.items() if record.levelno >= number), "debug")
        error = record.exc_info[1] if record.exc_info else None
        pairs = {"logger": record.name} | ({"traceback": traceback_text(error)} if error is not None else {})
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing shows the log any more
            # A library may log in a thread of its own.
            self._loop.call_soon_threadsafe(self._host.world.log, level, record.getMessage(), "", pairs)


@contextlib.contextmanager
def library_log_in(host: DevHost) -> Iterator[None]:
    """Have what libraries log at WARNING and above in the host's log, while the body runs on its event loop."""
    handler = _HostLogHandler(host)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
