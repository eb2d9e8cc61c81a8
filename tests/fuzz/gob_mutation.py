"""Changes of gob streams that know what they change: messages, lengths, numbers, definitions, and values of types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from mattermost_plugin._gob.messages import message
from mattermost_plugin._gob.primitives import int_bytes, read_uint, uint_bytes
from tests.gob.craft import define, define_array, define_map, define_slice, define_struct, name_bytes

__all__ = ["invented", "joined", "mutated", "split"]

INTERFACE: Final = 8
IDS: Final = range(64, 72)
"""Ids of invented types."""

NUMBERS: Final = (
    0,
    1,
    2,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    1 << 15,
    1 << 31,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)
BYTES: Final = bytes((0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0C, 0x10, 0x7F, 0x80, 0xF7, 0xF8, 0xFE, 0xFF))
NAMES: Final = ("A", "B", "Id", "Name", "Time", "Props", "class", "x'y\\", "\n#", "é" * 40, "A" * 90, "__gob_places__")
REGISTERED: Final = (b"string", b"int", b"x", b"map[string]interface {}", b"*model.AppError", b"\xff", b"n" * 130)


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages of a stream, and what is behind them."""
    found: list[bytes] = []
    pos = 0
    while pos < len(stream):
        first = stream[pos]
        start = pos + (1 if first < 128 else 257 - first)
        size = first if first < 128 else int.from_bytes(stream[pos + 1 : start], "big")
        if not size or 128 <= first < 248 or start + size > len(stream):
            break
        found.append(stream[start : start + size])
        pos = start + size
    return found, stream[pos:]


def joined(bodies: Sequence[bytes], rest: bytes = b"") -> bytes:
    return b"".join([message(body) for body in bodies if body]) + rest


def mutated(stream: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """A changed stream.

    Args:
        stream: any bytes.
        random: chooses the changes.
        others: streams of which messages may be taken.
    """
    bodies, rest = split(stream)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if bodies and random.random() < 0.9:
            random.choice(_ON_MESSAGES)(bodies, random, others)
        else:
            bodies.insert(random.randint(0, len(bodies)), _definition(random, random.choice(IDS)))
    if random.random() < 0.05:
        rest = random.randbytes(random.randint(0, 3))
    result = joined(bodies, rest)
    if result and random.random() < 0.1:
        # A length that is wrong.
        place = random.randrange(len(result))
        result = result[:place] + bytes((random.choice(BYTES),)) + result[place + 1 :]
    return result


def invented(random: Random) -> bytes:
    """Random types, and values of them, of which some are a little wrong."""
    types = {type_id: _random_type(random) for type_id in random.sample(IDS, random.randint(1, 6))}
    bodies = [_defined(type_id, kind, parts) for type_id, (kind, parts) in types.items()]
    random.shuffle(bodies)
    for _ in range(random.randint(1, 3)):
        top = random.choice((*types, *types, random.choice(IDS), random.randint(1, 8)))
        zero = b"" if types.get(top, ("", ()))[0] == "struct" else b"\0"
        bodies.append(int_bytes(top) + zero + _Values(random, types).value(top, 0))
    if random.random() < 0.1:
        random.shuffle(bodies)
    return joined(bodies)


# Changes of a list of messages in place.


def _replace(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    number, place = _somewhere(bodies, random)
    body = bodies[number]
    put = bytes([random.choice(BYTES) for _ in range(random.randint(1, 3))])
    bodies[number] = body[:place] + put + body[place + random.randint(0, len(put)) :]


def _renumber(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    """Another number where one can be read: a delta, a count, a length, a type id."""
    number, place = _somewhere(bodies, random)
    body = bodies[number]
    try:
        found, end = read_uint(body, place)
    except Exception:  # noqa: BLE001 - whatever is no number
        return
    other = random.choice((found + 1, max(0, found - 1), found ^ 1, found * 2, random.choice(NUMBERS)))
    bodies[number] = body[:place] + uint_bytes(min(other, (1 << 64) - 1)) + body[end:]


def _remove(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    number, place = _somewhere(bodies, random)
    body = bodies[number]
    bodies[number] = body[:place] + body[place + random.choice((1, 1, 2, 8)) :]


def _cut(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    number, place = _somewhere(bodies, random)
    # In the midst of a text as often as anywhere.
    texts = [at for at, byte in enumerate(bodies[number]) if chr(byte).isalpha()]
    bodies[number] = bodies[number][: random.choice(texts) if texts and random.random() < 0.5 else place]


def _move(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    body = bodies.pop(random.randrange(len(bodies)))
    bodies.insert(random.randint(0, len(bodies)), body)


def _repeat(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    bodies.insert(random.randint(0, len(bodies)), random.choice(bodies))


def _splice(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    other, _ = split(random.choice(others)) if others else ([], b"")
    if other:
        start = random.randrange(len(other))
        place = random.randint(0, len(bodies))
        bodies[place:place] = other[start : start + random.randint(1, 4)]


def _retype(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    """Give a message the type id of another one, or any."""
    number = random.randrange(len(bodies))
    heads = [_head(body) for body in (bodies[number], random.choice(bodies))]
    if None not in heads:
        (_, end), (other, _) = heads  # type: ignore[misc]  # none of them is None
        chosen = random.choice((other, other ^ 1, random.choice(NUMBERS)))
        bodies[number] = uint_bytes(chosen) + bodies[number][end:]


def _hold(bodies: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    """Put an interface, with a value or a definition, somewhere."""
    number, place = _somewhere(bodies, random)
    name = random.choice(REGISTERED)
    held = uint_bytes(len(name)) + name
    if random.random() < 0.5:
        held += _definition(random, random.choice(IDS))
        if random.random() < 0.7:
            # Where a definition ends, the message does.
            bodies[number : number + 1] = [bodies[number][:place] + held, int_bytes(64) + bodies[number][place:]]
            return
    content = bytes([random.choice(BYTES) for _ in range(random.randint(0, 4))])
    held += int_bytes(random.choice((1, 2, 6, 8, *IDS))) + uint_bytes(len(content)) + content
    bodies[number] = bodies[number][:place] + held + bodies[number][place:]


_ON_MESSAGES: Final[tuple[Callable[[list[bytes], Random, Sequence[bytes]], None], ...]] = (
    _replace,
    _replace,
    _renumber,
    _renumber,
    _renumber,
    _remove,
    _cut,
    _cut,
    _move,
    _repeat,
    _splice,
    _retype,
    _hold,
)


def _somewhere(bodies: list[bytes], random: Random) -> tuple[int, int]:
    # Values come last, behind as many definitions as there are types.
    number = random.choice((random.randrange(len(bodies)), len(bodies) - 1))
    return number, random.randrange(len(bodies[number]) or 1)


def _head(body: bytes) -> tuple[int, int] | None:
    try:
        return read_uint(body, 0)
    except Exception:  # noqa: BLE001 - whatever is no number
        return None


# Types and values.

_Parts = tuple[int, ...]


_PARTS: Final[_Parts] = (*range(1, 9), *IDS, INTERFACE)


def _random_type(random: Random) -> tuple[str, _Parts]:
    kind = random.choice(("struct", "struct", "slice", "map", "array", "codec", "interfaces"))

    def part() -> int:
        return random.choice(_PARTS)

    match kind:
        case "struct":
            return kind, tuple(part() for _ in range(random.choice((0, 1, 2, 3, 3, 5, 130))))
        case "map":
            return kind, (part(), part())
        case "array":
            return kind, (part(), random.choice((0, 1, 2, 3, 300)))
        case "codec":
            return kind, (random.choice((4, 5, 6)),)
        case "interfaces":
            return "slice", (INTERFACE,)
    return kind, (part(),)


def _defined(type_id: int, kind: str, parts: _Parts) -> bytes:
    match kind:
        case "struct":
            names = [NAMES[number] if number < len(NAMES) else f"F{number}" for number in range(len(parts))]
            return define_struct(type_id, "T", **dict(zip(names, parts, strict=True)))
        case "map":
            return define_map(type_id, *parts)
        case "array":
            return define_array(type_id, *parts)
        case "codec":
            return define(type_id, parts[0], b"\x01\x01" + name_bytes("Time" if type_id & 1 else "URL") + b"\0")
    return define_slice(type_id, *parts)


def _definition(random: Random, type_id: int) -> bytes:
    return _defined(type_id, *_random_type(random))


class _Values:
    """Makes values of types."""

    def __init__(self, random: Random, types: dict[int, tuple[str, _Parts]]) -> None:
        self._random = random
        self._types = types
        self._left = 60

    def value(self, type_id: int, depth: int) -> bytes:
        """The bytes of a value, without a zero in front."""
        random = self._random
        self._left -= 1
        if random.random() < 0.004:
            return random.randbytes(random.randint(0, 3))
        if type_id < INTERFACE:
            return self._basic(type_id)
        if type_id == INTERFACE:
            return self._interface(depth)
        kind, parts = self._types.get(type_id, ("slice", (1,)))
        if kind == "struct":
            return self._struct(parts, depth)
        if kind == "codec":
            return self._time() if random.random() < 0.7 else self._basic(5)
        if kind == "array":
            count = 0 if self._is_full(depth) else parts[1]
            return uint_bytes(parts[1]) + b"".join([self.value(parts[0], depth + 1) for _ in range(count)])
        count = 0 if self._is_full(depth) else random.choice((0, 1, 2, 3))
        return uint_bytes(count) + b"".join([self.value(part, depth + 1) for _ in range(count) for part in parts])

    def _is_full(self, depth: int) -> bool:
        return self._left < 0 or depth > 12

    def _basic(self, type_id: int) -> bytes:
        random = self._random
        if type_id in (5, 6):
            text = random.choice((b"", b"a", b"text", b"\xff\xfe", b"b" * 126, b"c" * 200, "é".encode()))
            return uint_bytes(len(text)) + text
        count = 2 if type_id == 7 else 1
        return b"".join([uint_bytes(random.choice((random.randint(0, 9), *NUMBERS))) for _ in range(count)])

    def _time(self) -> bytes:
        random = self._random
        version = random.choice((1, 1, 2, 3))
        body = bytes((version,)) + random.choice((bytes(8), random.randbytes(8))) + bytes(3) + random.randbytes(1)
        body += random.choice((b"\xff\xff", b"\0\0", random.randbytes(2))) + b"\x01" * (version == 2)
        return uint_bytes(len(body)) + body

    def _struct(self, parts: _Parts, depth: int) -> bytes:
        out: list[bytes] = []
        last = -1
        for number, part in enumerate(parts):
            is_sent = self._random.random() < (0.6 if len(parts) < 20 else 0.1)
            if is_sent and not (part >= INTERFACE and self._is_full(depth)):
                out.append(uint_bytes(number - last) + self.value(part, depth + 1))
                last = number
        return b"".join(out) + b"\0"

    def _interface(self, depth: int) -> bytes:
        random = self._random
        if self._is_full(depth) or random.random() < 0.2:
            return b"\0"
        type_id = random.choice((*range(1, 9), *self._types))
        name = random.choice(REGISTERED)
        zero = b"" if self._types.get(type_id, ("", ()))[0] == "struct" else b"\0"
        content = zero + self.value(type_id, depth + 1)
        return uint_bytes(len(name)) + name + int_bytes(type_id) + uint_bytes(len(content)) + content
