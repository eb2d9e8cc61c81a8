"""A way to get a Go field from a message that the gob codec does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._gob.sources import Get

if TYPE_CHECKING:
    from mattermost_plugin._gob import Source
    from mattermost_plugin._gob.encode_writer import EncodeWriter
    from mattermost_plugin._gob.go_types import GoType

__all__ = ["SameRecord"]


class SameRecord(Get):
    """The fields of a struct are got from the record that the struct is in.

    Args:
        source: says how.
    """

    __slots__ = ()

    def __init__(self, source: Source) -> None:
        super().__init__(source)

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return "v"
