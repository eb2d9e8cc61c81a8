"""Ways to put a Go field into a message that the gob codec does not have, and to get it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._gob import GobMismatchError
from mattermost_plugin._gob.puts import Put, SetAttr
from mattermost_plugin._gob.sources import Attr, Get

if TYPE_CHECKING:
    from mattermost_plugin._gob import Shape, Source
    from mattermost_plugin._gob.code_writer import CodeWriter
    from mattermost_plugin._gob.encode_writer import EncodeWriter
    from mattermost_plugin._gob.go_types import GoType
    from mattermost_plugin._gob.targets import AnyTarget

__all__ = ["FillSame", "SameRecord", "SetWrapped", "Wrapped"]


class FillSame(Put):
    """A struct's fields belong to the record that the struct is in.

    Args:
        target: says where they go.
    """

    __slots__ = ("_target",)

    def __init__(self, target: AnyTarget) -> None:
        self._target = target

    def emit(self, code: CodeWriter, shape: Shape) -> str:
        if not shape.is_struct:
            raise GobMismatchError(f"a {shape.label} where a struct is expected")
        code.fill(shape, self._target, "out")
        return "pos"


class SetWrapped(SetAttr):
    """`out.name.value = value`, for protobuf's wrappers."""

    __slots__ = ()

    def _place(self, code: CodeWriter) -> tuple[AnyTarget, str]:
        target, place = super()._place(code)
        return target, f"{place}.value"


class SameRecord(Get):
    """The fields of a struct are got from the record that the struct is in."""

    __slots__ = ()

    def __init__(self, source: Source) -> None:
        super().__init__(source)

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return "v"


class Wrapped(Attr):
    """`v.name.value` if `v.HasField("name")`, else None."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return f"v.{self._name}.value if v.HasField({self._name!r}) else None"
