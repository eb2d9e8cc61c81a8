"""The sender's side of type definitions: ids for declared types, and the messages that define them."""

from __future__ import annotations

from typing import Final, TypeAlias

from mattermost_plugin._gob.go_types import (
    GoArray,
    GoBasic,
    GoField,
    GoInterface,
    GoMap,
    GoMarshaler,
    GoSlice,
    GoStruct,
    GoType,
    is_bytes,
    pointed_to,
)
from mattermost_plugin._gob.messages import message
from mattermost_plugin._gob.primitives import int_bytes, uint_bytes
from mattermost_plugin._gob.shapes import BASIC_SHAPES, Kind

__all__ = ["TypeIds"]

_Signature: TypeAlias = tuple[type, int, tuple[int, ...]]
"""What an unnamed type is: its kind, its length, and the ids of what it is made of."""

_BASIC_IDS: Final = {shape.kind: type_id for type_id, shape in BASIC_SHAPES.items()}

_FIRST_ID: Final = 65
"""Go began to count at 64 in version 1.26; every version reads 65."""

_NUMBERS: Final = {
    Kind.ARRAY: 0,
    Kind.SLICE: 1,
    Kind.STRUCT: 2,
    Kind.MAP: 3,
    Kind.GOB_ENCODER: 4,
    Kind.BINARY_MARSHALER: 5,
    Kind.TEXT_MARSHALER: 6,
}
"""Fields of wireType."""

_END: Final = b"\0"
_NEXT: Final = b"\x01"


class TypeIds:
    """Ids of the types that one stream has seen.

    Ids are given out before anything is sent: `take_new` has the definitions that must go before the value that is
    being written, `commit` makes them lasting, and `undo` takes back all since.
    """

    def __init__(self) -> None:
        self._ids: dict[GoType, int] = {}
        self._unnamed: dict[_Signature, int] = {}
        self._next = _FIRST_ID
        self._new: list[GoType] = []
        self._taken = 0
        self._equal: list[GoType] = []
        self._open: set[GoType] = set()

    def id(self, go_type: GoType) -> int:
        """The id of a type; it and all that it is made of get ids if they have none.

        Types without a name that are made of the same are the same: Go takes it for an error if one of its types has
        two ids.
        """
        base = pointed_to(go_type)
        if isinstance(base, GoBasic):
            return _BASIC_IDS[base.kind.kind]
        if isinstance(base, GoInterface):
            return _BASIC_IDS[Kind.INTERFACE]
        if is_bytes(base):
            return _BASIC_IDS[Kind.BYTES]
        known = self._ids.get(base)
        if known is not None:
            return known
        if isinstance(base, GoSlice | GoArray | GoMap) and not base.name and base not in self._open:
            return self._unnamed_id(base)
        return self._new_id(base)

    def _unnamed_id(self, base: GoSlice | GoArray | GoMap) -> int:
        self._open.add(base)
        parts = tuple([self.id(part) for part in _parts(base)])
        self._open.discard(base)
        known = self._ids.get(base)
        if known is not None:
            # It contains itself, and got its id on the way.
            return known
        signature = type(base), getattr(base, "length", 0), parts
        known = self._unnamed.get(signature)
        if known is None:
            known = self._unnamed[signature] = self._new_id(base)
        else:
            self._ids[base] = known
            self._equal.append(base)
        return known

    def _new_id(self, base: GoType) -> int:
        type_id = self._ids[base] = self._next
        self._next += 1
        self._new.append(base)
        for part in _parts(base):
            self.id(part)
        return type_id

    @property
    def has_new(self) -> bool:
        """True if `take_new` has any."""
        return self._taken < len(self._new)

    def take_new(self) -> list[bytes]:
        """The messages that define what came since the last call."""
        messages = [self._definition(go_type) for go_type in self._new[self._taken :]]
        self._taken = len(self._new)
        return messages

    def commit(self) -> None:
        """What was taken is sent."""
        self._new.clear()
        self._equal.clear()
        self._taken = 0

    def undo(self) -> bool:
        """Take back the ids given out since the last `commit`; False if there are none."""
        had_any = bool(self._new or self._equal)
        gone = {self._ids.pop(go_type) for go_type in self._new}
        for go_type in self._equal:
            del self._ids[go_type]
        if gone:
            self._unnamed = {key: type_id for key, type_id in self._unnamed.items() if type_id not in gone}
        self._next -= len(self._new)
        self._open.clear()
        self.commit()
        return had_any

    def _definition(self, go_type: GoType) -> bytes:
        type_id = self._ids[go_type]
        kind, name, rest = self._content(go_type)
        text = name.encode()
        named = _NEXT + uint_bytes(len(text)) + text + _NEXT if text else b"\x02"
        common = _NEXT + named + int_bytes(type_id) + _END
        wire_type = uint_bytes(_NUMBERS[kind] + 1) + common + rest + _END + _END
        return message(int_bytes(-type_id) + wire_type)

    def _content(self, go_type: GoType) -> tuple[Kind, str, bytes]:
        """The field of wireType, the name, and what follows the name."""
        match go_type:
            case GoStruct(name, fields):
                return Kind.STRUCT, name, self._fields(fields) if fields else b""
            case GoSlice(elem, name):
                return Kind.SLICE, name, _NEXT + int_bytes(self.id(elem))
            case GoArray(elem, length, name):
                count = _NEXT + int_bytes(length) if length else b""
                return Kind.ARRAY, name, _NEXT + int_bytes(self.id(elem)) + count
            case GoMap(key, elem, name):
                return Kind.MAP, name, _NEXT + int_bytes(self.id(key)) + _NEXT + int_bytes(self.id(elem))
            case GoMarshaler(kind, name):
                return kind, name, b""
            case _:
                raise AssertionError(f"{go_type} has no definition")

    def _fields(self, fields: tuple[GoField, ...]) -> bytes:
        parts = [_NEXT, uint_bytes(len(fields))]
        for field in fields:
            name = field.name.encode()
            parts += (_NEXT, uint_bytes(len(name)), name, _NEXT, int_bytes(self.id(field.type)), _END)
        return b"".join(parts)


def _parts(go_type: GoType) -> list[GoType]:
    match go_type:
        case GoStruct(_, fields):
            return [field.type for field in fields]
        case GoSlice(elem) | GoArray(elem):
            return [elem]
        case GoMap(key, elem):
            return [key, elem]
        case _:
            return []
