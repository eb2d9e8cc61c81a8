"""Hosts of either wire, in the test's process, that talk in the contract's messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from mattermost_plugin import HookName, Plugin
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer
from tests.conformance.http_seen import HTTPAsked, HTTPSeen
from tests.conformance.recorder import Recorder
from tests.conformance.server_api import ServerApi

WIRES: tuple[WireName, ...] = ("grpc", "netrpc")

PATIENCE_S = 30
"""Far more than anything here takes."""


class NotAnsweredError(Exception):
    """A hook was answered with an error of the protocol; its text is the argument."""


class Host(Protocol):
    """A host with one plugin.

    Attributes:
        server: what serves the plugin; only if that is in this process.
    """

    server: PluginServer

    async def implemented(self) -> list[str]:
        """The hooks that the plugin says it has."""
        ...

    async def hook(self, name: HookName, request: Any) -> Any:
        """Call a hook.

        Returns:
            The response, as what the host has after it has taken the plugin's reply.

        Raises:
            NotAnsweredError: there is none.
        """
        ...

    async def http(self, name: HookName, asked: HTTPAsked) -> HTTPSeen:
        """Pass an HTTP request on."""
        ...

    async def ping(self) -> str:
        """Ask after the plugin's health. Gives the text of the answer's error, "" for none."""
        ...

    async def quit(self) -> None:
        """Ask the plugin to end."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


@asynccontextmanager
async def hosted(
    wire: WireName,
    plugin: Plugin | type[Plugin],
    config: RuntimeConfig | None = None,
    *,
    api: ServerApi | None = None,
    activate: bool = True,
) -> AsyncIterator[Host]:
    """A plugin with a host, active unless told otherwise.

    Args:
        wire: what they speak.
        plugin: the plugin, or its class.
        config: the runtime's settings.
        api: the plugin API, for plugins that call it.
        activate: whether it is active.
    """
    # Each pays for its own wire alone.
    if wire == "grpc":
        from tests.conformance.grpc_host import hosted_by_grpc as hosted_by
    else:
        from tests.conformance.stock_host import hosted_by_stock as hosted_by
    async with asyncio.timeout(PATIENCE_S), hosted_by(plugin, config or RuntimeConfig(), api) as host:
        if activate:
            activated = await host.hook(HookName.OnActivate, _activation())
            assert not activated.HasField("error"), activated
        yield host


def _activation() -> Any:
    from mattermost_pluginapi.hooks.adapters import ADAPTERS

    return ADAPTERS[HookName.OnActivate].request_type()


def recorder_of(host: Host) -> Recorder:
    """The plugin of a host, if it is a recorder."""
    return cast("Recorder", host.server.plugin)
