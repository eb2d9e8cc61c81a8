"""What compiled code shares while it reads one value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mattermost_plugin._gob.definitions import read_definition
from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.limits import Limits
from mattermost_plugin._gob.primitives import read_int, read_uint
from mattermost_plugin._gob.type_table import TypeTable

if TYPE_CHECKING:
    from mattermost_plugin._gob.held import Held
    from mattermost_plugin._gob.targets import AnyTarget

__all__ = ["NextMessageNeeded", "ReadState", "too_deep", "too_many", "too_many_keys", "wrong_length"]


class NextMessageNeeded(Exception):  # noqa: N818 - no error, and it never leaves the package
    """The value goes on in the next message, for a type was defined in its midst."""


class ReadState:
    """Budgets and type ids of the value that is being read.

    Attributes:
        limits: The limits of the stream.
        types: Its types.
        room: How many elements the value may still have.
        depth: How many levels it may still go down.
        ends: Where each of the messages that the value is made of ends in the buffer.
        end: Where the current one ends.
        cuts: How many definitions stood within the value so far.
        defined: Ids of the types that were defined within the value.
        held: How to read values held by interfaces, by target and name.
    """

    __slots__ = ("cuts", "defined", "depth", "end", "ends", "held", "limits", "room", "types")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.types = TypeTable(limits)
        self.held: dict[AnyTarget, dict[bytes, Held]] = {}
        self.defined: list[int] = []
        self.cuts = 0
        self.begin((0,))

    def begin(self, ends: Sequence[int]) -> None:
        """Start with a value whose messages end there; one that was begun before is given up, with its types."""
        if self.defined:
            self._undo()
        self.room = self.limits.max_elements
        self.depth = self.limits.max_depth
        self.ends = ends
        self.end = ends[0]

    def commit(self) -> None:
        """The value was read: keep its types."""
        self.defined = []

    def _undo(self) -> None:
        self.types.forget(self.defined)
        gone = set(self.defined)
        for known in self.held.values():
            for name in [name for name, held in known.items() if held.type_id in gone]:
                del known[name]
        self.defined = []

    def held_type(self, buf: bytes, pos: int) -> tuple[int, int]:
        """The type id of a value held by an interface, which definitions may precede, and where it ends.

        A definition ends the message, or, within the value of another interface, a number of bytes follows, which
        is of no use. Go on with the next message or behind the number: there is a further definition or the id.
        """
        while True:
            if pos == self.end:
                self._cross()
            start = pos
            number, pos = read_int(buf, pos)
            if number >= 0:
                return number, pos
            definition, pos = read_definition(buf, pos, self.limits)
            self.types.define(-number, definition, start)
            self.defined.append(-number)
            # The count in front of an enclosing value ends at such a cut.
            self.cuts += 1
            if pos != self.end:
                _, pos = read_uint(buf, pos)

    def _cross(self) -> None:
        following = bisect_right(self.ends, self.end)
        if following == len(self.ends):
            raise NextMessageNeeded
        self.end = self.ends[following]


def too_many(pos: int) -> Fault:
    """The fault of a value with more elements than are allowed."""
    return Fault(pos, "a value of too many elements", "max_elements")


def too_many_keys(pos: int) -> Fault:
    """The fault of a map with more keys of a kind that may collide than are allowed."""
    return Fault(pos, "a map of too many numbers", "max_number_keys")


def too_deep(pos: int) -> Fault:
    """The fault of a value that is nested deeper than is allowed."""
    return Fault(pos, "a value that is nested too deep", "max_depth")


def wrong_length(pos: int, count: int, length: int) -> Fault:
    """The fault of an array whose count is not the length of its type."""
    return Fault(pos, f"{count} elements for an array of {length}")
