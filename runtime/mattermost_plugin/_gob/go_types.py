"""Go types, declared: what the encoder must know of a value, for a Python object does not tell.

    POST = GoStruct("Post", (GoField("Id", STRING), GoField("CreateAt", INT64), GoField("Props", GoMap(STRING, ANY))))

Types are compared by identity and become type ids so: one object for a type is one definition on the wire. Parts may
be set after a type was made, which is how types contain themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias

from mattermost_plugin._gob.shapes import Kind
from mattermost_plugin._gob.values import ZERO_TIME, GoTime

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "COMPLEX64",
    "COMPLEX128",
    "FLOAT32",
    "FLOAT64",
    "INT",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "TIME",
    "UINT",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "UINTPTR",
    "URL",
    "BasicKind",
    "GoArray",
    "GoBasic",
    "GoField",
    "GoInterface",
    "GoMap",
    "GoMarshaler",
    "GoPointer",
    "GoSlice",
    "GoStruct",
    "GoType",
    "basic_kind",
    "is_bytes",
    "pointed_to",
]


class BasicKind(Enum):
    """Go's basic types."""

    BOOL = "bool", Kind.BOOL, 0
    INT = "int", Kind.INT, 64
    INT8 = "int8", Kind.INT, 8
    INT16 = "int16", Kind.INT, 16
    INT32 = "int32", Kind.INT, 32
    INT64 = "int64", Kind.INT, 64
    UINT = "uint", Kind.UINT, 64
    UINT8 = "uint8", Kind.UINT, 8
    UINT16 = "uint16", Kind.UINT, 16
    UINT32 = "uint32", Kind.UINT, 32
    UINT64 = "uint64", Kind.UINT, 64
    UINTPTR = "uintptr", Kind.UINT, 64
    FLOAT32 = "float32", Kind.FLOAT, 32
    FLOAT64 = "float64", Kind.FLOAT, 64
    COMPLEX64 = "complex64", Kind.COMPLEX, 32
    COMPLEX128 = "complex128", Kind.COMPLEX, 64
    STRING = "string", Kind.STRING, 0

    @property
    def word(self) -> str:
        """Go's word for it."""
        return self.value[0]

    @property
    def kind(self) -> Kind:
        """What gob makes of it."""
        return self.value[1]

    @property
    def bits(self) -> int:
        """Size of a number or of each part of a complex one, 0 for others."""
        return self.value[2]

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest integer."""
        if self.kind is Kind.INT:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1


@dataclass(slots=True, eq=False)
class GoBasic:
    """A basic type, or a named type of that kind."""

    kind: BasicKind


@dataclass(slots=True, eq=False)
class GoPointer:
    """A pointer. gob sends what it points to; nil can only be left out of a struct."""

    elem: GoType


@dataclass(slots=True, eq=False)
class GoSlice:
    """A slice. One of 8-bit unsigned integers is a byte string."""

    elem: GoType
    name: str = ""
    """Its name without the package, if it has one."""


@dataclass(slots=True, eq=False)
class GoArray:
    """An array."""

    elem: GoType
    length: int
    name: str = ""


@dataclass(slots=True, eq=False)
class GoMap:
    """A map."""

    key: GoType
    elem: GoType
    name: str = ""


@dataclass(slots=True, eq=False)
class GoInterface:
    """An interface: a value of any type whose name is registered, or nil."""


@dataclass(slots=True, eq=False)
class GoField:
    """A field of a struct."""

    name: str
    """Go's name, which is exported."""
    type: GoType


@dataclass(slots=True, eq=False)
class GoStruct:
    """A struct with its exported fields in their order, without channels and functions."""

    name: str
    """Without the package."""
    fields: tuple[GoField, ...] = ()


def _bytes_of(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError(f"a {type(value).__name__} for bytes")


@dataclass(slots=True, eq=False)
class GoMarshaler:
    """A type that marshals itself."""

    kind: Kind
    """GOB_ENCODER, BINARY_MARSHALER or TEXT_MARSHALER; the receiver's type must be the same."""
    name: str = ""
    marshal: Callable[[object], bytes] = field(default=_bytes_of)
    """Makes the bytes. Raises ValueError or TypeError for what it does not take."""
    is_zero: Callable[[object], bool] = field(default=lambda value: not value)
    """True for the zero value, which is left out of structs."""
    has_pointer_methods: bool = False
    """True if the methods belong to the pointer: then zero is sent, too, and only a nil pointer is left out."""
    zero: object = b""
    """What `marshal` takes for zero."""


GoType: TypeAlias = GoBasic | GoPointer | GoSlice | GoArray | GoMap | GoInterface | GoStruct | GoMarshaler

BOOL: Final = GoBasic(BasicKind.BOOL)
INT: Final = GoBasic(BasicKind.INT)
INT8: Final = GoBasic(BasicKind.INT8)
INT16: Final = GoBasic(BasicKind.INT16)
INT32: Final = GoBasic(BasicKind.INT32)
INT64: Final = GoBasic(BasicKind.INT64)
UINT: Final = GoBasic(BasicKind.UINT)
UINT8: Final = GoBasic(BasicKind.UINT8)
UINT16: Final = GoBasic(BasicKind.UINT16)
UINT32: Final = GoBasic(BasicKind.UINT32)
UINT64: Final = GoBasic(BasicKind.UINT64)
UINTPTR: Final = GoBasic(BasicKind.UINTPTR)
FLOAT32: Final = GoBasic(BasicKind.FLOAT32)
FLOAT64: Final = GoBasic(BasicKind.FLOAT64)
COMPLEX64: Final = GoBasic(BasicKind.COMPLEX64)
COMPLEX128: Final = GoBasic(BasicKind.COMPLEX128)
STRING: Final = GoBasic(BasicKind.STRING)
BYTES: Final = GoSlice(UINT8)
ANY: Final = GoInterface()


def _marshal_time(value: object) -> bytes:
    if isinstance(value, GoTime):
        return value.to_bytes()
    if isinstance(value, datetime):
        return GoTime.from_datetime(value).to_bytes()
    if isinstance(value, bytes):
        return GoTime.from_bytes(value).to_bytes()
    raise TypeError(f"a {type(value).__name__} for a time.Time")


def _is_zero_time(value: object) -> bool:
    return value == ZERO_TIME


def _marshal_text(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError(f"a {type(value).__name__} for a text")


TIME: Final = GoMarshaler(Kind.GOB_ENCODER, "Time", _marshal_time, _is_zero_time, zero=ZERO_TIME)
"""time.Time, from a `GoTime`, a datetime, or the bytes of its MarshalBinary."""

URL: Final = GoMarshaler(Kind.BINARY_MARSHALER, "URL", _marshal_text, has_pointer_methods=True)
"""url.URL, from its text."""


def basic_kind(word: str) -> BasicKind:
    """The basic type for which Go has this word.

    Raises:
        ValueError: there is none.
    """
    for kind in BasicKind:
        if kind.word == word:
            return kind
    raise ValueError(f"{word!r} is no basic type")


def pointed_to(go_type: GoType) -> GoType:
    """The type behind pointers."""
    while isinstance(go_type, GoPointer):
        go_type = go_type.elem
    return go_type


def is_bytes(go_type: GoType) -> bool:
    """True for slices that gob sends as byte strings."""
    return isinstance(go_type, GoSlice) and isinstance(go_type.elem, GoBasic) and go_type.elem.kind is BasicKind.UINT8
