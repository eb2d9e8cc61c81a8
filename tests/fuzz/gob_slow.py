"""gob read slowly, straight from its rules: what the compiled readers must agree with.

Shares nothing with them: definitions are values of types that are known beforehand, and values are read by walking
through their types. Gives what `GENERIC` gives.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mattermost_plugin._gob import GoTime, Interface, Marshaled, Pairs

__all__ = ["Malformed", "SlowReader"]

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
WIRE, ARRAY, COMMON, SLICE, STRUCT, FIELD, FIELDS, MAP, CODEC = 16, 17, 18, 19, 20, 21, 22, 23, 24
FIRST_USER_ID = 64
KINDS = ("ArrayT", "SliceT", "StructT", "MapT", "GobEncoderT", "BinaryMarshalerT", "TextMarshalerT")


class Malformed(Exception):  # noqa: N818 - what it is
    """No gob."""


@dataclass
class Type:
    kind: str
    name: str = ""
    key: int = 0
    elem: int = 0
    length: int = 0
    fields: tuple[tuple[str, int], ...] = ()


def _struct(**fields: int) -> Type:
    return Type("StructT", fields=tuple(fields.items()))


WIRE_TYPES: Mapping[int, Type] = {
    WIRE: Type("StructT", fields=tuple(zip(KINDS, (ARRAY, SLICE, STRUCT, MAP, CODEC, CODEC, CODEC), strict=True))),
    ARRAY: _struct(CommonType=COMMON, Elem=INT, Len=INT),
    COMMON: _struct(Name=STRING, Id=INT),
    SLICE: _struct(CommonType=COMMON, Elem=INT),
    STRUCT: _struct(CommonType=COMMON, Field=FIELDS),
    FIELD: _struct(Name=STRING, Id=INT),
    FIELDS: Type("SliceT", elem=FIELD),
    MAP: _struct(CommonType=COMMON, Key=INT, Elem=INT),
    CODEC: _struct(CommonType=COMMON),
}


class SlowReader:
    """Reads a whole stream."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = 0
        self._types: dict[int, Type] = {}
        # The message at hand.
        self._pos = 0
        self._end = 0
        self._cuts = 0
        self.values: list[object] = []

    def read(self) -> None:
        """Read all values. What comes before a Malformed is in `values`.

        Raises:
            Malformed: it is no gob, or ends in the midst.
        """
        while self._next < len(self._data):
            self._begin_message()
            type_id = self._int()
            values: list[object] = []
            if type_id < 0:
                self._define(-type_id)
            else:
                self._check(type_id)
                try:
                    values.append(self._top(type_id))
                except RecursionError:
                    # Ten times as deep as the readers that are compared with it go.
                    raise Malformed("depth") from None
            if self._pos != self._end:
                raise Malformed("more in a message")
            self.values += values

    # Bytes

    def _begin_message(self) -> None:
        self._pos, self._end = self._next, len(self._data)
        size = self._uint()
        if not size or self._pos + size > len(self._data):
            raise Malformed("length")
        self._end = self._next = self._pos + size

    def _take(self, size: int) -> bytes:
        if size > self._end - self._pos:
            raise Malformed("too short")
        self._pos += size
        return self._data[self._pos - size : self._pos]

    def _uint(self) -> int:
        first = self._take(1)[0]
        if first < 128:
            return first
        if first < 248:
            raise Malformed("number")
        return int.from_bytes(self._take(256 - first), "big")

    def _int(self) -> int:
        number = self._uint()
        return ~(number >> 1) if number & 1 else number >> 1

    def _float(self) -> float:
        value: float = struct.unpack(">d", self._uint().to_bytes(8, "little"))[0]
        return value

    # Definitions

    def _define(self, type_id: int) -> None:
        if type_id < FIRST_USER_ID or type_id in self._types:
            raise Malformed("defined id")
        parts: Any = self._wire_value(WIRE)
        if len(parts) != 1:
            raise Malformed("definition")
        ((kind, content),) = parts.items()
        made = Type(kind, content.get("CommonType", {}).get("Name", ""))
        made.key, made.elem, made.length = content.get("Key", 0), content.get("Elem", 0), content.get("Len", 0)
        made.fields = tuple((each.get("Name", ""), each.get("Id", 0)) for each in content.get("Field", ()))
        names = [name for name, _ in made.fields]
        if "" in names or len(set(names)) < len(names) or made.length < 0:
            raise Malformed("fields")
        for part in self._parts(made):
            if not BOOL <= part <= INTERFACE and part < FIRST_USER_ID:
                raise Malformed("part")
        self._types[type_id] = made

    def _wire_value(self, type_id: int) -> object:
        if type_id == STRING:
            text = self._take(self._uint())
            try:
                return text.decode()
            except UnicodeDecodeError:
                raise Malformed("name") from None
        if type_id == INT:
            return self._int()
        made = WIRE_TYPES[type_id]
        if made.kind == "SliceT":
            return [self._wire_value(made.elem) for _ in range(self._uint())]
        found: dict[str, object] = {}
        for name, part in self._sent(made):
            found[name] = self._wire_value(part)
        return found

    def _parts(self, made: Type) -> list[int]:
        match made.kind:
            case "StructT":
                return [part for _, part in made.fields]
            case "MapT":
                return [made.key, made.elem]
            case "SliceT" | "ArrayT":
                return [made.elem]
        return []

    def _check(self, type_id: int) -> None:
        """All that a type is made of must be defined."""
        seen, left = set[int](), [type_id]
        while left:
            each = left.pop()
            if each in seen or BOOL <= each <= INTERFACE:
                continue
            seen.add(each)
            if each not in self._types:
                raise Malformed("undefined")
            left += self._parts(self._types[each])

    # Values

    def _is_struct(self, type_id: int) -> bool:
        return type_id in self._types and self._types[type_id].kind == "StructT"

    def _top(self, type_id: int) -> object:
        if not self._is_struct(type_id) and self._take(1) != b"\0":
            raise Malformed("zero")
        return self._value(type_id)

    def _sent(self, made: Type) -> Any:
        number = -1
        while delta := self._uint():
            number += delta
            if number >= len(made.fields):
                raise Malformed("field")
            yield made.fields[number]

    def _value(self, type_id: int) -> object:
        match type_id:
            case 1:
                return self._uint() != 0
            case 2:
                return self._int()
            case 3:
                return self._uint()
            case 4:
                return self._float()
            case 5:
                return self._take(self._uint())
            case 6:
                return self._take(self._uint()).decode(errors="surrogateescape")
            case 7:
                return complex(self._float(), self._float())
            case 8:
                return self._interface()
        return self._composed(self._types[type_id])

    def _composed(self, made: Type) -> object:
        match made.kind:
            case "StructT":
                return {name: self._value(part) for name, part in self._sent(made)}
            case "SliceT":
                return [self._value(made.elem) for _ in range(self._uint())]
            case "ArrayT":
                count = self._uint()
                if count != made.length:
                    raise Malformed("array")
                return tuple([self._value(made.elem) for _ in range(count)])
            case "MapT":
                entries = [(self._value(made.key), self._value(made.elem)) for _ in range(self._uint())]
                return dict(entries) if made.key in (BOOL, INT, UINT, FLOAT, STRING) else Pairs(entries)
        return _marshaled(made, self._take(self._uint()))

    def _interface(self) -> object:
        first = self._pos
        size = self._uint()
        if not size:
            # Nil in one byte, as all senders write it; Go takes any zero.
            if self._pos > first + 1:
                raise Malformed("nil")
            return None
        name = self._take(size)
        type_id = self._held_type()
        self._check(type_id)
        size, cuts = self._uint(), self._cuts
        start = self._pos
        value = self._top(type_id)
        # What is defined within makes the size of what is around it wrong.
        if cuts == self._cuts and self._pos != start + size:
            raise Malformed("size")
        return Interface(name.decode(errors="surrogateescape"), value)

    def _held_type(self) -> int:
        while True:
            if self._pos == self._end:
                # Only behind a definition does a value go on in the next message; the next may be one as well.
                if self._next == len(self._data):
                    raise Malformed("ends")
                self._begin_message()
            type_id = self._int()
            if type_id >= 0:
                return type_id
            self._define(-type_id)
            self._cuts += 1
            if self._pos != self._end:
                self._uint()


def _marshaled(made: Type, data: bytes) -> object:
    is_time = made.kind == "GobEncoderT" and (made.name == "Time" or (made.name == "" and data[:1] == b"\x01"))
    if not is_time:
        return Marshaled(data)
    try:
        return GoTime.from_bytes(data)
    except ValueError:
        return Marshaled(data)
