"""A loaded plugin, as a test handles it."""

from __future__ import annotations

import os
import signal
from typing import ClassVar

from mattermost_plugin.devhost.app.config import plugin_settings_with_defaults
from mattermost_plugin.devhost.plugins import PluginState
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.testing._core import START_TIMEOUT_S
from mattermost_plugin.testing._kv import KeyValues
from mattermost_plugin.testing._server_waiting import ServerWithWaiting
from mattermost_plugin.testing.errors import MisuseError
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["PluginRef", "TestPlugin"]

__tracebackhide__ = True  # pytest shows the line of the test


class TestPlugin:
    """A plugin of the server, in this process or one of its own.

    Attributes:
        id: its id.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    def __init__(self, core: ServerWithWaiting, plugin_id: str) -> None:
        self._core = core
        self.id = plugin_id

    def __repr__(self) -> str:
        return f"<plugin {self.id}>"

    @property
    def instance(self) -> Plugin | None:
        """The plugin's own object; None if it is a process. A restart makes a new one."""
        resident = self._core._control.resident(self.id)
        return None if resident is None else resident.plugin

    @property
    def manifest(self) -> Manifest:
        """What it says about itself."""
        return self._core._read(f"{self.id}.manifest", lambda host: host.plugin(self.id).manifest)

    @property
    def state(self) -> str:
        """ "NOT_RUNNING", "STARTING", "RUNNING", "FAILED_TO_START", "FAILED_TO_STAY_RUNNING" or "STOPPING"."""
        return self._core._read(f"{self.id}.state", lambda host: host.plugin(self.id).state.name)

    @property
    def is_running(self) -> bool:
        """Whether it is active."""
        return self.state == PluginState.RUNNING.name

    @property
    def error(self) -> str:
        """Why it does not run; "" if nothing is wrong."""
        return self._core._read(f"{self.id}.error", lambda host: host.plugin(self.id).error)

    @property
    def hooks(self) -> frozenset[str]:
        """Go names of the hooks that it has."""
        return self._core._read(f"{self.id}.hooks", lambda host: host.plugin(self.id).hooks)

    @property
    def kv(self) -> KeyValues:
        """Its keys and values."""
        return KeyValues(self._core, self.id)

    @property
    def config(self) -> dict[str, object]:
        """Its settings as it loads them: the manifest's defaults and what was set, with keys in lower case."""
        return self._core._read(
            f"{self.id}.config",
            lambda host: dict(plugin_settings_with_defaults(host.world, host.plugin(self.id).manifest)),
        )

    def is_healthy(self) -> bool:
        """Whether it answers the server's health check."""
        return self._core._act(f"{self.id}.is_healthy()", lambda host: host.is_healthy(self.id), settles=False)

    # Processes

    @property
    def pid(self) -> int | None:
        """The id of its process; None if it has none."""
        return self._core._read(f"{self.id}.pid", lambda host: host.pid(self.id))

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """Send its process a signal.

        Raises:
            MisuseError: it has no process.
        """
        pid = self.pid
        if pid is None:
            raise MisuseError(f"{self.id} has no process of its own: start it with launch(folder)")
        os.kill(pid, signal_number)

    def wait_ended(self) -> str:
        """Wait until its process has ended by itself or was killed.

        Returns:
            How it ended: exit code or signal, and the end of its log.

        Raises:
            DeadlineError: it still runs.
        """
        ended = (PluginState.FAILED_TO_STAY_RUNNING.name, PluginState.NOT_RUNNING.name)
        self._core.wait_until(
            lambda: self.state in ended, f"the end of {self.id}", timeout_s=self._core._at_least(START_TIMEOUT_S)
        )
        return self.error


PluginRef = TestPlugin | Plugin | str | None
"""A plugin: the handle, the object, its id, or None for the only one that is loaded."""
