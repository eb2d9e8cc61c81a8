"""Types with everything they are made of: what a definition means once the types it refers to are known.

Type ids mean something in one stream only, so compiled code cannot go by them. A `Shape` refers to other shapes, and
there is one object for equal ones: two streams that define the same types share their shapes and the code made for
them. Recursive types are known by their whole cycle, numbered from the type at which it is entered; a cycle that is
entered elsewhere gives shapes of its own, which costs a second compilation and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias

__all__ = ["BASIC_SHAPES", "FIRST_USER_ID", "Kind", "Shape", "ShapePool", "readable"]


class Kind(Enum):
    """What gob makes of a Go type."""

    BOOL = "bool"
    INT = "int"
    """Signed integers of all sizes."""
    UINT = "uint"
    """Unsigned integers of all sizes."""
    FLOAT = "float"
    BYTES = "[]byte"
    STRING = "string"
    COMPLEX = "complex"
    INTERFACE = "interface"
    STRUCT = "struct"
    SLICE = "slice"
    ARRAY = "array"
    MAP = "map"
    GOB_ENCODER = "GobEncoder"
    """Bytes that the type's own GobEncode made."""
    BINARY_MARSHALER = "BinaryMarshaler"
    TEXT_MARSHALER = "TextMarshaler"

    # Each is equal to itself alone. Enum's own hash is a function in Python, and shapes are looked up by kinds.
    __hash__ = object.__hash__


_CONTAINERS: Final = frozenset({Kind.SLICE, Kind.ARRAY, Kind.MAP})
_MARSHALED: Final = frozenset({Kind.GOB_ENCODER, Kind.BINARY_MARSHALER, Kind.TEXT_MARSHALER})
_COMPOSED: Final = _CONTAINERS | {Kind.STRUCT}

_MAX_READABLE: Final = 80
"""Characters of a name in a message."""

FIRST_USER_ID: Final = 64
"""Smallest id that a definition may have. Go begins at 64 or 65, depending on its version."""


class Shape:
    """A type. Compared by identity; made by `ShapePool` alone.

    Attributes:
        kind: What it is.
        name: Its name in the sender's program without the package, often empty. Free text: never decide by it.
        fields: Names and types of a struct's fields.
        key: Type of a map's keys.
        elem: Type of the elements of a slice, an array or a map.
        length: Number of elements of an array.
        is_recursive: True if it contains itself.
        can_be_cut: True if an interface is in it, so that a value may go on in the next message.
        height: Calls that reading a value takes, one within the other, up to the next interface or recursive type,
            which count for themselves.
        weight: Fields of the structs in a value, up to the next container, interface or recursive type.
    """

    __slots__ = (
        "can_be_cut",
        "elem",
        "fields",
        "height",
        "is_recursive",
        "key",
        "kind",
        "length",
        "name",
        "weight",
    )

    fields: tuple[tuple[str, Shape], ...]
    key: Shape
    elem: Shape

    def __init__(self, kind: Kind, name: str = "", length: int = 0, *, is_recursive: bool = False) -> None:
        self.kind = kind
        self.name = name
        self.length = length
        self.fields = ()
        self.is_recursive = is_recursive
        self.can_be_cut = kind is Kind.INTERFACE
        self.height = 0
        self.weight = 0

    def __repr__(self) -> str:
        return f"<Shape {self.label}>"

    @property
    def label(self) -> str:
        """Its name, or what it is, for messages."""
        return readable(self.name) or self.kind.value

    @property
    def is_struct(self) -> bool:
        """True for structs, which are sent without a zero in front where they stand alone."""
        return self.kind is Kind.STRUCT

    @property
    def is_marshaled(self) -> bool:
        """True if a value is bytes that its own type has made."""
        return self.kind in _MARSHALED

    @property
    def is_composed(self) -> bool:
        """True if it is made of other shapes."""
        return self.kind in _COMPOSED

    @property
    def cost(self) -> int:
        """Weight of one value with itself, 0 if it counts itself when it is read."""
        return 0 if self.is_recursive else 1 + self.weight


def readable(name: str) -> str:
    """A name that a peer has chosen, for messages: short, and on one line."""
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= _MAX_READABLE else f"{text[:_MAX_READABLE]}..."


BASIC_SHAPES: Final[Mapping[int, Shape]] = {
    1: Shape(Kind.BOOL),
    2: Shape(Kind.INT),
    3: Shape(Kind.UINT),
    4: Shape(Kind.FLOAT),
    5: Shape(Kind.BYTES),
    6: Shape(Kind.STRING),
    7: Shape(Kind.COMPLEX),
    8: Shape(Kind.INTERFACE),
}
"""The types that need no definition, by their ids."""

Reference: TypeAlias = "Shape | int"
"""A shape, or the number of one in the same cycle."""

Node: TypeAlias = tuple[Kind, str, int, tuple[str, ...], tuple[Reference, ...]]
"""Kind, name, length, names of fields, and what it refers to (key and element, or the fields' types)."""


class ShapePool:
    """Keeps one shape of each kind.

    Args:
        size: Number of shapes, and of their fields, at which it forgets all and begins anew, so that no peer can fill
            the memory. Long names count more. Shapes in use stay good; equal ones are then made once more.
    """

    def __init__(self, size: int = 128 * 1024) -> None:
        self._size = size
        self._cycles: dict[tuple[Node, ...], tuple[Shape, ...]] = {}
        self._count = 0

    def shapes(self, nodes: Sequence[Node], *, is_recursive: bool) -> tuple[Shape, ...]:
        """The shapes of a cycle, or of a single type that is in none."""
        key = tuple(nodes)
        found = self._cycles.get(key)
        if found is None:
            count = sum(map(_weight, key))
            self._count += count
            if self._count > self._size:
                self._cycles.clear()
                self._count = count
            found = self._cycles[key] = _make(key, is_recursive=is_recursive)
        return found


_FREE_CHARS: Final = 64
"""Characters of names that weigh as much as a shape."""


def _weight(node: Node) -> int:
    _, name, _, names, _ = node
    return 1 + len(names) + (len(name) + sum(map(len, names))) // _FREE_CHARS


def _make(nodes: tuple[Node, ...], *, is_recursive: bool) -> tuple[Shape, ...]:
    shapes = tuple([Shape(kind, name, length, is_recursive=is_recursive) for kind, name, length, _, _ in nodes])
    for shape, (_, _, _, names, references) in zip(shapes, nodes, strict=True):
        parts = [shapes[part] if isinstance(part, int) else part for part in references]
        if shape.is_struct:
            shape.fields = tuple(zip(names, parts, strict=True))
        elif parts:
            shape.key, shape.elem = parts[0], parts[-1]
        _measure(shape, parts)
    if any(shape.can_be_cut for shape in shapes):
        for shape in shapes:
            shape.can_be_cut = True
    return shapes


def _measure(shape: Shape, parts: Sequence[Shape]) -> None:
    if not shape.is_composed:
        return
    outside = [part for part in parts if not part.is_recursive]
    shape.height = 1 + max((part.height for part in outside), default=0)
    if shape.is_struct:
        shape.weight = len(parts) + sum(part.weight for part in outside)
    shape.can_be_cut = any(part.can_be_cut for part in parts)
