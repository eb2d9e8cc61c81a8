"""Shows what happens on the development host as lines of a log."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin._redaction import redacted_text
from mattermost_plugin.cli.terminal import BOLD, DIM, RED, YELLOW, Colour, Terminal, visible
from mattermost_plugin.devhost.events import (
    ApiCalled,
    Event,
    HookCalled,
    LogWritten,
    MailSent,
    PluginChanged,
    PushSent,
    WebSocketEvent,
)
from mattermost_plugin.devhost.runner import START_GIVEN_UP
from mattermost_pluginapi.v1.common_pb2 import AppError
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse

__all__ = ["LogView", "short_names"]

HOST: Final = "host"
LONGEST_NAME: Final = 24
LONGEST_TEXT: Final = 20_000
"""Of one entry: a plugin may log as much as it likes, and nobody reads more at once."""
LONGEST_CALL: Final = 120
"""Of the arguments of a call, and of its result."""

_LEVELS: Final[Mapping[str, Colour]] = {
    "warn": YELLOW,
    "error": RED,
    "debug": DIM,
    "trace": DIM,
    "hook": DIM,
    "api": DIM,
    "event": DIM,
}
_NAME_COLOURS: Final[Sequence[Colour]] = ("36", "35", "34", "32")
_CONTEXTS: Final = ("context", "plugin_context", "error")
"""Fields that a call's line leaves out: the same in all calls, or told in other words."""

_TO_BE_QUOTED: Final = frozenset(' ="')
_CHANGES: Final = {"RUNNING": ("info", "runs"), "NOT_RUNNING": ("info", "has ended")}


def short_names(plugin_ids: Sequence[str]) -> dict[str, str]:
    """What each plugin is called in the log: the last part of its id, or all of it if others end alike."""
    last = [plugin_id.rpartition(".")[2] for plugin_id in plugin_ids]
    names: dict[str, str] = {}
    for plugin_id, name in zip(plugin_ids, last, strict=True):
        unique = name if name and name != HOST and last.count(name) == 1 else plugin_id
        names[plugin_id] = visible(unique)[:LONGEST_NAME]
    return names


class LogView:
    """Writes a line, or a few, for each event.

    Args:
        terminal: where.
        names: what each plugin is called, by its id.
        verbose: whether calls of hooks and of the API, and events for clients, are shown too.
    """

    def __init__(self, terminal: Terminal, names: Mapping[str, str], *, verbose: bool) -> None:
        self._terminal = terminal
        self._names = names
        self._verbose = verbose
        self._width = max(map(len, [HOST, *names.values()]))
        self._colours = dict(zip(names, itertools.cycle(_NAME_COLOURS), strict=False))

    def show(self, event: Event) -> None:
        """Show an event; most kinds of them only if verbose.

        Raises:
            OSError: nobody reads it any more.
        """
        match event:
            case LogWritten():
                self._write(event, event.plugin_id, event.level, event.message, event.pairs)
            case PluginChanged():
                self._show_change(event)
            case MailSent():
                self._write(event, "", "info", f"mail to {event.to}", {"subject": event.subject})
            case PushSent():
                self._write(event, "", "info", f"push notification to the user {event.user_id}", {})
            case HookCalled() if self._verbose:
                self._write(event, event.plugin_id, "hook", _hook_in_words(event), {})
            # What the Log methods are given is a line of its own.
            case ApiCalled() if self._verbose and not event.method.startswith("Log"):
                self._write(event, event.plugin_id, "api", _api_in_words(event), {})
            case WebSocketEvent() if self._verbose:
                self._write(event, "", "event", event.name, {})
            case _:
                pass

    def _show_change(self, event: PluginChanged) -> None:
        # What has ended by itself is in the log already.
        if event.state == "FAILED_TO_START" and event.reason != START_GIVEN_UP:
            self._write(event, event.plugin_id, "error", f"does not start: {event.reason}", {})
        elif event.state in _CHANGES:
            level, text = _CHANGES[event.state]
            self._write(event, event.plugin_id, level, text, {})

    def _write(self, event: Event, plugin_id: str, level: str, text: str, pairs: Mapping[str, object]) -> None:
        name = self._names.get(plugin_id, visible(plugin_id)[:LONGEST_NAME]) if plugin_id else HOST
        colour = _LEVELS.get(level, "")
        first, *more = [self._terminal.paint(colour, line) for line in _lines(text, pairs)]
        head = " ".join(
            [
                self._terminal.paint(DIM, _clock_time(event.at_ms)),
                self._terminal.paint(self._colours.get(plugin_id, BOLD), f"{name:{self._width}}"),
                self._terminal.paint(colour, f"{level:5}"),
            ]
        )
        indent = " " * (len("00:00:00.000") + self._width + len(" error") + 2)
        self._terminal.write("\n".join([f"{head} {first}", *(indent + line for line in more)]))


def _clock_time(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{ms:03}"


def _lines(text: str, pairs: Mapping[str, object]) -> Iterator[str]:
    """An entry's lines: its text, and each value of several lines below it."""
    *before, last = _split(text)
    short, long = [last], list[str]()
    for name, value in pairs.items():
        if isinstance(value, str) and "\n" in value:
            long += [f"{name}:", *(f"  {line}" for line in _split(value))]
        else:
            short.append(f"{name}={_cut(_on_one_line(value), LONGEST_TEXT)}")
    return map(visible, [*before, "  ".join(short), *long])


def _split(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in _cut(text.rstrip(), LONGEST_TEXT).split("\n")]


def _on_one_line(value: object) -> str:
    if isinstance(value, str) and value and not set(value) & _TO_BE_QUOTED:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text) - longest} characters more)"


def _hook_in_words(event: HookCalled) -> str:
    took = f"{event.duration_ms:.1f} ms"
    request, response = event.request, event.response
    if isinstance(request, ServeHTTPRequest) and isinstance(response, ServeHTTPResponse):
        path = request.init.url.partition("?")[0]  # what follows may be a secret
        return f"{event.hook} {request.init.method} {path} -> {response.init.status_code} in {took}"
    result = event.failure or _result(response)
    return f"{event.hook} {_fields(request)} -> {result} in {took}"


def _api_in_words(event: ApiCalled) -> str:
    return f"{event.method} {_fields(event.request)} -> {_result(event.response)} in {event.duration_ms:.1f} ms"


def _result(response: Message | None) -> str:
    error = getattr(response, "error", None)
    if response is None:
        return "no answer"
    if isinstance(error, AppError) and response.HasField("error"):
        return f"error {error.status_code} {error.id}: {error.detailed_error or error.message}"
    return _fields(response)


def _fields(message: Message) -> str:
    """The fields of a message without secrets, cut to a length."""
    shown = type(message)()
    shown.CopyFrom(message)
    for name in _CONTEXTS:
        if name in message.DESCRIPTOR.fields_by_name:
            shown.ClearField(name)
    return _cut(redacted_text(shown).partition(" ")[2], LONGEST_CALL)
