"""Type definitions as they come over the wire.

A definition is a value of the fixed type wireType, a struct of seven fields of which one is sent: ArrayT, SliceT,
StructT, MapT, GobEncoderT, BinaryMarshalerT or TextMarshalerT. Each of these begins with a CommonType, whose name
is free text and whose id may differ from the id that is being defined, so the id is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.limits import Limits
from mattermost_plugin._gob.primitives import cut_short, read_int, read_uint
from mattermost_plugin._gob.shapes import BASIC_SHAPES, FIRST_USER_ID, Kind

__all__ = ["Definition", "DefinitionPool", "read_definition"]

_MARSHALERS: Final = (Kind.GOB_ENCODER, Kind.BINARY_MARSHALER, Kind.TEXT_MARSHALER)


@dataclass(frozen=True, slots=True)
class Definition:
    """One type, with other types by their ids in the same stream."""

    kind: Kind
    name: str
    key: int = 0
    elem: int = 0
    length: int = 0
    fields: tuple[tuple[str, int], ...] = ()

    @property
    def references(self) -> tuple[int, ...]:
        """Ids of the types that it is made of, in their order."""
        match self.kind:
            case Kind.STRUCT:
                return tuple([type_id for _, type_id in self.fields])
            case Kind.MAP:
                return (self.key, self.elem)
            case Kind.SLICE | Kind.ARRAY:
                return (self.elem,)
            case _:
                return ()


class DefinitionPool:
    """Keeps definitions by the bytes of their messages: a peer's streams define the same types again and again.

    Args:
        size: Number of definitions at which it forgets all and begins anew, so that no peer can fill the memory.
        max_bytes: Longest message that it keeps.
    """

    def __init__(self, size: int = 512, max_bytes: int = 256) -> None:
        self._size = size
        self._max_bytes = max_bytes
        self._known: dict[tuple[bytes, int, int], Definition] = {}

    def read(self, body: bytes, pos: int, limits: Limits) -> Definition:
        """The definition that takes up the rest of a message.

        Raises:
            Fault: it is malformed, exceeds a limit, or ends before the message.
            IndexError: the message ends in it.
        """
        key = body, limits.max_fields, limits.max_name_bytes
        definition = self._known.get(key)
        if definition is None:
            definition, end = read_definition(body, pos, limits)
            if end != len(body):
                raise Fault(end, "bytes behind the definition of a type")
            if len(body) <= self._max_bytes:
                if len(self._known) >= self._size:
                    self._known.clear()
                self._known[key] = definition
        return definition


def read_definition(buf: bytes, pos: int, limits: Limits) -> tuple[Definition, int]:
    """A definition and where it ends.

    Raises:
        Fault: it is malformed or exceeds a limit.
        IndexError: the buffer ends in it.
    """
    reader = _Reader(buf, pos, limits)
    definition: Definition | None = None
    for number in reader.numbers(len(_READERS)):
        if definition is not None:
            raise Fault(reader.pos, "a definition of two types")
        definition = _READERS[number](reader)
    if definition is None:
        raise Fault(reader.pos, "an empty definition of a type")
    return definition, reader.pos


class _Reader:
    """Walks through a definition."""

    def __init__(self, buf: bytes, pos: int, limits: Limits) -> None:
        self.buf = buf
        self.pos = pos
        self.limits = limits

    def numbers(self, count: int) -> Iterator[int]:
        """The numbers of the fields that a struct of so many has sent; each is to be read before the next."""
        number = -1
        while True:
            delta, self.pos = read_uint(self.buf, self.pos)
            if delta == 0:
                return
            number += delta
            if number >= count:
                raise Fault(self.pos, f"field {number} of a part of a definition, which has {count}")
            yield number

    def read_uint(self) -> int:
        value, self.pos = read_uint(self.buf, self.pos)
        return value

    def read_int(self) -> int:
        value, self.pos = read_int(self.buf, self.pos)
        return value

    def read_type_id(self) -> int:
        value = self.read_int()
        if value not in BASIC_SHAPES and value < FIRST_USER_ID:
            raise Fault(self.pos, f"type id {value} in a definition")
        return value

    def read_name(self) -> str:
        size = self.read_uint()
        start = self.pos
        if size > len(self.buf) - start:
            raise cut_short(self.buf)
        if size > self.limits.max_name_bytes:
            raise Fault(start, f"a name of {size} bytes", "max_name_bytes")
        self.pos = start + size
        try:
            return self.buf[start : self.pos].decode()
        except UnicodeDecodeError:
            raise Fault(start, "a name that is no UTF-8") from None

    def read_common_name(self) -> str:
        name = ""
        for number in self.numbers(2):
            if number == 0:
                name = self.read_name()
            else:
                self.read_int()
        return name


def _array(reader: _Reader) -> Definition:
    name, elem, length = "", 0, 0
    for number in reader.numbers(3):
        if number == 0:
            name = reader.read_common_name()
        elif number == 1:
            elem = reader.read_type_id()
        else:
            length = reader.read_int()
    if length < 0:
        raise Fault(reader.pos, f"an array of {length} elements")
    return _complete(reader, Definition(Kind.ARRAY, name, elem=elem, length=length))


def _slice(reader: _Reader) -> Definition:
    name, elem = "", 0
    for number in reader.numbers(2):
        if number == 0:
            name = reader.read_common_name()
        else:
            elem = reader.read_type_id()
    return _complete(reader, Definition(Kind.SLICE, name, elem=elem))


def _map(reader: _Reader) -> Definition:
    name, key, elem = "", 0, 0
    for number in reader.numbers(3):
        if number == 0:
            name = reader.read_common_name()
        elif number == 1:
            key = reader.read_type_id()
        else:
            elem = reader.read_type_id()
    return _complete(reader, Definition(Kind.MAP, name, key=key, elem=elem))


def _complete(reader: _Reader, definition: Definition) -> Definition:
    if 0 in definition.references:
        raise Fault(reader.pos, f"a definition of a {definition.kind.value} without its element's type")
    return definition


def _struct(reader: _Reader) -> Definition:
    name = ""
    fields: tuple[tuple[str, int], ...] = ()
    for number in reader.numbers(2):
        if number == 0:
            name = reader.read_common_name()
        else:
            fields = _fields(reader)
    return Definition(Kind.STRUCT, name, fields=fields)


def _fields(reader: _Reader) -> tuple[tuple[str, int], ...]:
    count = reader.read_uint()
    if count > reader.limits.max_fields:
        raise Fault(reader.pos, f"a struct of {count} fields", "max_fields")
    types: dict[str, int] = {}
    for _ in range(count):
        name, type_id = "", 0
        for number in reader.numbers(2):
            if number == 0:
                name = reader.read_name()
            else:
                type_id = reader.read_type_id()
        if not name or not type_id:
            raise Fault(reader.pos, "a field without a name or a type")
        if name in types:
            raise Fault(reader.pos, "two fields of one name")
        types[name] = type_id
    return tuple(types.items())


def _marshaler(kind: Kind) -> Callable[[_Reader], Definition]:
    def read(reader: _Reader) -> Definition:
        name = ""
        for _ in reader.numbers(1):
            name = reader.read_common_name()
        return Definition(kind, name)

    return read


_READERS: Final[tuple[Callable[[_Reader], Definition], ...]] = (
    _array,
    _slice,
    _struct,
    _map,
    *map(_marshaler, _MARSHALERS),
)
"""By the number of the field of wireType."""
