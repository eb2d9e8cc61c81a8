"""What can go wrong with a gob stream, and who must act."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError

__all__ = ["Fault", "GobDataError", "GobEncodeError", "GobError", "GobLimitError", "GobMismatchError"]


class GobError(PluginError):
    """Base of all errors of the gob codec. Never raised itself.

    Attributes:
        reason: What is wrong, without the place.
        path: Type and fields of the value that was worked on, such as "Z_Args.B.Props"; "" outside of values.
            Keys of maps are left out, for they may be private.
        offset: Byte of the stream, from 0, where it was noticed; None when values are encoded.
    """

    def __init__(self, reason: str, *, path: str = "", offset: int | None = None) -> None:
        super().__init__(reason, path, offset)
        self.reason = reason
        self.path = path
        self.offset = offset

    def __str__(self) -> str:
        place = "" if self.offset is None else f" at byte {self.offset}"
        inside = f" in {self.path}" if self.path else ""
        return f"gob: {self.reason}{place}{inside}"


class GobDataError(GobError):
    """The peer broke the rules of gob. What follows cannot be read: the stream must be closed."""


class GobLimitError(GobDataError):
    """The peer sent more than a limit allows. The stream must be closed, or the limit raised.

    Attributes:
        limit: Name of the field of `Limits`.
    """

    def __init__(self, reason: str, limit: str, *, path: str = "", offset: int | None = None) -> None:
        super().__init__(reason, path=path, offset=offset)
        self.limit = limit

    def __str__(self) -> str:
        return f"{super().__str__()} (limit {self.limit})"


class GobMismatchError(GobError):
    """A well-formed value does not fit where it was to go. It is skipped, and the stream can be read on."""


class GobEncodeError(GobError):
    """Our own value cannot be sent. The caller must act; the stream is as it was before."""


class Fault(Exception):  # noqa: N818 - never leaves the package
    """A fault found while bytes are read, by its place in the buffer. `Decoder` turns it into a GobDataError.

    Attributes:
        position: Index into the buffer that is being read.
        reason: What is wrong.
        limit: Name of the field of `Limits` that is exceeded; "" for broken data.
    """

    def __init__(self, position: int, reason: str, limit: str = "") -> None:
        super().__init__(position, reason, limit)
        self.position = position
        self.reason = reason
        self.limit = limit
