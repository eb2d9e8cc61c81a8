"""Faults of the API that a test wants: errors, no answer, slowness, and calls that wait for the test."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin._redaction import exception_text
from mattermost_plugin.devhost import ApiError, DevHost
from mattermost_plugin.devhost.errors import NoAnswerError
from mattermost_plugin.testing.errors import MisuseError
from mattermost_pluginapi.api.methods import METHODS

__all__ = [
    "EVERY_METHOD",
    "Answer",
    "Effect",
    "Faults",
    "Hold",
    "Rule",
    "error",
    "method_name",
    "no_answer",
    "slowness",
]

__tracebackhide__ = True  # pytest shows the line of the test

EVERY_METHOD: Final = "*"

AWAY: Final = "failed to connect to all addresses; the test has taken the server away"
"""Begins as gRPC's own text, by which a client knows that nothing was sent."""
CUT: Final = "Socket closed; the test has cut the connection"

_BY_CLIENT_NAME: Final = {method.method: name for name, method in METHODS.items()}

Answer = Callable[[], Awaitable[Message]]
Effect = Callable[[Answer], Awaitable[Message]]


def method_name(name: str) -> str:
    """The Go name of an API method, given as it or as the client's method.

    Raises:
        MisuseError: there is no such method.
    """
    if name == EVERY_METHOD or name in METHODS:
        return name
    if name in _BY_CLIENT_NAME:
        return _BY_CLIENT_NAME[name]
    near = difflib.get_close_matches(name, [*METHODS, *_BY_CLIENT_NAME], 1)
    raise MisuseError(f"the API has no method {name!r}" + (f"; is it {near[0]!r}?" if near else ""))


@dataclass(eq=False, slots=True)
class Rule:
    """Which calls are affected, and how."""

    method: str
    """Go name of the method, or "*"."""
    effect: Effect
    """What becomes of a call."""
    left: int | None
    """How many more calls it affects; None for no limit."""
    plugin_id: str
    """Whose calls; "" for all."""
    matches: Callable[[Message], object] | None
    """Tells by the request; None for all."""
    requests: list[Message] = field(default_factory=list)
    """The requests that it has affected."""

    def takes(self, plugin_id: str, method: str, request: Message) -> bool:
        """Whether it affects a call, which then counts."""
        if self.left == 0 or self.method not in (method, EVERY_METHOD) or self.plugin_id not in (plugin_id, ""):
            return False
        if self.matches is not None and not self.matches(request):
            return False
        if self.left is not None:
            self.left -= 1
        self.requests.append(request)
        return True


class Hold:
    """Keeps calls waiting until it is released. Used on the host's loop."""

    def __init__(self) -> None:
        self.waiting = 0
        self._released = asyncio.Event()

    async def __call__(self, answer: Answer) -> Message:
        """Wait, then answer."""
        self.waiting += 1
        try:
            await self._released.wait()
        finally:
            self.waiting -= 1
        return await answer()

    @property
    def is_released(self) -> bool:
        """Whether calls pass."""
        return self._released.is_set()

    def release(self) -> None:
        """Let all calls pass, also those to come."""
        self._released.set()


def error(refusal: ApiError) -> Effect:
    """Answer with an error, and do nothing."""

    async def fail(answer: Answer) -> Message:
        raise refusal

    return fail


def no_answer(*, after_effect: bool) -> Effect:
    """Give no answer, before or after the method has done what it does."""

    async def lose(answer: Answer) -> Message:
        if not after_effect:
            raise NoAnswerError(AWAY)
        await answer()
        raise NoAnswerError(CUT)

    return lose


def slowness(seconds: float) -> Effect:
    """Answer later, by the machine's time."""

    async def wait(answer: Answer) -> Message:
        await asyncio.sleep(seconds)
        return await answer()

    return wait


class Faults:
    """The gate through which all calls of the API go. Of two rules for a call the newer one decides.

    Args:
        host: the host. Used on its loop.
    """

    def __init__(self, host: DevHost) -> None:
        self.under_way = 0
        self._world = host.world
        self._rules: list[Rule] = []
        self._unmet: list[Rule] = []
        host.world.gate = self

    async def __call__(self, plugin_id: str, method: str, request: Message, answer: Answer) -> Message:
        """Answer a call, as the rules have it."""
        self.under_way += 1
        try:
            rule = self._rule_for(plugin_id, method, request)
            return await (answer() if rule is None else rule.effect(answer))
        finally:
            self.under_way -= 1

    def _rule_for(self, plugin_id: str, method: str, request: Message) -> Rule | None:
        for rule in reversed(self._rules):
            try:
                if rule.takes(plugin_id, method, request):
                    return rule
            except Exception as error:  # noqa: BLE001 - the test's own condition; it must not look like the server's error
                self._world.log("error", f"`when` of a fault of {rule.method} failed: {exception_text(error)}")
        return None

    def add(self, rule: Rule) -> Rule:
        """Have a rule apply from now on."""
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Have a rule apply no more; calls that it holds pass."""
        if isinstance(rule.effect, Hold):
            rule.effect.release()
        if rule in self._rules:
            self._rules.remove(rule)

    @property
    def holds(self) -> bool:
        """Whether calls may be waiting for the test."""
        return any(isinstance(rule.effect, Hold) and not rule.effect.is_released for rule in self._rules)

    def give_up(self, rule: Rule) -> None:
        """Have a rule apply no more that should have been met by now."""
        self.remove(rule)
        if rule.left:
            self._unmet.append(rule)

    def take_unmet(self) -> list[str]:
        """The methods whose faults have not been met as often as the test said, each told once."""
        for rule in tuple(self._rules):
            if rule.left:
                self.give_up(rule)
        unmet, self._unmet = self._unmet, []
        return [rule.method for rule in unmet]
