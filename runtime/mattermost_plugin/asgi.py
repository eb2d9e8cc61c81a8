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
from typing import Never, TypeAlias, overload
from weakref import WeakKeyDictionary

from mattermost_plugin._asgi_connection import ASGIConnection
from mattermost_plugin._asgi_lifespan import ASGIApp, Lifespan, LifespanError, LifespanMode
from mattermost_plugin._asgi_scope import http_scope
from mattermost_plugin._http_exchange import MOUNT_ATTRIBUTE, contain_exit, outlast
from mattermost_plugin.errors import ClientDisconnected
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext

__all__ = ["ASGIApp", "ASGIMount", "HTTPHandlerMethod", "LifespanError", "LifespanMode", "asgi"]

HTTPHandlerMethod: TypeAlias = Callable[[object, PluginContext, ResponseWriter, HTTPRequest], Awaitable[None]]
"""A method that handles ServeHTTP or ServeMetrics; the first argument is the plugin."""


class ASGIMount:
    """An application, or the factory of one, that handles a plugin's HTTP requests."""

    def __init__(self, app: ASGIApp | None, factory: Callable[[Never], ASGIApp] | None, lifespan: LifespanMode) -> None:
        self._app = app
        self._factory: Callable[..., ASGIApp] | None = factory
        self._lifespan: LifespanMode = lifespan
        self._running: WeakKeyDictionary[object, tuple[ASGIApp, Lifespan]] = WeakKeyDictionary()

    async def start_lifespan(self, plugin: object) -> None:
        """Run the application's startup; nothing if it has run.

        Raises:
            LifespanError: the startup failed.
        """
        await self._instance(plugin)[1].start()

    async def stop_lifespan(self, plugin: object) -> None:
        """Run the application's shutdown; nothing if it is not running.

        Raises:
            LifespanError: the shutdown failed.
        """
        await self._instance(plugin)[1].stop()

    async def serve(self, plugin: object, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Let the application answer a request."""
        app, lifespan = self._instance(plugin)
        connection = ASGIConnection(request, writer)
        scope = http_scope(request, plugin, lifespan.state)
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

    def _instance(self, plugin: object) -> tuple[ASGIApp, Lifespan]:
        instance = self._running.get(plugin)
        if instance is None:
            app = self._factory(plugin) if self._factory is not None else self._app
            if app is None:
                raise TypeError("asgi() got no application")
            instance = self._running[plugin] = app, Lifespan(app, plugin, self._lifespan)
        return instance


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
    if not callable(app if factory is None else factory) or (app is not None and factory is not None):
        raise TypeError("asgi() takes an ASGI application, or factory= with a function that makes one")
    if lifespan not in ("auto", "on", "off"):
        raise ValueError(f'lifespan is "auto", "on" or "off", not {lifespan!r}')
    mount = ASGIMount(app, factory, lifespan)

    async def serve_http(
        plugin: object, context: PluginContext, writer: ResponseWriter, request: HTTPRequest, /
    ) -> None:
        """Let the ASGI application answer."""
        await mount.serve(plugin, writer, request)

    setattr(serve_http, MOUNT_ATTRIBUTE, mount)
    return serve_http


def mount_of(handler: object) -> ASGIMount | None:
    """The application behind a handler that `asgi` or `wsgi` made; None for any other handler."""
    mount = getattr(handler, MOUNT_ATTRIBUTE, None)
    return mount if isinstance(mount, ASGIMount) else None


def _raise_failure(task: asyncio.Task[None], connection: ASGIConnection, request: HTTPRequest) -> None:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return
    if isinstance(error, Exception) and request.is_disconnected and not connection.is_complete:
        # Each framework has its own exceptions for that; what went wrong for want of a client is no fault.
        raise ClientDisconnected(f"the client has gone while the application answered: {error!r}") from error
    raise error
