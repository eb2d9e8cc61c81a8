"""What compiled writers call for values of other Python types than usual, and the faults of wrong ones."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Final, cast

__all__ = [
    "as_bytes",
    "as_int",
    "as_list",
    "as_pairs",
    "bad_bool",
    "bad_length",
    "float32",
    "nil_element",
    "out_of_range",
]

_MAX_FLOAT32 = (2 - 2**-23) * 2.0**127


def as_int(value: object) -> int:
    """An integer of a subclass of int.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"{_a(value)} for an integer")


def as_bytes(value: object) -> bytes:
    """Bytes of any buffer; None is nil.

    Raises:
        TypeError: it is none.
    """
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"{_a(value)} for bytes")


_TEXTS: Final = (str, bytes, bytearray, memoryview)
_lists: Final[set[type]] = {list, tuple}
"""Classes that have been seen to be lists: to ask an abstract class each time takes longer than to write them."""


def as_list(value: object) -> Collection[object]:
    """The elements of a list; None is nil.

    Raises:
        TypeError: it is no list, or one of characters, which is hardly meant.
    """
    if value is None:
        return ()
    if value.__class__ in _lists:
        return cast("Collection[object]", value)
    # Repeated fields of protobuf messages are sequences, or at least collections, depending on how it is implemented.
    if not isinstance(value, Collection) or isinstance(value, (*_TEXTS, Mapping, Set)):
        raise TypeError(f"{_a(value)} for a list")
    _lists.add(value.__class__)
    return value


def as_pairs(value: object) -> Collection[tuple[object, object]]:
    """The entries of a map, which may be given as pairs; None is nil.

    Raises:
        TypeError: it is no map.
    """
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return _checked(value)
    if isinstance(value, Mapping):
        # Of protobuf's maps, items() is slower.
        return [(key, value[key]) for key in value]
    raise TypeError(f"{_a(value)} for a map")


def _checked(pairs: Iterable[object]) -> list[tuple[object, object]]:
    checked: list[tuple[object, object]] = []
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"{_a(pair)} for an entry of a map")
        checked.append((pair[0], pair[1]))
    return checked


def float32(value: float) -> float:
    """A float that a float32 can hold, if not exactly.

    Raises:
        ValueError: it is too large.
    """
    if abs(value) > _MAX_FLOAT32 and not math.isinf(value):
        raise ValueError("a float that is too large for float32")
    return value


def bad_bool(value: object) -> TypeError:
    """The fault of a value that is neither True nor False."""
    return TypeError(f"{_a(value)} for a bool")


def nil_element() -> ValueError:
    """The fault of a nil pointer where gob has no way to write one."""
    return ValueError("a nil pointer in a list, a map or an interface")


def bad_length(count: int, length: int) -> ValueError:
    """The fault of an array with another number of elements than its type has."""
    return ValueError(f"{count} elements for an array of {length}")


def out_of_range(low: int, high: int) -> ValueError:
    """The fault of an integer that the type cannot hold."""
    return ValueError(f"an integer that is not in {low} to {high}")


def _a(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
