"""A plugin as a process: started by a host, stopped by it, and gone when the host is gone."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

from mattermost_plugin._handshake import (
    claim_environment,
    explain_not_a_plugin,
    require_supported_host,
    version_problem,
)
from mattermost_plugin._hclog import configure_logging, protect_own_loggers
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin._last_exit import LastExit
from mattermost_plugin._loop_watch import LoopWatch
from mattermost_plugin._plugin_server import PluginServer
from mattermost_plugin._start import ProcessStart, begin_if_started_by_host
from mattermost_plugin.config import RuntimeConfig, load_runtime_config
from mattermost_plugin.errors import ConfigError, HandshakeError
from mattermost_plugin.plugin import Plugin

_log = logging.getLogger(__name__)

_EXIT_MARGIN_S = 0.1
"""What is left for the interpreter's own end, beside the time that handlers and OnDeactivate get."""

_AFTER_STOP_S = 0.3
"""When a process that has stopped serving is ended: what still runs then (the author's threads, atexit functions)
has had its time, and the host waits."""

_ORPHAN_EXIT_S = 1.3
"""When a process whose host has died is ended, whatever it still does: it must be gone within 2 s."""

_ORPHAN_GRACE_S = 1.8
"""When the watch itself ends the process, if even that did not."""

_SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


def run_process(plugin_class: type[Plugin], config: RuntimeConfig | None) -> None:
    """Run `serve_process` on an event loop of its own.

    A `sys.exit` in a task of the author's stops the plugin in good order, too, and ends the process with its code.

    Raises:
        SystemExit: see above, and `serve_process`.
    """
    last_exit = LastExit()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        serving = loop.create_task(serve_process(plugin_class, config, last_exit))
        try:
            loop.run_until_complete(serving)
        except (SystemExit, KeyboardInterrupt) as way_out:
            # asyncio lets only these two out of the loop, whichever task raises them. The loop can go on.
            if serving.done():
                raise
            _log.error("The plugin ends: a task of its own raised %s.", type(way_out).__name__, exc_info=way_out)
            last_exit.choose_code(_exit_code(way_out))
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(serving)
            raise


async def serve_process(
    plugin_class: type[Plugin], config: RuntimeConfig | None, last_exit: LastExit | None = None
) -> None:
    """Serve the plugin until the host is done with it.

    The order at the end: take no more calls, run OnDeactivate if the host has not, let running handlers finish
    within their bound, cancel them, close, remove the socket. A last bound ends the process whatever hangs.

    Raises:
        SystemExit: with code 1, if this is no plugin process, it cannot start, or it has lost its host.
    """
    host = claim_environment(os.environ)
    start = begin_if_started_by_host()
    if start is None:
        _refuse(explain_not_a_plugin(host, sys.argv[0]))
    try:
        require_supported_host(host)
        config = config or load_runtime_config()
        configure_logging(config.log_level, start.guard.write_line)
        if problem := version_problem(host):
            _log.error("%s", problem)
        server = PluginServer(
            plugin_class,
            config,
            socket_folder=host.unix_socket_dir,
            socket_group=host.unix_socket_group,
            wire=_spoken_by(config),
        )
        supervisor = _Supervisor(server, config, start, last_exit or LastExit())
        await supervisor.start()
    except (ConfigError, HandshakeError) as error:
        _log.error("%s", error)
        raise SystemExit(1) from None
    # What was imported stays for good: leave it out of every later collection.
    gc.freeze()
    gc.enable()
    await supervisor.run()


class _Supervisor:
    """Starts the server, and watches host, signals and event loop while it runs."""

    def __init__(self, server: PluginServer, config: RuntimeConfig, start: ProcessStart, last_exit: LastExit) -> None:
        self._server = server
        self._stop_bound_s = config.drain_s + config.deactivate_s + _EXIT_MARGIN_S
        self._loop = asyncio.get_running_loop()
        self._last_exit = last_exit
        self._terminated = False
        self._guard = start.guard
        self._host_watch = start.host_watch
        self._loop_watch = LoopWatch(
            self._loop,
            warn_s=config.loop_block_warn_s,
            exit_s=config.loop_block_exit_s,
            may_exit=lambda: server.is_active,
            labels=server.async_handler_labels,
        )

    async def start(self) -> None:
        """Start the server and tell the host.

        Raises:
            HandshakeError: the host is gone, or wants what cannot be had.
        """
        if not self._host_watch.take_over(self._on_host_death, grace_s=_ORPHAN_GRACE_S):
            raise HandshakeError("The host has gone before the plugin was ready.")
        signal.signal(signal.SIGTERM, self._on_sigterm)
        if self._loop.get_exception_handler() is None:
            self._loop.set_exception_handler(_log_loop_failure)
        line = await self._server.start()
        # Now that all modules of this package are loaded, and before the author's handlers run.
        protect_own_loggers(self._guard.write_line)
        try:
            self._guard.write_handshake(line)
        except HandshakeError:
            await self._server.stop()
            raise

    async def run(self) -> None:
        """Return when the server has stopped.

        Raises:
            SystemExit: with code 1, if the plugin had to give up.
        """
        self._loop_watch.start()
        try:
            await self._server.wait_stop_requested()
        finally:
            # Also if this is cancelled: a task has called sys.exit, or an author ends the plugin so.
            code = 1 if self._server.failure else 0
            self._last_exit.arm(self._stop_bound_s, code)
            self._loop_watch.stop()
            await self._server.stop()
            self._last_exit.arm(_AFTER_STOP_S, code)
            self._host_watch.stop()
        if code:
            raise SystemExit(code)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        if self._terminated:
            os._exit(_SIGTERM_EXIT_CODE)
        self._terminated = True
        self._last_exit.arm(self._stop_bound_s, 0)
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


def _spoken_by(config: RuntimeConfig) -> WireName:
    """The host's protocol. The host that speaks gRPC says where its plugin API listens; the other has a stream for it.

    Nothing else in what they say differs.
    """
    return "grpc" if config.api_target else "netrpc"


def _log_loop_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio has to complain about; its own way prints exceptions, and the secrets in them, as they are."""
    about = context.get("task") or context.get("future")
    name = f"{about.get_name()}, {about.get_coro()!r}" if isinstance(about, asyncio.Task) else ""
    logging.getLogger("asyncio").error("%s (%s)", context["message"], name, exc_info=context.get("exception"))


def _exit_code(way_out: BaseException) -> int:
    """The code with which Python ends for it."""
    code = way_out.code if isinstance(way_out, SystemExit) else 1
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


def _refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(1)
