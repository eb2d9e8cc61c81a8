"""The API stream, on which the plugin calls its server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from google.protobuf.message import Message

from mattermost_plugin._api_wire import PLUGIN_STOPPED, STOPPED_TEXT, CallFailed
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

__all__ = ["StockApi", "is_simple"]

_NOT_THERE: Final = "the server gives its plugin API when it activates the plugin: call it in on_activate or later"
_OVER: Final = "the server's end of the plugin API is gone"
_TOO_LATE: Final = CallFailed("DEADLINE_EXCEEDED", "no answer in time")

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
        special = _SPECIAL.get(method.name)
        if special is not None:
            return await self._send_specially(special, method, request, timeout_s)
        future: asyncio.Future[ResponseT | CallFailed] = self.place.loop.create_future()
        forget = self.begin(method, request, partial(_settle, future))
        if isinstance(forget, CallFailed):
            return forget
        timer = self.place.loop.call_later(timeout_s, _settle, future, _TOO_LATE)
        try:
            return await future
        finally:
            timer.cancel()
            forget()

    def begin(
        self,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        done: Callable[[ResponseT | CallFailed], None],
    ) -> Callable[[], None] | CallFailed:
        """Send a request of a method that `is_simple`, once, without a limit of time.

        Args:
            method: what is called.
            request: its arguments.
            done: is told what came of it, in the turn of the event loop in which it comes. Must not raise.

        Returns:
            A function after which `done` is told nothing more. Or why the request was not sent.
        """
        client = self._usable(method, request)
        if isinstance(client, CallFailed):
            return client
        route = api_route(method.name)

        def tell(reply: Any, error: NetRPCError | None) -> None:
            done(reply if error is None else _failure(error))

        try:
            return partial(
                client.forget, client.begin(route.rpc, request, route.type, tell, route.target, route.source)
            )
        except (GobEncodeError, StreamEndedError) as error:
            return _failure(error)

    def close(self) -> None:
        """End calls that wait, and refuse later ones."""
        self._is_closed = True
        if self._client is not None:
            self._client.close()

    def _usable(self, method: ApiMethod[RequestT, ResponseT], request: RequestT) -> RpcClient | CallFailed:
        """What the request can be sent on, or why it cannot be."""
        if self._is_closed:
            return CallFailed(PLUGIN_STOPPED, STOPPED_TEXT, was_sent=False)
        client = self._attached()
        if client is None:
            return CallFailed(PLUGIN_STOPPED, _NOT_THERE, was_sent=False)
        if client.failure is not None:
            return CallFailed(PLUGIN_STOPPED, f"{_OVER}: {client.failure}", was_sent=False)
        return refusal(method, request) or client

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

    async def _send_specially(
        self, special: _Special, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout_s: float
    ) -> ResponseT | CallFailed:
        client, broker = self._usable(method, request), self._grant.broker
        if isinstance(client, CallFailed):
            return client
        if broker is None:
            return CallFailed(PLUGIN_STOPPED, _NOT_THERE, was_sent=False)
        try:
            async with asyncio.timeout(timeout_s):
                response: Any = await special(client, broker, request)
        except TimeoutError:
            return _TOO_LATE
        except (GobError, NetRPCError, YamuxError) as error:
            return _failure(error)
        return cast("ResponseT", response)


def is_simple(method: ApiMethod[Any, Any]) -> bool:
    """Whether a call of the method is one request and one reply, and nothing beside them."""
    return method.name not in _SPECIAL


def _settle(future: asyncio.Future[ResponseT | CallFailed], outcome: ResponseT | CallFailed) -> None:
    if not future.done():
        future.set_result(outcome)


def _failure(error: Exception) -> CallFailed:
    if isinstance(error, GobEncodeError):
        # Neither has anything of the values in it: the second is of the conversions beside this module.
        reason = error.__cause__ if type(error.__cause__) is ValueError else error.reason
        return CallFailed("INVALID_ARGUMENT", f"an argument cannot be sent: {reason}", was_sent=False)
    if isinstance(error, CallRefusedError):
        return CallFailed("UNIMPLEMENTED" if error.lacks_method else "UNKNOWN", str(error))
    if isinstance(error, StreamEndedError | SessionEndedError):
        return CallFailed(PLUGIN_STOPPED, f"{_OVER}: {error}")
    return CallFailed("DATA_LOSS", str(error))
