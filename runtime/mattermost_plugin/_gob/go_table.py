"""Declared types out of a table: a JSON object of types by Go's name for them, as reflection gives it.

{"model.Post": {"kind": "struct", "fields": [["Id", "string", "id"], ...]},
 "*model.Post": {"kind": "ptr", "elem": "model.Post"}, "time.Time": {"kind": "struct", "codec": "GobEncoder"}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Required, TypedDict

from mattermost_plugin._gob.go_types import (
    TIME,
    URL,
    GoArray,
    GoBasic,
    GoField,
    GoInterface,
    GoMap,
    GoMarshaler,
    GoPointer,
    GoSlice,
    GoStruct,
    GoType,
    basic_kind,
)
from mattermost_plugin._gob.shapes import Kind

__all__ = ["GoTable", "TypeEntry"]


class TypeEntry(TypedDict, total=False):
    """What the table says of one type."""

    kind: Required[str]
    """Go's word for its kind, or "opaque": a type of which nothing is ever sent."""
    elem: str
    key: str
    len: int
    fields: Sequence[Sequence[str]]
    """Name, type, and what the table has beside them."""
    codec: str
    """"GobEncoder", "BinaryMarshaler" or "TextMarshaler" for a type that marshals itself."""


_CODECS: Final = {
    "GobEncoder": Kind.GOB_ENCODER,
    "BinaryMarshaler": Kind.BINARY_MARSHALER,
    "TextMarshaler": Kind.TEXT_MARSHALER,
}
_KNOWN: Final[Mapping[str, GoMarshaler]] = {"time.Time": TIME, "url.URL": URL}
_NAME: Final = re.compile(r"[^\[\]*]*?([^.\[\]*]+(?:\[.*\])?)", re.DOTALL)
"""A defined type: its package, then its name with type arguments; unnamed ones begin with a bracket or a star."""


class GoTable:
    """Makes types when they are asked for, one object for each name.

    Args:
        types: The table.
    """

    def __init__(self, types: Mapping[str, TypeEntry]) -> None:
        self._types = types
        self._made: dict[str, GoType] = {}

    def type(self, name: str) -> GoType:
        """The type with that name.

        Raises:
            KeyError: the table lacks it, or a type that it is made of.
            ValueError: the table says something of it that is not understood.
        """
        made = self._made.get(name)
        return self._make(name) if made is None else made

    def struct(self, name: str) -> GoStruct:
        """The struct with that name; raises as `type` does, and ValueError if it is none."""
        found = self.type(name)
        if not isinstance(found, GoStruct):
            raise ValueError(f"{name} is no struct")  # noqa: TRY004 - the table is wrong, not the argument's type
        return found

    def _make(self, name: str) -> GoType:
        entry = self._types[name]
        kind = entry["kind"]
        # The type is known before its parts are, which may contain it.
        made = self._made
        if kind == "ptr":
            pointer = made[name] = GoPointer(_UNKNOWN)
            pointer.elem = self.type(entry.get("elem", ""))
        elif "codec" in entry:
            made[name] = _KNOWN.get(name) or GoMarshaler(_CODECS[entry["codec"]], _short(name))
        elif kind == "struct":
            struct = made[name] = GoStruct(_short(name))
            struct.fields = tuple([self._field(field) for field in entry.get("fields", ()) if self._is_sent(field[1])])
        elif kind == "slice":
            go_slice = made[name] = GoSlice(_UNKNOWN, _short(name))
            go_slice.elem = self.type(entry.get("elem", ""))
        elif kind == "array":
            array = made[name] = GoArray(_UNKNOWN, entry.get("len", 0), _short(name))
            array.elem = self.type(entry.get("elem", ""))
        elif kind == "map":
            go_map = made[name] = GoMap(_UNKNOWN, _UNKNOWN, _short(name))
            go_map.key, go_map.elem = self.type(entry.get("key", "")), self.type(entry.get("elem", ""))
        elif kind == "interface":
            made[name] = GoInterface()
        else:
            made[name] = GoBasic(basic_kind(kind))
        return made[name]

    def _field(self, field: Sequence[str]) -> GoField:
        # An embedded struct is a field that has the name of its type.
        return GoField(field[0].removeprefix(_EMBEDDED), self.type(field[1]))

    def _is_sent(self, name: str) -> bool:
        return self._types[name]["kind"] != "opaque"


_EMBEDDED: Final = "(embedded) "
_UNKNOWN: Final = GoInterface()


def _short(name: str) -> str:
    match = _NAME.fullmatch(name)
    return "" if match is None else match[1]
