"""Headers that are like one that was seen before, but for their number: nearly all are.

The bytes of such a header are those of the earlier one up to the number, which comes last.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from mattermost_plugin._gob.primitives import uint_bytes

__all__ = ["HeaderReader", "HeaderWriter"]

T = TypeVar("T")

_MAX_KNOWN: Final = 256
"""Headers that are remembered: more than a server has methods."""

_FIELD: Final = b"\x01"
"""In front of a field that follows the one before it."""

_END: Final = b"\0"


class HeaderReader(Generic[T]):
    """Knows the headers of one stream again."""

    def __init__(self) -> None:
        self._name_at = 0
        """Where the length of the method's name is."""
        self._known: dict[bytes, T] = {}

    def learn(self, body: bytes, method: str, seq: int, meaning: T) -> None:
        """Remember a header that was read, if it is as those of Go's peers are.

        Args:
            body: its message.
            method: the name that was in it.
            seq: its number.
            meaning: what `read` shall give for others like it.
        """
        text = method.encode()
        name = _FIELD + uint_bytes(len(text)) + text + _FIELD
        end = body.find(name) + len(name)
        name_at = end - len(name) + 1
        if not seq or len(text) >= 128 or body[end:] != uint_bytes(seq) + _END or end < len(name):
            return
        if len(self._known) < _MAX_KNOWN and self._name_at in (0, name_at):
            self._name_at = name_at
            self._known[body[:end]] = meaning

    def read(self, body: bytes) -> tuple[T, int] | None:
        """What a header like it means, and its number; None if it must be read in the common way."""
        name_at = self._name_at
        if not 0 < name_at < len(body):
            return None
        end = name_at + body[name_at] + 2
        meaning = self._known.get(body[:end])
        if meaning is None or body[-1]:
            return None
        number = body[end:-1]
        if len(number) == 1 and number[0] < 128:
            return meaning, number[0]
        if 1 < len(number) <= 9 and number[0] == 257 - len(number):
            return meaning, int.from_bytes(number[1:], "big")
        return None


class HeaderWriter:
    """Writes the headers of one stream, once it has seen one of a method."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def header(self, method: str, seq: int) -> bytes | None:
        """The message of a header; None if it must be written in the common way."""
        start = self._known.get(method)
        if start is None:
            return None
        if not seq:
            # gob leaves zeros out.
            return uint_bytes(len(start)) + start[:-1] + _END
        end = uint_bytes(seq)
        return uint_bytes(len(start) + len(end) + 1) + start + end + _END

    def learn(self, method: str, sample: bytes) -> None:
        """Remember the message of a header with the number 1."""
        # With its length in one byte; methods have short names.
        if sample[0] == len(sample) - 1 and len(self._known) < _MAX_KNOWN:
            self._known[method] = sample[1 : -len(uint_bytes(1) + _END)]
