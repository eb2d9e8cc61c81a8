"""Protobuf messages, and exceptions that carry them, as text without what the contract marks as secret.

The hooks' messages carry password hashes and tokens; a handler that logs its argument, or raises an exception with it,
must not write them down.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeGuard

__all__ = [
    "Message",
    "exception_message",
    "exception_text",
    "is_message",
    "printable",
    "redacted_text",
    "traceback_text",
]

_MAX_CHARS = 2000
"""A message in a log line is there to be recognised, not to be read back; so with the limits below."""

_MAX_DEPTH = 5
_MAX_STRING = 200
_MAX_ITEMS = 20

_MAX_NESTING = 4
"""Nesting of lists, dicts and exceptions in which messages are looked for."""


class Message(Protocol):
    """A protobuf message, known by its shape: protobuf itself is not imported here."""

    DESCRIPTOR: Any
    """Describes the message's type; protobuf has no public class for it."""

    def ListFields(self) -> Iterable[tuple[Any, object]]:  # noqa: N802 - protobuf's name
        """The fields that are set, each with its descriptor."""
        ...


def is_message(value: object) -> TypeGuard[Message]:
    """Whether a value is a protobuf message."""
    return hasattr(type(value), "DESCRIPTOR") and hasattr(type(value), "ListFields")


def redacted_text(message: Message) -> str:
    """A protobuf message as one line of text in which the fields that the contract marks as secret are left
    out."""
    text = _message_text(message, 0)
    return text if len(text) <= _MAX_CHARS else text[:_MAX_CHARS] + "..."


def printable(value: object, depth: int = 0) -> object:
    """A value to print: itself, or if messages are in it a copy with text without their secrets in their place."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if is_message(value):
        return redacted_text(value)
    if depth >= _MAX_NESTING:
        return value
    if isinstance(value, BaseException):
        text = _text_of_args(value, depth + 1)
        return value if text is None else f"{type(value).__name__}({text})"
    # Only what prints its elements anyway is walked: a range, or an author's own sequence, may be endless.
    if not (isinstance(value, dict | list | tuple) or type(value).__module__.startswith("google.")):
        return value
    if isinstance(value, Mapping):
        items = {key: printable(value[key], depth + 1) for key in value}
        return items if any(items[key] is not value[key] for key in items) else value
    if isinstance(value, Sequence):
        elements = [printable(item, depth + 1) for item in value]
        return elements if any(new is not old for new, old in zip(elements, value, strict=True)) else value
    return value


def exception_text(error: BaseException) -> str:
    """An exception as "TypeName: text". Never raises; messages in its arguments show no secrets, and UTF-8 can encode
    the text."""
    message = exception_message(error)
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def exception_message(error: BaseException) -> str:
    """An exception's own text, as `exception_text` has it after the type's name."""
    try:
        text = _text_of_args(error, 0)
        text = str(error) if text is None else text
    except Exception as fault:  # noqa: BLE001 - an author's __str__ may raise anything
        return f"<{type(error).__name__} without text: {type(fault).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def traceback_text(error: BaseException) -> str:
    """An exception's traceback, with those of the exceptions it comes from, in which messages show no secrets."""
    if not any(_text_of_args(member, 0) is not None for member in _family(error)):
        return "".join(traceback.format_exception(error)).rstrip()
    return _redacted_traceback(error, 0)


def _text_of_args(error: BaseException, depth: int) -> str | None:
    """The text of an exception out of its arguments, if a message is among them; else None."""
    arguments = error.args
    if not isinstance(arguments, tuple):  # an author's class may have its own `args`
        return None
    shown = [printable(argument, depth) for argument in arguments]
    if all(new is old for new, old in zip(shown, arguments, strict=True)):
        return None
    return ", ".join(map(str, shown))


def _family(error: BaseException) -> Iterator[BaseException]:
    """The exception, those it comes from and those in its group."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        member = waiting.pop()
        if member is None or id(member) in seen:
            continue
        seen.add(id(member))
        yield member
        waiting += [member.__cause__, member.__context__]
        if isinstance(member, BaseExceptionGroup):
            waiting += member.exceptions


def _redacted_traceback(error: BaseException, depth: int) -> str:
    """As Python's own, which prints the arguments as they are and cannot be told otherwise."""
    parts: list[str] = []
    seen: set[int] = set()
    origin: BaseException | None = error
    while origin is not None and id(origin) not in seen:
        seen.add(id(origin))
        lines = ["Traceback (most recent call last):\n", *traceback.format_tb(origin.__traceback__)]
        lines += [exception_text(origin), *(f"\n{note}" for note in getattr(origin, "__notes__", ()))]
        if isinstance(origin, BaseExceptionGroup) and depth < _MAX_NESTING:
            lines += [
                "\nIn the group:\n  " + _redacted_traceback(member, depth + 1).replace("\n", "\n  ")
                for member in origin.exceptions
            ]
        parts.append("".join(lines))
        if origin.__cause__ is not None:
            origin, link = origin.__cause__, "The above exception was the direct cause of the following exception:"
        else:
            origin = None if origin.__suppress_context__ else origin.__context__
            link = "During handling of the above exception, another exception occurred:"
        parts.append(link)
    return "\n\n".join(reversed(parts[:-1]))


def _message_text(message: Message, depth: int) -> str:
    descriptor = message.DESCRIPTOR
    if depth >= _MAX_DEPTH:
        return f"{descriptor.name} {{...}}"
    secret = _secret_fields(descriptor)
    parts: list[str] = []
    for field, value in message.ListFields():
        text = "<redacted>" if field.name in secret else _field_text(value, depth)
        parts.append(f"{field.name}: {text}")
    return f"{descriptor.name} {{{', '.join(parts)}}}"


def _field_text(value: object, depth: int) -> str:
    if is_message(value):
        return _message_text(value, depth + 1)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        return json.dumps(value[:_MAX_STRING]) + ("..." if len(value) > _MAX_STRING else "")
    if isinstance(value, Mapping):
        keys = list(value)[:_MAX_ITEMS]
        items = [f"{key!r}: {_field_text(value[key], depth)}" for key in keys]
        return f"{{{', '.join(items)}{', ...' if len(value) > len(keys) else ''}}}"
    if isinstance(value, Sequence):
        items = [_field_text(item, depth) for item in value[:_MAX_ITEMS]]
        return f"[{', '.join(items)}{', ...' if len(value) > len(items) else ''}]"
    return str(value)


_secrets: dict[object, frozenset[str]] = {}


def _secret_fields(descriptor: Any) -> frozenset[str]:
    """Names of a message type's secret fields, by its descriptor."""
    known = _secrets.get(descriptor)
    if known is None:
        # Loaded at the first message that is logged: importing protobuf is half of a plugin's start.
        from mattermost_pluginapi import options_pb2

        known = frozenset(
            field.name for field in descriptor.fields if field.GetOptions().Extensions[options_pb2.field].secret
        )
        _secrets[descriptor] = known
    return known
