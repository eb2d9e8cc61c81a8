"""Writes the source of the functions that read values.

There are three forms of functions, so that a nested struct costs one call and no tuple:

    fill(buf, pos, out, st) -> pos            a struct, into a record
    read(buf, pos, st) -> (value, pos)        any other type
    skip(buf, pos, st) -> pos                 any type, for nothing

Basic values, and containers a few levels deep, are read in line. Positions may run past the end of the buffer, as
slices do not mind: the next single byte that is read raises IndexError, and every value ends in a single byte or is
compared with the end of its message. So bounds are checked where a length or a count has several bytes, and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from mattermost_plugin._gob.errors import GobMismatchError
from mattermost_plugin._gob.primitives import (
    SMALL_FLOATS,
    long_count,
    long_float,
    long_size,
    long_uint,
    skip_long,
)
from mattermost_plugin._gob.shapes import Kind, Shape, readable
from mattermost_plugin._gob.source_text import SourceText
from mattermost_plugin._gob.state import too_deep, too_many, too_many_keys, wrong_length
from mattermost_plugin._gob.struct_numbers import SHORT_FIELDS, WIDE, long_delta
from mattermost_plugin._gob.values import Pairs

if TYPE_CHECKING:
    from mattermost_plugin._gob.puts import Put
    from mattermost_plugin._gob.targets import AnyTarget, StructPlan

__all__ = ["CodeWriter", "Form", "Linker"]


class Form(Enum):
    """Forms of functions."""

    FILL = "fill"
    READ = "read"
    SKIP = "skip"


class Linker(Protocol):
    """Gives what the code for one type needs of others."""

    def link(self, form: Form, shape: Shape, target: AnyTarget | None) -> str:
        """The name of the function that reads another type."""
        ...

    def interface(self, target: AnyTarget | None) -> object:
        """The function that reads what interfaces hold; None: that skips it."""
        ...

    def plan(self, shape: Shape, target: AnyTarget) -> StructPlan:
        """What the target says of a struct."""
        ...


_INLINE_LEVELS: Final = 3
"""Containers within containers that are written in line; deeper ones are functions of their own."""

_MAX_INLINE_LINES: Final = 2000
"""Lines of a function from which on no more is written in line: maps of maps would multiply the code for a field that
costs a peer a few bytes."""

_KEYS: Final = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.STRING})
"""Kinds of keys that make a map a dict. Others are unhashable, or hash to what a peer can choose."""

_NUMBERS: Final = frozenset({Kind.INT, Kind.UINT, Kind.FLOAT})
"""Kinds of keys whose hashes a peer can choose, so that their number is limited."""

GLOBALS: Final = {
    "Pairs": Pairs,
    "SMALL_FLOATS": SMALL_FLOATS,
    "WIDE": WIDE,
    "from_bytes": int.from_bytes,
    "long_count": long_count,
    "long_delta": long_delta,
    "long_float": long_float,
    "long_size": long_size,
    "long_uint": long_uint,
    "skip_long": skip_long,
    "too_deep": too_deep,
    "too_many": too_many,
    "too_many_keys": too_many_keys,
    "wrong_length": wrong_length,
}
"""Names that compiled code can use."""


class CodeWriter(SourceText):
    """The text of one function that reads.

    Args:
        linker: Makes what gives functions for other types, for these globals.
        target: What the values become; None to skip them.
    """

    def __init__(self, linker: Callable[[dict[str, object]], Linker], target: AnyTarget | None) -> None:
        super().__init__(GLOBALS)
        self._linker = linker(self.namespace)
        self._target = target
        self._level = 0

    @property
    def basic_target(self) -> AnyTarget:
        """For basic values within the record."""
        if self._target is None:
            raise ValueError("nothing is put anywhere when values are skipped")
        return self._target

    # What a type is read with.

    def uint(self) -> None:
        """Read an unsigned number to `b`."""
        self.line("b = buf[pos]")
        self.line("pos += 1")
        self.line("if b > 127: b, pos = long_uint(buf, pos, b)")

    def size(self) -> None:
        """Read the length of a string to `b`."""
        self.line("b = buf[pos]")
        self.line("pos += 1")
        self.line("if b > 127: b, pos = long_size(buf, pos, b, st)")

    def count(self, shape: Shape) -> None:
        """Read the number of a container's elements to `b`, and take the room for them."""
        self.line("b = buf[pos]")
        self.line("pos += 1")
        # An interface in an element may end the message, and the rest is in the next.
        cut = shape.elem.can_be_cut or (shape.kind is Kind.MAP and shape.key.can_be_cut)
        self.line(f"if b > 127: b, pos = {'long_uint' if cut else 'long_count'}(buf, pos, b)")
        if shape.kind is Kind.ARRAY:
            self.line(f"if b != {shape.length}: raise wrong_length(pos, b, {shape.length})")
        cost = shape.elem.cost + (shape.key.cost if shape.kind is Kind.MAP else 0) or 1
        with self.block("if b:"):
            self.line(f"st.room -= b * {cost}" if cost > 1 else "st.room -= b")
            self.line("if st.room < 0: raise too_many(pos)")

    def value(self, shape: Shape, target: AnyTarget) -> tuple[str, str]:
        """Read a value.

        Returns:
            An expression for it, to be used once and before anything else is read, and the variable that holds its
            end: "pos", or "e" if `pos` does not know it yet.
        """
        match shape.kind:
            case Kind.BOOL:
                self.uint()
                return "b != 0", "pos"
            case Kind.UINT:
                self.uint()
                return "b", "pos"
            case Kind.INT:
                return self._int()
            case Kind.FLOAT:
                return self._float("b"), "pos"
            case Kind.COMPLEX:
                self.line(f"b = {self._float('b')}")
                return f"complex(b, {self._float('c')})", "pos"
            case Kind.STRING:
                self.size()
                self.line("e = pos + b")
                return f"buf[pos:e].decode('utf-8', {target.text_errors!r})", "e"
            case Kind.BYTES:
                self.size()
                self.line("e = pos + b")
                return "buf[pos:e]", "e"
            case Kind.GOB_ENCODER | Kind.BINARY_MARSHALER | Kind.TEXT_MARSHALER:
                self.size()
                self.line("e = pos + b")
                return f"{self.bind(target.unmarshaler(shape))}(buf[pos:e])", "e"
            case Kind.INTERFACE:
                self.line(f"v, pos = {self.bind(self._linker.interface(target))}(buf, pos, st)")
                return "v", "pos"
            case Kind.STRUCT:
                self.line(f"v = {self._make(shape, target)}")
                self.fill(shape, target, "v")
                return "v", "pos"
            case Kind.SLICE | Kind.ARRAY | Kind.MAP:
                return self._container(shape, target), "pos"

    def advance(self, end: str) -> None:
        """Let `pos` know a value's end."""
        if end != "pos":
            self.line(f"pos = {end}")

    def fill(self, shape: Shape, target: AnyTarget, record: str) -> None:
        """Read a struct into the record that an expression gives."""
        self.line(f"pos = {self._linker.link(Form.FILL, shape, target)}(buf, pos, {record}, st)")

    def _make(self, shape: Shape, target: AnyTarget) -> str:
        make = self._linker.plan(shape, target).make
        return "{}" if make is dict else f"{self.bind(make)}()"

    def _int(self) -> tuple[str, str]:
        self.line("b = buf[pos]")
        self.line("pos += 1")
        with self.block("if b > 127:"):
            # In line, for times are numbers of seven bytes.
            self.line("if b < 248: skip_long(buf, pos, b)")
            self.line("e = pos + 256 - b")
            self.line("b = from_bytes(buf[pos:e], 'big')")
            self.line("pos = e")
        return "~(b >> 1) if b & 1 else b >> 1", "pos"

    def _float(self, variable: str) -> str:
        self.line(f"{variable} = buf[pos]")
        self.line("pos += 1")
        self.line(f"if {variable} > 127: {variable}, pos = long_float(buf, pos, {variable})")
        self.line(f"else: {variable} = SMALL_FLOATS[{variable}]")
        return variable

    def _container(self, shape: Shape, target: AnyTarget) -> str:
        if self._is_apart(shape):
            self.line(f"v, pos = {self._linker.link(Form.READ, shape, target)}(buf, pos, st)")
            return "v"
        return self._container_in_line(shape, target)

    def _is_apart(self, shape: Shape) -> bool:
        """Whether a container is read by a function of its own."""
        return shape.is_recursive or self._level == _INLINE_LEVELS or self.line_count > _MAX_INLINE_LINES

    def _container_in_line(self, shape: Shape, target: AnyTarget) -> str:
        self._level += 1
        container, put = f"v{self._level}", f"a{self._level}"
        self.count(shape)
        is_dict = shape.kind is Kind.MAP and shape.key.kind in _KEYS
        if is_dict and shape.key.kind in _NUMBERS:
            self.line("if b > 127 and b > st.limits.max_number_keys: raise too_many_keys(pos)")
        make = "{}" if is_dict else "Pairs()" if shape.kind is Kind.MAP else "[]"
        self.line(f"{container} = {make}")
        if not is_dict:
            self.line(f"{put} = {container}.append")
        with self.block("for _ in range(b):"):
            key = ""
            if shape.kind is Kind.MAP:
                key = f"k{self._level}"
                value, end = self.value(shape.key, target)
                self.line(f"{key} = {value}")
                self.advance(end)
            value, end = self.value(shape.elem, target)
            if is_dict:
                self.line(f"{container}[{key}] = {value}")
            else:
                self.line(f"{put}(({key}, {value}))" if key else f"{put}({value})")
            self.advance(end)
        self._level -= 1
        return f"tuple({container})" if shape.kind is Kind.ARRAY else container

    # The same for nothing.

    def skip(self, shape: Shape) -> None:
        """Find a value's end."""
        match shape.kind:
            case Kind.BOOL | Kind.UINT | Kind.INT | Kind.FLOAT:
                self._skip_number()
            case Kind.COMPLEX:
                self._skip_number()
                self._skip_number()
            case Kind.STRING | Kind.BYTES | Kind.GOB_ENCODER | Kind.BINARY_MARSHALER | Kind.TEXT_MARSHALER:
                self.size()
                self.line("pos += b")
            case Kind.INTERFACE:
                self.line(f"pos = {self.bind(self._linker.interface(None))}(buf, pos, st)[1]")
            case Kind.STRUCT:
                self._skip_call(shape)
            case Kind.SLICE | Kind.ARRAY | Kind.MAP:
                if self._is_apart(shape):
                    self._skip_call(shape)
                else:
                    self._skip_container(shape)

    def _skip_number(self) -> None:
        self.line("b = buf[pos]")
        self.line("pos += 1")
        self.line("if b > 127: pos = skip_long(buf, pos, b)")

    def _skip_call(self, shape: Shape) -> None:
        self.line(f"pos = {self._linker.link(Form.SKIP, shape, None)}(buf, pos, st)")

    def _skip_container(self, shape: Shape) -> None:
        self._level += 1
        self.count(shape)
        with self.block("for _ in range(b):"):
            if shape.kind is Kind.MAP:
                self.skip(shape.key)
            self.skip(shape.elem)
        self._level -= 1

    # Whole functions.

    def fill_function(self, shape: Shape, puts: Sequence[Put]) -> None:
        """Write `fill` for a struct."""
        with self.block("def fill(buf, pos, out, st):"):
            self._struct(shape, puts)

    def read_function(self, shape: Shape, target: AnyTarget) -> None:
        """Write `read`."""
        with self.block("def read(buf, pos, st):"):
            self._enter(shape)
            value, end = self._container_in_line(shape, target), "pos"
            self._leave(shape)
            self.line(f"return {value}, {end}")

    def basic_function(self, shape: Shape, target: AnyTarget) -> None:
        """Write `read` for a basic type."""
        with self.block("def read(buf, pos, st):"):
            value, end = self.value(shape, target)
            self.line(f"return {value}, {end}")

    def skip_function(self, shape: Shape) -> None:
        """Write `skip`."""
        with self.block("def skip(buf, pos, st):"):
            if shape.is_struct:
                self._struct(shape, None)
                return
            self._enter(shape)
            if shape.is_composed:
                self._skip_container(shape)
            else:
                self.skip(shape)
            self._leave(shape)
            self.line("return pos")

    def _struct(self, shape: Shape, puts: Sequence[Put] | None) -> None:
        """The fields in their order. `n` is the number of the next one that was sent.

        A field that is there adds the byte behind it to its own number; most often that is the next one. A byte from
        128 up is larger than any number of a struct with few fields, so it gets past all of them to `long_delta`.
        """
        self._enter(shape)
        self.line("n = buf[pos]")
        self.line("pos += 1")
        self._return_if_last(shape)
        self.line("n -= 1" if len(shape.fields) <= SHORT_FIELDS else "n = WIDE[n] - 1")
        with self.block("while True:"):
            for number, (name, part) in enumerate(shape.fields):
                with self.block(f"if n == {number}:"):
                    self.begin_field(readable(name))
                    end = "pos"
                    if puts is None:
                        self.skip(part)
                    else:
                        end = self._emit(puts[number], name, part)
                    self._next_number(shape, number, end)
            self.begin_field("")
            self.line(f"n, pos = long_delta(buf, pos, n, {len(shape.fields)})")
            self._return_if_last(shape, "n < 0")

    def _emit(self, put: Put, name: str, shape: Shape) -> str:
        try:
            return put.emit(self, shape)
        except GobMismatchError as error:
            raise GobMismatchError(error.reason, path=readable(name)) from None

    def _next_number(self, shape: Shape, number: int, end: str) -> None:
        self.line(f"n = buf[{end}]")
        self.line("pos += 1" if end == "pos" else f"pos = {end} + 1")
        self._return_if_last(shape)
        if len(shape.fields) > SHORT_FIELDS:
            self.line(f"n = WIDE[n] + {number}")
        elif number:
            self.line(f"n += {number}")

    def _return_if_last(self, shape: Shape, condition: str = "not n") -> None:
        with self.block(f"if {condition}:"):
            self._leave(shape)
            self.line("return pos")

    def _enter(self, shape: Shape) -> None:
        if shape.is_recursive:
            self.line(f"st.depth -= {shape.height}")
            self.line("if st.depth < 0: raise too_deep(pos)")
            self.line(f"st.room -= {1 + shape.weight}")
            self.line("if st.room < 0: raise too_many(pos)")

    def _leave(self, shape: Shape) -> None:
        if shape.is_recursive:
            self.line(f"st.depth += {shape.height}")
