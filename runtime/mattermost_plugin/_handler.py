"""Calls an author's handler: in the right place, within its time, with every outcome told apart."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import CoroutineType, coroutine
from typing import Any

from mattermost_plugin._handler_pool import HandlerPool, PoolTimeoutError
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin.errors import HandlerTimeout

# Of the time that the host still waits, this part is kept for the reply to travel, but no more than the bound:
# an answer after the host's deadline says nothing.
_REPLY_SHARE = 0.1
_REPLY_MARGIN_S = 1.0


class Handler:
    """An author's handler, bound to the plugin."""

    __slots__ = ("_call", "_is_async", "_pool", "_timeout_s", "spec")

    def __init__(self, spec: HandlerSpec, plugin: object, pool: HandlerPool, timeout_s: float | None) -> None:
        self.spec = spec
        self._call: Callable[..., Any] = getattr(plugin, spec.attribute)
        self._is_async = spec.is_async
        self._pool = pool
        self._timeout_s = spec.timeout_s if spec.timeout_s is not None else timeout_s

    async def invoke(self, arguments: tuple[object, ...], host_patience_s: float | None = None) -> object:
        """Call the handler and return its result.

        Args:
            arguments: the handler's arguments.
            host_patience_s: seconds after which the host no longer waits; None if it waits without end.

        Raises:
            HandlerTimeout: the handler took too long.
            Exception: whatever it raised.
        """
        timeout_s = self.limit(host_patience_s)
        if self._is_async:
            return await self._await(self._call(*arguments), timeout_s)
        try:
            result = await self._pool.run(self._call, arguments, self.spec.label, timeout_s)
        except PoolTimeoutError as timeout:
            raise self._timed_out(timeout_s, self._describe(timeout)) from None
        if inspect.isawaitable(result):
            # A `def` that returns a coroutine, such as a decorated `async def`: its body belongs on the loop.
            return await self._await(result, timeout_s)
        return result

    def limit(self, host_patience_s: float | None) -> float | None:
        """Seconds that the handler may take when the host waits that long; None if nothing limits it."""
        if host_patience_s is None:
            return self._timeout_s
        patience = host_patience_s - min(_REPLY_MARGIN_S, host_patience_s * _REPLY_SHARE)
        return patience if self._timeout_s is None else min(patience, self._timeout_s)

    async def _await(self, awaitable: Awaitable[object], timeout_s: float | None) -> object:
        if timeout_s is None:
            return await awaitable
        if isinstance(awaitable, CoroutineType):
            # Many handlers never wait. Such a one is done after its first step and needs no timer, which would cost
            # more than everything else here.
            try:
                waits_for = awaitable.send(None)
            except StopIteration as done:
                return done.value
            awaitable = _go_on(awaitable, waits_for)
        deadline = asyncio.timeout(timeout_s)
        try:
            async with deadline:
                return await awaitable
        except TimeoutError as error:
            if not deadline.expired():
                raise
            # The traceback of the cancelled handler shows where it waited.
            raise self._timed_out(timeout_s, "") from error

    def _timed_out(self, timeout_s: float | None, detail: str) -> HandlerTimeout:
        error = HandlerTimeout(self.spec.hook, timeout_s or 0.0)
        if detail:
            error.add_note(detail)
        return error

    def _describe(self, timeout: PoolTimeoutError) -> str:
        if timeout.started:
            return f"{self.spec.label} is stuck in its thread here:\n{timeout.stack}"
        pool = self._pool
        return (
            f"{self.spec.label} got no thread: all {pool.size} are busy, {pool.stuck} of them with handlers "
            "that have outrun their time"
        )


@coroutine
def _go_on(started: Coroutine[Any, Any, object], waits_for: object) -> Generator[Any, Any, object]:
    """Await a coroutine that has taken its first step: pass on what goes in and comes out, as `await` does."""
    while True:
        thrown: BaseException | None = None
        value = None
        try:
            value = yield waits_for
        except GeneratorExit:
            started.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown by the event loop, for the coroutine
            thrown = error
        try:
            waits_for = started.send(value) if thrown is None else started.throw(thrown)
        except StopIteration as done:
            return done.value
