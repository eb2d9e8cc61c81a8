"""What happens to a field of a struct that is read: each class writes the code for one way to put it somewhere.

`Put.emit` gets a `CodeWriter` positioned where the field's bytes begin, and writes lines that read them all. In
compiled code `out` is the record, `pos` the position, `st` the `ReadState`; what else a line needs is bound to a name
of the writer's choosing with `bind`. Text that comes from a peer goes into the source through repr() alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mattermost_plugin._gob.errors import GobMismatchError
from mattermost_plugin._gob.shapes import Kind, Shape

if TYPE_CHECKING:
    from mattermost_plugin._gob.code_writer import CodeWriter
    from mattermost_plugin._gob.targets import AnyTarget

__all__ = ["AddEach", "Call", "Extend", "Fill", "FillEach", "Put", "SetAttr", "SetItem", "Skip", "Unmarshal", "Update"]

_LISTS: Final = (Kind.SLICE, Kind.ARRAY)


class Put(ABC):
    """One way to put a field somewhere."""

    __slots__ = ()

    @abstractmethod
    def emit(self, code: CodeWriter, shape: Shape) -> str:
        """Write the lines for a field of this type.

        Returns:
            The variable that holds the field's end: "pos", or "e", which `pos` need not know yet.

        Raises:
            GobMismatchError: such a field cannot be put there.
        """


class Skip(Put):
    """The field is of no use."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        code.skip(shape)
        return "pos"


class SetItem(Put):
    """`out[key] = value`.

    Args:
        key: Any text.
        target: What the value becomes.
    """

    __slots__ = ("_key", "_target")

    def __init__(self, key: str, target: AnyTarget) -> None:
        self._key = key
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        value, end = code.value(shape, self._target)
        code.line(f"out[{self._key!r}] = {value}")
        return end


class Call(Put):
    """`function(out, value)`, for whatever needs a conversion.

    A ValueError, TypeError or OverflowError of the function becomes a GobMismatchError.

    Args:
        function: Gets the record and the value.
        target: What the value becomes before.
    """

    __slots__ = ("_function", "_target")

    def __init__(self, function: Callable[..., object], target: AnyTarget) -> None:
        self._function = function
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        value, end = code.value(shape, self._target)
        code.line(f"{code.bind(self._function)}(out, {value})")
        return end


class Unmarshal(Put):
    """`function(out, data)`, for the bytes that a type has marshaled itself to, such as time.Time or url.URL.

    A ValueError, TypeError or OverflowError of the function becomes a GobMismatchError.

    Args:
        function: Gets the record and the bytes.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        if not shape.is_marshaled:
            raise GobMismatchError(f"a {shape.label} where a value that marshals itself is expected")
        code.size()
        code.line("e = pos + b")
        code.line(f"{code.bind(self._function)}(out, buf[pos:e])")
        return "e"


class _Attribute(Put):
    """Puts a field to an attribute of the record.

    Args:
        name: The attribute.
        target: What the value becomes. None: a basic value, or a list or map of such; for a struct, the same as the
            record, which is then recursive.

    Raises:
        ValueError: the name is no identifier.
    """

    __slots__ = ("_name", "_target")

    def __init__(self, name: str, target: AnyTarget | None = None) -> None:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of an attribute")
        self._name = name
        self._target = target

    def _place(self, code: CodeWriter) -> tuple[AnyTarget, str]:
        return self._target or code.basic_target, f"out.{self._name}"

    def _require(self, matches: bool, shape: Shape, wanted: str) -> None:
        if not matches:
            raise GobMismatchError(f"a {shape.label} where {wanted} is expected")

    def _is_taken(self, shape: Shape) -> bool:
        """True if a value of this type can be an element without a target that says how."""
        return self._target is not None or not shape.is_composed


class SetAttr(_Attribute):
    """`out.name = value`."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(self._is_taken(shape), shape, "a basic value")
        value, end = code.value(shape, target)
        code.line(f"{place} = {value}")
        return end


class Extend(_Attribute):
    """`out.name.extend([...])`, for lists of basic values."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(shape.kind in _LISTS and self._is_taken(shape.elem), shape, "a list of basic values")
        value, end = code.value(shape, target)
        code.line(f"{place}.extend({value})")
        return end


class Update(_Attribute):
    """`out.name[key] = value`, for maps to basic values."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(shape.kind is Kind.MAP and self._is_taken(shape.elem), shape, "a map to basic values")
        code.line(f"m = {place}")
        code.count(shape)
        with code.block("for _ in range(b):"):
            key, end = code.value(shape.key, target)
            code.line(f"k = {key}")
            code.advance(end)
            value, end = code.value(shape.elem, target)
            code.line(f"m[k] = {value}")
            code.advance(end)
        return "pos"


class Fill(_Attribute):
    """`out.name` is a record of its own, which is marked as present and filled."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(shape.is_struct, shape, "a struct")
        code.line(f"r = {place}")
        code.line("r.SetInParent()")
        code.fill(shape, target, "r")
        return "pos"


class AddEach(_Attribute):
    """`out.name.add()` makes a record for each element of a list of structs, which is filled."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(shape.kind in _LISTS and shape.elem.is_struct, shape, "a list of structs")
        code.line(f"add = {place}.add")
        code.count(shape)
        with code.block("for _ in range(b):"):
            code.fill(shape.elem, target, "add()")
        return "pos"


class FillEach(_Attribute):
    """`out.name[key]` makes a record for each entry of a map to structs, which is filled."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        target, place = self._place(code)
        self._require(shape.kind is Kind.MAP and shape.elem.is_struct, shape, "a map to structs")
        code.line(f"m = {place}")
        code.count(shape)
        with code.block("for _ in range(b):"):
            key, end = code.value(shape.key, target)
            code.line(f"r = m[{key}]")
            code.advance(end)
            code.fill(shape.elem, target, "r")
        return "pos"
