"""Writes a stream of gob values that describes itself.

    encoder = Encoder(registry)
    data = encoder.encode({"Id": "a"}, POST)

All types that a value needs are defined in messages of their own before it, also those that interfaces in it hold,
which Go would define in the midst of the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from mattermost_plugin._gob.errors import GobEncodeError
from mattermost_plugin._gob.go_types import (
    ANY,
    BOOL,
    BYTES,
    COMPLEX64,
    COMPLEX128,
    FLOAT32,
    FLOAT64,
    INT,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    UINT,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    UINTPTR,
    GoMap,
    GoPointer,
    GoSlice,
    GoStruct,
    GoType,
    pointed_to,
)
from mattermost_plugin._gob.linking import Function
from mattermost_plugin._gob.messages import message
from mattermost_plugin._gob.primitives import int_bytes, uint_bytes
from mattermost_plugin._gob.sources import DICTS, Source
from mattermost_plugin._gob.trouble import place_of
from mattermost_plugin._gob.type_ids import TypeIds
from mattermost_plugin._gob.values import Interface
from mattermost_plugin._gob.writers import WRITERS, Add

__all__ = ["BASIC_NAMES", "Encoder", "Item", "Registered"]


class Registered(NamedTuple):
    """A type that interfaces may hold."""

    type: GoType
    source: Source = DICTS
    """Where its values come from."""


class Item(NamedTuple):
    """A value to be sent."""

    value: object
    type: GoType
    source: Source = DICTS


_LIST: Final = GoSlice(ANY)
_DICT: Final = GoMap(STRING, ANY)

BASIC_NAMES: Final[Mapping[str, Registered]] = {
    **{
        name: Registered(go_type)
        for basic in (
            {"bool": BOOL, "string": STRING, "uint8": UINT8, "uintptr": UINTPTR},
            {"int": INT, "int8": INT8, "int16": INT16, "int32": INT32, "int64": INT64},
            {"uint": UINT, "uint16": UINT16, "uint32": UINT32, "uint64": UINT64},
            {"float32": FLOAT32, "float64": FLOAT64, "complex64": COMPLEX64, "complex128": COMPLEX128},
        )
        for plain, plain_type in basic.items()
        for name, go_type in (
            (plain, plain_type),
            (f"[]{plain}", BYTES if plain_type is UINT8 else GoSlice(plain_type)),
        )
    },
    "[]interface {}": Registered(_LIST),
    "map[string]interface {}": Registered(_DICT),
}
"""Names that every Go program has registered, and the two that JSON values need."""

_NAMES: Final = {
    bool: "bool",
    int: "int",
    float: "float64",
    complex: "complex128",
    str: "string",
    bytes: "[]uint8",
    list: "[]interface {}",
    tuple: "[]interface {}",
    dict: "map[string]interface {}",
}
"""Names for values of Python's own types that interfaces hold."""


class _Held(NamedTuple):
    """How to write the values under one registered name."""

    head: bytes
    """The name and the type id."""
    write: Function
    is_struct: bool
    is_pointer: bool


class _WriteState:
    """What compiled writers share: the types of the stream, and how interfaces are written."""

    def __init__(self, registry: Mapping[str, Registered]) -> None:
        self.ids = TypeIds()
        self._registry = registry
        self._held: dict[str, _Held] = {}

    def interface(self, add: Add, value: object) -> None:
        """Write a value held by an interface: an `Interface`, or a value of one of Python's own types."""
        if isinstance(value, Interface):
            name, held = value
        else:
            name, held = _NAMES.get(value.__class__, ""), value
        known = self._held.get(name) or self._hold(name, value)
        if held is None and known.is_pointer:
            raise ValueError("a nil pointer in an interface")
        parts: list[bytes] = []
        if not known.is_struct:
            parts.append(b"\0")
        known.write(parts.append, held, self)
        body = b"".join(parts)
        add(known.head)
        add(uint_bytes(len(body)))
        add(body)

    def _hold(self, name: str, value: object) -> _Held:
        registered = self._registry.get(name) or BASIC_NAMES.get(name)
        if registered is None:
            what = f"the name {name!r} is" if name else f"values of {type(value).__name__} are"
            raise ValueError(f"{what} not registered for interfaces")
        base = pointed_to(registered.type)
        text = name.encode("utf-8", "surrogateescape")
        held = self._held[name] = _Held(
            uint_bytes(len(text)) + text + int_bytes(self.ids.id(base)),
            WRITERS.function((base, registered.source)),
            isinstance(base, GoStruct),
            isinstance(registered.type, GoPointer),
        )
        return held

    def undo(self) -> bool:
        """Take back the types that were not sent; False if there are none."""
        if not self.ids.undo():
            return False
        self._held.clear()
        return True


class Encoder:
    """One stream. Not for several threads at once.

    Args:
        registry: What interfaces may hold beside `BASIC_NAMES`, by registered name.
    """

    def __init__(self, registry: Mapping[str, Registered] | None = None) -> None:
        self._state = _WriteState(registry or {})
        self._known: dict[tuple[GoType, Source], tuple[bytes, Function]] = {}

    def define(self, *types: GoType) -> bytes:
        """The bytes that define types ahead of their values, which then bring no definitions along.

        An encoder that has defined all that it will be given, and whose values hold no interfaces, does not change any
        more: it may write the values of any number of streams that begin with these bytes.
        """
        ids = self._state.ids
        for go_type in types:
            ids.id(go_type)
        data = b"".join(ids.take_new())
        ids.commit()
        return data

    def encode(self, value: object, go_type: GoType, source: Source = DICTS) -> bytes:
        """The bytes to be sent for a value, definitions of types included.

        Args:
            value: None stands for a nil slice or map.
            go_type: Its type; a pointer to it is the same.
            source: How its fields are got.

        Raises:
            GobEncodeError: it cannot be sent: of another type, out of range, nil where gob has no nil, or of a type
                whose name is not registered. The stream is as it was before.
        """
        return self.encode_all(((value, go_type, source),))

    def encode_all(self, items: Iterable[tuple[object, GoType, Source]]) -> bytes:
        """The bytes for several values that are sent together or not at all; see `encode`.

        Args:
            items: For each value, the arguments of `encode`, such as an `Item`.

        Raises:
            GobEncodeError: one of them cannot be sent.
        """
        state = self._state
        is_done = False
        try:
            pieces: list[bytes] = []
            for value, go_type, source in items:
                head, write = self._known.get((go_type, source)) or self._learn(go_type, source)
                parts = [head]
                write(parts.append, value, state)
                if state.ids.has_new:
                    pieces += state.ids.take_new()
                pieces.append(message(b"".join(parts)))
            is_done = True
        except UnicodeError as error:
            raise GobEncodeError("a text that cannot be encoded", path=place_of(error).path) from error
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            place = place_of(error)
            reason = str(error) if place.is_ours else f"a value was refused with {type(error).__name__}"
            raise GobEncodeError(reason, path=place.path) from error
        except RecursionError as error:
            raise GobEncodeError("a value that is nested too deep, or contains itself") from error
        finally:
            if is_done:
                state.ids.commit()
            elif state.undo():
                self._known.clear()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _learn(self, go_type: GoType, source: Source) -> tuple[bytes, Function]:
        base = pointed_to(go_type)
        head = int_bytes(self._state.ids.id(base)) + (b"" if isinstance(base, GoStruct) else b"\0")
        known = self._known[go_type, source] = head, WRITERS.function((base, source))
        return known
