"""Ways to put a Go field into a message that the gob codec does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.struct_pb2 import Struct, Value

from mattermost_plugin._gob import PLAIN, GobMismatchError, Kind, Shape
from mattermost_plugin._gob.puts import Put, SetAttr
from mattermost_plugin._stock.any_reader import is_object, read_any, read_object

if TYPE_CHECKING:
    from mattermost_plugin._gob.code_writer import CodeWriter
    from mattermost_plugin._gob.targets import AnyTarget

__all__ = ["AddObjects", "AppendEach", "Convert", "FillSame", "SetAny", "SetObject", "SetPlain", "SetWrapped"]

_LISTS: Final = (Kind.SLICE, Kind.ARRAY)


class Convert(Put):
    """`function(out, value)`, for values of one type.

    A ValueError, TypeError or OverflowError of the function becomes a GobMismatchError.

    Args:
        function: gets the message and the value.
        accepts: tells whether the sender's type is the right one.
        wanted: what is, for the error.
        target: what the value becomes before.
    """

    __slots__ = ("_accepts", "_function", "_target", "_wanted")

    def __init__(
        self,
        function: Callable[[Any, Any], object],
        accepts: Callable[[Shape], bool],
        wanted: str,
        target: AnyTarget = PLAIN,
    ) -> None:
        self._function = function
        self._accepts = accepts
        self._wanted = wanted
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        _require(self._accepts(shape), shape, self._wanted)
        value, end = code.value(shape, self._target)
        code.line(f"{code.bind(self._function)}(out, {value})")
        return end


class FillSame(Put):
    """A struct's fields belong to the message that the struct is in.

    Args:
        target: says where they go.
    """

    __slots__ = ("_target",)

    def __init__(self, target: AnyTarget) -> None:
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        _require(shape.is_struct, shape, "a struct")
        code.fill(shape, self._target, "out")
        return "pos"


class SetWrapped(SetAttr):
    """`out.name.value = value`, for protobuf's wrappers."""

    __slots__ = ()

    def _place(self, code: CodeWriter) -> tuple[AnyTarget, str]:
        target, place = super()._place(code)
        return target, f"{place}.value"


class _Field(Put):
    """Puts values to a field of the message.

    Args:
        name: the field.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name


class SetPlain(SetAttr):
    """`out.name = value`.

    Protobuf takes texts as bytes, too, and checks them faster than they are decoded.
    """

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        if shape.kind is not Kind.STRING:
            return super().emit(code, shape)
        _put_text(code, lambda text: f"{self._place(code)[1]} = {text}")
        return "e"


class AppendEach(_Field):
    """`out.name.append(value)` for each element of a list of basic values."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        is_list = shape.kind in _LISTS and not shape.elem.is_composed
        _require(is_list, shape, "a list of basic values")
        code.line(f"add = out.{self._name}.append")
        code.count(shape)
        with code.block("for _ in range(b):"):
            if shape.elem.kind is Kind.STRING:
                _put_text(code, lambda text: f"add({text})")
                code.advance("e")
                return "pos"
            value, end = code.value(shape.elem, code.basic_target)
            code.line(f"add({value})")
            code.advance(end)
        return "pos"


def _put_text(code: CodeWriter, put: Callable[[str], str]) -> None:
    code.size()
    code.line("e = pos + b")
    code.line(f"try: {put('buf[pos:e]')}")
    decoded = "buf[pos:e].decode('utf-8', 'replace')"
    code.line(f"except ValueError: {put(decoded)}")


class SetObject(_Field):
    """A map of texts to interfaces, or what an interface holds if it is such, to a Struct."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        _require(shape.kind is Kind.INTERFACE or is_object(shape), shape, "a map of texts to interfaces")
        if shape.kind is Kind.INTERFACE:
            code.line(f"v, pos = {code.bind(read_any)}(buf, pos, st)")
            code.line(f"{code.bind(_merge_object)}(out.{self._name}, v)")
        else:
            code.line(f"v, pos = {code.bind(read_object)}(buf, pos, st)")
            code.line(f"out.{self._name}.MergeFromString(v)")
        return "pos"


def _merge_object(struct: Struct, value: bytes) -> None:
    held = Value.FromString(value)
    # A Struct has no place for anything else.
    if held.HasField("struct_value"):
        struct.SetInParent()
        struct.MergeFrom(held.struct_value)


class SetAny(_Field):
    """What an interface holds, to a Value."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        _require(shape.kind is Kind.INTERFACE, shape, "an interface")
        code.line(f"v, pos = {code.bind(read_any)}(buf, pos, st)")
        code.line(f"out.{self._name}.MergeFromString(v)")
        return "pos"


class AddObjects(_Field):
    """A list of maps of texts to interfaces, to Structs."""

    __slots__ = ()

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        is_list = shape.kind in _LISTS and is_object(shape.elem)
        _require(is_list, shape, "a list of maps of texts to interfaces")
        code.line(f"add = out.{self._name}.add")
        code.count(shape)
        with code.block("for _ in range(b):"):
            code.line(f"v, pos = {code.bind(read_object)}(buf, pos, st)")
            code.line("add().MergeFromString(v)")
        return "pos"


def _require(matches: bool, shape: Shape, wanted: str) -> None:
    if not matches:
        raise GobMismatchError(f"a {shape.label} where {wanted} is expected")
