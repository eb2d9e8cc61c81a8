"""The declared Go types of the stock wire, and the message classes that stand for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin._gob.go_table import GoTable, TypeEntry
from mattermost_plugin._gob.go_types import GoType
from mattermost_pluginapi.stock.go_types import GO_TYPES

__all__ = ["go_type", "message_class", "only_field"]

_CODECS: Final = frozenset({"GobEncoder", "BinaryMarshaler"})


class _Entries(Mapping[str, TypeEntry]):
    """The generated tables in the form that `GoTable` takes."""

    def __getitem__(self, name: str) -> TypeEntry:
        kind, element, key, fields = _row(name)
        if kind in _CODECS:
            return {"kind": "struct", "codec": kind}
        return {"kind": kind, "elem": element, "key": key, "fields": fields}

    def __iter__(self) -> Iterator[str]:
        return iter(GO_TYPES)

    def __len__(self) -> int:
        return len(GO_TYPES)


def _row(name: str) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    if name in GO_TYPES:
        return GO_TYPES[name]
    # Structs that messages carry as JSON; most plugins never meet one.
    from mattermost_pluginapi.stock.json_types import JSON_TYPES

    kind, element, key, fields = JSON_TYPES[name]
    return kind, element, key, tuple(field[:2] for field in fields)


_TABLE: Final = GoTable(_Entries())


def go_type(name: str) -> GoType:
    """The declared type of that name, such as "model.Post".

    Raises:
        KeyError: there is none.
    """
    return _TABLE.type(name)


@cache
def message_class(path: str) -> type[Message]:
    """The class of a message, by module and name, imported when its first value comes: there are some sixty modules."""
    module, _, name = path.rpartition(".")
    found: type[Message] = getattr(import_module(module), name)
    return found


def only_field(owner: type[Message], name: str) -> str:
    """Name of the only field of the message that is in a field."""
    message = owner.DESCRIPTOR.fields_by_name[name].message_type
    if message is None or len(message.fields) != 1:
        raise ValueError(f"{owner.DESCRIPTOR.name}.{name} is no message of one field")
    return message.fields[0].name
