"""ServeHTTP and ServeMetrics: the request comes in the call, its body and the response in streams of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._http_exchange import HTTPExchange
from mattermost_plugin._http_stream import RequestHead
from mattermost_plugin._netrpc import Call
from mattermost_plugin._start_task import start_task
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.http_response import HostResponse
from mattermost_plugin._stock.io_reader import StreamedContent
from mattermost_plugin._stock.plain import mapping_of, number_of, text_of
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._yamux import YamuxError
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.models import PluginContext

__all__ = ["HTTPService"]

_log = logging.getLogger(__name__)

_MAX_LENGTH_DIGITS: Final = 18


class HTTPService:
    """Answers the HTTP requests that the host passes on.

    Args:
        plugin: the plugin.
        broker: reaches the streams of the requests.
    """

    def __init__(self, plugin: BoundPlugin, broker: MuxBroker) -> None:
        self._plugin = plugin
        self._broker = broker

    def start(self, server: RpcServer, call: Call, hook: HookName, arguments: object) -> asyncio.Task[None] | None:
        """Answer a request, and the call that brought it.

        Returns:
            The task that does it; None if the call has its answer.
        """
        fields = mapping_of(arguments)
        request = mapping_of(fields.get("Request"))
        if not request:
            server.fail(call, "the plugin cannot use the request: it has none of the fields of one")
            return None
        body = number_of(fields, "RequestBodyStream")
        head = _request_head(request, has_body=body != 0)
        response: HostResponse | None = None
        try:
            # At once: the host gives a stream up 5 s after it has sent the call.
            response = HostResponse(self._broker, number_of(fields, "ResponseWriterStream"))
            source = StreamedContent(self._broker, body, head.content_length if head.content_length >= 0 else None)
        except YamuxError as error:
            if response is not None:
                response.give_up()
            server.fail(call, f"the request's streams cannot be reached: {error}")
            return None
        context = _context(mapping_of(fields.get("Context")))
        exchange = HTTPExchange(head, context, source, response, label=hook, logger=_log)
        answer = self._answer(server, call, hook, exchange, source, response)
        return start_task(answer, asyncio.get_running_loop(), f"{hook} request")

    async def _answer(
        self,
        server: RpcServer,
        call: Call,
        hook: HookName,
        exchange: HTTPExchange,
        source: StreamedContent,
        response: HostResponse,
    ) -> None:
        problem = ""
        try:
            handler = self._plugin.http_handler(self._plugin.http[hook])
            if not (await exchange.run(handler) or await response.cut_off()):
                problem = "the response is cut off"
            source.close()
            # The reply leaves in the turn in which the host has taken the rest: the client waits for it.
            await response.close(partial(_reply, server, call, problem))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # Otherwise the client has gone, and nobody reads an answer.
            if task is not None and task.cancelling():
                task.uncancel()
                problem = "the plugin ends"
                await response.cut_off()
            await response.close(partial(_reply, server, call, problem))
        finally:
            source.close()
            await response.close()


def _reply(server: RpcServer, call: Call, problem: str) -> None:
    if problem:
        server.fail(call, problem)
    else:
        server.reply(call)


def _request_head(fields: Mapping[str, object], *, has_body: bool) -> RequestHead:
    headers = mapping_of(fields.get("Header"))
    url = fields.get("URL")
    return RequestHead(
        method=text_of(fields, "Method"),
        url=url.decode(errors="replace") if isinstance(url, bytes) else "",
        proto=text_of(fields, "Proto"),
        proto_major=number_of(fields, "ProtoMajor"),
        proto_minor=number_of(fields, "ProtoMinor"),
        headers=[(name, values) for name, values in headers.items() if isinstance(values, list)],
        host=text_of(fields, "Host"),
        remote_addr=text_of(fields, "RemoteAddr"),
        request_uri=text_of(fields, "RequestURI"),
        content_length=_content_length(headers) if has_body else 0,
    )


def _content_length(headers: Mapping[str, object]) -> int:
    """The length that the client has announced; -1 if it has not. The call has no field for it."""
    values = headers.get("Content-Length")
    text = values[0] if isinstance(values, list) and values else ""
    is_number = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if is_number else -1


def _context(fields: Mapping[str, object]) -> PluginContext:
    return PluginContext(
        session_id=text_of(fields, "SessionId"),
        connection_id=text_of(fields, "ConnectionId"),
        request_id=text_of(fields, "RequestId"),
        ip_address=text_of(fields, "IPAddress"),
        accept_language=text_of(fields, "AcceptLanguage"),
        user_agent=text_of(fields, "UserAgent"),
    )
