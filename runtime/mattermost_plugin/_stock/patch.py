"""Replies that a stock server merges into the object it has sent: what of a change can travel, and what cannot.

The server decodes such a reply into its own object, by Go's rules: what a reply leaves out stays as it was. gob leaves
out zeros, so a field cannot be cleared; maps are added to, so an entry cannot be removed; lists of structs are filled
element by element. So a reply holds what differs and nothing else. That also keeps the fields of newer servers, which
the messages do not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from google.protobuf.message import Message

from mattermost_plugin._gob.encode_writer import EncodeWriter
from mattermost_plugin._gob.go_types import GoStruct, GoType
from mattermost_plugin._gob.sources import DICTS, Absent, Attr, Get, Source
from mattermost_plugin._stock.gets import SameRecord
from mattermost_plugin._stock.go_types import by_go_field, message_class
from mattermost_plugin._stock.patch_gets import (
    ChangedComputed,
    ChangedEntries,
    ChangedList,
    ChangedMessage,
    ChangedObject,
    ChangedPlain,
    First,
)
from mattermost_plugin._stock.struct_sources import fields_getter, struct_source
from mattermost_pluginapi.stock.shapes import FieldMap, StructMap, struct_map

__all__ = ["PatchReply", "object_source", "patch_source"]


class PatchReply(NamedTuple):
    """A hook's reply that the server merges; values of `patch_source`."""

    response: Message
    """With the object as it shall be, or without one if it stays as it is."""

    before: Message
    """The object as the request brought it. A copy: handlers may change what they are given."""

    lost: list[str]
    """Gets the paths of what cannot be changed in this way, such as "message" or "props['x']": fields that were
    cleared, entries that were removed. Empty before."""


@cache
def patch_source(name: str) -> Source:
    """How a `PatchReply` becomes the struct of a hook's results.

    Args:
        name: of the struct map, such as "plugin.Z_MessageWillBePostedReturns".

    Raises:
        KeyError: there is no such map.
        GobEncodeError: when it is first used: the results are no object with texts beside it.
    """
    return _ReplySource(struct_map(name).fields)


class _ReplySource(Source):
    """Results of a hook: the object, and texts beside it."""

    def __init__(self, fields: Sequence[FieldMap]) -> None:
        self._fields = {field.go: field for field in fields}

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        gets = [self._get(self._fields[field.name]) for field in struct.fields]
        return [First(gets[0], "response, before, lost"), *gets[1:]]

    @staticmethod
    def _get(field: FieldMap) -> Get:
        if field.conversion == "message":
            return _ChangedResult(field.field, object_source(field.detail))
        if field.conversion == "scalar":
            return _Result(field.field)
        raise ValueError(f"{field.field} is nothing that a reply to be merged has")


class _Result(Attr):
    """A field of the response."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return f"response.{self._name}"


class _ChangedResult(_Result):
    """The object, if it is another one than before."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        code.line(f"x = {super().expression(code, go_type)}")
        return f"(before, x, lost, '') if x != before and response.HasField({self._name!r}) else None"


@cache
def object_source(name: str) -> Source:
    """How what differs between two messages becomes a struct. Its values are `patch_gets.Record`s.

    Args:
        name: of the messages' struct map, such as "model.Post".

    Raises:
        KeyError: there is no such map.
    """
    return _ObjectSource(struct_map(name))


class _ObjectSource(Source):
    """What differs between two messages.

    Args:
        mapping: of both.
    """

    def __init__(self, mapping: StructMap) -> None:
        self._mapping = mapping

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        fields, make = by_go_field(self._mapping), message_class(self._mapping.message)
        gets = [_changed(fields[field.name], make) if field.name in fields else Absent() for field in struct.fields]
        return [First(gets[0], "old, new, lost, path"), *gets[1:]]


def _changed(fields: list[FieldMap], make: type[Message]) -> Get:
    field = fields[0]
    name = field.field
    match field.conversion if len(fields) == 1 else "":
        case "scalar" | "list":
            return ChangedPlain(name, has_presence=make.DESCRIPTOR.fields_by_name[name].has_presence)
        case "message":
            return ChangedMessage(name, object_source(field.detail))
        case "messages":
            return ChangedList(name, object_source(field.detail))
        case "message_map":
            return ChangedEntries(name, struct_source(field.detail))
        case "map":
            return ChangedEntries(name)
        case "object":
            return ChangedObject(name)
        case "flat":
            return SameRecord(object_source(field.detail))
        case _:
            return ChangedComputed(name, fields_getter(fields), DICTS)
