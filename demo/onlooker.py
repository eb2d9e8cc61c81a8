"""Watches what a deed causes: which hooks are called for it, and what users get to see."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from demo.stage import Stage
from mattermost_plugin.devhost.events import Event, HookCalled, WebSocketEvent


class Sight(NamedTuple):
    """Something that somebody sees."""

    who: str
    """Who sees it and how, such as "all read"."""

    what: str
    """What it is."""


class Onlooker:
    """Watches from its making on.

    Args:
        stage: who is there.
    """

    def __init__(self, stage: Stage) -> None:
        self._names = stage.names
        self._channel_id = stage.lounge.id
        self.calls: list[HookCalled] = []
        self.sights: list[Sight] = []

    def watch(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, HookCalled):
            # Copies, as the host goes on with the messages and fills them up.
            self.calls.append(
                replace(event, request=copy.deepcopy(event.request), response=copy.deepcopy(event.response))
            )
        elif isinstance(event, WebSocketEvent) and event.broadcast.channel_id == self._channel_id:
            self._see(event)

    def _see(self, event: WebSocketEvent) -> None:
        """Take note of what clients are sent, as they show it."""
        if event.name not in ("posted", "ephemeral_message"):
            return
        post = json.loads(str(event.data["post"]))
        if event.name == "posted":
            self.sights.append(Sight("all read", f'{self._names[post["user_id"]]}: "{post["message"]}"'))
        else:
            self.sights.append(Sight(f"{self._names[event.broadcast.user_id]} alone reads", f'"{post["message"]}"'))


@contextmanager
def onlooker(stage: Stage) -> Iterator[Onlooker]:
    """Watch while the body runs."""
    watching = Onlooker(stage)
    stop = stage.host.events.subscribe(watching.watch)
    try:
        yield watching
    finally:
        stop()
