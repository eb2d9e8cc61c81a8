"""Keeps one plugin running: starts it, and again after its files have changed or its process has ended."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.dev.own_writes import OwnWrites
from mattermost_plugin.cli.plugin_folders import PluginFolder
from mattermost_plugin.devhost import DevHost, DevHostError, StartError
from mattermost_plugin.devhost.events import Event, PluginChanged
from mattermost_plugin.devhost.manifest import read_manifest
from mattermost_plugin.devhost.plugins import PluginState

__all__ = ["PluginKeeper"]

MOST_RESTARTS: Final = 3
"""How often the server restarts a plugin that does not stay running, within the window, before it gives it up."""

WINDOW_S: Final = 3600.0
"""The server's window for that."""

_NAMED_FILES: Final = 3
"""How many of the changed files are named."""


class PluginKeeper:
    """Keeps one plugin running.

    Args:
        host: the host that it runs on.
        plugin: the plugin.
        name: what it is called in the log.
        watched: whether `change` will be called, for what its user is told.
        now: the time in seconds; default is the machine's.
    """

    def __init__(
        self,
        host: DevHost,
        plugin: PluginFolder,
        name: str,
        *,
        watched: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._plugin = plugin
        self._name = name
        self._watched = watched
        self._now = now
        self._restarts: deque[float] = deque()
        self._own_writes = OwnWrites(now)
        self._news = asyncio.Event()
        self._has_changed = False
        self._has_ended = False
        self._is_given_up = False
        self._ending: asyncio.Task[None] | None = None

    def change(self, files: Sequence[Path]) -> None:
        """Tell that files of the plugin have changed."""
        files, own = self._own_writes.sift(files)
        for file in own:
            self._host.world.log(
                "warn",
                f"{file} changes whenever {self._name} starts, so the plugin seems to write it: its changes do not "
                "count any more. Let the plugin write elsewhere",
            )
        if not files:
            return
        named = ", ".join(map(str, files[:_NAMED_FILES]))
        more = f" and {len(files) - _NAMED_FILES} more" if len(files) > _NAMED_FILES else ""
        self._host.world.log("info", f"{self._name} is restarted: {named}{more} changed")
        self._restarts.clear()
        self._has_changed = True
        self._news.set()

    def give_up(self) -> None:
        """Start the plugin no more, whatever becomes of it: a signal to the whole group ends its process, too."""
        self._is_given_up = True

    async def run(self) -> None:
        """Start the plugin and keep it running until this is cancelled. That leaves a plugin that runs as it is."""
        unsubscribe = self._host.events.subscribe(self._look)
        try:
            while True:
                self._has_changed = self._has_ended = False
                await self._start_or_change()
                await self._wait_for_reason()
        finally:
            unsubscribe()

    def _look(self, event: Event) -> None:
        if not isinstance(event, PluginChanged) or event.plugin_id != self._plugin.plugin_id:
            return
        if event.state in (PluginState.RUNNING.name, PluginState.FAILED_TO_START.name):
            self._own_writes.start_ends()
        if event.state == PluginState.FAILED_TO_STAY_RUNNING.name and not self._is_given_up:
            self._has_ended = True
            self._news.set()

    async def _start_or_change(self) -> None:
        """Start the plugin, but give that up when its files change meanwhile."""
        start = asyncio.create_task(self._start())
        start.add_done_callback(lambda _: self._news.set())
        try:
            while not start.done() and not self._has_changed:
                self._news.clear()
                await self._news.wait()
        finally:
            start.cancel()
            await asyncio.wait({start})
        if not start.cancelled():
            start.result()

    async def _start(self) -> None:
        folder, plugin_id = self._plugin.folder, self._plugin.plugin_id
        self._own_writes.start_begins()
        try:
            await self._end()
            manifest = read_manifest(folder)
            if manifest.id != plugin_id:
                raise StartError(f"plugin.json now has the id {manifest.id!r}: end the command and start it again")
        except DevHostError as error:
            self._host.world.log("error", f"{self._name} does not start: {error}")
            self._advise()
            return
        try:
            await self._host.launch(folder)
        except DevHostError:
            # The log has the reason, from the host's event.
            self._advise()

    async def _end(self) -> None:
        """End the plugin if it runs. That goes on if this is cancelled: a plugin half ended could not be started."""
        if self._host.world.plugins.get(self._plugin.plugin_id) is not None:
            self._ending = asyncio.create_task(self._host.disable(self._plugin.plugin_id))
            await asyncio.shield(self._ending)

    async def _wait_for_reason(self) -> None:
        """Wait until the plugin is to be started again."""
        while True:
            if self._has_changed or (self._has_ended and self._may_restart()):
                return
            self._has_ended = False
            self._news.clear()
            await self._news.wait()

    def _may_restart(self) -> bool:
        now = self._now()
        while self._restarts and self._restarts[0] <= now - WINDOW_S:
            self._restarts.popleft()
        if len(self._restarts) >= MOST_RESTARTS:
            self._host.world.log(
                "error",
                f"{self._name} is not restarted again: it has been {MOST_RESTARTS} times within an hour, "
                "after which a server gives a plugin up",
            )
            self._advise()
            return False
        self._restarts.append(now)
        self._host.world.log(
            "warn",
            f"{self._name} is restarted, as a server does: {len(self._restarts)} of {MOST_RESTARTS} times in an hour",
        )
        return True

    def _advise(self) -> None:
        if self._watched:
            self._host.world.log("info", f"{self._name} is started again when a file in {self._plugin.given} changes")
        else:
            self._host.world.log("info", f"{self._name} stays off: end the command and start it again")
