"""Python values for what Python has no type for."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

__all__ = ["ZERO_TIME", "GoTime", "Interface", "Marshaled", "Pairs"]

_TIME: Final = struct.Struct(">Bqih")
_VERSION_1_BYTES: Final = _TIME.size
_VERSION_2_BYTES: Final = _VERSION_1_BYTES + 1
_UNIX_TO_GO: Final = 62_135_596_800
"""Seconds from 0001-01-01 00:00 UTC, where Go counts from, to 1970."""
_UTC_MINUTES: Final = -1
_NANO: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Interface(NamedTuple):
    """A value held by a Go interface."""

    name: str
    """Name under which the sender has registered the type, such as "*model.AppError"."""

    value: object
    """The value itself."""


class Pairs(list[tuple[object, object]]):
    """A map whose keys Python cannot hash, or would hash to what a peer can choose: its entries as they came."""

    __slots__ = ()


class Marshaled(bytes):
    """What a type's own GobEncode, MarshalBinary or MarshalText made: of url.URL, for instance, its text."""

    __slots__ = ()


class GoTime(NamedTuple):
    """A time.Time.

    The bytes are those of its MarshalBinary: a version, seconds since the year 1, nanoseconds, and the offset of the
    zone in minutes, where -1 stands for UTC; version 2 adds the seconds of an offset that is no whole minute.
    """

    seconds: int
    """Since 1970 in UTC; negative before."""

    nanoseconds: int = 0
    """0 to 999,999,999."""

    offset_seconds: int | None = None
    """East of Greenwich; None for UTC."""

    @classmethod
    def from_bytes(cls, data: bytes) -> GoTime:
        """Read what MarshalBinary wrote.

        Raises:
            ValueError: the version is unknown, the length is wrong, or the nanoseconds are.
        """
        size = {1: _VERSION_1_BYTES, 2: _VERSION_2_BYTES}.get(data[0] if data else 0)
        if size is None:
            raise ValueError("a time of an unknown version")
        if len(data) != size:
            raise ValueError(f"a time of {len(data)} bytes")
        _, seconds, nanoseconds, minutes = _TIME.unpack_from(data)
        if not 0 <= nanoseconds < _NANO:
            raise ValueError(f"a time with {nanoseconds} nanoseconds")
        offset = minutes * 60
        if size == _VERSION_2_BYTES:
            # Go writes the rest of a negative offset as a negative byte, and reads it as one from 0 to 255.
            offset += int.from_bytes(data[-1:], "big", signed=True)
        return cls(seconds - _UNIX_TO_GO, nanoseconds, None if offset == _UTC_MINUTES * 60 else offset)

    def to_bytes(self) -> bytes:
        """What Go's MarshalBinary writes.

        Raises:
            ValueError: a number is out of range, or the offset is one minute west, which has no encoding.
        """
        if not 0 <= self.nanoseconds < _NANO:
            raise ValueError(f"{self.nanoseconds} nanoseconds")
        if self.offset_seconds is None:
            return self._pack(1, _UTC_MINUTES)
        # Like Go's division, towards zero.
        minutes = abs(self.offset_seconds) // 60 * (1 if self.offset_seconds >= 0 else -1)
        rest = self.offset_seconds - minutes * 60
        if minutes == _UTC_MINUTES:
            raise ValueError(f"an offset of {self.offset_seconds} seconds has no encoding")
        if rest == 0:
            return self._pack(1, minutes)
        return self._pack(2, minutes) + rest.to_bytes(1, "big", signed=True)

    def _pack(self, version: int, minutes: int) -> bytes:
        try:
            return _TIME.pack(version, self.seconds + _UNIX_TO_GO, self.nanoseconds, minutes)
        except struct.error:
            raise ValueError("a time out of range") from None

    def to_datetime(self) -> datetime:
        """The same time with its zone; fractions of a microsecond are cut off.

        Raises:
            OverflowError: it is not in the years 1 to 9999.
            ValueError: the offset is a day or more.
        """
        zone = UTC if not self.offset_seconds else timezone(timedelta(seconds=self.offset_seconds))
        return (_EPOCH + timedelta(seconds=self.seconds, microseconds=self.nanoseconds // 1000)).astimezone(zone)

    @classmethod
    def from_datetime(cls, value: datetime) -> GoTime:
        """The same time; a naive one is taken as local, as Python does."""
        delta = value.astimezone(UTC) - _EPOCH
        offset = value.astimezone().utcoffset() if value.tzinfo is None else value.utcoffset()
        seconds = None if value.tzinfo is UTC or offset is None else int(offset.total_seconds())
        return cls(delta.days * 86_400 + delta.seconds, delta.microseconds * 1000, seconds)

    def isoformat(self) -> str:
        """RFC 3339 with as many digits of the fraction as needed, as Go writes times in JSON.

        Raises:
            OverflowError: it is not in the years 1 to 9999.
            ValueError: the offset is a day or more.
        """
        moment = self.to_datetime()
        fraction = f".{self.nanoseconds:09}".rstrip("0").rstrip(".")
        zone = "Z" if not self.offset_seconds else moment.strftime("%z")
        return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + fraction + (zone if zone == "Z" else _colon(zone))


ZERO_TIME: Final = GoTime(-_UNIX_TO_GO)
"""Go's zero time, the beginning of the year 1, which is left out of structs."""


def _colon(zone: str) -> str:
    """From +hhmm or +hhmmss to the +hh:mm of RFC 3339."""
    return f"{zone[:3]}:{zone[3:5]}"
