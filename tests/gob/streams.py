"""Streams to read, and ways to read them."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from mattermost_plugin._gob import GENERIC, NEED_DATA, Decoder, Encoder, Limits, Registered, Target
from mattermost_plugin._gob.go_table import GoTable
from mattermost_plugin._gob.json_form import JSON
from mattermost_plugin._gob.messages import MessageBuffer
from tests.gob.go_source import stock

T = TypeVar("T")

VECTORS = Path(__file__).parents[1] / "contract" / "gob-vectors.jsonl.gz"
FEATURES = Path(__file__).parent / "data" / "features.jsonl.gz"


class Vector(NamedTuple):
    """A stream with one value that Go wrote, and the value as Go reads it back."""

    type: str
    case: str
    data: bytes
    value: JSON


@cache
def vectors() -> tuple[Vector, ...]:
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return tuple(Vector(row["type"], row["case"], bytes.fromhex(row["gob_hex"]), row["value"]) for row in rows)


def vector(type_name: str, case: str = "filled") -> Vector:
    return next(vector for vector in vectors() if (vector.type, vector.case) == (type_name, case))


@cache
def features() -> dict[str, bytes]:
    """Streams that Go wrote, by the names of what they show; see tests/gobpeer/features.go."""
    with gzip.open(FEATURES, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {row["name"]: bytes.fromhex(row["gob_hex"]) for row in rows}


def values(decoder: Decoder, target: Target[T]) -> Iterator[T]:
    """All values that are there."""
    while (value := decoder.next_value(target)) is not NEED_DATA:
        yield value


def read(data: bytes, target: Target[T] | None = None, limits: Limits | None = None) -> list[object]:
    """All values of a whole stream."""
    decoder = Decoder(limits)
    decoder.feed(data)
    found: list[object] = list(values(decoder, target or GENERIC))
    decoder.close()
    return found


def read_in_pieces(data: bytes, size: int, target: Target[T] | None = None) -> list[object]:
    """The same from pieces of so many bytes, each read from at once."""
    decoder = Decoder()
    found: list[object] = []
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        found += values(decoder, target or GENERIC)
    decoder.close()
    return found


def bodies(data: bytes) -> list[bytes]:
    """The messages of a stream without their lengths."""
    buffer = MessageBuffer(1 << 30)
    buffer.feed(data)
    found = []
    while (body := buffer.next()) is not None:
        found.append(body)
    assert not buffer.buffered
    return found


@cache
def stock_table() -> GoTable:
    return GoTable(stock()["types"])


@cache
def stock_registry() -> dict[str, Registered]:
    table = stock_table()
    return {name: Registered(table.type(of)) for name, of in stock()["gob_registered"].items()}


def stock_encoder() -> Encoder:
    return Encoder(stock_registry())
