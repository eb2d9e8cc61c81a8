"""A plugin object with its handlers made ready to be called by a wire."""

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mattermost_plugin._background import Background
from mattermost_plugin._calls import Calls
from mattermost_plugin._dispatch import ActivateHook, DeactivateHook, PlainHook, UnaryHook, UploadHook, wait_active
from mattermost_plugin._handler import Handler
from mattermost_plugin._handler_pool import HandlerPool
from mattermost_plugin._http_exchange import MOUNT_ATTRIBUTE, HTTPHandler
from mattermost_plugin._lifecycle import Lifecycle, NotActiveError
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import HandlerTimeout
from mattermost_plugin.plugin import Plugin
from mattermost_pluginapi.hooks.adapter import HookKind, UnaryAdapter, UploadAdapter
from mattermost_pluginapi.hooks.adapters import ADAPTERS, unary_adapter
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext

if TYPE_CHECKING:
    from mattermost_plugin.asgi import BoundMount

_log = logging.getLogger(__name__)


class BoundPlugin:
    """Everything of a plugin that a wire calls.

    Args:
        plugin: the plugin.
        config: the runtime's settings.
    """

    def __init__(self, plugin: Plugin, config: RuntimeConfig) -> None:
        self.plugin = plugin
        self._timeout_s = config.hook_timeout_s
        self.pool = HandlerPool(config.workers, "hook")
        self.http_pool = HandlerPool(config.http_workers, "http")
        self.calls = Calls()
        self.background = plugin._background = Background(plugin, self.pool, config.deactivate_s)
        handlers = {spec.hook: self._bind(spec, config) for spec in plugin.hook_handlers.values()}
        self.lifecycle = Lifecycle(handlers, self.background, self._start_apps, self._after_deactivate)
        self.unary: Mapping[HookName, UnaryHook[Any, Any]] = MappingProxyType(self._unary_hooks(handlers))
        self.http: Mapping[HookName, Handler] = MappingProxyType(
            {name: handler for name, handler in handlers.items() if ADAPTERS[name].kind is HookKind.STREAM}
        )
        self._apps = self._bind_apps()

    @property
    def announced_hooks(self) -> list[str]:
        """Go names of the hooks that the host is told to call, sorted."""
        return sorted([*self.unary, *self.http])

    @property
    def is_stuck(self) -> bool:
        """Whether no `def` handler can run any more, because every thread of its pool hangs."""
        return self.pool.is_exhausted or self.http_pool.is_exhausted

    async def give_back_database(self) -> None:
        """Close the database's connections: one that the server has back with a transaction on it harms its own."""
        if self.plugin._db_link is not None:
            await self.plugin._db_link.give_back()

    def close(self) -> None:
        """Let the threads end that have nothing to do."""
        self.pool.close()
        self.http_pool.close()

    def _bind(self, spec: HandlerSpec, config: RuntimeConfig) -> Handler:
        if ADAPTERS[spec.hook].kind is HookKind.STREAM:
            return Handler(spec, self.plugin, self.http_pool, None)
        return Handler(spec, self.plugin, self.pool, config.hook_timeout_s)

    def _unary_hooks(self, handlers: Mapping[HookName, Handler]) -> dict[HookName, UnaryHook[Any, Any]]:
        hooks: dict[HookName, UnaryHook[Any, Any]] = {
            HookName.OnActivate: ActivateHook(
                unary_adapter(HookName.OnActivate), self._spec(HookName.OnActivate), self.lifecycle, self.calls
            ),
            HookName.OnDeactivate: DeactivateHook(
                unary_adapter(HookName.OnDeactivate), self._spec(HookName.OnDeactivate), self.lifecycle, self.calls
            ),
        }
        for name, handler in handlers.items():
            adapter = ADAPTERS[name]
            if name in hooks:
                continue
            if isinstance(adapter, UploadAdapter):
                hooks[name] = UploadHook(adapter, handler, self.lifecycle, self.calls)
            elif isinstance(adapter, UnaryAdapter):
                hooks[name] = PlainHook(adapter, handler, self.lifecycle, self.calls)
        return hooks

    def _spec(self, name: HookName) -> HandlerSpec:
        """The plugin's handler, or what stands for it in messages if it has none."""
        spec = type(self.plugin).hook_handlers.get(name)
        if spec is not None:
            return spec
        adapter = ADAPTERS[name]
        label = f"{type(self.plugin).__name__}.{adapter.method}"
        stub = getattr(type(self.plugin), adapter.method)
        return HandlerSpec(name, adapter.method, label, stub, False, adapter.on_error, None)

    async def _start_apps(self, deadline: float | None) -> None:
        async with asyncio.timeout_at(self._until(deadline)):
            for app in self._apps:
                await app.start_lifespan()

    async def _after_deactivate(self, deadline: float | None) -> None:
        try:
            await self._stop_apps(deadline)
        finally:
            await self.give_back_database()

    async def _stop_apps(self, deadline: float | None) -> None:
        async with asyncio.timeout_at(self._until(deadline)):
            for app in self._apps:
                await app.stop_lifespan()

    def _until(self, deadline: float | None) -> float:
        own = asyncio.get_running_loop().time() + self._timeout_s
        return own if deadline is None else min(own, deadline)

    def _bind_apps(self) -> "list[BoundMount]":
        """The mounted apps, each once. Without one nothing of the ASGI modules is imported."""
        mounts = [getattr(handler.spec.function, MOUNT_ATTRIBUTE, None) for handler in self.http.values()]
        return [mount.bind(self.plugin, self.http_pool) for mount in dict.fromkeys(mounts) if mount is not None]

    def http_handler(self, handler: Handler) -> HTTPHandler:
        """The handler of an HTTP hook as a wire calls it: it waits for the plugin to be active."""

        async def handle(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            if not self.lifecycle.is_active:
                try:
                    await wait_active(self.lifecycle, handler, self._until(None))
                except (NotActiveError, HandlerTimeout) as error:
                    _log.info("%s was not run: %s", handler.spec.hook, error)
                    writer.write_header(503)
                    await writer.awrite("Service Unavailable\n")
                    return
            await handler.invoke((context, writer, request))

        return handle
