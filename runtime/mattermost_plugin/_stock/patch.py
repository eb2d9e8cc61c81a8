"""Replies that a stock server merges into the object it sent: what of a change can travel, and what cannot.

The server decodes such a reply into its own object, by Go's rules: what a reply leaves out stays as it was. gob leaves
out zeros, so a field cannot be cleared; maps are added to, so an entry cannot be removed; lists of structs are merged
element by element. A patch holds what differs and nothing else, which also keeps the fields of newer servers.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value

__all__ = ["make_patch"]

MessageT = TypeVar("MessageT", bound=Message)

_WHOLE = (Value, ListValue)


def make_patch(before: MessageT, after: MessageT) -> tuple[MessageT, list[str]]:
    """What a server must be sent so that `before` becomes `after`.

    Args:
        before: what the server has.
        after: what it should have.

    Returns:
        The message to send, and the paths of what cannot be changed in this way: fields that were cleared, entries
        that were removed, list elements of which something was cleared.
    """
    patch = type(before)()
    lost: list[str] = []
    _difference(before, after, patch, "", lost)
    return patch, lost


class _Kind(Enum):
    """How a field is compared."""

    SCALAR = auto()
    MESSAGE = auto()
    REPEATED = auto()


# Any: protobuf's own classes of descriptors have no public names.
@cache
def _plan(descriptor: Any) -> tuple[tuple[str, _Kind, Any], ...]:
    """The fields of a message; asking their descriptors each time takes most of the time of a small patch."""
    return tuple([(field.name, _kind(field), field) for field in descriptor.fields])


def _kind(field: Any) -> _Kind:
    if field.is_repeated:
        return _Kind.REPEATED
    return _Kind.SCALAR if field.message_type is None else _Kind.MESSAGE


def _difference(before: Any, after: Any, patch: Any, path: str, lost: list[str]) -> None:
    scalar, message = _Kind.SCALAR, _Kind.MESSAGE
    for name, kind, field in _plan(before.DESCRIPTOR):
        if kind is scalar:
            old, new = getattr(before, name), getattr(after, name)
            if old != new or (field.has_presence and before.HasField(name) != after.HasField(name)):
                if new:
                    setattr(patch, name, new)
                elif old:
                    lost.append(path + name)
        elif kind is message:
            _message(before, after, patch, name, path, lost)
        else:
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                _repeated(field, old, new, getattr(patch, name), path + name, lost)


def _message(before: Any, after: Any, patch: Any, name: str, path: str, lost: list[str]) -> None:
    if not after.HasField(name):
        if before.HasField(name):
            lost.append(path + name)
        return
    old, new = getattr(before, name), getattr(after, name)
    if old == new and before.HasField(name):
        return
    if isinstance(new, _WHOLE):
        # A value of an interface is replaced whole.
        getattr(patch, name).CopyFrom(new)
        return
    inner = getattr(patch, name)
    inner.SetInParent()
    if isinstance(new, Struct):
        _entries(old.fields, new.fields, inner.fields, path + name, lost)
    else:
        _difference(old, new, inner, f"{path}{name}.", lost)


def _repeated(field: FieldDescriptor, old: Any, new: Any, patch: Any, path: str, lost: list[str]) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _entries(old, new, patch, path, lost)
    elif not new:
        lost.append(path)
    elif field.message_type is None:
        patch.extend(new)
    else:
        for index, element in enumerate(new):
            patch.add().CopyFrom(element)
            if index < len(old):
                _difference(old[index], element, type(element)(), f"{path}[{index}].", lost)


def _entries(old: Any, new: Any, patch: Any, path: str, lost: list[str]) -> None:
    lost.extend(f"{path}[{key!r}]" for key in old if key not in new)
    for key in new:
        value = new[key]
        if key in old and old[key] == value:
            continue
        if isinstance(value, Message):
            # The value of an entry is replaced, not merged.
            patch[key].CopyFrom(value)
        else:
            patch[key] = value
