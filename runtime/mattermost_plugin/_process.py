"""A plugin as a process: started by a host, stopped by it, and gone when the host is gone."""

import asyncio
import gc
import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from mattermost_plugin._handshake import (
    claim_environment,
    explain_not_a_plugin,
    require_supported_host,
    version_problem,
)
from mattermost_plugin._hclog import configure_logging
from mattermost_plugin._host_watch import HostWatch
from mattermost_plugin._last_exit import LastExit
from mattermost_plugin._loop_watch import LoopWatch
from mattermost_plugin._plugin_server import PluginServer
from mattermost_plugin._stdio import StdioGuard
from mattermost_plugin.config import RuntimeConfig, load_runtime_config
from mattermost_plugin.errors import ConfigError, HandshakeError
from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)

_EXIT_MARGIN_S = 0.1
"""What is left for the interpreter's own end, beside the time that handlers and OnDeactivate get."""

_ORPHAN_EXIT_S = 1.3
"""When a process whose host has died is ended, whatever it still does: it must be gone within 2 s."""

_ORPHAN_GRACE_S = 1.8
"""When the watch itself ends the process, if even that did not."""

_SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


async def serve_process(plugin_class: type[Plugin], config: RuntimeConfig | None) -> None:
    """Serve the plugin until the host is done with it.

    The order at the end: take no more calls, run OnDeactivate if the host has not, let running handlers finish
    within their bound, cancel them, close, remove the socket. A last bound ends the process whatever hangs.

    Raises:
        SystemExit: with code 1, if this is no plugin process or it cannot start.
    """
    host = claim_environment(os.environ)
    if not host.started_by_host:
        _refuse(explain_not_a_plugin(host, sys.argv[0]))
    guard = StdioGuard.install()
    configure_logging("INFO", guard.write_line)
    # A handler and not SIG_IGN, which child processes would inherit. Ctrl-C in the server's terminal reaches its
    # plugins too; the server stops them itself, as it does Go plugins.
    signal.signal(signal.SIGINT, _ignore)
    try:
        require_supported_host(host)
        config = config or load_runtime_config()
        configure_logging(config.log_level, guard.write_line)
        if problem := version_problem(host):
            _log.error("%s", problem)
        server = PluginServer(
            plugin_class, config, socket_folder=host.unix_socket_dir, socket_group=host.unix_socket_group
        )
        line = await server.start()
    except (ConfigError, HandshakeError) as error:
        _log.error("%s", error)
        raise SystemExit(1) from None
    guard.write_handshake(line)
    # What was imported stays for good: leave it out of every later collection.
    gc.freeze()
    gc.enable()
    await _Supervisor(server, config, guard).run()


class _Supervisor:
    """Watches host, signals and event loop while the server runs."""

    def __init__(self, server: PluginServer, config: RuntimeConfig, guard: StdioGuard) -> None:
        self._server = server
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._last_exit = LastExit()
        self._terminated = False
        self._host_watch = HostWatch(self._on_host_death, host_stdout_fd=guard.host_stdout_fd, grace_s=_ORPHAN_GRACE_S)
        self._loop_watch = LoopWatch(
            self._loop,
            warn_s=config.loop_block_warn_s,
            exit_s=config.loop_block_exit_s,
            may_exit=lambda: server.is_active,
            labels=server.async_handler_labels,
        )

    async def run(self) -> None:
        signal.signal(signal.SIGTERM, self._on_sigterm)
        self._host_watch.start()
        self._loop_watch.start()
        await self._server.wait_stop_requested()
        self._last_exit.arm(self._config.drain_s + self._config.deactivate_s + _EXIT_MARGIN_S, 0)
        self._loop_watch.stop()
        await self._server.stop()

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        if self._terminated:
            os._exit(_SIGTERM_EXIT_CODE)
        self._terminated = True
        self._last_exit.arm(self._config.drain_s + self._config.deactivate_s + _EXIT_MARGIN_S, 0)
        self._ask_to_stop()

    def _on_host_death(self, reason: str) -> None:
        self._last_exit.arm(_ORPHAN_EXIT_S, 1)
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._server.request_stop)
        except RuntimeError:
            # The loop is closed: the plugin is ending already.
            _log.debug("Asked to stop after the event loop had ended")


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing about a signal."""


def _refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(1)
