"""Protobuf messages as text for the log, without what the contract marks as secret.

The hooks' messages carry password hashes and tokens; a handler that logs its argument must not write them down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeGuard

__all__ = ["Message", "is_message", "redacted_text"]

_MAX_CHARS = 2000
"""A message in a log line is there to be recognised, not to be read back; so with the limits below."""

_MAX_DEPTH = 5
_MAX_STRING = 200
_MAX_ITEMS = 20


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
