"""Values that interfaces hold: a registered name, the id of the concrete type, a number of bytes, and the value.

The name decides what the value is for the program, the id how it is laid out. nil is an empty name and nothing else.
Types that are new to the stream are defined in the midst of the value (`ReadState.held_type`), and then the numbers
of bytes in front of the values around count less than there is, so no number is used to find an end. It is compared
where nothing was defined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.primitives import cut_short, long_uint
from mattermost_plugin._gob.shapes import Shape
from mattermost_plugin._gob.state import ReadState, too_deep, too_many
from mattermost_plugin._gob.targets import AnyTarget, SkipTarget, StructPlan

__all__ = ["Fill", "Functions", "Held", "InterfaceReader", "Read", "Skip", "hold", "make_interface_reader", "read_head"]

Fill: TypeAlias = Callable[[bytes, int, object, ReadState], int]
Read: TypeAlias = Callable[[bytes, int, ReadState], tuple[object, int]]
Skip: TypeAlias = Callable[[bytes, int, ReadState], int]
InterfaceReader: TypeAlias = Read


class Functions(Protocol):
    """Where the functions for concrete types come from."""

    def fill(self, shape: Shape, target: AnyTarget) -> Fill:
        """Reads structs."""
        ...

    def read(self, shape: Shape, target: AnyTarget) -> Read:
        """Reads other values."""
        ...

    def skip(self, shape: Shape) -> Skip:
        """Reads nothing."""
        ...

    def plan(self, shape: Shape, target: AnyTarget) -> StructPlan:
        """What the target says of a struct."""
        ...


class Held(NamedTuple):
    """How to read the values of one type under one name."""

    type_id: int
    make: Callable[[], object] | None
    """Makes the record of a struct; None: it is no struct."""
    read: Callable[..., Any]
    """Gives the value and its end; for a struct, takes the record and gives the end."""
    wrap: Callable[[object], object] | None
    depth: int
    """Levels that it goes down; 0 for a basic value, which takes no room of its own either."""
    room: int
    """Elements that it takes, apart from those of containers."""


def make_interface_reader(target: AnyTarget, functions: Functions) -> InterfaceReader:
    """The function that reads interfaces for a target."""

    def read(buf: bytes, pos: int, st: ReadState) -> tuple[object, int]:
        b = buf[pos]
        pos += 1
        if not b:
            return None, pos
        if b > 127:
            b, pos = _long_name(buf, pos, b, st)
        end = pos + b
        name = buf[pos:end]
        # An index error here, too, is a message that ends too early.
        # Where the message ends behind the name, the id is in the next one.
        b = buf[end] if end != st.end else 1
        if b & 1 or b > 127:
            type_id, pos = st.held_type(buf, end)
        else:
            type_id, pos = b >> 1, end + 1
        known = st.held.get(target)
        held = None if known is None else known.get(name)
        if held is None or held[0] != type_id:
            held = bind(name, type_id, st, pos)
        _, make, function, wrap, depth, room = held
        if depth:
            st.depth -= depth
            if st.depth < 0:
                raise too_deep(pos)
            st.room -= room
            if st.room < 0:
                raise too_many(pos)
        b = buf[pos]
        pos += 1
        if b > 127:
            b, pos = long_uint(buf, pos, b)
        end = pos + b
        cuts = st.cuts
        if make is None:
            if buf[pos]:
                raise Fault(pos, "no zero in front of a value that is no struct")
            value, pos = function(buf, pos + 1, st)
        else:
            value = make()
            pos = function(buf, pos, value, st)
        if pos != end and st.cuts == cuts:
            raise cut_short(buf) if pos > len(buf) else Fault(pos, "a value of another size than announced")
        st.depth += depth
        return value if wrap is None else wrap(value), pos

    def bind(name: bytes, type_id: int, st: ReadState, pos: int) -> Held:
        known = st.held.setdefault(target, {})
        if len(known) >= st.limits.max_types:
            raise Fault(pos, "too many registered names", "max_types")
        text = name.decode("utf-8", "surrogateescape")
        shape = st.types.shape(type_id, pos)
        held = known[name] = hold(type_id, shape, target.held(text), target.wrapper(text), functions)
        return held

    return read


def _long_name(buf: bytes, pos: int, first: int, st: ReadState) -> tuple[int, int]:
    size, start = long_uint(buf, pos, first)
    if not size:
        # Nil is a plain zero, whatever the length of a number allows.
        raise Fault(pos, "a registered name of no bytes")
    if size > st.limits.max_name_bytes:
        raise Fault(pos, f"a registered name of {size} bytes", "max_name_bytes")
    return size, start


def read_head(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int, int]:
    """What an interface that is not nil begins with.

    Returns:
        The registered name, the type id, and where the number of bytes of the value stands.
    """
    size = buf[pos]
    pos += 1
    if size > 127:
        size, pos = _long_name(buf, pos, size, st)
    end = pos + size
    name = buf[pos:end]
    # A type may be defined here, and the message end before that.
    b = buf[end] if end != st.end else 1
    if b & 1 or b > 127:
        type_id, pos = st.held_type(buf, end)
    else:
        type_id, pos = b >> 1, end + 1
    return name, type_id, pos


def hold(
    type_id: int, shape: Shape, target: AnyTarget, wrap: Callable[[object], object] | None, functions: Functions
) -> Held:
    """How to read values of a type that stand alone.

    Raises:
        GobMismatchError: the target does not take them.
    """
    # A recursive type counts its own levels and fields.
    depth, room = (1, 1) if shape.is_recursive else (1 + shape.height, 1 + shape.weight)
    if not (shape.is_composed or shape.can_be_cut):
        depth = room = 0
    if isinstance(target, SkipTarget):
        skip = functions.skip(shape)
        if shape.is_struct:
            return Held(type_id, _nothing, lambda buf, pos, _, st: skip(buf, pos, st), wrap, depth, room)
        return Held(type_id, None, lambda buf, pos, st: (None, skip(buf, pos, st)), wrap, depth, room)
    target.check(shape)
    if shape.is_struct:
        return Held(type_id, functions.plan(shape, target).make, functions.fill(shape, target), wrap, depth, room)
    return Held(type_id, None, functions.read(shape, target), wrap, depth, room)


def _nothing() -> None:
    return None
