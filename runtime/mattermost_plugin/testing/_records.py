"""What happened on the server, as a test looks at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, overload

from google.protobuf.message import Message

from mattermost_plugin._redaction import printable, redacted_text
from mattermost_plugin.devhost.events import ApiCalled, Event, HookCalled, LogWritten, PluginChanged, WebSocketEvent
from mattermost_pluginapi.v1.common_pb2 import AppError

__all__ = ["ApiCall", "HookCall", "LogLine", "Records", "api_call", "hook_call", "line_of", "log_line"]

__tracebackhide__ = True  # pytest shows the line of the test

RecordT = TypeVar("RecordT")
RequestT_co = TypeVar("RequestT_co", bound=Message, covariant=True)
ResponseT_co = TypeVar("ResponseT_co", bound=Message, covariant=True)

SHOWN: Final = 30
"""How many records are printed; a test that fails over more has them in `transcript()`."""


LONGEST: Final = 400
"""How many characters of a message are printed."""


class NoSuchRecordError(AssertionError, IndexError):
    """There are fewer records than the test asks for."""


class Records(Sequence[RecordT]):
    """Records, oldest first. They are those of the moment in which they were asked for.

    Args:
        records: the records.
        what: what they are, for messages.
        others: what was there beside them, for messages; a name for each.
    """

    def __init__(self, records: Iterable[RecordT], what: str, others: Iterable[str] = ()) -> None:
        self._records = tuple(records)
        self._what = what
        self._others = Counter(others)

    @overload
    def __getitem__(self, index: int) -> RecordT: ...
    @overload
    def __getitem__(self, index: slice) -> Records[RecordT]: ...
    def __getitem__(self, index: int | slice) -> RecordT | Records[RecordT]:
        """A record, or some of them.

        Raises:
            AssertionError: there are fewer. The text lists those that there are.
        """
        if isinstance(index, slice):
            return Records(self._records[index], self._what)
        try:
            return self._records[index]
        except IndexError:
            raise NoSuchRecordError(f"there is no record {index}: {self!r}") from None

    def __iter__(self) -> Iterator[RecordT]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of lists: two that are equal now may differ later

    def __repr__(self) -> str:
        if not self._records:
            others = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in self._others.items())
            return f"<no {self._what}; there were: {others or 'none at all'}>"
        lines = [f"  {record!r}" for record in self._records[:SHOWN]]
        if len(self._records) > SHOWN:
            lines.append(f"  and {len(self._records) - SHOWN} more")
        return "\n".join([f"<{len(self._records)} {self._what}:", *lines]) + ">"

    @property
    def one(self) -> RecordT:
        """The only one.

        Raises:
            AssertionError: there are more, or none. The text lists them.
        """
        if len(self._records) != 1:
            raise AssertionError(f"there must be one, and there are {len(self._records)}: {self!r}")
        return self._records[0]

    @property
    def last(self) -> RecordT:
        """The latest one.

        Raises:
            AssertionError: there is none. The text lists what else there was.
        """
        return self[-1]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ApiCall(Generic[RequestT_co, ResponseT_co]):
    """A plugin has called an API method and has its answer."""

    plugin_id: str
    """Who called."""
    method: str
    """Go name of the method."""
    request: RequestT_co
    """The arguments."""
    response: ResponseT_co
    """The answer."""
    error: AppError | None
    """Why it failed; None if it did not."""
    at_ms: int
    """When it ended, by the server's clock."""

    def __repr__(self) -> str:
        outcome = f"{self.error.status_code} {self.error.id}" if self.error else _fields(self.response) or "ok"
        return f"{self.method}({_fields(self.request)}) -> {outcome}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HookCall(Generic[RequestT_co, ResponseT_co]):
    """A hook of a plugin was called and has ended."""

    plugin_id: str
    """Whose hook."""
    hook: str
    """Go name of the hook."""
    request: RequestT_co
    """The arguments."""
    response: ResponseT_co | None
    """The answer; None if there was none."""
    failure: str
    """Why there was no answer; "" if there was one."""
    at_ms: int
    """When it ended, by the server's clock."""

    def __repr__(self) -> str:
        answer = f"no answer: {self.failure}" if self.response is None else _fields(self.response) or "ok"
        return f"{self.hook}({_fields(self.request)}) of {self.plugin_id} -> {answer}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LogLine:
    """A line of the server's log."""

    plugin_id: str
    """Who wrote it; "" for the server."""
    level: str
    """"trace", "debug", "info", "warn" or "error"."""
    message: str
    """The text."""
    pairs: dict[str, object]
    """The values that were logged with it."""
    at_ms: int
    """When, by the server's clock."""

    def __repr__(self) -> str:
        values = "".join(f" {key}={printable(value)!r}" for key, value in self.pairs.items() if key != "traceback")
        return f"{self.level} {self.plugin_id or 'server'}: {self.message}{values}"


def api_call(event: ApiCalled) -> ApiCall[Message, Message]:
    """The record of an event."""
    # A response without the field is none of the API's, and cannot have failed.
    error = getattr(event.response, "error", None)
    has_failed = isinstance(error, AppError) and event.response.HasField("error")
    return ApiCall(
        plugin_id=event.plugin_id,
        method=event.method,
        request=event.request,
        response=event.response,
        error=error if has_failed else None,
        at_ms=event.at_ms,
    )


def hook_call(event: HookCalled) -> HookCall[Message, Message]:
    """The record of an event."""
    return HookCall(
        plugin_id=event.plugin_id,
        hook=event.hook,
        request=event.request,
        response=event.response,
        failure=event.failure,
        at_ms=event.at_ms,
    )


def log_line(event: LogWritten) -> LogLine:
    """The record of an event."""
    return LogLine(
        plugin_id=event.plugin_id,
        level=event.level,
        message=event.message,
        pairs=dict(event.pairs),
        at_ms=event.at_ms,
    )


def line_of(event: Event) -> str:
    """An event in one line."""
    if isinstance(event, ApiCalled):
        return f"API  {event.plugin_id} {api_call(event)!r}"
    if isinstance(event, HookCalled):
        return f"hook {hook_call(event)!r}"
    if isinstance(event, LogWritten):
        return f"log  {log_line(event)!r}"
    if isinstance(event, WebSocketEvent):
        return f"ws   {event.name} to {_reach(event)}"
    if isinstance(event, PluginChanged):
        return f"     {event.plugin_id} is {event.state}" + (f": {event.reason}" if event.reason else "")
    return f"     {event!r}"


def _reach(event: WebSocketEvent) -> str:
    whom = event.broadcast
    return " ".join(filter(None, (whom.user_id, whom.channel_id, whom.team_id))) or "all"


def _fields(message: Message) -> str:
    shown = message
    if "plugin_context" in message.DESCRIPTOR.fields_by_name:
        # Of every hook, and of no test.
        shown = type(message)()
        shown.CopyFrom(message)
        shown.ClearField("plugin_context")
    text = redacted_text(shown).partition("{")[2].removesuffix("}")
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
