"""Finds the end of what interfaces hold.

Maps and lists of interfaces, which is what JSON becomes, are walked without a Python call for each level: whoever made
the JSON chose its depth, and that must not end a stream on which nobody wants the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.held import hold, read_head
from mattermost_plugin._gob.primitives import cut_short, read_uint
from mattermost_plugin._gob.shapes import Kind, Shape
from mattermost_plugin._gob.state import ReadState, too_deep, too_many
from mattermost_plugin._gob.targets import SKIP

if TYPE_CHECKING:
    from mattermost_plugin._gob.held import Functions, Skip

__all__ = ["InterfaceSkipper"]


class InterfaceSkipper:
    """Skips interfaces.

    Args:
        functions: where the functions for other types come from.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions: Final = functions

    def __call__(self, buf: bytes, pos: int, st: ReadState) -> tuple[None, int]:
        """Skip an interface. Returns None, and where it ends."""
        return None, self._walk(buf, pos, st, None, 1)

    def pass_over(self, buf: bytes, pos: int, st: ReadState, shape: Shape) -> int:
        """Skip the number of elements, and the elements, of a map or list of interfaces. Returns where they end."""
        count, pos = _count(buf, pos, st, shape)
        return self._walk(buf, pos, st, self._key(shape), count)

    def _walk(self, buf: bytes, pos: int, st: ReadState, key: Skip | None, left: int) -> int:
        """Skip interfaces, each behind its key if there are keys."""
        outer: list[tuple[Skip | None, int, int, int]] = []
        while True:
            while not left:
                if not outer:
                    return pos
                key, left, end, cuts = outer.pop()
                _check_end(buf, pos, st, end, cuts)
            left -= 1
            if key is not None:
                pos = key(buf, pos, st)
            if not buf[pos]:
                pos += 1
                continue
            _, type_id, pos = read_head(buf, pos, st)
            shape = st.types.shape(type_id, pos)
            size, pos = read_uint(buf, pos)
            end, cuts = pos + size, st.cuts
            if not shape.is_struct:
                if buf[pos]:
                    raise Fault(pos, "no zero in front of a value that is no struct")
                pos += 1
            if _is_walked(shape):
                outer.append((key, left, end, cuts))
                key = self._key(shape)
                left, pos = _count(buf, pos, st, shape)
            else:
                pos = self._other(buf, pos, st, type_id, shape)
                _check_end(buf, pos, st, end, cuts)

    def _key(self, shape: Shape) -> Skip | None:
        return self._functions.skip(shape.key) if shape.kind is Kind.MAP else None

    def _other(self, buf: bytes, pos: int, st: ReadState, type_id: int, shape: Shape) -> int:
        held = hold(type_id, shape, SKIP, None, self._functions)
        st.depth -= held.depth
        if st.depth < 0:
            raise too_deep(pos)
        st.room -= held.room
        if st.room < 0:
            raise too_many(pos)
        pos = self._functions.skip(shape)(buf, pos, st)
        st.depth += held.depth
        return pos


def _is_walked(shape: Shape) -> bool:
    if shape.kind is Kind.MAP:
        return shape.elem.kind is Kind.INTERFACE and not (shape.key.is_composed or shape.key.can_be_cut)
    return shape.kind is Kind.SLICE and shape.elem.kind is Kind.INTERFACE


def _count(buf: bytes, pos: int, st: ReadState, shape: Shape) -> tuple[int, int]:
    """The number of elements, which takes the room for them."""
    count, pos = read_uint(buf, pos)
    st.room -= count * 2 if shape.kind is Kind.MAP else count
    if st.room < 0:
        raise too_many(pos)
    return count, pos


def _check_end(buf: bytes, pos: int, st: ReadState, end: int, cuts: int) -> None:
    if pos != end and st.cuts == cuts:
        raise cut_short(buf) if pos > len(buf) else Fault(pos, "a value of another size than announced")
