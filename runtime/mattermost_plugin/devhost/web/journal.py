"""What has happened on the host, numbered, as the page lists it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from mattermost_plugin.devhost.events import Event, EventBus
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.web.event_json import details_of, summary_of
from mattermost_plugin.devhost.web.message_json import Json

__all__ = ["Entry", "Journal"]

REMEMBERED: Final = 2_000
"""How many events can be looked at. The page shows fewer."""


@dataclass(frozen=True)
class Entry:
    """One event with its number."""

    number: int
    """Counts up from 1 in one run of the front."""
    event: Event
    """What happened."""

    @cached_property
    def summary(self) -> dict[str, Json]:
        """One line about it."""
        return {"number": self.number, "at": self.event.at_ms, **summary_of(self.event)}

    @property
    def details(self) -> dict[str, Json]:
        """All that is to be seen of it."""
        return self.summary | details_of(self.event)


class Journal:
    """Listens to the host from the beginning of its memory on, until it is closed.

    Args:
        events: the host's events.
    """

    def __init__(self, events: EventBus) -> None:
        self.run = new_id()
        """Tells one run of the front from another: numbers begin anew."""
        self.last_number = 0
        """Number of the newest event."""
        self._entries: deque[Entry] = deque(maxlen=REMEMBERED)
        self._listeners: set[Callable[[Entry], None]] = set()
        for event in events.history(Event)[-REMEMBERED:]:
            self._add(event)
        self._unsubscribe = events.subscribe(self._add)

    def close(self) -> None:
        """Listen no more; legal more than once."""
        self._unsubscribe()

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Have a function called with each entry from now on. Returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def after(self, number: int, limit: int) -> list[Entry]:
        """The newest entries after a number, `limit` at most, oldest first."""
        newest = islice(reversed(self._entries), limit)
        return [entry for entry in newest if entry.number > number][::-1]

    def entry(self, number: int) -> Entry | None:
        """The entry of a number; None if it is forgotten."""
        return next((entry for entry in self._entries if entry.number == number), None)

    def _add(self, event: Event) -> None:
        self.last_number += 1
        entry = Entry(self.last_number, event)
        self._entries.append(entry)
        for listener in tuple(self._listeners):
            listener(entry)
