"""Messages as they may be shown: without what the contract marks as secret, and with long content cut.

Events are kept and shown on screens; a password, a session's token or a file of 100 MB has no place there.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from mattermost_pluginapi import options_pb2
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader

__all__ = ["LONGEST_CONTENT", "MASK", "shown"]

MASK: Final = "<redacted>"
"""What stands for a secret."""

LONGEST_CONTENT: Final = 64 * 1024
"""How much of a text (in characters) or of bytes is shown."""

_HARMLESS_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "mattermost-plugin-id",
        "mattermost-user-id",
        "server",
        "transfer-encoding",
        "user-agent",
        "vary",
    }
)
"""The contract calls every header's value a secret, as it may be; these are none, and say what a request is about."""

MessageT = TypeVar("MessageT", bound=Message)


def shown(message: MessageT) -> MessageT:
    """A message without its secrets and with long content cut.

    Args:
        message: the message, which stays as it is.

    Returns:
        A copy; the message itself if there is nothing to hide.
    """
    if not _hides(message):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    _hide(copy)
    return copy


@cache
def _is_secret(field: FieldDescriptor) -> bool:
    return bool(field.GetOptions().Extensions[options_pb2.field].secret)


@cache
def _fields_to_look_at(kind: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of a kind of message that may be secret or long, or in which there may be such ones."""
    return tuple(field for field in kind.fields if _is_secret(field) or _may_be_long(field))


def _may_be_long(field: FieldDescriptor) -> bool:
    if field.message_type is not None:
        return field.message_type.file.package != "google.protobuf"
    return field.type in (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_STRING)


def _hides(message: Message) -> bool:
    return any(_hides_field(message, field) for field in _fields_to_look_at(message.DESCRIPTOR))


def _hides_field(message: Message, field: FieldDescriptor) -> bool:
    if not _is_set(message, field):
        return False
    if _is_secret(field):
        return True
    value = getattr(message, field.name)
    if _is_map(field):
        return any(isinstance(each, str | bytes) and len(each) > LONGEST_CONTENT for each in value.values())
    if field.message_type is not None:
        return any(map(_hides, value)) if field.is_repeated else _hides(value)
    return any(len(each) > LONGEST_CONTENT for each in value) if field.is_repeated else len(value) > LONGEST_CONTENT


def _hide(message: Message) -> None:
    for field in _fields_to_look_at(message.DESCRIPTOR):
        if not _hides_field(message, field):
            continue
        value, secret = getattr(message, field.name), _is_secret(field)
        if _is_map(field):
            for key in value:
                value[key] = _harmless(value[key], secret=secret)
        elif field.message_type is not None and secret:
            value.Clear()
        elif field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                _hide(each)
        elif field.is_repeated:
            harmless = isinstance(message, HTTPHeader) and message.key.lower() in _HARMLESS_HEADERS
            value[:] = [_harmless(each, secret=secret and not harmless) for each in value]
        else:
            setattr(message, field.name, _harmless(value, secret=secret))


def _harmless(value: Any, *, secret: bool) -> Any:
    if not secret:
        return value[:LONGEST_CONTENT]
    if isinstance(value, bytes):
        return MASK.encode()
    if value.startswith("/"):
        # A path is no secret, its query may be one.
        path, mark, _ = value.partition("?")
        return path[:LONGEST_CONTENT] + (mark and f"?{MASK}")
    return MASK


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_set(message: Message, field: FieldDescriptor) -> bool:
    return message.HasField(field.name) if field.has_presence else bool(getattr(message, field.name))
