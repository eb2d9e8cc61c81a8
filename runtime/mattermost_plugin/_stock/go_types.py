"""The declared Go types of the stock wire, and the message classes that stand for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin._gob import GoTable
from mattermost_plugin._gob.go_table import TypeEntry
from mattermost_plugin._gob.go_types import GoType
from mattermost_pluginapi.stock.go_types import GO_TYPES
from mattermost_pluginapi.stock.json_types import JSON_TYPES

__all__ = ["go_type", "message_class", "only_field"]

_CODECS: Final = frozenset({"GobEncoder", "BinaryMarshaler"})


class _Entries(Mapping[str, TypeEntry]):
    """A generated table in the form that `GoTable` takes."""

    def __init__(self, table: Mapping[str, tuple[str, str, str, tuple[tuple[object, ...], ...]]]) -> None:
        self._table = table

    def __getitem__(self, name: str) -> TypeEntry:
        kind, element, key, fields = self._table[name]
        if kind in _CODECS:
            return {"kind": "struct", "codec": kind}
        pairs = [(str(field[0]), str(field[1])) for field in fields]
        return {"kind": kind, "elem": element, "key": key, "fields": pairs}

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


_TABLE: Final = GoTable(_Entries(GO_TYPES))
_JSON_TABLE: Final = GoTable(_Entries(JSON_TYPES))


def go_type(name: str) -> GoType:
    """The declared type of that name, such as "model.Post"."""
    return _TABLE.type(name) if name in GO_TYPES else _JSON_TABLE.type(name)


@cache
def message_class(path: str) -> type[Message]:
    """The class of a message, by module and name. Imported when its first value comes: there are some hundred modules."""
    module, _, name = path.rpartition(".")
    found: type[Message] = getattr(import_module(module), name)
    return found


def only_field(owner: type[Message], name: str) -> str:
    """Name of the only field of the message that is in a field."""
    message = owner.DESCRIPTOR.fields_by_name[name].message_type
    if message is None or len(message.fields) != 1:
        raise ValueError(f"{owner.DESCRIPTOR.name}.{name} is no message of one field")
    return message.fields[0].name
