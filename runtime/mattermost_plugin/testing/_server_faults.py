"""The part of the server under test that makes things go wrong, and takes what goes wrong for expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from google.protobuf.message import Message

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.testing import _faults
from mattermost_plugin.testing._error_watch import Expectation
from mattermost_plugin.testing._faults import EVERY_METHOD, Effect, Hold, Rule, method_name
from mattermost_plugin.testing._plugin import PluginRef
from mattermost_plugin.testing._server_records import ServerWithRecords
from mattermost_plugin.testing._server_waiting import ServerWithWaiting

__all__ = ["ExpectedErrors", "Fault", "HeldCalls", "ServerWithFaults"]

__tracebackhide__ = True  # pytest shows the line of the test


class Fault:
    """A fault of the API that goes on until `end`, or to the end of its `with` block, or until it is used up."""

    def __init__(self, core: ServerWithWaiting, rule: Rule) -> None:
        self._core = core
        self._rule = rule

    @property
    def requests(self) -> list[Message]:
        """The requests that it has met."""
        return self._core._look("fault.requests", lambda: list(self._rule.requests))

    def end(self) -> None:
        """Let the API work again; legal more than once."""
        self._core._look("fault.end()", lambda: self._core._faults.remove(self._rule))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After another error it does not matter whether it was met.
        if error is None:
            self._core._look("fault", lambda: self._core._faults.give_up(self._rule))
        else:
            self.end()


class HeldCalls(Fault):
    """API calls that wait until the test lets them go on. While they may wait, nothing settles by itself."""

    def __init__(self, core: ServerWithWaiting, rule: Rule, hold: Hold) -> None:
        super().__init__(core, rule)
        self._hold = hold

    @property
    def waiting(self) -> int:
        """How many calls wait now."""
        return self._core._read("held.waiting", lambda _: self._hold.waiting)

    def wait(self, count: int = 1) -> None:
        """Wait until so many calls wait.

        Raises:
            DeadlineError: they do not come.
        """
        self._core.wait_until(lambda: self.waiting >= count, f"{count} held calls of {self._rule.method}")

    def release(self) -> None:
        """Let the calls go on, and all that come later."""
        self.end()


class ExpectedErrors:
    """Errors that a test expects; in a `with` block those that come inside it."""

    def __init__(self, core: ServerWithWaiting, expectation: Expectation) -> None:
        self._core = core
        self._expectation = expectation

    @property
    def texts(self) -> list[str]:
        """The errors that have come."""
        return self._core._look("errors.texts", lambda: list(self._expectation.seen))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        expectation = self._expectation
        if error is None and expectation.is_disappointed and not self._core.is_closed:
            self._core.settle()
        self._core._look("expect_errors()", lambda: self._core._watch.end(expectation))
        if error is None and expectation.is_disappointed:
            raise AssertionError(f"the test expected {expectation}, and none came")


class ServerWithFaults(ServerWithRecords):
    """Makes the API fail, and knows which errors are expected."""

    def fail(
        self,
        method: str,
        *,
        status: int = 500,
        id: str = "test.failure",  # noqa: A002 - the name that the server's AppError has
        message: str = "The test wants this to fail.",
        detail: str = "",
        times: int | None = 1,
        when: Callable[[Message], object] | None = None,
        plugin: PluginRef = None,
    ) -> Fault:
        """Make an API method answer with an error, and do nothing.

        A fault that is not met as often as `times` says fails the test at its end.

        Args:
            method: the method's Go name, or the client's name of it; "*" for every method.
            status: HTTP status of the error: it decides which exception the plugin gets.
            id: the error's name.
            message: what the user is told.
            detail: what the log is told.
            times: how often; None for every time until the fault ends.
            when: tells by the request whether it is meant.
            plugin: only for a plugin; None for all.
        """
        refusal = ApiError(id, status, detail, message=message)
        return Fault(self, self._add(method, _faults.error(refusal), times, when, plugin))

    def disconnect(
        self,
        method: str = EVERY_METHOD,
        *,
        after_effect: bool = False,
        times: int | None = None,
        when: Callable[[Message], object] | None = None,
        plugin: PluginRef = None,
    ) -> Fault:
        """Take the server away from the plugins: API calls get no answer.

        The client sends a call again for a while, as it does when a server really is away: any call that found no
        server, and after the effect those that may be repeated. Only then the plugin gets APIUnavailable.

        Args:
            method: which method; default is all.
            after_effect: the method does what it does, and then the connection breaks. Default: nothing arrives.
            times: how many tries of calls; None for every one until the fault ends.
            when: tells by the request whether it is meant.
            plugin: only for a plugin; None for all.
        """
        return Fault(self, self._add(method, _faults.no_answer(after_effect=after_effect), times, when, plugin))

    def slow(
        self,
        method: str,
        seconds: float,
        *,
        times: int | None = None,
        when: Callable[[Message], object] | None = None,
        plugin: PluginRef = None,
    ) -> Fault:
        """Make an API method take its time, by the machine's clock, as the plugin's own limits go by it.

        Args:
            method: the method's Go name, or the client's name of it; "*" for every method.
            seconds: how long, beside what it takes anyway.
            times: how often; None for every time until the fault ends.
            when: tells by the request whether it is meant.
            plugin: only for a plugin; None for all.
        """
        return Fault(self, self._add(method, _faults.slowness(seconds), times, when, plugin))

    def hold(
        self, method: str, *, when: Callable[[Message], object] | None = None, plugin: PluginRef = None
    ) -> HeldCalls:
        """Make the calls of an API method wait until the test lets them go on: for races, without any pause.

        What leads to such a call must go on beside the test: `posting = server.start(ada.post, channel, "hi")`.

        Args:
            method: the method's Go name, or the client's name of it; "*" for every method.
            when: tells by the request whether it is meant.
            plugin: only for a plugin; None for all.
        """
        hold = self._read("hold(...)", lambda _: Hold())
        return HeldCalls(self, self._add(method, hold, None, when, plugin), hold)

    def _add(
        self,
        method: str,
        effect: Effect,
        times: int | None,
        when: Callable[[Message], object] | None,
        plugin: PluginRef,
    ) -> Rule:
        rule = Rule(method_name(method), effect, times, self._id_or_all(plugin), when)
        return self._read("a fault", lambda _: self._faults.add(rule))

    def expect_errors(self, match: str = "", *, required: bool = True) -> ExpectedErrors:
        """Take errors for expected that would otherwise fail the test: error lines of plugins, hooks without an answer.

        Alone it is for the rest of the test, as `with` for a block; one such error must come within it.

        Args:
            match: what the error's text, with the values and the traceback logged with it, must contain somewhere, as a
                regular expression.
            required: False if it is fine when none comes.

        Raises:
            AssertionError: at the end of the block: none has come.
        """
        expectation = Expectation(re.compile(match), required)
        return ExpectedErrors(self, self._read("expect_errors()", lambda _: self._watch.expect(expectation)))
