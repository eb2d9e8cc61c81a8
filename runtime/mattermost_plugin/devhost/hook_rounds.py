"""Calls hooks of all plugins that have them, as the server does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from mattermost_plugin.devhost.clock import Clock
from mattermost_plugin.devhost.errors import DevHostError
from mattermost_plugin.devhost.events import EventBus, HookCalled, LogWritten
from mattermost_plugin.devhost.http_exchange import HttpAnswer, HttpQuestion, HttpReply, body_pieces, head_of
from mattermost_plugin.devhost.http_record import HttpRecord
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.plugins import InstalledPlugin, PluginRegistry
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.v1.common_pb2 import PluginContext

__all__ = ["DEPTH_LIMIT", "HookFailedError", "HookRounds"]

DEPTH_LIMIT: Final = 50
"""How many hooks may cause each other. A server has no limit: what answers itself fills its database."""

REMEMBERED_REQUESTS: Final = 10_000
"""How many request ids keep their depth: more than hooks that run at the same time."""

MessageT = TypeVar("MessageT", bound=Message)

_log = logging.getLogger(__name__)

_HOOK_OF: Final[Mapping[type[Message], str]] = {
    adapter.request_type: str(hook) for hook, adapter in ADAPTERS.items() if not adapter.path.endswith("HTTP")
}


class HookFailedError(DevHostError):
    """A plugin did not answer a hook. The text says why."""


class HookRounds:
    """Goes round over the plugins.

    Notifications run beside what caused them, as on a server; `settle` waits for them.

    Args:
        plugins: the plugins.
        events: told each call.
        clock: the host's time.
    """

    def __init__(self, plugins: PluginRegistry, events: EventBus, clock: Clock) -> None:
        self._plugins = plugins
        self._events = events
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._depths: OrderedDict[str, int] = OrderedDict()

    def new_context(self, caused_by: str = "", **fields: str) -> PluginContext:
        """A context for the hooks that one request causes.

        Args:
            caused_by: id of the request whose hook made this one; "" for none.
            fields: what else the context says.
        """
        context = PluginContext(request_id=new_id(), **fields)
        self._depths[context.request_id] = self.depth(caused_by) + 1 if caused_by else 0
        if len(self._depths) > REMEMBERED_REQUESTS:
            self._depths.popitem(last=False)
        return context

    def depth(self, request_id: str) -> int:
        """How many requests, each made in a hook of the one before, have led to a request."""
        return self._depths.get(request_id, 0)

    async def ask(self, plugin: InstalledPlugin, request: Message) -> Message:
        """Call one plugin's hook, the one that the request belongs to.

        Raises:
            HookFailedError: there is no answer.
        """
        hook = _HOOK_OF[type(request)]
        started = time.perf_counter()
        response: Message | None = None
        failure = ""
        try:
            if plugin.link is None:
                raise HookFailedError(f"{plugin.plugin_id} does not run")
            response = answer = await plugin.link.call(hook, request)
            return answer  # noqa: TRY300 - `response` is what the event tells
        except HookFailedError as error:
            failure = str(error)
            raise
        finally:
            self._events.publish(
                HookCalled(
                    at_ms=self._clock.now_ms(),
                    plugin_id=plugin.plugin_id,
                    hook=hook,
                    request=request,
                    response=response,
                    failure=failure if response is None else "",
                    duration_ms=(time.perf_counter() - started) * 1000,
                )
            )

    async def serve_http(self, plugin: InstalledPlugin, question: HttpQuestion) -> HttpAnswer:
        """Have a plugin answer an HTTP request; one that cannot is answered for, as the server does."""
        if plugin.link is None or "ServeHTTP" not in plugin.hooks:
            return HttpAnswer(status=404, body=b"404 page not found\n")
        try:
            async with self.open_http(plugin, question, self.new_context()) as reply:
                body = b"".join([piece.data async for piece in reply.pieces])
                return HttpAnswer(status=reply.status, headers=reply.headers, body=body)
        except HookFailedError:
            return HttpAnswer(status=502, body=b"Bad Gateway\n")

    @asynccontextmanager
    async def open_http(
        self, plugin: InstalledPlugin, question: HttpQuestion, context: PluginContext
    ) -> AsyncIterator[HttpReply]:
        """Have a plugin answer an HTTP request, piece by piece. Leaving the block ends the call.

        Args:
            plugin: the plugin.
            question: the request.
            context: context of the hook.

        Raises:
            HookFailedError: there is no answer, or it breaks off. The log tells it too.
        """
        record = HttpRecord(plugin.plugin_id, head_of(question, plugin.plugin_id, context))
        try:
            if plugin.link is None:
                raise HookFailedError(f"{plugin.plugin_id} does not run")
            messages = plugin.link.serve_http(record.head, record.sent(body_pieces(question)))
            async with aclosing(messages):
                first = await anext(messages, None)
                if first is None:
                    raise HookFailedError("the plugin sent no response")
                headers = [(header.key, value) for header in first.init.headers for value in header.values]
                yield HttpReply(first.init.status_code or 200, headers, record.received(first, messages))
        except HookFailedError as error:
            record.failure = str(error)
            self._warn(f"ServeHTTP of {plugin.plugin_id} failed: {error}")
            raise
        finally:
            self._events.publish(record.event(self._clock.now_ms()))

    async def try_ask(self, plugin: InstalledPlugin, request: Message) -> Any:
        """Call one plugin's hook; None if there is no answer, which the log then tells."""
        try:
            return await self.ask(plugin, request)
        except HookFailedError as error:
            self._warn(f"{_HOOK_OF[type(request)]} of {plugin.plugin_id} failed: {error}")
            return None

    def notify(self, request: Message) -> None:
        """Tell all plugins, without waiting for them."""
        for plugin in self._plugins.with_hook(_HOOK_OF[type(request)]):
            copy = type(request)()
            copy.CopyFrom(request)
            self._start(plugin, copy)

    def _start(self, plugin: InstalledPlugin, request: Message) -> None:
        self.later(self._tell(plugin, request))

    async def _tell(self, plugin: InstalledPlugin, request: Message) -> None:
        await self.try_ask(plugin, request)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside what goes on; `settle` waits for it too, and the log tells if it fails."""
        task = asyncio.create_task(self._told(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DevHostError as error:
            self._warn(str(error))
        except Exception as error:  # noqa: BLE001 - the top of a task: nobody else would tell
            _log.exception("what runs beside other things failed")
            self._warn(f"what runs beside other things failed: {error!r}")

    async def settle(self) -> None:
        """Wait until all notifications have ended, also those that they cause."""
        while self._running:
            await asyncio.wait(tuple(self._running))

    async def refusal(self, request: Message, leave_out: Collection[str] = ()) -> str:
        """Ask all plugins whether something may happen.

        Args:
            request: the hook's arguments.
            leave_out: ids of plugins that are not asked.

        Returns:
            The reason of the first one that refuses, which ends the round; "" if none does.
        """
        for plugin in self._plugins.with_hook(_HOOK_OF[type(request)]):
            if plugin.plugin_id in leave_out:
                continue
            response = await self.try_ask(plugin, request)
            if response is not None and response.rejection_reason:
                return str(response.rejection_reason)
        return ""

    async def filter(
        self,
        value: MessageT,
        request: Callable[[MessageT], Message],
        replacement: str,
        leave_out: Collection[str] = (),
    ) -> tuple[MessageT, str]:
        """Have all plugins look at something before it is stored; each sees what the one before has made of it.

        Args:
            value: what it is about.
            request: makes the hook's arguments of it.
            replacement: name of the field of the answer that replaces the value.
            leave_out: ids of plugins that are not asked.

        Returns:
            What is to be stored, and the reason of the first plugin that refuses, which ends the round.
        """
        for plugin in self._plugins.with_hook(_HOOK_OF[type(request(value))]):
            if plugin.plugin_id in leave_out:
                continue
            response = await self.try_ask(plugin, request(value))
            if response is None:
                continue
            if response.rejection_reason:
                return value, str(response.rejection_reason)
            if response.HasField(replacement):
                value = getattr(response, replacement)
        return value, ""

    def hook_of(self, request: Message) -> str:
        """Name of the hook whose arguments a request is."""
        return _HOOK_OF[type(request)]

    def plugins_with(self, request_type: type[Message]) -> list[InstalledPlugin]:
        """The running plugins that have the hook of a kind of request."""
        return self._plugins.with_hook(_HOOK_OF[request_type])

    def _warn(self, message: str) -> None:
        self._events.publish(LogWritten(at_ms=self._clock.now_ms(), plugin_id="", level="warn", message=message))
