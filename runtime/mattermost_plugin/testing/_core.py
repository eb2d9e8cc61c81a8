"""The running host below the server under test: its thread, deadlines, settling, and what failures tell."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from mattermost_plugin._redaction import exception_text
from mattermost_plugin.devhost import ApiError, DevHost, DevHostError, ManualClock, SystemClock
from mattermost_plugin.devhost._grpc_api_server import Network
from mattermost_plugin.devhost.events import Event, LogWritten
from mattermost_plugin.testing._begun import say_begun
from mattermost_plugin.testing._control import Control
from mattermost_plugin.testing._error_watch import ErrorWatch
from mattermost_plugin.testing._faults import Faults
from mattermost_plugin.testing._leftovers import Leftovers
from mattermost_plugin.testing._log_bridge import is_plugins_code
from mattermost_plugin.testing._loop_thread import LoopThread, WorkTimeoutError
from mattermost_plugin.testing._records import line_of, log_line
from mattermost_plugin.testing._refusals import refusal_of
from mattermost_plugin.testing._work import busy_handler_threads, quiet, under_way
from mattermost_plugin.testing.errors import (
    DeadlineError,
    LeftoverWarning,
    MisuseError,
    RequestRefused,
    UnexpectedErrors,
)

__all__ = ["ServerCore"]

__tracebackhide__ = True  # pytest shows the line of the test

T = TypeVar("T")
EventT = TypeVar("EventT", bound=Event)

TIMEOUT_S: Final = 10.0
START_TIMEOUT_S: Final = 45.0
"""A process may take 10 s until its handshake, and OnActivate 30 s."""

OWN_THREADS: Final = "mattermost-test-"
"""How the names of this package's threads begin."""

LOG_LINES: Final = 10
"""How many lines of the log an error tells."""

SITUATION_S: Final = 2.0
"""How long the loop may take to tell what goes on."""

STORY_EVENTS: Final = 200
"""How many events a transcript has."""


class ServerCore:
    """A development host on an event loop of its own thread.

    Args:
        timeout_s: how long anything may take, in seconds; None for no limit, such as for a debugger.
        clock: the time; default is a clock that only the test advances.
        network: how plugins reach the API: "unix" or "tcp".
        path: the SQLite file to keep the state in; None for one that goes away.
    """

    def __init__(
        self,
        *,
        timeout_s: float | None = TIMEOUT_S,
        clock: ManualClock | SystemClock | None = None,
        network: Network = "unix",
        path: Path | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._settles = True
        self._is_closed = False
        self._is_late = False
        self._thread = LoopThread(f"{OWN_THREADS}server", self._loop_failed)
        # With the machine's time at the beginning: plugins compare it with their own clocks.
        clock = clock or ManualClock(time.time_ns() // 1_000_000)
        try:
            starting_s = self._at_least(START_TIMEOUT_S)
            self._host = self._thread.run(_made(lambda: DevHost(path, clock=clock, network=network)), starting_s)
            self._control, self._faults, self._watch, self._leftovers = self._thread.run(
                _made(lambda: (Control.of(self._host), Faults(self._host), ErrorWatch(self._host.events), Leftovers())),
                starting_s,
            )
        except BaseException:
            self._thread.stop()
            raise

    def __repr__(self) -> str:
        return f"<server with {', '.join(self._control.loaded) or 'no plugin'}>"

    # Doing things

    def run(self, work: Callable[[DevHost], Awaitable[T]], what: str = "run(...)") -> T:
        """Do something with the host, on its event loop: what this class has no method for.

        Args:
            work: gets the host; its result is awaited.
            what: what it is, for errors.

        Raises:
            RequestRefused: the server says no.
            DeadlineError: it takes too long.
        """
        return self._act(what, work)

    def call(self, work: Callable[[DevHost], T], what: str = "call(...)") -> T:
        """Do something with the host, on its event loop, that has no need to wait; see `run`."""
        return self._call(what, work)

    def _act(
        self,
        what: str,
        work: Callable[[DevHost], Awaitable[T]],
        *,
        settles: bool = True,
        at_least_s: float = 0.0,
    ) -> T:
        """Do something on the loop, and wait until what it causes has ended.

        Args:
            what: what it is, for messages.
            work: does it.
            settles: whether to wait for what it causes.
            at_least_s: the shortest time that it must have, if there is a limit.
        """
        self._check_usable(what)
        # What a plugin's handler does cannot wait for that handler.
        settles = settles and self._settles and not is_plugins_code()

        async def act() -> T:
            outcome = await self._outcome(what, work)
            # What a plugin has refused may have caused something all the same.
            if settles and not self._faults.holds:
                await self._quiet(self._host)
            if isinstance(outcome, RequestRefused):
                raise outcome
            return outcome

        timeout_s = self._at_least(at_least_s)
        try:
            return self._thread.run(act(), timeout_s, self._situation, say_begun)
        except WorkTimeoutError as late:
            self._is_late = True
            raise DeadlineError(what, timeout_s or 0.0, late.situation) from None

    async def _outcome(self, what: str, work: Callable[[DevHost], Awaitable[T]]) -> T | RequestRefused:
        events: list[Event] = []
        unsubscribe = self._host.events.subscribe(events.append)
        try:
            return await work(self._host)
        except ApiError as error:
            return refusal_of(error, what, events)
        finally:
            unsubscribe()

    def _call(self, what: str, work: Callable[[DevHost], T]) -> T:
        """Do something on the loop that has no need to wait, and wait until what it causes has ended."""
        return self._act(what, lambda host: _made(lambda: work(host)))

    def _history(self, kind: type[EventT]) -> list[EventT]:
        """The events of one kind, oldest first; also once the server is closed."""
        return self._look("history", lambda: self._host.events.history(kind))

    def _look(self, what: str, work: Callable[[], T]) -> T:
        """Look at what outlives the loop: on it, or when it is gone, and nothing else is at work, here."""
        return work() if self._is_closed else self._read(what, lambda _: work())

    def _read(self, what: str, work: Callable[[DevHost], T]) -> T:
        """Look something up on the loop."""
        return self._act(what, lambda host: _made(lambda: work(host)), settles=False)

    def _check_usable(self, what: str) -> None:
        if self._is_closed:
            raise MisuseError(f"{what}: the server has been closed")
        if self._thread.is_current:
            raise MisuseError(
                f"{what}: this is the server's own event loop, on which async handlers run; it would wait for itself. "
                "Call it from the test, or from a `def` handler"
            )

    async def _quiet(self, host: DevHost) -> None:
        await quiet(host, calls_under_way=lambda: self._faults.under_way)

    def _only_plugin(self, what: str) -> str:
        """The id of the loaded plugin, if one is loaded."""
        loaded = self._control.loaded
        if len(loaded) != 1:
            raise MisuseError(f"{what}: say which plugin; there are {', '.join(loaded) or 'none'}")
        return loaded[0]

    def _at_least(self, seconds: float) -> float | None:
        """The limit of what may take longer than other things."""
        return None if self._timeout_s is None else max(self._timeout_s, seconds)

    # Telling

    def transcript(self) -> str:
        """The latest events, a line each: hooks, API calls, log lines, websocket events, starts and ends of plugins."""
        return "\n".join(map(line_of, self._history(Event)[-STORY_EVENTS:]))

    def _situation(self) -> str:
        """What goes on now, for an error. The loop may be what is stuck."""
        blocked = self._thread.blocked_at()
        if not blocked:
            try:
                return self._thread.run(_made(self._describe), SITUATION_S)
            except WorkTimeoutError:
                blocked = self._thread.blocked_at() or "it answers again"
        return f"The event loop is blocked, so nothing can go on. It stands here:\n{blocked.rstrip()}"

    def _describe(self) -> str:
        doing = [*under_way(self._host), *busy_handler_threads()]
        if self._faults.holds:
            doing.append("API calls are held by the test")
        lines = [event for event in self._host.events.history(LogWritten) if event.plugin_id][-LOG_LINES:]
        parts = ["Under way: " + ("\n- ".join(["", *doing]) if doing else "nothing that can be seen")]
        logged = "\n".join(f"- {log_line(line)!r}" for line in lines)
        parts.append(f"The plugins' last log lines:\n{logged}" if lines else "The plugins have logged nothing.")
        return "\n".join(parts)

    def _loop_failed(self, message: str, failure: BaseException | None) -> None:
        text = f"{message}: {exception_text(failure)}" if failure is not None else message
        self._host.world.log("error", text)

    # Ending

    def close(self) -> None:
        """End all plugins, the latest first, and the server; legal more than once.

        Errors that the plugins log on the way are there for `check` to raise.
        """
        if self._is_closed:
            return
        left: list[str] = []
        # A loop that has been blocked for so long may be so for ever.
        patience_s = TIMEOUT_S if self._is_late and self._thread.blocked_at() else START_TIMEOUT_S
        try:
            # What was too late before is so still, and would be waited for once more.
            if not self._is_late:
                self._settle_last(left)
            self._act("close()", self._unload_all, settles=False, at_least_s=patience_s)
            left += self._read("close()", lambda _: self._leftovers.find())
            self._act("close()", DevHost.close, settles=False, at_least_s=patience_s)
        except BaseException:
            self._kill_processes()
            raise
        finally:
            self._is_closed = True
            if not self._thread.stop():
                left.append(f"the event loop does not end: {self._thread.blocked_at()}")
        for each in left:
            warnings.warn(LeftoverWarning(each), stacklevel=2)

    def _kill_processes(self) -> None:
        """Leave no process behind, also if nothing can be ended in good order."""
        for plugin in self._host.world.plugins:
            with suppress(DevHostError, ProcessLookupError):
                pid = self._host.pid(plugin.plugin_id)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)

    def _settle_last(self, left: list[str]) -> None:
        try:
            self._act("close()", self._quiet, settles=False)
        except DeadlineError as error:
            left.append(str(error))

    async def _unload_all(self, host: DevHost) -> None:
        for plugin_id in reversed(self._control.loaded):
            try:
                await self._control.remove(plugin_id)
            except Exception as error:  # noqa: BLE001 - what one end runs into must not keep the other plugins alive
                self._watch.report(f"{plugin_id} could not be unloaded: {exception_text(error)}")

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed."""
        return self._is_closed

    def check(self) -> None:
        """Raise what went wrong and was not expected. Each error is raised once.

        Raises:
            UnexpectedErrors: a plugin has logged an error, a hook got no answer, an error that was expected did not
                come, or a fault that the test made was not met.
        """
        errors = self._look("check()", self._found_errors)
        if errors is not None:
            raise errors

    def _found_errors(self) -> UnexpectedErrors | None:
        for expectation in self._watch.disappointed():
            self._watch.report(f"the test expected {expectation}, and none came")
            self._watch.end(expectation)
        for method in self._faults.take_unmet():
            self._watch.report(f"the test made {method} fail, and no plugin called it as often as that")
        return self._watch.take()


async def _made(make: Callable[[], T]) -> T:
    return make()
