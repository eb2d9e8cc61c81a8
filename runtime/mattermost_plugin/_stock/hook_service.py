"""The calls of the hooks stream.

What a call has streams for is dialled as soon as it is decoded: the host gives a stream up 5 s after it has sent the
call that tells its number. Every call is answered. The host takes an error of the protocol for success of OnActivate,
and for consent of any other hook: where a failure means another thing, the answer says so in its own fields.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._dispatch import UnaryHook, UploadHook
from mattermost_plugin._gob import PLAIN, SKIP, Target
from mattermost_plugin._gob.go_types import STRING, GoSlice
from mattermost_plugin._netrpc import Call, NoSuchMethodError, no_such_method
from mattermost_plugin._start_task import start_task
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.files import StreamedReplacement, StreamedUpload
from mattermost_plugin._stock.http_service import HTTPService
from mattermost_plugin._stock.io_reader import StreamedContent
from mattermost_plugin._stock.plain import mapping_of, number_of
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin._yamux import YamuxError
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.models import AppError
from mattermost_pluginapi.stock.methods import HOOKS

if TYPE_CHECKING:
    from mattermost_plugin._stock.hook_routes import HookRoute, UploadArguments

__all__ = ["SERVICE", "HookService"]

SERVICE: Final = "Plugin"

_NAMES: Final = GoSlice(STRING)
_HTTP_HOOKS: Final = frozenset({HookName.ServeHTTP, HookName.ServeMetrics})

_log = logging.getLogger(__name__)

_Handler = Callable[[RpcServer, Call, Any], "asyncio.Task[None] | None"]
"""Answers a request, then or in a task."""


class HookService:
    """Answers the host's calls.

    Args:
        plugin: the plugin.
        broker: reaches the streams that calls tell of.
        attach_api: is given the streams of the plugin API and of the database, when they are there.
    """

    def __init__(
        self, plugin: BoundPlugin, broker: MuxBroker, attach_api: Callable[[MuxStream, MuxStream], None]
    ) -> None:
        self._plugin = plugin
        self._broker = broker
        self._attach_api = attach_api
        self._http = HTTPService(plugin, broker)
        self._loop = asyncio.get_running_loop()
        self._routes: dict[str, tuple[Target[Any], _Handler]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._http_tasks: set[asyncio.Task[Any]] = set()

    def choose(self, method: str) -> Target[object]:
        """What the body of a request becomes.

        Raises:
            NoSuchMethodError: there is no such hook, or the plugin does not handle it.
        """
        found = self._routes.get(method)
        if found is None:
            found = self._routes[method] = self._route(method)
        return found[0]

    def handle(self, server: RpcServer, call: Call, body: object) -> None:
        """Answer a request."""
        try:
            task = self._routes[call.method][1](server, call, body)
        except Exception:  # noqa: BLE001 - a fault of this package, which must not end the connection
            _log.exception("%s could not be handled", call.method)
            self.give_up(server, call, _NO_ANSWER)
            return
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(partial(self._answered, server, call))

    def give_up(self, server: RpcServer, call: Call, reason: str) -> None:
        """Answer a call whose request cannot be used or whose reply cannot be sent, as one whose handler failed."""
        name = call.method.rpartition(".")[2]
        hook: UnaryHook[Any, Any] | None = self._plugin.unary.get(HookName(name)) if name in HOOKS else None
        response = None if hook is None else hook.given_up(reason)
        if hook is None or response is None:
            server.fail(call, reason)
        else:
            from mattermost_plugin._stock.hook_routes import hook_route

            hook_route(HookName(name), hook).answer_failure(server, call, response)

    async def stop(self, drain_s: float) -> None:
        """Give what runs `drain_s` seconds.

        Hooks that still run then are answered as failed ones; HTTP requests are cut off.
        """
        if self._http_tasks:
            hooks = asyncio.ensure_future(self._plugin.calls.finish(drain_s))
            await asyncio.wait(self._http_tasks, timeout=drain_s)
            for task in tuple(self._http_tasks):
                task.cancel()
            await hooks
        else:
            await self._plugin.calls.finish(drain_s)
        if self._tasks:
            # They have their answers, which only need writing.
            await asyncio.wait(self._tasks, timeout=_WRITING_S)

    def _answered(self, server: RpcServer, call: Call, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fault of this package: what handlers raise has become a reply before.
            _log.error("%s could not be answered", call.method, exc_info=error)
            self.give_up(server, call, _NO_ANSWER)

    def _route(self, method: str) -> tuple[Target[Any], _Handler]:
        service, _, name = method.rpartition(".")
        if service != SERVICE:
            raise no_such_method(method, (SERVICE,))
        if name == "Implemented":
            return SKIP, self._in_task(self._implemented)
        if name == HookName.OnActivate:
            return PLAIN, self._in_task(self._activate)
        if name in self._plugin.http:
            return PLAIN, self._serve_http
        hook = self._plugin.unary.get(HookName(name)) if name in HOOKS else None
        # Not at the top: the tables of all structs come with it, and the host waits for the handshake.
        from mattermost_plugin._stock.hook_routes import hook_route, upload_target

        if hook is None:
            if name in HOOKS or name in _HTTP_HOOKS:
                raise NoSuchMethodError(f"Hook {name} called but not implemented.")
            raise no_such_method(method, (SERVICE,))
        if isinstance(hook, UploadHook):
            return upload_target(), self._upload(hook_route(HookName(name), hook), hook)
        route = hook_route(HookName(name), hook)
        return route.target, self._unary(route)

    def _in_task(self, answer: Callable[[RpcServer, Call, Any], Coroutine[Any, Any, None]]) -> _Handler:
        return lambda server, call, body: start_task(answer(server, call, body), self._loop)

    async def _implemented(self, server: RpcServer, call: Call, body: object) -> None:
        server.reply(call, self._plugin.announced_hooks, _NAMES)

    async def _activate(self, server: RpcServer, call: Call, body: object) -> None:
        hook: UnaryHook[Any, Any] = self._plugin.unary[HookName.OnActivate]
        fields = mapping_of(body)
        numbers = number_of(fields, "APIMuxId"), number_of(fields, "DriverMuxId")
        try:
            self._attach_api(*await self._dial_both(*numbers))
        except YamuxError as error:
            _log.error("OnActivate: the plugin API cannot be reached: %s", error)
            text = f"the plugin API cannot be reached: {error}"
            response = hook.adapter.failure(hook.adapter.on_error_choices[-1], AppError(message=text))
        else:
            response = await hook.reply(hook.adapter.request_type())
            if not self._plugin.lifecycle.is_active:
                # The host ends a plugin that has failed to start without OnDeactivate.
                await self._plugin.give_back_database()
        from mattermost_plugin._stock.hook_routes import hook_route

        route = hook_route(HookName.OnActivate, hook)
        server.reply(call, response, route.type, route.source)

    async def _dial_both(self, first: int, second: int) -> tuple[MuxStream, MuxStream]:
        """Reach two streams at once; neither is left open if the other cannot be reached."""
        ends = await asyncio.gather(self._broker.dial(first), self._broker.dial(second), return_exceptions=True)
        streams = [end for end in ends if isinstance(end, MuxStream)]
        for end in ends:
            if isinstance(end, BaseException):
                for stream in streams:
                    stream.reset()
                raise end
        one, other = streams
        return one, other

    def _serve_http(self, server: RpcServer, call: Call, body: object) -> asyncio.Task[None] | None:
        task = self._http.start(server, call, HookName(call.method.rpartition(".")[2]), body)
        if task is not None:
            self._http_tasks.add(task)
            task.add_done_callback(self._http_tasks.discard)
        return task

    def _unary(self, route: HookRoute) -> _Handler:
        start, keep = route.hook.start, route.keep

        def handle(server: RpcServer, call: Call, request: Any) -> asyncio.Task[None] | None:
            kept = keep(request)

            def answer(response: Any) -> None:
                try:
                    route.answer(server, call, kept, response)
                except Exception:  # noqa: BLE001 - a fault of this package: what handlers raise has become a reply
                    _log.exception("%s could not be answered", call.method)
                    self.give_up(server, call, _NO_ANSWER)

            return start(request, answer)

        return handle

    def _upload(self, route: HookRoute, hook: UploadHook[Any, Any]) -> _Handler:
        async def handle(server: RpcServer, call: Call, arguments: UploadArguments) -> None:
            try:
                content = StreamedContent(self._broker, arguments.number(arguments.file_stream))
            except YamuxError as error:
                self.give_up(server, call, f"the file's streams cannot be reached: {error}")
                return
            outgoing = asyncio.create_task(self._broker.dial(arguments.number(arguments.replacement_stream)))
            request = arguments.request
            kept = route.keep(request)
            bridge = LoopBridge()
            replacement = StreamedReplacement(outgoing, bridge)
            try:
                response = await hook.streamed(StreamedUpload(content, bridge), replacement).reply(request)
            finally:
                bridge.close()
                content.close()
                await replacement.close()
            route.answer(server, call, kept, response)

        return self._in_task(handle)


_WRITING_S: Final = 0.1
"""How long the last answers may take to be written, response writers included."""

_NO_ANSWER: Final = "the plugin could not answer"
