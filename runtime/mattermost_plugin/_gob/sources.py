"""Where encoded values come from: the seam between the encoder and what is built on it, the mirror of `targets`.

A `Source` says how the fields of a declared struct are got from a Python object. The compiler asks it once for each
struct type, and compiles a function that gets the fields and writes them.

    DICTS                      dicts by Go field names, what the decoder's `GENERIC` gives
    RecordSource({...})        objects, such as protobuf messages, from which each field is got as the map says

    POST = RecordSource({
        "Id": Attr("id"),                                # v.id
        "FileIds": Attr("file_ids"),                     # v.file_ids, any sequence
        "Metadata": Present("metadata", METADATA),       # v.metadata if v.HasField("metadata"), else nil
        "Props": Computed(get_props, DICTS),             # get_props(v)
    })
    encoder.encode(post, POST_TYPE, POST)

Fields of the Go type that the map has not are left out: the receiver finds zero. Of what is got, zero, empty and None
are left out as Go leaves them out. A struct that is no pointer is always sent; None stands for one of zeros.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from mattermost_plugin._gob.errors import GobEncodeError
from mattermost_plugin._gob.go_types import GoMap, GoStruct, GoType, pointed_to

if TYPE_CHECKING:
    from mattermost_plugin._gob.encode_writer import EncodeWriter

__all__ = ["DICTS", "Absent", "Attr", "Computed", "DictSource", "Get", "Item", "Present", "RecordSource", "Source"]


class Get(ABC):
    """One way to get a field.

    Args:
        source: How to get the fields of structs in it. None: they are the same as the record.
    """

    __slots__ = ("source",)

    def __init__(self, source: Source | None = None) -> None:
        self.source = source

    @abstractmethod
    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        """An expression for the value, where `v` is the record; None or zero where there is none."""


class Absent(Get):
    """The field is zero."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return "None"


class Item(Get):
    """`v.get(key)`."""

    __slots__ = ("_key",)

    def __init__(self, key: str, source: Source | None = None) -> None:
        super().__init__(source)
        self._key = key

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        code.use_get()
        return f"get({self._key!r})"


class Attr(Get):
    """`v.name`. An empty map is nil.

    Raises:
        ValueError: the name is no identifier.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str, source: Source | None = None) -> None:
        super().__init__(source)
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of an attribute")
        self._name = name

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        place = f"v.{self._name}"
        return f"{place} or None" if isinstance(pointed_to(go_type), GoMap) else place


class Present(Attr):
    """`v.name` if `v.HasField("name")`, else None."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return f"v.{self._name} if v.HasField({self._name!r}) else None"


class Computed(Get):
    """`function(v)`, for whatever needs a conversion."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object], source: Source | None = None) -> None:
        super().__init__(source)
        self._function = function

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return f"{code.bind(self._function)}(v)"


class Source(ABC):
    """How values are got. Compared by identity, so made once, at import."""

    @abstractmethod
    def plan(self, struct: GoStruct) -> Sequence[Get]:
        """How to get the fields of a struct, in the order of the Go type.

        Raises:
            GobEncodeError: such a struct cannot come from here.
        """


class DictSource(Source):
    """Dicts by Go field names. Lists or tuples for slices and arrays, dicts or pairs for maps."""

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        return [Item(field.name, self) for field in struct.fields]


class RecordSource(Source):
    """Objects whose fields are got in various ways.

    Args:
        fields: How to get a field, by its Go name. A function that gives the map is called when it is first needed:
            records that refer to each other are written so.
    """

    def __init__(self, fields: Mapping[str, Get] | Callable[[], Mapping[str, Get]]) -> None:
        self._fields = fields

    def plan(self, struct: GoStruct) -> Sequence[Get]:
        fields = self._fields() if callable(self._fields) else self._fields
        unknown = fields.keys() - {field.name for field in struct.fields}
        if unknown:
            raise GobEncodeError(f"struct {struct.name} has no field {', '.join(sorted(unknown))}")
        return [fields.get(field.name, _ABSENT) for field in struct.fields]


_ABSENT: Final = Absent()

DICTS: Final = DictSource()
"""Values of Python's own types."""
