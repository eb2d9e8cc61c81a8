"""Watches for errors that a test did not expect: what plugins log as errors, and hooks that get no answer."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mattermost_plugin.devhost.events import Event, EventBus, HookCalled, LogWritten
from mattermost_plugin.testing.errors import UnexpectedErrors

__all__ = ["ErrorWatch", "Expectation", "error_text"]

__tracebackhide__ = True  # pytest shows the line of the test

ERROR: Final = "error"
_UNSAID: Final = ("request_id", "on_error")
"""Values of every failed handler that help nobody with a test."""
_OWN_FRAME: Final = f'  File "{Path(__file__).parents[1]}{os.sep}'
"""How the lines of a frame of this package begin."""


@dataclass(eq=False, slots=True)
class Expectation:
    """Errors that may come, or must.

    Attributes:
        pattern: what their text must contain somewhere, as a regular expression.
        required: whether one must come.
        seen: the texts that have come.
    """

    pattern: re.Pattern[str]
    required: bool
    seen: list[str] = field(default_factory=list)

    @property
    def is_disappointed(self) -> bool:
        """Whether an error that must come has not come."""
        return self.required and not self.seen

    def __str__(self) -> str:
        return f"an error that matches {self.pattern.pattern!r}" if self.pattern.pattern else "an error"


def error_text(event: Event) -> str:
    """What went wrong in an event, "" if nothing did."""
    if isinstance(event, LogWritten) and event.level == ERROR:
        who = event.plugin_id or "the server"
        values = "".join(f"\n    {key}: {_shown(value)}" for key, value in event.pairs.items() if key not in _UNSAID)
        return f"{who} logged: {event.message}{values}"
    if isinstance(event, HookCalled) and event.failure:
        return f"{event.hook} of {event.plugin_id} got no answer: {event.failure}"
    return ""


def _shown(value: object) -> str:
    """A value as it stands below its error; of a traceback without the frames of this package."""
    lines: list[str] = []
    is_ours = False
    for line in str(value).split("\n"):
        if not line.startswith("    "):
            is_ours = line.startswith(_OWN_FRAME)
        if not is_ours:
            lines.append(line)
    return "\n    ".join(lines)


class ErrorWatch:
    """Keeps the errors that nobody expected.

    Args:
        events: where they are told. Used on the host's loop.
    """

    def __init__(self, events: EventBus) -> None:
        self._unexpected: list[str] = []
        self._expectations: list[Expectation] = []
        events.subscribe(self._look)

    def _look(self, event: Event) -> None:
        text = error_text(event)
        if not text:
            return
        for expectation in reversed(self._expectations):
            if expectation.pattern.search(text):
                expectation.seen.append(text)
                return
        self._unexpected.append(text)

    def expect(self, expectation: Expectation) -> Expectation:
        """Take errors for expected from now on."""
        self._expectations.append(expectation)
        return expectation

    def end(self, expectation: Expectation) -> None:
        """Take no more of them for expected."""
        if expectation in self._expectations:
            self._expectations.remove(expectation)

    def disappointed(self) -> list[Expectation]:
        """The expectations that have not been met."""
        return [each for each in self._expectations if each.is_disappointed]

    def report(self, text: str) -> None:
        """Add an error that no event tells."""
        self._unexpected.append(text)

    @property
    def mark(self) -> int:
        """Where the list of errors ends now, for `forget_since`."""
        return len(self._unexpected)

    def forget_since(self, mark: int) -> None:
        """Forget the errors that came after a mark: an exception tells them."""
        del self._unexpected[mark:]

    def take(self) -> UnexpectedErrors | None:
        """The errors so far as an exception, each told once; None if there were none."""
        found, self._unexpected = self._unexpected, []
        return UnexpectedErrors(found) if found else None
