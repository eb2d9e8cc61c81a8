"""What a plugin's process does first, before the author's modules are imported."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import NamedTuple

from mattermost_plugin._handshake import claim_environment
from mattermost_plugin._hclog import configure_logging
from mattermost_plugin._host_watch import HostWatch
from mattermost_plugin._stdio import StdioGuard

__all__ = ["ProcessStart", "begin_if_started_by_host"]

_GRACE_S = 0.2
"""What a process whose host has died gets while it serves nothing yet: time for a log line."""


class ProcessStart(NamedTuple):
    """What is there from the beginning, and stays."""

    guard: StdioGuard
    host_watch: HostWatch


def begin_if_started_by_host() -> ProcessStart | None:
    """Guard the process's output, watch the host and leave Ctrl-C to it, if a host started the process; else None.

    Call it before anything can print or start a process; again gives the same. Logging gets its real level when the
    configuration is read.
    """
    global _begun  # noqa: PLW0603 - there is one process, and it starts once
    if _begun is None and claim_environment(os.environ).started_by_host:
        # Ctrl-C in the server's terminal reaches its plugins too; the server stops them itself, as it does Go plugins.
        # A handler and not SIG_IGN, which child processes would inherit.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, _ignore)
        guard = StdioGuard.install()
        configure_logging("INFO", guard.write_line)
        watch = HostWatch(None, host_stdout_fd=guard.host_stdout_fd, grace_s=_GRACE_S)
        watch.start()
        _begun = ProcessStart(guard, watch)
    return _begun


_begun: ProcessStart | None = None


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing about a signal."""
