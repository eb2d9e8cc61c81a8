"""Brings the log records of a plugin in this process to the host's log, as a process's stderr does.

Whose record it is follows from where it comes: tasks and pool threads of a served plugin inherit the context in which
the plugin was started. A thread that the plugin starts itself has none; there its own logger is known by its name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from contextvars import ContextVar, Token
from typing import Final, Self

from mattermost_plugin._hclog import format_record
from mattermost_plugin.devhost.world import World

__all__ = ["LogBridge", "is_plugins_code"]

__tracebackhide__ = True  # pytest shows the line of the test

_PLUGIN: Final[ContextVar[LogBridge | None]] = ContextVar("mattermost_plugin_testing_plugin", default=None)

_FAILURES: Final = "mattermost_plugin._failure"
"""The logger that tells of handlers that failed."""


def is_plugins_code() -> bool:
    """Whether the caller is a plugin in this process: a handler, or a task that one has started."""
    return _PLUGIN.get() is not None


class LogBridge(logging.Handler):
    """Takes in the records of one plugin, from any thread.

    Args:
        world: the host's parts.
        plugin_id: the plugin.
        level: lowest level that the plugin logs, as a number.
    """

    def __init__(self, world: World, plugin_id: str, level: int) -> None:
        super().__init__()
        self._world = world
        self._plugin_id = plugin_id
        self._lowest = level
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.last_failure: BaseException | None = None
        """What the last handler that failed has raised."""

    def enter(self) -> Token[LogBridge | None]:
        """Make the current context the plugin's."""
        return _PLUGIN.set(self)

    def open(self) -> Self:
        """Take in records from now on."""
        _ROOT.add(self, self._lowest)
        return self

    def close(self) -> None:
        """Take in no more; legal more than once."""
        _ROOT.remove(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, if it is the plugin's."""
        whose = _PLUGIN.get()
        if whose is not self and (whose is not None or record.name != self._plugin_id):
            return
        if record.levelno < self._lowest:
            return
        if record.name == _FAILURES and isinstance(record.exc_info, tuple):
            self.last_failure = record.exc_info[1]
        # As the runtime writes it to a host, and as the host reads it: the same text and values, without secrets.
        line: dict[str, object] = json.loads(format_record(record))
        pairs = {key: value for key, value in line.items() if not key.startswith("@")}
        arguments = (str(line["@level"]), str(line["@message"]), self._plugin_id, pairs)
        if threading.get_ident() == self._loop_thread:
            self._world.log(*arguments)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._world.log, *arguments)


class _Root:
    """The root logger while plugins are served: it lets through what they log, as in a plugin's process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bridges: dict[LogBridge, int] = {}
        self._usual_level = logging.WARNING

    def add(self, bridge: LogBridge, level: int) -> None:
        root = logging.getLogger()
        with self._lock:
            if not self._bridges:
                self._usual_level = root.level
            self._bridges[bridge] = level
            root.addHandler(bridge)
            # A root without a level lets everything through already.
            if root.level > level:
                root.setLevel(level)

    def remove(self, bridge: LogBridge) -> None:
        root = logging.getLogger()
        with self._lock:
            if self._bridges.pop(bridge, None) is None:
                return
            root.removeHandler(bridge)
            if not self._bridges:
                root.setLevel(self._usual_level)


_ROOT: Final = _Root()
