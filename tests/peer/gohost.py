"""Drives `tests/gohost`: a real go-plugin host that plays the Mattermost server.

The host is a Go program that takes commands as JSON lines; its `main.go` lists
them. `GoHost` builds and runs it, `GoPlugin` is one plugin that it has started.
All methods block, may be called from several threads at once and end by their
time-out. Linux only: processes are watched through pidfds.

    with GoHost(descriptors) as host:
        plugin = host.start([sys.executable, "plugin.py"])
        assert plugin.call("OnActivate").ok
        with closing(plugin.http_front().connect()) as connection:
            connection.request("GET", "/")
        assert plugin.kill().graceful
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peer.gohost_link import BUILD_DIR, HostLink, ProcessWatch, build_gohost
from tests.peer.gohost_plugin import GoPlugin, GoStream, HTTPFront, StartError, exit_status, millis
from tests.peer.gohost_results import (
    BenchResult,
    CallResult,
    CommandError,
    ExitStatus,
    GoHostError,
    HealthResult,
    HostDiedError,
    HostTimeoutError,
    KillResult,
    LogRecord,
    PingResult,
    PluginOutput,
    RawResult,
    RPCError,
    StreamResult,
)

__all__ = [
    "START_TIMEOUT_S",
    "BenchResult",
    "CallResult",
    "CommandError",
    "ExitStatus",
    "GoHost",
    "GoHostError",
    "GoPlugin",
    "GoStream",
    "HTTPFront",
    "HealthResult",
    "HostDiedError",
    "HostTimeoutError",
    "KillResult",
    "LogRecord",
    "PingResult",
    "PluginOutput",
    "ProcessWatch",
    "RPCError",
    "RawResult",
    "StartError",
    "StreamResult",
    "build_gohost",
]

START_TIMEOUT_S = 10.0  # what the Mattermost host allows a Python plugin


class GoHost:
    """A running host.

    Leaving the context kills its plugins, those too that have outlived a killed host.

    Args:
        descriptors: The serialized FileDescriptorSet of the plugin protos, with imports.
        build_dir: Where the host's executable is built.
    """

    def __init__(self, descriptors: Path, build_dir: Path = BUILD_DIR) -> None:
        self._link = HostLink(descriptors, build_dir)
        self._plugins: list[GoPlugin] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The pid of the host itself: the parent of the plugins."""
        return self._link.pid

    def start(
        self,
        cmd: Sequence[str],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        start_timeout: float = START_TIMEOUT_S,
        protocol_version: int | None = None,
        protocol_versions: Sequence[int] | None = None,
        cookie: str | None = None,
        auto_mtls: bool = False,
        multiplex: bool = False,
        skip_host_env: bool = False,
    ) -> GoPlugin:
        """Starts a plugin and connects to it; no hook is called (see `GoPlugin.activate`).

        Args:
            cmd: Program and arguments.
            env: Variables that override the host's own; None removes one.
            cwd: Working directory.
            start_timeout: Seconds that go-plugin waits for the handshake line.
            protocol_version: In place of 1.
            protocol_versions: Offer several.
            cookie: A wrong value for MATTERMOST_PLUGIN.
            auto_mtls: Ask for go-plugin's mutual TLS.
            multiplex: Ask for broker multiplexing.
            skip_host_env: Only `env` and go-plugin's own variables.

        Raises:
            StartError: go-plugin did not accept the plugin.
        """
        answer, error = self._link.request_both(
            "start",
            start_timeout,
            {
                "cmd": list(cmd),
                "env": env,
                "dir": None if cwd is None else str(cwd),
                "start_timeout_ms": millis(start_timeout),
                "protocol_version": protocol_version,
                "protocol_versions": protocol_versions,
                "cookie": cookie,
                "auto_mtls": auto_mtls,
                "multiplex": multiplex,
                "skip_host_env": skip_host_env,
            },
        )
        if error and not answer.text("plugin"):
            raise CommandError(f"start: {error}")
        plugin = GoPlugin(self._link, answer)
        self._plugins.append(plugin)
        if error:
            raise StartError(error, plugin, exit_status(answer))
        return plugin

    def kill_host(self) -> None:
        """SIGKILL for the host itself. Its plugins are told nothing; `GoPlugin.process` watches them."""
        self._link.kill()

    def close(self) -> None:
        """Ends the host and every plugin. Again is harmless."""
        self._link.close()
        for plugin in self._plugins:
            plugin.process.kill()
            plugin.process.close()
        self._plugins.clear()
