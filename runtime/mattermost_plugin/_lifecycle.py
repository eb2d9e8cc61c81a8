"""The plugin's states, from started to stopped, and the order of hooks that follows from them.

    STARTED -> ACTIVATING -> ACTIVE -> DEACTIVATED
                    |
                    +-> FAILED (the host may try again)

OnConfigurationChange runs once before OnActivate, as in a Go plugin. Every other hook waits until OnActivate has
returned without an error, and is refused after OnDeactivate has begun.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto

from mattermost_plugin._failure import report_failure
from mattermost_plugin._handler import Handler
from mattermost_plugin.errors import HookError, PluginError
from mattermost_pluginapi.hooks.adapters import unary_adapter
from mattermost_pluginapi.hooks.names import HookName

_log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[None]]


class NotActiveError(PluginError):
    """A hook was called on a plugin that is not active. Expected while a plugin is being stopped."""


class State(Enum):
    """Where the plugin is in its life."""

    STARTED = auto()
    ACTIVATING = auto()
    ACTIVE = auto()
    FAILED = auto()
    DEACTIVATED = auto()


class Lifecycle:
    """Runs the lifecycle hooks in their order and holds other hooks back until their time."""

    def __init__(self, handlers: Mapping[HookName, Handler], after_activate: Step, before_deactivate: Step) -> None:
        self._handlers = handlers
        self._after_activate = after_activate
        self._before_deactivate = before_deactivate
        self._settled = asyncio.Event()
        self._configured = False
        self.state = State.STARTED
        self.is_active = False
        """The same as `state is State.ACTIVE`; read on every hook."""

    async def activate(self, host_patience_s: float | None, *, failure_allowed: bool = False) -> None:
        """Run OnConfigurationChange, once, and OnActivate.

        Args:
            host_patience_s: seconds after which the host no longer waits; None if it waits without end.
            failure_allowed: whether the plugin is active even if OnActivate fails (but not if it answers with a
                HookError, which is a decision of its author).

        Raises:
            Exception: what the OnActivate handler raised.
        """
        self._enter(State.ACTIVATING)
        try:
            await self._configure(host_patience_s)
            await self._call(HookName.OnActivate, host_patience_s)
            await self._after_activate()
        except BaseException as error:
            allowed = failure_allowed and isinstance(error, Exception) and not isinstance(error, HookError)
            self._enter(State.ACTIVE if allowed else State.FAILED)
            raise
        self._enter(State.ACTIVE)

    async def deactivate(self, host_patience_s: float | None) -> None:
        """Refuse further hooks and run OnDeactivate; nothing if it has run or the plugin never was active.

        Raises:
            Exception: what the OnDeactivate handler raised; the plugin is deactivated all the same.
        """
        was_active = self.is_active
        self._enter(State.DEACTIVATED)
        if was_active:
            try:
                await self._call(HookName.OnDeactivate, host_patience_s)
            finally:
                await self._before_deactivate()

    async def wait_active(self) -> None:
        """Return when hooks may run.

        Raises:
            NotActiveError: they never will, as things stand.
        """
        while not self.is_active:
            if self.state in (State.FAILED, State.DEACTIVATED):
                raise NotActiveError(f"the plugin is not active: {self.state.name.lower()}")
            await self._settled.wait()

    async def _configure(self, host_patience_s: float | None) -> None:
        handler = self._handlers.get(HookName.OnConfigurationChange)
        if handler is None or self._configured:
            return
        self._configured = True
        try:
            await self._call(HookName.OnConfigurationChange, host_patience_s)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - author's code; as in a Go plugin it stops nothing
            report_failure(handler.spec, error)

    async def _call(self, hook: HookName, host_patience_s: float | None) -> None:
        handler = self._handlers.get(hook)
        if handler is not None:
            unary_adapter(hook).response(await handler.invoke((), host_patience_s))

    def _enter(self, state: State) -> None:
        self.state = state
        self.is_active = state is State.ACTIVE
        if state in (State.STARTED, State.ACTIVATING):
            self._settled.clear()
        else:
            self._settled.set()
