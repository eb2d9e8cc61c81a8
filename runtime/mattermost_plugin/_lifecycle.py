"""The plugin's states, from started to stopped, and the order of hooks that follows from them.

    STARTED -> ACTIVATING -> ACTIVE -> DEACTIVATED
                    |
                    +-> FAILED (the host may try again)

OnConfigurationChange runs once before OnActivate, as in a Go plugin. Every other hook waits until OnActivate has
returned without an error, and is refused after OnDeactivate has begun. Jobs run while the plugin is active.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto

from mattermost_plugin._background import Background
from mattermost_plugin._failure import report_failure
from mattermost_plugin._handler import Handler
from mattermost_plugin.errors import HookError, PluginError
from mattermost_pluginapi.hooks.adapters import unary_adapter
from mattermost_pluginapi.hooks.names import HookName

_log = logging.getLogger(__name__)

Step = Callable[[float | None], Awaitable[None]]
"""Something to do within a deadline."""


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
    """Runs the lifecycle hooks in their order and holds other hooks back until their time.

    Deadlines are times of the event loop; None for no limit but the handlers' own.
    """

    def __init__(
        self,
        handlers: Mapping[HookName, Handler],
        background: Background,
        after_activate: Step,
        after_deactivate: Step,
    ) -> None:
        self._handlers = handlers
        self._background = background
        self._after_activate = after_activate
        self._after_deactivate = after_deactivate
        self._settled = asyncio.Event()
        self._configured = False
        self.state = State.STARTED
        self.is_active = False
        """The same as `state is State.ACTIVE`; read on every hook."""

    async def activate(self, deadline: float | None, *, failure_allowed: bool = False) -> None:
        """Run OnConfigurationChange, once, and OnActivate.

        Args:
            deadline: by when the host must have its answer.
            failure_allowed: whether the plugin is active even if OnActivate fails (but not if it answers with a
                HookError, which is a decision of its author).

        Raises:
            Exception: what the OnActivate handler raised.
        """
        self._enter(State.ACTIVATING)
        self._background.begin()
        failure: Exception | None = None
        try:
            await self._configure(deadline)
            try:
                await self._call(HookName.OnActivate, deadline)
            except Exception as error:
                if not failure_allowed or isinstance(error, HookError):
                    raise
                failure = error
            await self._after_activate(deadline)
        except BaseException:
            if self.state is State.ACTIVATING:
                self._enter(State.FAILED)
            raise
        if self.state is not State.ACTIVATING:
            # Deactivated meanwhile, which left OnDeactivate's work to whoever finishes the activation.
            await self._wind_down(deadline)
            raise NotActiveError("the plugin was deactivated while it was being activated")
        self._enter(State.ACTIVE)
        self._background.start()
        if failure is not None:
            raise failure

    async def deactivate(self, deadline: float | None) -> None:
        """Refuse further hooks and run OnDeactivate; nothing if it has run or the plugin never was active.

        Raises:
            Exception: what the OnDeactivate handler raised; the plugin is deactivated all the same.
        """
        was_active = self.is_active
        self._enter(State.DEACTIVATED)
        if was_active:
            await self._wind_down(deadline)

    async def wait_active(self) -> None:
        """Return when hooks may run.

        Raises:
            NotActiveError: they never will, as things stand.
        """
        while not self.is_active:
            if self.state in (State.FAILED, State.DEACTIVATED):
                raise NotActiveError(f"the plugin is not active: {self.state.name.lower()}")
            await self._settled.wait()

    async def _wind_down(self, deadline: float | None) -> None:
        try:
            await self._background.stop(deadline)
            await self._call(HookName.OnDeactivate, deadline)
        finally:
            await self._after_deactivate(deadline)

    async def _configure(self, deadline: float | None) -> None:
        handler = self._handlers.get(HookName.OnConfigurationChange)
        if handler is None or self._configured:
            return
        self._configured = True
        try:
            await self._call(HookName.OnConfigurationChange, deadline)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - author's code; as in a Go plugin it stops nothing
            report_failure(handler.spec, error)

    async def _call(self, hook: HookName, deadline: float | None) -> None:
        handler = self._handlers.get(hook)
        if handler is not None:
            unary_adapter(hook).response(await handler.invoke((), deadline))

    def _enter(self, state: State) -> None:
        self.state = state
        self.is_active = state is State.ACTIVE
        if state in (State.STARTED, State.ACTIVATING):
            self._settled.clear()
        else:
            self._settled.set()
