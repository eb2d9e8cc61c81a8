"""The class that plugins derive from."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self

from mattermost_plugin._registry import HandlerSpec, collect_handlers
from mattermost_plugin.config import RuntimeConfig, load_runtime_config
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.stubs import PluginHooks

if TYPE_CHECKING:
    from mattermost_plugin._api_link import ApiLink
    from mattermost_plugin._background import Background
    from mattermost_plugin._clock import PluginClock
    from mattermost_plugin._db_link import DatabaseLink
    from mattermost_plugin.cluster import Cluster
    from mattermost_plugin.db import Database
    from mattermost_plugin.jobs import Jobs
    from mattermost_plugin.kv import KVStore
    from mattermost_pluginapi.api.client import PluginAPI

__all__ = ["Plugin"]


class Plugin(PluginHooks):
    """A server plugin. Override the stubs of the hooks it handles, or mark methods of any name with @hook.

    Handlers may run at the same time: `def` handlers in threads, `async def` handlers on the event loop. The server
    waits for no order between hooks, so state that handlers share needs a lock, as in a Go plugin.

    Args:
        api: takes the place of the server's plugin API, in tests for example.
        config: the runtime's settings; default is what the environment says.
        logger: where `self.logger` writes; default is a logger named after the plugin.
    """

    hook_handlers: ClassVar[Mapping[HookName, HandlerSpec]] = {}
    _api: PluginAPI | None = None
    _api_link: ApiLink | None = None
    _background: Background | None = None
    _clock: PluginClock | None = None
    _cluster: Cluster | None = None
    _config: RuntimeConfig | None = None
    _db_link: DatabaseLink | None = None
    _jobs: Jobs | None = None
    _logger: logging.Logger | None = None

    def __init__(
        self,
        api: PluginAPI | None = None,
        config: RuntimeConfig | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._api = api
        self._config = config
        self._logger = logger

    def __init_subclass__(cls, **arguments: object) -> None:
        """Find and check the class's handlers.

        Raises:
            HookRegistrationError: see `hook`.
        """
        super().__init_subclass__(**arguments)
        cls.hook_handlers = collect_handlers(cls)

    @classmethod
    def create(cls, config: RuntimeConfig) -> Self:
        """Make the plugin as the runtime does: with the settings, if its `__init__` takes them, and else without."""
        try:
            inspect.signature(cls).bind(config=config)
        except TypeError:
            plugin = cls()
        else:
            plugin = cls(config=config)
        if plugin._config is None:
            plugin._config = config
        return plugin

    @property
    def api(self) -> PluginAPI:
        """Client of the server's plugin API, for `def` handlers and other threads; `self.api.aio` for async ones.

        Raises:
            RuntimeError: the plugin is not being served, as in `__init__`, and was made without a substitute.
            ConfigError: the host gave no address of its plugin API.
            APIUnavailable: the plugin has stopped.
        """
        if self._api is not None:
            return self._api
        if self._api_link is None:
            raise RuntimeError("The plugin API is there once the plugin is served; or pass Plugin(api=...)")
        return self._api_link.client

    @property
    def clock(self) -> PluginClock:
        """The time by which mutexes and jobs go, and handlers that want tests to set it.

        `now()` gives seconds since 1970, `await sleep_until(when)` waits. It is the machine's clock, unless a test has
        set another one.
        """
        if self._clock is None:
            # Not at the top, as with those below: who uses none of them does not pay for them.
            from mattermost_plugin._clock import SystemClock

            self._clock = SystemClock()
        return self._clock

    @property
    def cluster(self) -> Cluster:
        """Mutexes that hold on all nodes of the server, for threads; `self.cluster.aio` for coroutines."""
        if self._cluster is None:
            from mattermost_plugin.cluster import Cluster

            # Threads that come here at once get one and the same.
            cluster: Cluster = vars(self).setdefault("_cluster", Cluster(self))
            return cluster
        return self._cluster

    @property
    def db(self) -> Database:
        """The server's database, for `def` handlers and other threads: `with self.db.connect() as connection`.

        Its connections are those of PEP 249, and read-only unless they are asked for otherwise. Exceptions are in
        `mattermost_plugin.db`.

        Raises:
            RuntimeError: the plugin is not being served, as in `__init__`.
            NotSupportedError: the host offers no database.
        """
        if self._db_link is None:
            raise RuntimeError("The database is there once the plugin is served")
        return self._db_link.database

    @property
    def jobs(self) -> Jobs:
        """Work at certain times, on one node of the server at a time: recurring and one-shot jobs.

        Register them in `__init__` or `on_activate`; they run while the plugin is active.
        """
        if self._jobs is None:
            from mattermost_plugin.jobs import Jobs

            jobs: Jobs = vars(self).setdefault("_jobs", Jobs(self))
            return jobs
        return self._jobs

    @property
    def kv(self) -> KVStore:
        """The plugin's own keys and values, kept by the server; `self.kv.aio` for async handlers.

        Raises:
            RuntimeError: as `api`.
            ConfigError: as `api`.
        """
        # Loaded when used: a plugin that stores nothing needs none of it.
        from mattermost_plugin.kv import KVStore

        return KVStore(self.api)

    @property
    def config(self) -> RuntimeConfig:
        """The runtime's settings."""
        if self._config is None:
            self._config = load_runtime_config()
        return self._config

    @property
    def logger(self) -> logging.Logger:
        """The plugin's logger. Its lines reach the server's log at their own level."""
        if self._logger is None:
            self._logger = logging.getLogger(self.config.plugin_id or type(self).__name__)
        return self._logger

    @classmethod
    def implemented_hooks(cls) -> list[str]:
        """Go names of the hooks that the class handles, sorted."""
        return sorted(cls.hook_handlers)

    @classmethod
    def has_hook(cls, name: str) -> bool:
        """Whether the class handles the hook of that Go name."""
        return name in cls.hook_handlers
