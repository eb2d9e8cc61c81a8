"""The API stream, on which the plugin calls its server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._api_wire import PLUGIN_STOPPED, CallFailed
from mattermost_plugin._gob import GobEncodeError, GobError
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin._netrpc import NetRPCError, StreamEndedError
from mattermost_plugin._stock.api_grant import ApiGrant
from mattermost_plugin._stock.api_routes import api_route, refusal
from mattermost_plugin._stock.api_streams import install_plugin, plugin_http, upload_data
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._stock.struct_sources import registry
from mattermost_plugin._yamux import SessionEndedError, YamuxError
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

__all__ = ["StockApi"]

_NOT_THERE: Final = "the server gives its plugin API when it activates the plugin: call it in on_activate or later"
_OVER: Final = "the server's end of the plugin API is gone"
_NO_METHOD: Final = "rpc: can't find method"

_Special = Callable[[RpcClient, MuxBroker, Any], Awaitable[Message]]

_SPECIAL: Final[dict[str, _Special]] = {
    "InstallPlugin": install_plugin,
    "PluginHTTP": plugin_http,
    "UploadData": upload_data,
}
"""Methods whose content travels in streams of its own."""


class StockApi:
    """Sends API calls, on the plugin's event loop.

    Args:
        place: where that runs.
        grant: the streams that the host has given.
        gob_limits: the bounds of what the host sends.
        failed: called with the reason when the stream has ended, which no call survives: the host opens no other.
    """

    def __init__(self, place: LoopPlace, grant: ApiGrant, gob_limits: GobLimits, failed: Callable[[str], None]) -> None:
        self.place = place
        self._grant = grant
        self._gob_limits = gob_limits
        self._failed = failed
        self._stream: MuxStream | None = None
        self._client: RpcClient | None = None
        self._is_closed = False

    async def send(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float
    ) -> ResponseT | CallFailed:
        """Send a request, once, and return what came of it."""
        if self._is_closed:
            return CallFailed(PLUGIN_STOPPED, "the plugin has stopped", was_sent=False)
        client, broker = self._attached(), self._grant.broker
        if client is None or broker is None:
            return CallFailed(PLUGIN_STOPPED, _NOT_THERE, was_sent=False)
        if client.end is not None:
            return CallFailed(PLUGIN_STOPPED, f"{_OVER}: {client.end}", was_sent=False)
        if (refused := refusal(method, request)) is not None:
            return refused
        try:
            async with asyncio.timeout(timeout_s):
                response: ResponseT = await self._call(client, broker, method, request)
                return response
        except TimeoutError:
            return CallFailed("DEADLINE_EXCEEDED", "no answer in time")
        except (GobError, NetRPCError, YamuxError) as error:
            return _failure(error)

    def close(self) -> None:
        """End calls that wait, and refuse later ones."""
        self._is_closed = True
        if self._client is not None:
            self._client.close()

    def _attached(self) -> RpcClient | None:
        """The calls on the stream of the last activation."""
        stream = self._grant.api
        if stream is not None and stream is not self._stream:
            if self._client is not None:
                self._client.close()
            self._stream = stream
            self._client = RpcClient(stream, registry(), self._gob_limits, lost=partial(self._lost, stream))
        return self._client

    def _lost(self, stream: MuxStream, reason: StreamEndedError) -> None:
        # Not if the host ends the stream of an earlier activation, as it does once that is closed here.
        if stream is self._grant.api:
            self._failed(f"the stream of the plugin API: {reason}")

    async def _call(
        self, client: RpcClient, broker: MuxBroker, method: ApiMethod[RequestT, ResponseT], request: RequestT
    ) -> Any:
        # Any: what the method's own target makes is its response.
        special = _SPECIAL.get(method.name)
        if special is not None:
            return await special(client, broker, request)
        route = api_route(method.name)
        return await client.call(route.rpc, request, route.type, route.target, route.source)


def _failure(error: Exception) -> CallFailed:
    if isinstance(error, GobEncodeError):
        # Neither has anything of the values in it: the second is of the conversions beside this module.
        reason = error.__cause__ if type(error.__cause__) is ValueError else error.reason
        return CallFailed("INVALID_ARGUMENT", f"an argument cannot be sent: {reason}", was_sent=False)
    if isinstance(error, CallRefusedError):
        text = str(error)
        return CallFailed("UNIMPLEMENTED" if text.startswith(_NO_METHOD) else "UNKNOWN", text)
    if isinstance(error, StreamEndedError | SessionEndedError):
        return CallFailed(PLUGIN_STOPPED, f"{_OVER}: {error}")
    return CallFailed("DATA_LOSS", str(error))
