"""Where decoded values go: the seam between the decoder and what is built on it.

A `Target` says what a type of the peer becomes. The compiler asks it once for each struct type, when that type's
first value arrives: `plan` gets the peer's definition and answers how a record is made and, for each field that the
peer has, what is to happen to it. From this a function is compiled that reads the bytes and does just that. Nothing
is looked up by name while values are read, and a field with `Skip` costs no more than finding its end.

    GENERIC                    dicts by Go field names, lists, and `Interface` for what an interface holds
    PLAIN                      the same with the bare values of interfaces, as JSON would have them
    SKIP                       nothing; reads as far as the value goes
    RecordTarget(Post, {...})  objects, whose fields are filled as the map says

    FILE_INFO = RecordTarget(FileInfo, {"Id": SetAttr("id"), "Size": SetAttr("size")})
    POST = RecordTarget(Post, {
        "Id": SetAttr("id"),                             # out.id = ...
        "FileIds": Extend("file_ids"),                   # out.file_ids.extend([...])
        "Metadata": Fill("metadata", METADATA),          # out.metadata is filled in place
        "Files": AddEach("files", FILE_INFO),            # out.files.add() is filled in place, for each element
        "Props": Call(set_props, PLAIN),                 # set_props(out, {...})
        "SeenAt": Unmarshal(set_seen_at),                # set_seen_at(out, b"..."), for a time.Time
    })
    post = decoder.next_value(POST)                      # a Post

Names that the map has and the peer has not are left at their defaults, names that the peer has and the map has not are
skipped. `SetAttr`, `Extend`, `Fill` and their like speak the Python interface of protobuf messages, yet know nothing
of protobuf; see `puts` for all of them, and for writing another.

Code is kept for each pair of shape and target, so targets are made once, at import, and not for each value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from mattermost_plugin._gob.errors import GobMismatchError
from mattermost_plugin._gob.puts import Put, SetItem, Skip
from mattermost_plugin._gob.shapes import Kind, Shape
from mattermost_plugin._gob.values import GoTime, Interface, Marshaled

__all__ = [
    "GENERIC",
    "PLAIN",
    "SKIP",
    "AnyTarget",
    "GenericTarget",
    "RecordTarget",
    "SkipTarget",
    "StructPlan",
    "Target",
]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StructPlan:
    """How a struct is read."""

    make: Callable[[], object]
    """Makes the record that is filled."""

    puts: Sequence[Put]
    """What happens to each field of the peer's definition, in its order."""


class Target(ABC, Generic[T_co]):
    """What values become. Compared by identity."""

    text_errors = "surrogateescape"
    """What becomes of a text that is no UTF-8, which Go allows: an error handler of `bytes.decode`. This one keeps the
    bytes, and the encoder gives them back."""

    @abstractmethod
    def plan(self, shape: Shape) -> StructPlan:
        """How to read structs of this type.

        Raises:
            GobMismatchError: such a struct cannot go here.
        """

    def check(self, shape: Shape) -> None:
        """Refuse a value of this type that stands alone or is held by an interface.

        Raises:
            GobMismatchError: it cannot go here.
        """

    def held(self, name: str) -> AnyTarget:
        """Where a value goes that an interface holds under this registered name."""
        return self

    def wrapper(self, name: str) -> Callable[[object], object] | None:
        """What is called with each such value, before it takes the place of the interface; None: nothing."""
        return None

    def unmarshaler(self, shape: Shape) -> Callable[[bytes], object]:
        """What is called with the bytes that a type has marshaled itself to."""
        return bytes


AnyTarget: TypeAlias = Target[object]

_SKIP: Final = Skip()


class GenericTarget(Target[object]):
    """Values of Python's own types, for whatever the peer sends.

    bool, int, float, complex, str and bytes for the basic kinds; a list for a slice, a tuple for an array, a dict for
    a map, or `Pairs` if the keys are no bool, number or text. A struct is a dict by field names with the
    fields that were sent. A nil interface is None. What looks like a time.Time becomes `GoTime`, other values that
    marshal themselves `Marshaled`.

    Args:
        keep_names: True: what an interface holds becomes an `Interface`; False: the value itself.
        text_errors: See `Target`.
    """

    def __init__(self, *, keep_names: bool, text_errors: str) -> None:
        self.text_errors = text_errors
        self._keep_names = keep_names

    def plan(self, shape: Shape) -> StructPlan:
        return StructPlan(dict, [SetItem(name, self) for name, _ in shape.fields])

    def wrapper(self, name: str) -> Callable[[object], object] | None:
        if not self._keep_names:
            return None
        make = tuple.__new__
        # Half the time of Interface(name, value).
        return lambda value: make(Interface, (name, value))

    def unmarshaler(self, shape: Shape) -> Callable[[bytes], object]:
        if shape.kind is not Kind.GOB_ENCODER:
            return Marshaled
        # A type that was first met behind a pointer has no name.
        return {"Time": _time_or_bytes, "": _plain_time_or_bytes}.get(shape.name, Marshaled)


def _time_or_bytes(data: bytes) -> GoTime | Marshaled:
    # Other types may have that name, too.
    try:
        return GoTime.from_bytes(data)
    except ValueError:
        return Marshaled(data)


def _plain_time_or_bytes(data: bytes) -> GoTime | Marshaled:
    # Without a name it may be a big.Int, which begins as version 2 of a time does.
    return _time_or_bytes(data) if data[:1] == b"\x01" else Marshaled(data)


class SkipTarget(Target[None]):
    """Nothing: finds where values end and keeps the types that they define."""

    def plan(self, shape: Shape) -> StructPlan:
        return StructPlan(lambda: None, [_SKIP] * len(shape.fields))


class RecordTarget(Target[T_co]):
    """Objects with attributes, such as protobuf messages.

    Args:
        make: Makes an empty record.
        fields: What happens to a field, by its Go name. Fields without an entry are skipped. A function that gives
            the map is called when it is first needed: records that refer to each other are written so.
        held: Where values held by interfaces go, by registered name. Others go to `PLAIN`.
    """

    text_errors = "replace"
    """Protobuf takes no text that is no UTF-8."""

    def __init__(
        self,
        make: Callable[[], T_co],
        fields: Mapping[str, Put] | Callable[[], Mapping[str, Put]],
        *,
        held: Mapping[str, AnyTarget] | None = None,
    ) -> None:
        self._make = make
        self._fields = fields
        self._held = held or {}

    def plan(self, shape: Shape) -> StructPlan:
        fields = self._fields() if callable(self._fields) else self._fields
        puts = [fields.get(name, _SKIP) for name, _ in shape.fields]
        # Go's rule: such a struct must be another one.
        if puts and fields and all(isinstance(put, Skip) for put in puts):
            raise GobMismatchError(f"no field of struct {shape.label} is one that is expected here")
        return StructPlan(self._make, puts)

    def check(self, shape: Shape) -> None:
        if not shape.is_struct:
            raise GobMismatchError(f"a {shape.label} where a struct is expected")

    def held(self, name: str) -> AnyTarget:
        return self._held.get(name, PLAIN)


GENERIC: Final = GenericTarget(keep_names=True, text_errors="surrogateescape")
"""Dicts, lists and `Interface`: nothing is lost."""

PLAIN: Final = GenericTarget(keep_names=False, text_errors="replace")
"""Like `GENERIC`, with the bare values of interfaces and texts that are UTF-8."""

SKIP: Final = SkipTarget()
"""Reads and keeps nothing."""
