"""Changes of yamux connections: of frames, their fields, their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

from mattermost_plugin._yamux.frames import HEADER, HEADER_SIZE

__all__ = ["Frame", "frames", "invented", "joined", "mutated"]

LENGTHS: Final = (
    0,
    1,
    2,
    3,
    12,
    255,
    99,
    100,
    101,
    199,
    200,
    201,
    1 << 31,
    (1 << 32) - 200,
    (1 << 32) - 1,
)
FLAGS: Final = (0, 0, 0, 1, 1, 2, 4, 4, 8, 3, 5, 9, 6, 12, 15, 16, 1 << 15)
STREAMS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 9, (1 << 32) - 1, (1 << 32) - 2)
_MOST_PAYLOAD: Final = 64


class Frame(NamedTuple):
    """A frame, with as much of a payload as there is, which need not be what its length says."""

    version: int
    kind: int
    flags: int
    stream_id: int
    length: int
    payload: bytes = b""

    def encoded(self) -> bytes:
        return HEADER.pack(self.version, self.kind, self.flags, self.stream_id, self.length) + self.payload


def frames(data: bytes) -> tuple[list[Frame], bytes]:
    """The frames of a connection, and what is behind the last one that is there as a whole."""
    found: list[Frame] = []
    pos = 0
    while pos + HEADER_SIZE <= len(data):
        version, kind, flags, stream_id, length = HEADER.unpack_from(data, pos)
        size = length if kind == 0 else 0
        if pos + HEADER_SIZE + size > len(data):
            break
        pos += HEADER_SIZE
        found.append(Frame(version, kind, flags, stream_id, length, data[pos : pos + size]))
        pos += size
    return found, data[pos:]


def joined(all_frames: Sequence[Frame], rest: bytes = b"") -> bytes:
    return b"".join([frame.encoded() for frame in all_frames]) + rest


def mutated(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """A changed connection."""
    found, rest = frames(data)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        if not found or random.random() < 0.25:
            found.insert(random.randint(0, len(found)), _any_frame(random))
        else:
            random.choice(_CHANGES)(found, random, others)
    if random.random() < 0.1:
        rest = random.randbytes(random.randint(0, HEADER_SIZE))
    return joined(found, rest)


def invented(random: Random) -> bytes:
    """Frames that make sense, most of them."""
    return joined([_any_frame(random) for _ in range(random.randint(1, 40))])


def _any_frame(random: Random) -> Frame:
    kind = random.choice((0, 0, 0, 1, 1, 1, 2, 3, random.randint(0, 5)))
    stream_id = random.choice(STREAMS) if kind < 2 or random.random() < 0.1 else 0
    flags = random.choice(FLAGS)
    if kind == 0:
        payload = random.randbytes(random.choice((0, 1, 5, _MOST_PAYLOAD)))
        length = len(payload) if random.random() < 0.97 else random.choice(LENGTHS)
        return Frame(0, kind, flags, stream_id, length, payload)
    return Frame(random.choice((0,) * 60 + (1,)), kind, flags, stream_id, random.choice(LENGTHS))


def _change_field(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    place = random.randrange(len(found))
    frame = found[place]
    match random.randrange(7):
        case 0 | 1:
            frame = frame._replace(flags=random.choice(FLAGS))
        case 2 | 3:
            frame = frame._replace(stream_id=random.choice(STREAMS))
        case 4:
            frame = frame._replace(length=random.choice(LENGTHS))
        case 5:
            frame = frame._replace(kind=random.randrange(5))
        case _:
            frame = frame._replace(version=random.choice((0, 1, 255)))
    found[place] = frame


def _change_payload(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    place = random.randrange(len(found))
    frame = found[place]
    if frame.kind == 0:
        at = random.randint(0, len(frame.payload))
        payload = (
            frame.payload[:at] + random.randbytes(random.randint(0, 3)) + frame.payload[at + random.randint(0, 3) :]
        )
        found[place] = frame._replace(payload=payload, length=len(payload))


def _cut_in_two(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    place = random.randrange(len(found))
    frame = found[place]
    if frame.kind == 0 and frame.payload:
        at = random.randint(0, len(frame.payload))
        parts = frame.payload[:at], frame.payload[at:]
        found[place : place + 1] = [frame._replace(payload=part, length=len(part)) for part in parts]


def _move(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    frame = found.pop(random.randrange(len(found)))
    found.insert(random.randint(0, len(found)), frame)


def _repeat(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    start = random.randrange(len(found))
    some = found[start : start + random.randint(1, 4)]
    place = random.randint(0, len(found))
    found[place:place] = some * random.choice((1, 1, 1, 2, 8))


def _remove(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    start = random.randrange(len(found))
    del found[start : start + random.randint(1, 3)]


def _splice(found: list[Frame], random: Random, others: Sequence[bytes]) -> None:
    other, _ = frames(random.choice(others)) if others else ([], b"")
    if other:
        start, place = random.randrange(len(other)), random.randint(0, len(found))
        found[place:place] = other[start : start + random.randint(1, 6)]


_CHANGES: Final[tuple[Callable[[list[Frame], Random, Sequence[bytes]], None], ...]] = (
    _change_field,
    _change_field,
    _change_field,
    _change_payload,
    _cut_in_two,
    _move,
    _repeat,
    _remove,
    _splice,
)
