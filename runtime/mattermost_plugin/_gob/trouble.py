"""Where in bytes and types an exception was raised, told from its traceback.

Compiled code keeps no account of where it is: the frames it leaves behind have it all, the position as a local
variable, and the field by the line.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from types import TracebackType
from typing import Final, NamedTuple

from mattermost_plugin._gob.linking import COMPILED, PLACES

__all__ = ["Place", "place_of"]

_OURS: Final = (__name__.rpartition(".")[0], COMPILED)


class Place(NamedTuple):
    """A place in a value."""

    position: int | None
    """Index into the buffer, None if no code that reads was at work."""
    path: str
    """Types and fields, "" for none."""
    is_reading: bool
    """True if the exception was raised by code that reads, not by a function that it has called."""
    is_ours: bool
    """True if it was raised in this package or in code that it compiled, so that its text is known to tell nothing."""


def place_of(error: BaseException) -> Place:
    """Where an exception was raised."""
    position: int | None = None
    names: list[str] = []
    is_reading = is_ours = False
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        local = frame.f_locals
        is_reading = "buf" in local and "pos" in local
        is_ours = str(frame.f_globals.get("__name__")).startswith(_OURS)
        if is_reading:
            position = local["pos"]
        places = frame.f_globals.get(PLACES)
        if places is not None:
            label, fields = places
            if not names:
                names.append(label)
            at = bisect_right(fields, trace.tb_lineno, key=itemgetter(0))
            if at and fields[at - 1][1]:
                names.append(fields[at - 1][1])
        trace = trace.tb_next
    return Place(position, ".".join(names), is_reading, is_ours)
