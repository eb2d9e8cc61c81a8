"""One plugin from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from mattermost_plugin.devhost._grpc_api_server import ApiServer, Network
from mattermost_plugin.devhost._grpc_plugin_link import GrpcPluginLink
from mattermost_plugin.devhost.errors import StartError
from mattermost_plugin.devhost.events import PluginChanged
from mattermost_plugin.devhost.handshake import target_of
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.manifest import executable_of
from mattermost_plugin.devhost.plugins import InstalledPlugin, PluginState
from mattermost_plugin.devhost.process import EXIT_PATIENCE_S, PluginProcess
from mattermost_plugin.devhost.service import ApiService
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import AppError
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import (
    OnActivateRequest,
    OnActivateResponse,
    OnDeactivateRequest,
    OnDeactivateResponse,
)

__all__ = ["START_GIVEN_UP", "PluginRunner"]

START_GIVEN_UP: Final = "the start was given up"
"""Reason of a start that was cancelled."""

_MAY_START: Final = (PluginState.NOT_RUNNING, PluginState.FAILED_TO_START, PluginState.FAILED_TO_STAY_RUNNING)


class PluginRunner:
    """Starts a plugin, watches it and ends it.

    Args:
        world: the host's parts.
        plugin: the plugin.
        network: where the plugin reaches the API.
    """

    def __init__(self, world: World, plugin: InstalledPlugin, network: Network) -> None:
        self._world = world
        self.plugin = plugin
        self._api = ApiServer(ApiService(world, plugin), network)
        self._link: GrpcPluginLink | None = None
        self._process: PluginProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Id of the plugin's process, None if it has none."""
        return None if self._process is None else self._process.pid

    async def open_api(self) -> None:
        """Serve the API to the plugin; nothing happens if that is done."""
        if not self.plugin.api_target:
            self.plugin.api_target = await self._api.start()

    async def launch(self) -> None:
        """Start the plugin's process and activate it.

        Raises:
            StartError: it does not start.
        """
        async with self._changing:
            self._begin()
            try:
                await self.open_api()
                executable = executable_of(self.plugin.folder, self.plugin.manifest)
                self._process = await PluginProcess.spawn(
                    self.plugin.folder, executable, self.plugin.api_target, self._log
                )
                await self._connect(await self._process.read_handshake())
            except StartError as error:
                await self._fail(str(error))
                raise
            except asyncio.CancelledError:
                await self._fail(START_GIVEN_UP)
                raise
            self._watch = asyncio.create_task(self._watch_process(self._process))

    async def attach(self, handshake_line: str) -> None:
        """Take a plugin that is served already, and activate it.

        Args:
            handshake_line: says where.

        Raises:
            StartError: it cannot be reached or does not activate.
        """
        async with self._changing:
            self._begin()
            try:
                await self.open_api()
                await self._connect(handshake_line)
            except StartError as error:
                await self._fail(str(error))
                raise

    def _begin(self) -> None:
        if self.plugin.state not in _MAY_START:
            raise StartError(f"{self.plugin.plugin_id} runs already")
        self.plugin.handshake, self.plugin.exit_code = "", None
        self._become(PluginState.STARTING)

    async def _connect(self, handshake_line: str) -> None:
        self.plugin.handshake = handshake_line
        self._link = self.plugin.link = GrpcPluginLink(target_of(handshake_line))
        self._link.open_streams()
        try:
            self.plugin.hooks = await self._link.implemented()
            if "OnActivate" in self.plugin.hooks:
                response = await self._world.hooks.ask(self.plugin, OnActivateRequest())
                if isinstance(response, OnActivateResponse) and response.HasField("error"):
                    raise StartError(f"OnActivate failed: {_text(response.error)}")
        except HookFailedError as error:
            raise StartError("\n".join([str(error), *await self._last_words()])) from error
        self._become(PluginState.RUNNING)

    async def _last_words(self) -> list[str]:
        """What a process that did not answer has said, and how it ended if it did."""
        if self._process is None:
            return []
        with contextlib.suppress(TimeoutError):
            # A connection breaks before its process can be seen to have ended, and the end says more.
            async with asyncio.timeout(EXIT_PATIENCE_S):
                await self._process.wait_end()
        return self._process.last_lines if self._process.exit_code is None else [self._process.how_it_ended()]

    async def _fail(self, reason: str) -> None:
        await self._release()
        self._become(PluginState.FAILED_TO_START, reason)

    async def stop(self) -> None:
        """Deactivate the plugin and end its process; nothing happens to one that does not run."""
        async with self._changing:
            if self.plugin.state is not PluginState.RUNNING:
                return
            # From here on no other hook comes.
            self._become(PluginState.STOPPING)
            if "OnDeactivate" in self.plugin.hooks:
                await self._deactivate()
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None
            if self._link is not None:
                await self._link.shutdown()
            if self._process is not None:
                await self._process.end()
            await self._release()
            self._become(PluginState.NOT_RUNNING)

    async def _deactivate(self) -> None:
        response = await self._world.hooks.try_ask(self.plugin, OnDeactivateRequest())
        if isinstance(response, OnDeactivateResponse) and response.HasField("error"):
            self._world.log("error", f"OnDeactivate of {self.plugin.plugin_id} failed: {_text(response.error)}")

    async def close(self) -> None:
        """End the plugin and the API that it was served."""
        await self.stop()
        await self._api.stop()
        self.plugin.api_target = ""

    def abandon(self) -> None:
        """Leave no files behind, for a process that ends at once."""
        self._api.remove_socket()

    async def is_healthy(self) -> bool:
        """Ping the plugin."""
        return self._link is not None and await self._link.is_healthy()

    async def _watch_process(self, process: PluginProcess) -> None:
        await process.wait_end()
        async with self._changing:
            if self.plugin.state is PluginState.RUNNING and self._process is process:
                reason = process.how_it_ended()
                self._world.log("error", f"{self.plugin.plugin_id} has ended by itself: {reason}")
                self._watch = None
                await self._release()
                self._become(PluginState.FAILED_TO_STAY_RUNNING, reason)

    async def _release(self) -> None:
        """Let go of what a run had; the state that the plugin has made stays."""
        link, self._link, self.plugin.link = self._link, None, None
        process, self._process = self._process, None
        self.plugin.hooks = frozenset()
        self.plugin.commands.clear()
        if process is not None:
            await process.kill()
            self.plugin.exit_code = process.exit_code
        if link is not None:
            await link.close()

    def _become(self, state: PluginState, reason: str = "") -> None:
        self.plugin.state, self.plugin.error = state, reason
        changed = PluginChanged(
            at_ms=self._world.now_ms(), plugin_id=self.plugin.plugin_id, state=state.name, reason=reason
        )
        self._world.events.publish(changed)

    def _log(self, level: str, message: str, pairs: object) -> None:
        values = pairs if isinstance(pairs, dict) else {}
        self._world.log(level, message, self.plugin.plugin_id, values)


def _text(error: AppError) -> str:
    return error.detailed_error or error.message or error.id
