"""Runs a handler for one HTTP request and brings its response to an end, for every wire."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from mattermost_plugin._exits import contain_exit
from mattermost_plugin._http_response import ResponseSink, StreamedResponse
from mattermost_plugin._http_stream import ChunkSource, RequestHead, StreamedBody, StreamedRequest
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin._start_task import start_task
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin.errors import ClientDisconnected, RequestAborted
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext

# Fixed texts: what a handler's exception says is for the plugin's log, never for the client.
BAD_REQUEST: Final = (400, "Bad Request\n")
SERVER_ERROR: Final = (500, "Internal Server Error\n")

MOUNT_ATTRIBUTE: Final = "__mattermost_asgi__"
"""Where a handler function keeps the ASGI application that it stands for."""

HTTPHandler: TypeAlias = Callable[[PluginContext, ResponseWriter, HTTPRequest], Awaitable[None]]
"""What answers a request; it returns or raises when it is done."""


class HTTPExchange:
    """One request with its response. Made on the event loop; `run` is called once.

    Args:
        label: what log lines call the exchange, such as "ServeHTTP".
    """

    def __init__(
        self,
        head: RequestHead,
        context: PluginContext,
        source: ChunkSource,
        sink: ResponseSink,
        *,
        label: str,
        logger: logging.Logger,
    ) -> None:
        self._bridge = LoopBridge()
        self._disconnected = asyncio.Event()
        body = StreamedBody(source, self._bridge)
        self.request = StreamedRequest(head, context, body, self._disconnected)
        self.writer = StreamedResponse(sink, self._bridge, self._disconnected)
        self._label = label
        self._logger = logger

    async def run(self, handler: HTTPHandler) -> bool:
        """Let the handler answer, and log its failure.

        The handler runs in a task of its own. When the client goes, which the wire tells by cancelling this
        coroutine, request and writer know it before the handler is cancelled; `run` then waits for the handler.

        Returns:
            False: the response is cut off, and the wire must end the call with an error to say so.

        Raises:
            asyncio.CancelledError: the client has gone; there is nobody to answer.
        """
        task = start_task(self._handle(handler), asyncio.get_running_loop(), f"{self._label} handler")
        settling = False
        try:
            if not task.done():
                await asyncio.wait((task,))
            settling = True
            whole = await self._settle(task)
        except asyncio.CancelledError:
            self._disconnected.set()
            if not settling:
                await self._end_handler(task)
            raise
        finally:
            self._bridge.close()
        if self._disconnected.is_set() and not self.writer.is_complete:
            raise asyncio.CancelledError("the client has gone")
        return whole

    async def _handle(self, handler: HTTPHandler) -> None:
        REQUEST_ID.set(self.request.context.request_id)
        await contain_exit(handler(self.request.context, self.writer, self.request))

    async def _settle(self, task: asyncio.Task[None]) -> bool:
        if task.cancelled():
            self._logger.warning("%s: the handler was cancelled", self._label)
            return await self.writer.fail(*SERVER_ERROR)
        error = task.exception()
        if error is None:
            return await self.writer.finish()
        if _is_departure(error):
            self._log_departure(error)
            # The host may have given up on the body only, and still wait for a response.
            return await self.writer.fail(*BAD_REQUEST)
        self._log_failure(error)
        return await self.writer.fail(*SERVER_ERROR)

    async def _end_handler(self, task: asyncio.Task[None]) -> None:
        if not task.done():
            task.cancel()
            await outlast(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            if _is_departure(error):
                self._logger.debug("%s: the client has gone", self._label, exc_info=error)
            else:
                self._log_failure(error)

    def _log_departure(self, error: BaseException) -> None:
        is_http_1 = self.request.proto_major < 2
        if is_http_1 and self.writer.header_sent and not isinstance(error, ClientDisconnected):
            self._logger.warning(
                "%s: the request ended early: %s, or it was read too late: when the response begins, the server drops "
                "what is unread of a body, over HTTP/1; read it before the first write",
                self._label,
                error,
            )
        else:
            self._logger.info("%s: the request ended early: %s", self._label, error)

    def _log_failure(self, error: BaseException) -> None:
        context = self.request.context
        self._logger.error(
            "%s: the handler failed (request %s)", self._label, context.request_id or "without id", exc_info=error
        )


async def outlast(task: asyncio.Task[object]) -> None:
    """Wait for the task, however long it takes; a cancellation of the caller is passed on to it."""
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()


def _is_departure(error: BaseException) -> bool:
    """Whether the error, or all of a group, says no more than that the client left or gave up on its body."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_departure(part) for part in error.exceptions)
    return isinstance(error, (RequestAborted, ClientDisconnected))
