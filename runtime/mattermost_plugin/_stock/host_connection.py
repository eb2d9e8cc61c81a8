"""The host's connection: which of its streams is which."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._gob import PLAIN, Target
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._gob.go_types import UINT32
from mattermost_plugin._handler_pool import STUCK_TEXT
from mattermost_plugin._netrpc import Call, no_such_method
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.hook_service import HookService
from mattermost_plugin._stock.late_registry import LateRegistry
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import Role, YamuxError

__all__ = ["HostConnection"]

_log = logging.getLogger(__name__)

_CONTROL: Final = frozenset({"Dispenser.Dispense", "Control.Ping", "Control.Quit"})
_SERVICES: Final = frozenset({"Dispenser", "Control"})
_PLUGIN_KIND: Final = "hooks"
_FIXED_STREAMS: Final = 3
"""The host's first streams: control, stdout, stderr. They are told apart by their order alone."""

_MAX_DISPENSED: Final = 16
"""Hooks streams that the host has asked for and not dialled. It asks for one."""


class HostConnection:
    """One connection. A host opens one, after an empty one if it was told to attach to a running plugin.

    Args:
        plugin: the plugin.
        gob_limits: the bounds of what the host sends.
        begun: called when the host opens its first stream. False: another connection is the host's, and this one ends.
        attach_api: is given the streams of the plugin API and of the database.
        quit_asked: called when the host asks the plugin to end.
        failed: called with the reason when the stream of the hooks or of the host's control has failed.
        lost: called when the connection is over, with the reason, or None if there was no fault.
    """

    def __init__(
        self,
        plugin: BoundPlugin,
        gob_limits: GobLimits,
        begun: Callable[[HostConnection], bool],
        attach_api: Callable[[MuxStream, MuxStream], None],
        quit_asked: Callable[[], None],
        failed: Callable[[str], None],
        lost: Callable[[HostConnection, Exception | None], None],
    ) -> None:
        self.mux = MuxConnection(Role.SERVER, self._stream_opened, self._connection_lost)
        self.broker = MuxBroker(self.mux)
        self.hooks = HookService(plugin, self.broker, attach_api)
        self._plugin = plugin
        self._gob_limits = gob_limits
        self._begun = begun
        self._quit_asked = quit_asked
        self._failed = failed
        self._lost = lost
        self._opened = 0
        self._output: list[MuxStream] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Send what is still to be sent and end the connection."""
        self.broker.close()
        for task in self._tasks:
            task.cancel()
        self.mux.close()

    def _stream_opened(self, stream: MuxStream) -> None:
        self._opened += 1
        if self._opened == 1 and not self._begun(self):
            self.mux.close()
        elif self._opened == 1:
            stream.accept()
            RpcServer(stream, "control", _choose_control, self._control, failed=self._failed, gob_limits=GobLimits())
        elif self._opened <= _FIXED_STREAMS:
            # Output goes to the process's own stderr, where the host reads levels and fields.
            stream.accept()
            self._output.append(stream)
        else:
            self.broker.take(stream)

    def _control(self, server: RpcServer, call: Call, body: object) -> None:
        """Answered at once and not in a task: pings come while everything else may be busy."""
        if call.method == "Dispenser.Dispense":
            self._dispense(server, call, body)
        elif call.method == "Control.Quit":
            server.reply(call)
            self._quit_asked()
        elif self._plugin.is_stuck:
            server.fail(call, STUCK_TEXT)
        else:
            server.reply(call)

    def _dispense(self, server: RpcServer, call: Call, kind: object) -> None:
        if kind != _PLUGIN_KIND:
            server.fail(call, f"unknown plugin type: {kind if isinstance(kind, str) else ''}")
            return
        if len(self._tasks) >= _MAX_DISPENSED:
            server.fail(call, "the plugin was asked for and not dialled too often")
            return
        number = self.broker.next_id()
        task = asyncio.create_task(self._serve_hooks(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        server.reply(call, number, UINT32)

    async def _serve_hooks(self, number: int) -> None:
        try:
            stream = await self.broker.accept(number)
        except YamuxError as error:
            _log.error("the hooks cannot be served: %s", error)
            return
        hooks = self.hooks
        RpcServer(
            stream,
            "hooks",
            hooks.choose,
            hooks.handle,
            give_up=hooks.give_up,
            failed=self._failed,
            registry=LateRegistry(),
            gob_limits=self._gob_limits,
        )

    def _connection_lost(self, reason: Exception | None) -> None:
        self.broker.close()
        self._lost(self, reason)


def _choose_control(method: str) -> Target[object]:
    if method not in _CONTROL:
        raise no_such_method(method, _SERVICES)
    return PLAIN
