"""Writes the source of the functions that write values: `write(add, v, st)`, where `add` takes pieces of bytes.

A field is left out where Go leaves it out: false, zero, "", an empty or nil slice, a nil map, pointer or interface, a
zero time, and all that points to these. Everywhere else zeros are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from mattermost_plugin._gob import encode_checks as checks
from mattermost_plugin._gob.go_types import (
    BasicKind,
    GoArray,
    GoBasic,
    GoInterface,
    GoMap,
    GoMarshaler,
    GoPointer,
    GoSlice,
    GoStruct,
    GoType,
    is_bytes,
    pointed_to,
)
from mattermost_plugin._gob.primitives import HEADS, SMALL_UINTS, float_bytes, uint_bytes
from mattermost_plugin._gob.shapes import Kind
from mattermost_plugin._gob.source_text import SourceText

if TYPE_CHECKING:
    from mattermost_plugin._gob.sources import Get, Source

__all__ = ["EncodeWriter", "WriteLinker", "zero_of"]

_INLINE_LEVELS: Final = 3

GLOBALS: Final[dict[str, object]] = {
    "BYTE": SMALL_UINTS,
    "HEADS": HEADS,
    "TRUE": tuple(delta + b"\x01" for delta in SMALL_UINTS),
    "as_bytes": checks.as_bytes,
    "as_int": checks.as_int,
    "as_list": checks.as_list,
    "as_pairs": checks.as_pairs,
    "bad_bool": checks.bad_bool,
    "bad_length": checks.bad_length,
    "float32": checks.float32,
    "float_bytes": float_bytes,
    "nil_element": checks.nil_element,
    "out_of_range": checks.out_of_range,
    "uint_bytes": uint_bytes,
}
"""Names that compiled code can use."""


class WriteLinker(Protocol):
    """Gives what the code for one type needs of others."""

    def link(self, go_type: GoType, source: Source) -> str:
        """The name of the function that writes another type."""
        ...

    def link_zero(self, go_type: GoType) -> str:
        """The name of the function that writes a type from dicts."""
        ...


def zero_of(go_type: GoType) -> object:
    """What stands for the zero value of a type."""
    match go_type:
        case GoBasic(kind):
            return {Kind.BOOL: False, Kind.STRING: ""}.get(kind.kind, 0)
        case GoArray(elem, length):
            return [zero_of(elem)] * length
        case GoStruct():
            return {}
        case GoMarshaler() as marshaler:
            return marshaler.zero
        case _:
            return None


class EncodeWriter(SourceText):
    """The text of one function that writes.

    Args:
        linker: Makes what gives functions for other types, for these globals.
        source: Where the values come from.
    """

    def __init__(self, linker: Callable[[dict[str, object]], WriteLinker], source: Source) -> None:
        super().__init__(GLOBALS)
        self._linker = linker(self.namespace)
        self._source = source
        self._level = 0
        self._uses_get = False

    def use_get(self) -> None:
        """Make `get` the `get` of the record, which is a dict."""
        if not self._uses_get:
            self._uses_get = True
            self.line("get = v.get")

    def function(self, go_type: GoType, gets: Sequence[Get]) -> None:
        """Write the function for a type, with what gets the fields if it is a struct."""
        with self.block("def write(add, v, st):"):
            if isinstance(go_type, GoStruct):
                self._struct(go_type, gets)
            else:
                self.line("x = v")
                # The function is the one that a deeper level would call.
                self._level = 0
                self._element_in_line(go_type, "x", self._source)

    def _struct(self, struct: GoStruct, gets: Sequence[Get]) -> None:
        self.line("last = -1")
        for number, (field, get) in enumerate(zip(struct.fields, gets, strict=True)):
            self.begin_field(field.name)
            source = get.source or self._source
            expression = get.expression(self, field.type)
            if expression == "None" and not _is_always_sent(field.type):
                continue
            self.line(f"x = {expression}")
            self._field(field.type, number, source)
        self.line("add(BYTE[0])")

    def _field(self, go_type: GoType, number: int, source: Source) -> None:
        base = pointed_to(go_type)
        if _is_always_sent(go_type):
            self._head(number)
            zero = self._linker.link_zero(base)
            with self.block("if x is None:"):
                self.line(f"{zero}(add, {self.bind(zero_of(base))}, st)")
            with self.block("else:"):
                self._element(base, "x", source)
        else:
            with self.block(f"if {self._condition(go_type)}:"):
                if isinstance(base, GoBasic) and base.kind is BasicKind.BOOL:
                    self.line("if x is not True: raise bad_bool(x)")
                    self.line(
                        f"add(TRUE[{number} - last])"
                        if number < 127
                        else f"add(uint_bytes({number} - last)); add(BYTE[1])"
                    )
                    self.line(f"last = {number}")
                    return
                self._head(number)
                self._element(base, "x", source)

    def _condition(self, go_type: GoType) -> str:
        """What is true of a value of a field that is sent."""
        match pointed_to(go_type):
            case GoStruct() | GoArray() | GoMap() | GoInterface():
                return "x is not None"
            case GoMarshaler() as marshaler:
                if marshaler.has_pointer_methods:
                    return "x is not None"
                return f"x is not None and not {self.bind(marshaler.is_zero)}(x)"
            case _:
                return "x"

    def _head(self, number: int) -> None:
        """Write how far this field is from the last one."""
        self.line(f"add(BYTE[{number} - last])" if number < 127 else f"add(uint_bytes({number} - last))")
        self.line(f"last = {number}")

    def _element(self, go_type: GoType, x: str, source: Source) -> None:
        """Write the value of a variable, zero or not."""
        base = pointed_to(go_type)
        if isinstance(go_type, GoPointer):
            self.line(f"if {x} is None: raise nil_element()")
        is_container = isinstance(base, GoSlice | GoArray | GoMap) and not is_bytes(base)
        if is_container and self._level == _INLINE_LEVELS:
            self.line(f"{self._linker.link(base, source)}(add, {x}, st)")
        else:
            self._element_in_line(base, x, source)

    def _element_in_line(self, base: GoType, x: str, source: Source) -> None:
        match base:
            case GoBasic(kind):
                self._basic(kind, x)
            case GoSlice() if is_bytes(base):
                self.line(f"if {x}.__class__ is not bytes: {x} = as_bytes({x})")
                self._text(x)
            case GoSlice(elem):
                self._list(elem, x, source, None)
            case GoArray(elem, length):
                self._list(elem, x, source, length)
            case GoMap(key, elem):
                self._map(key, elem, x, source)
            case GoInterface():
                self.line(f"if {x} is None: add(BYTE[0])")
                self.line(f"else: st.interface(add, {x})")
            case GoMarshaler() as marshaler:
                self.line(f"{x} = {self.bind(marshaler.marshal)}({x})")
                self._text(x)
            case GoStruct():
                self.line(f"{self._linker.link(base, source)}(add, {x}, st)")
            case GoPointer():
                raise AssertionError("pointers were followed")

    def _basic(self, kind: BasicKind, x: str) -> None:
        match kind.kind:
            case Kind.BOOL:
                self.line(f"if {x} is True: add(BYTE[1])")
                self.line(f"elif {x} is False: add(BYTE[0])")
                self.line(f"else: raise bad_bool({x})")
            case Kind.INT | Kind.UINT:
                self._integer(kind, x)
            case Kind.FLOAT:
                self.line(f"add(float_bytes({f'float32({x})' if kind.bits == 32 else x}))")
            case Kind.COMPLEX:
                for part in (f"{x}.real", f"{x}.imag"):
                    self.line(f"add(float_bytes({f'float32({part})' if kind.bits == 32 else part}))")
            case _:
                self.line(f"{x} = {x}.encode('utf-8', 'surrogateescape')")
                self._text(x)

    def _text(self, x: str) -> None:
        self.line(f"n = len({x})")
        self.line("add(BYTE[n] if n < 128 else uint_bytes(n))")
        self.line(f"add({x})")

    def _integer(self, kind: BasicKind, x: str) -> None:
        low, high = kind.range
        self.line(f"if {x}.__class__ is not int: {x} = as_int({x})")
        self.line(f"if not {low} <= {x} <= {high}: raise out_of_range({low}, {high})")
        if kind.kind is Kind.INT:
            self.line(f"{x} = {x} << 1 if {x} >= 0 else ~{x} << 1 | 1")
        with self.block(f"if {x} < 128:"):
            self.line(f"add(BYTE[{x}])")
        with self.block("else:"):
            self.line(f"n = ({x}.bit_length() + 7) >> 3")
            self.line("add(HEADS[n])")
            self.line(f"add({x}.to_bytes(n, 'big'))")

    def _list(self, elem: GoType, x: str, source: Source, length: int | None) -> None:
        self.line(f"if {x}.__class__ is not list: {x} = as_list({x})")
        self.line(f"n = len({x})")
        if length is not None:
            self.line(f"if n != {length}: raise bad_length(n, {length})")
        self.line("add(BYTE[n] if n < 128 else uint_bytes(n))")
        self._level += 1
        item = f"y{self._level}"
        with self.block(f"for {item} in {x}:"):
            self._element(elem, item, source)
        self._level -= 1

    def _map(self, key: GoType, elem: GoType, x: str, source: Source) -> None:
        self._level += 1
        name, item = f"k{self._level}", f"y{self._level}"
        self.line(f"{x} = {x}.items() if {x}.__class__ is dict else as_pairs({x})")
        self.line(f"n = len({x})")
        self.line("add(BYTE[n] if n < 128 else uint_bytes(n))")
        with self.block(f"for {name}, {item} in {x}:"):
            self._element(key, name, source)
            self._element(elem, item, source)
        self._level -= 1


def _is_always_sent(go_type: GoType) -> bool:
    return isinstance(go_type, GoStruct | GoArray) or (isinstance(go_type, GoMarshaler) and go_type.has_pointer_methods)
