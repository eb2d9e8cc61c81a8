"""Log records as hclog JSON lines, the form in which the host reads levels and values from a plugin's stderr.

One line is one JSON object: "@level", "@message", "@timestamp" and "@module", then the record's `extra`
values. A host dies on an "@" key whose value is no string, and does not parse a line of 64 KiB, so every
value that comes from outside (a record, a child process) is made safe here and nothing else writes such
lines.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime

from mattermost_plugin._redaction import exception_message, exception_text, is_message, printable, traceback_text
from mattermost_plugin._request_id import REQUEST_ID

__all__ = [
    "LEVELS",
    "MAX_LINE_BYTES",
    "TRACE",
    "HclogHandler",
    "captured_line",
    "configure_logging",
    "format_record",
    "level_number",
    "protect_own_loggers",
    "sanitize_foreign_line",
]

TRACE = 5
"""Number of the level below DEBUG that hclog has and Python has not."""

LEVELS: Mapping[str, int] = {
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
}
"""Level names that a configuration may use."""

MAX_LINE_BYTES = 32 * 1024
"""Longest line written, newline included. The host does not parse a line of 64 KiB; half leaves room for its
own."""

_FIRST_TEXT_LIMIT = 16 * 1024
"""Longest single text of a record in a first try at a line; halved until the line fits."""

_LAST_TEXT_LIMIT = 64
"""With texts of this size any record fits, even if every byte must be escaped."""

_MAX_DEPTH = 4
"""Nesting of lists and dicts in a value; deeper (or cyclic) ones become one text."""

_MAX_EXACT_INTEGER = 2**53
"""The host reads numbers as 64-bit floats; a larger one would arrive rounded, so it goes as text."""

_PACKAGE = __name__.partition(".")[0]
_HCLOG_LEVELS = frozenset({"trace", "debug", "info", "warn", "error"})
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_STANDARD_ATTRIBUTES = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "asctime",
    "message",
    "taskName",
}
_RESERVED_PAIRS = frozenset({"timestamp", "level", "msg", "caller", "plugin_id"})
"""Keys that the server's log lines have already."""


class HclogHandler(logging.Handler):
    """Writes each record as one hclog line to a sink.

    Args:
        sink: Takes one whole line, newline included. It may be called from any thread and must not raise.
    """

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink(format_record(record))


def configure_logging(level: str | int, sink: Callable[[bytes], None]) -> HclogHandler:
    """Send the root logger's records to `sink`; replaces the handler of an earlier call, keeps the author's.

    But not those that write to stdout or stderr (`logging.basicConfig`): each line would come twice. Also routes
    `warnings` into the log and names the TRACE level.

    Raises:
        ValueError: `level` is no level.
    """
    number = level_number(level)
    root = logging.getLogger()
    handler = HclogHandler(sink)
    for earlier in [h for h in root.handlers if isinstance(h, HclogHandler) or _prints(h)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(number)
    logging.addLevelName(TRACE, "TRACE")
    logging.captureWarnings(True)
    return handler


class _OwnLogger(logging.Logger):
    """A logger of this package, which no logging set-up of the author's cuts off from the server's log.

    `logging.config` disables the loggers that exist and removes the root's handlers, and the failure of a handler
    would leave no trace.
    """

    sink: Callable[[bytes], None]

    def __setattr__(self, name: str, value: object) -> None:
        # logging.config sets it for every logger that it does not know.
        super().__setattr__(name, False if name == "disabled" else value)

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        handlers = list(_handlers(self))
        if not any(isinstance(handler, HclogHandler) for handler in handlers):
            self.sink(format_record(record))
            handlers = [handler for handler in handlers if not _prints(handler)]
        for handler in handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


def protect_own_loggers(sink: Callable[[bytes], None]) -> None:
    """Let the records of this package reach `sink` whatever logging is set up later. For loggers that exist."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        # Not a class of the author's: it may not be one that can be exchanged.
        if name.partition(".")[0] == _PACKAGE and isinstance(logger, logging.Logger):
            if type(logger) is logging.Logger:
                logger.__class__ = _OwnLogger
            if isinstance(logger, _OwnLogger):
                logger.sink = sink
                logger.disabled = False


def level_number(level: str | int) -> int:
    """Turn a level's name (any case) or number into its number.

    Raises:
        ValueError: No such level.
    """
    if isinstance(level, int) and not isinstance(level, bool) and level > 0:
        return int(level)
    if isinstance(level, str) and level.strip().upper() in LEVELS:
        return LEVELS[level.strip().upper()]
    raise ValueError(f"must be one of {', '.join(LEVELS)}")


def format_record(record: logging.LogRecord) -> bytes:
    """Format a record as one line, newline included. Never raises; what cannot be formatted says so."""
    try:
        return _record_line(record)
    except Exception as error:  # noqa: BLE001 - runs the author's code; no record is lost
        text = f"a log record could not be formatted ({type(error).__name__})"
        return _encode("error", text, _timestamp(time.time()), __name__, [("template", _template(record))])


def captured_line(name: str, level: int, text: str) -> bytes | None:
    """Format one line of captured output. None if the author's level for the logger `name` leaves it out.

    It does not go through the logger: a handler of the author's that writes to stderr would be captured
    again.
    """
    configured = any(isinstance(handler, HclogHandler) for handler in logging.getLogger().handlers)
    if configured and not logging.getLogger(name).isEnabledFor(level):
        return None
    return _encode(_level_name(level), text, _timestamp(time.time()), name, [])


def sanitize_foreign_line(line: bytes) -> bytes | None:
    """Re-encode a line that another process wrote in hclog's form. None if it is not in that form."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        pairs = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, dict):
        return None
    level, message = pairs.pop("@level", None), pairs.pop("@message", None)
    timestamp, module = pairs.pop("@timestamp", None), pairs.pop("@module", "")
    if not isinstance(level, str) or level.strip().lower() not in _HCLOG_LEVELS or not isinstance(message, str):
        return None
    if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp):
        timestamp = _timestamp(time.time())
    return _encode(level.strip().lower(), message, timestamp, str(module), list(pairs.items()))


def _record_line(record: logging.LogRecord) -> bytes:
    own: list[tuple[str, object]] = []
    message = _message(record, own)
    info = record.exc_info
    if isinstance(info, tuple) and isinstance(info[1], BaseException):
        own.append(("error", exception_text(info[1])))
        own.append(("traceback", traceback_text(info[1])))
    elif record.exc_text:
        own.append(("traceback", str(record.exc_text)))
    if record.stack_info:
        own.append(("stack", str(record.stack_info)))
    pairs = [item for item in vars(record).items() if item[0] not in _STANDARD_ATTRIBUTES]
    # Handlers run in the thread, and so in the context, of whoever logs.
    if (request_id := REQUEST_ID.get()) and "request_id" not in vars(record):
        own.append(("request_id", request_id))
    return _encode(_level_name(record.levelno), message, _timestamp(record.created), str(record.name), own + pairs)


def _message(record: logging.LogRecord, own: list[tuple[str, object]]) -> str:
    """The record's text; why its arguments do not fit it is added to `own`."""
    try:
        template = record.msg if isinstance(record.msg, str) else str(printable(record.msg))
        if not record.args:
            return template
        if isinstance(record.args, tuple):
            return template % tuple(printable(value) for value in record.args)
        return template % printable(record.args)
    except Exception as error:  # noqa: BLE001 - formatting runs the author's code
        own.append(("log_format_error", f"the log arguments do not fit: {exception_text(error)}"))
        return _template(record)


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """The handlers that a logger's records go to."""
    place: logging.Logger | None = logger
    while place is not None:
        yield from place.handlers
        place = place.parent if place.propagate else None


def _prints(handler: logging.Handler) -> bool:
    """Whether a handler only writes to stdout or stderr, which come back as records."""
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return type(handler) is logging.StreamHandler and any(handler.stream is stream for stream in streams)


def _template(record: logging.LogRecord) -> str:
    return record.msg if isinstance(record.msg, str) else f"<{type(record.msg).__name__}>"


def _encode(level: str, message: str, timestamp: str, module: str, pairs: Sequence[tuple[object, object]]) -> bytes:
    """Build the line; texts are halved until it fits."""
    limit = _FIRST_TEXT_LIMIT
    while True:
        line: dict[str, object] = {
            "@level": level,
            "@message": _cut(message, limit),
            "@timestamp": timestamp,
            "@module": _cut(module, limit),
        }
        shrinker = _Shrinker(limit)
        for key, value in pairs:
            if shrinker.budget <= 0:
                line["pairs_cut"] = "more values were left out"
                break
            line[shrinker.key(key, line)] = shrinker.value(value)
        # Only a lone surrogate cannot be encoded, and its backslash form is JSON's own escape for it.
        text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        encoded = text.encode("utf-8", "backslashreplace") + b"\n"
        if len(encoded) <= MAX_LINE_BYTES or limit <= _LAST_TEXT_LIMIT:
            return encoded
        limit //= 2


class _Shrinker:
    """Turns values of any kind into JSON, as long as there is room."""

    def __init__(self, limit: int) -> None:
        self.budget = limit + limit // 2
        self._limit = limit

    def key(self, key: object, taken: Mapping[str, object]) -> str:
        """A key that the host cannot take for one of its own, and that the line does not have yet."""
        name = _cut(_text(key), _LAST_TEXT_LIMIT)
        if name.startswith("@") or name in _RESERVED_PAIRS:
            name = f"extra_{name.lstrip('@')}"
        while name in taken:
            name = f"extra_{name}"
        self.budget -= len(name)
        return name

    def value(self, value: object, depth: int = 0) -> object:
        """A JSON value for any value."""
        self.budget -= 8  # what an item costs in the line, about
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and -_MAX_EXACT_INTEGER <= value <= _MAX_EXACT_INTEGER:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if depth < _MAX_DEPTH and not is_message(value):
            try:
                if isinstance(value, Mapping):
                    return self._mapping(value, depth)
                if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | bytearray | memoryview):
                    return self._elements(value, depth)
            except Exception as error:  # noqa: BLE001 - iterating runs the author's code
                return _no_text(value, error)
        text = _cut(_text(value), max(0, min(self._limit, self.budget)))
        self.budget -= len(text)
        return text

    def _mapping(self, value: Mapping[object, object], depth: int) -> object:
        result: dict[str, object] = {}
        for key, item in value.items():
            if self.budget <= 0:
                result["..."] = f"{len(value) - len(result)} more"
                break
            name = _cut(_text(key), _LAST_TEXT_LIMIT)
            self.budget -= len(name)
            result[name] = self.value(item, depth + 1)
        return result

    def _elements(self, value: Sequence[object] | Set[object], depth: int) -> object:
        result: list[object] = []
        for item in value:
            if self.budget <= 0:
                result.append(f"... {len(value) - len(result)} more")
                break
            result.append(self.value(item, depth + 1))
        return result


def _cut(text: str, limit: int) -> str:
    """Limit a text to about `limit` bytes: its middle goes, since a traceback's end says most."""
    if len(text) <= limit // 4:
        return text
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return text
    head = raw[: limit // 4].decode("utf-8", "ignore")
    tail = raw[len(raw) - (limit - limit // 4) :].decode("utf-8", "ignore")
    return f"{head}...[{len(raw) - limit} bytes cut]{tail}"


def _text(value: object) -> str:
    try:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value).decode("utf-8", "backslashreplace")
        return exception_message(value) if isinstance(value, BaseException) else str(printable(value))
    except Exception as error:  # noqa: BLE001 - str() runs the author's code
        return _no_text(value, error)


def _no_text(value: object, error: Exception) -> str:
    return f"<{type(value).__name__}: no text ({type(error).__name__})>"


def _level_name(level: int) -> str:
    if level < logging.DEBUG:
        return "trace"
    if level < logging.INFO:
        return "debug"
    if level < logging.WARNING:
        return "info"
    return "warn" if level < logging.ERROR else "error"


def _timestamp(seconds: float) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.now(UTC)
    # hclog parses this layout only: always six decimals.
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
