"""Serves an ASGI application, such as one of Starlette or FastAPI, below /plugins/{plugin id}.

    app = FastAPI()

    class MyPlugin(Plugin):
        serve_http = asgi(app)

An application that needs the plugin gets it from a factory, or from `scope["mattermost.plugin"]` in a request:

    def build_app(plugin: "MyPlugin") -> FastAPI: ...

    class MyPlugin(Plugin):
        serve_http = asgi(factory=build_app)

What Mattermost knows about a request is in the scope: "mattermost.user_id" (the authenticated user, "" without one),
"mattermost.context" (session, request id, client) and "mattermost.request".

An application is not cancelled when its client goes, as under other ASGI servers: `receive` tells it by
http.disconnect and `send` raises an OSError. WebSocket upgrades do not reach plugins; such a request is a plain GET.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Never, TypeAlias, overload

from mattermost_plugin._asgi_connection import ASGIConnection
from mattermost_plugin._asgi_lifespan import ASGIApp, Lifespan, LifespanError, LifespanMode
from mattermost_plugin._asgi_scope import http_scope
from mattermost_plugin._exits import contain_exit
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin._http_exchange import MOUNT_ATTRIBUTE, outlast
from mattermost_plugin.config import load_runtime_config
from mattermost_plugin.errors import ClientDisconnected
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext

__all__ = ["ASGIApp", "ASGIMount", "BoundMount", "HTTPHandlerMethod", "LifespanError", "LifespanMode", "asgi"]

HTTPHandlerMethod: TypeAlias = Callable[[object, PluginContext, ResponseWriter, HTTPRequest], Awaitable[None]]
"""A method that handles ServeHTTP or ServeMetrics; the first argument is the plugin."""

_BOUND_MOUNTS: Final = "_mattermost_asgi_mounts"
"""Where a plugin object keeps what its mounts were bound to."""


class BoundMount:
    """An application of one plugin object.

    Args:
        plugin: the plugin.
        build: gives the application; called on the event loop when it is first needed.
        lifespan: see `asgi`.
    """

    def __init__(self, plugin: object, build: Callable[[], ASGIApp], lifespan: LifespanMode) -> None:
        self.plugin = plugin
        self._build = build
        self._mode: LifespanMode = lifespan
        self._running: tuple[ASGIApp, Lifespan] | None = None

    async def start_lifespan(self) -> None:
        """Run the application's startup; nothing if it has run.

        Raises:
            LifespanError: the startup failed.
        """
        await self._instance()[1].start()

    async def stop_lifespan(self) -> None:
        """Run the application's shutdown; nothing if it is not running.

        Raises:
            LifespanError: the shutdown failed.
        """
        if self._running is not None:
            await self._running[1].stop()

    async def serve(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Let the application answer a request."""
        app, lifespan = self._instance()
        connection = ASGIConnection(request, writer)
        scope = http_scope(request, self.plugin, lifespan.state)
        # A task of its own, for it may go on after the client has gone and this coroutine was cancelled.
        task = asyncio.create_task(contain_exit(app(scope, connection.receive, connection.send)))
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            if not request.is_disconnected:
                task.cancel()
            await outlast(task)
            _raise_failure(task, connection, request)
            raise
        finally:
            connection.close()
        _raise_failure(task, connection, request)
        connection.check_complete()

    def _instance(self) -> tuple[ASGIApp, Lifespan]:
        if self._running is None:
            app = self._build()
            self._running = app, Lifespan(app, self.plugin, self._mode)
        return self._running


class ASGIMount:
    """What handles the HTTP requests of a plugin's class: an application, once it is bound to a plugin object.

    Args:
        build: makes or finds the application for a plugin, whose pool has the threads for what may block.
        lifespan: see `asgi`.
    """

    def __init__(self, build: Callable[[object, HandlerPool], ASGIApp], lifespan: LifespanMode) -> None:
        self._build = build
        self._lifespan: LifespanMode = lifespan

    def bind(self, plugin: object, http_pool: HandlerPool) -> BoundMount:
        """Make the mount ready for a plugin object; its handler answers with what was bound last."""
        bound = BoundMount(plugin, partial(self._build, plugin, http_pool), self._lifespan)
        # In the object itself: a dictionary here would need plugins that can be hashed, and keep them alive.
        # Past __setattr__, which frozen dataclasses refuse; a new dictionary, as copies of the object share the old.
        attributes = vars(plugin)
        attributes[_BOUND_MOUNTS] = {**attributes.get(_BOUND_MOUNTS, {}), self: bound}
        return bound

    def handler(self) -> HTTPHandlerMethod:
        """A method for the plugin's class that passes requests to the application."""

        async def serve_http(
            plugin: object, context: PluginContext, writer: ResponseWriter, request: HTTPRequest, /
        ) -> None:
            """Let the application answer."""
            await self._bound(plugin).serve(writer, request)

        setattr(serve_http, MOUNT_ATTRIBUTE, self)
        return serve_http

    def _bound(self, plugin: object) -> BoundMount:
        mounts: dict[ASGIMount, BoundMount] = vars(plugin).get(_BOUND_MOUNTS, {})
        bound = mounts.get(self)
        if bound is None or bound.plugin is not plugin:
            # Only handlers of hooks are bound from the start; this one was called by the author's code.
            bound = self.bind(plugin, HandlerPool(load_runtime_config().http_workers, "http"))
        return bound


@overload
def asgi(app: ASGIApp, /, *, lifespan: LifespanMode = "auto") -> HTTPHandlerMethod: ...


@overload
def asgi(*, factory: Callable[[Never], ASGIApp], lifespan: LifespanMode = "auto") -> HTTPHandlerMethod: ...


def asgi(
    app: ASGIApp | None = None,
    /,
    *,
    factory: Callable[[Never], ASGIApp] | None = None,
    lifespan: LifespanMode = "auto",
) -> HTTPHandlerMethod:
    """Make an ASGI application a handler of ServeHTTP.

    Args:
        app: the application.
        factory: makes the application, given the plugin, before the plugin's first request.
        lifespan: whether the application is told of the plugin's activation and deactivation: "on" demands
            that it takes part, "auto" leaves that to it, "off" does not try.

    Returns:
        A method for the plugin's class.

    Raises:
        TypeError: not exactly one of application and factory was given.
        ValueError: there is no such lifespan mode.
    """
    if lifespan not in ("auto", "on", "off"):
        raise ValueError(f'lifespan is "auto", "on" or "off", not {lifespan!r}')
    if callable(app) and factory is None:
        given = app
        return ASGIMount(lambda plugin, http_pool: given, lifespan).handler()
    if callable(factory) and app is None:
        build: Callable[..., ASGIApp] = factory
        return ASGIMount(lambda plugin, http_pool: build(plugin), lifespan).handler()
    raise TypeError("asgi() takes an ASGI application, or factory= with a function that makes one")


def _raise_failure(task: asyncio.Task[object], connection: ASGIConnection, request: HTTPRequest) -> None:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return
    if isinstance(error, Exception) and request.is_disconnected and not connection.is_complete:
        # Each framework has its own exceptions for that; what went wrong for want of a client is no fault.
        raise ClientDisconnected(f"the client has gone while the application answered: {error!r}") from error
    raise error
