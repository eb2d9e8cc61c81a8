"""Fuzzing of gob: hostile definitions and values, for every target there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any, Final

from google.protobuf.message import Message

from mattermost_plugin._gob import (
    GENERIC,
    NEED_DATA,
    PLAIN,
    SKIP,
    Decoder,
    Encoder,
    GobDataError,
    GobEncodeError,
    GobError,
    GobLimitError,
    GobMismatchError,
    Limits,
    Shape,
    Target,
)
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.fuzz.go_type_of import GoTypes
from tests.fuzz.gob_mutation import invented, mutated
from tests.fuzz.gob_slow import Malformed, SlowReader
from tests.fuzz.target import Mutate
from tests.gob.streams import features, stock_encoder, stock_table, vectors

__all__ = ["HEAD", "LIMITS", "GobTarget", "with_head"]

LIMITS: Final = Limits(
    max_message_bytes=1 << 20,
    max_string_bytes=1 << 16,
    max_elements=1 << 13,
    max_depth=60,
    max_types=64,
    max_fields=256,
    max_total_fields=2048,
    max_name_bytes=200,
    max_reread_bytes=1 << 17,
)
"""Small enough to be met by small inputs."""

STRUCT_NAMES: Final = tuple(STRUCTS)
HEAD: Final = 3
"""Two bytes choose a struct, one the size of the pieces."""


_MAX_TEXT: Final = 1000
_ANYTHING: Final = {"text": "short", "list": ["a", 1.5, None, {"deep": True}], "last": "more than a few"}


def with_head(name: str, size: int, stream: bytes) -> bytes:
    """An input."""
    return STRUCT_NAMES.index(name).to_bytes(2, "big") + bytes((size,)) + stream


class Run:
    """What a stream gives to a target: values, refusals, and what ended it."""

    def __init__(self, data: bytes, target: Target[object], size: int) -> None:
        self._data = data
        self.values: list[object] = []
        self.shapes: list[Shape] = []
        self.refused = 0
        self.error: GobDataError | None = None
        decoder = Decoder(LIMITS)
        try:
            for start in range(0, len(data), size):
                decoder.feed(data[start : start + size])
                self._take(decoder, target)
            decoder.close()
        except GobDataError as error:
            self.error = error
            _check_error(error, len(data))
            assert not decoder.buffered_bytes

    @property
    def end(self) -> tuple[str, int | None]:
        return ("", None) if self.error is None else (self.error.reason, self.error.offset)

    def _take(self, decoder: Decoder, target: Target[object]) -> None:
        while True:
            shape = decoder.next_shape()
            try:
                value = decoder.next_value(target)
            except GobMismatchError as error:
                _check_error(error, len(self._data))
                self.refused += 1
                continue
            if value is NEED_DATA:
                return
            assert isinstance(shape, Shape)
            self.shapes.append(shape)
            self.values.append(value)


def _check_error(error: GobError, size: int) -> None:
    """It says where, and is fit for a log."""
    assert error.offset is not None
    assert 0 <= error.offset <= size
    assert len(str(error)) < _MAX_TEXT
    assert str(error).isprintable()


class GobTarget:
    """See FuzzTarget."""

    name = "gob"
    max_bytes = 8192

    def run(self, data: bytes) -> None:
        if len(data) < HEAD:
            return
        stream, size = data[HEAD:], data[2] or 1
        struct = STRUCT_NAMES[int.from_bytes(data[:2], "big") % len(STRUCT_NAMES)]
        whole = max(1, len(stream))
        read = Run(stream, GENERIC, whole)
        pieces = Run(stream, GENERIC, size)
        assert repr(pieces.values) == repr(read.values)
        assert pieces.end == read.end
        assert not read.refused
        self._compare_skipped(read, Run(stream, SKIP, whole))
        if not isinstance(read.error, GobLimitError):
            _compare_slow(read, stream)
        for value, shape in zip(read.values, read.shapes, strict=True):
            json_form(value)
            _come_back(value, shape)
        for target in (PLAIN, struct_target(struct)):
            into = Run(stream, target, whole)
            assert len(into.values) + into.refused <= len(read.values)
            for value in into.values:
                if isinstance(value, Message):
                    _settle(struct, value)

    def _compare_skipped(self, read: Run, skipped: Run) -> None:
        # What JSON nests is skipped however deep, and nothing is kept of names.
        if isinstance(read.error, GobLimitError) and read.error.limit in ("max_depth", "max_types"):
            return
        assert len(skipped.values) == len(read.values)
        assert skipped.end == read.end

    def corpus(self) -> Sequence[bytes]:
        return _corpus()

    def mutate(self, data: bytes, random: Random, blind: Mutate) -> bytes:
        if len(data) < HEAD:
            return random.choice(_corpus())
        head, stream = data[:HEAD], data[HEAD:]
        if random.random() < 0.05:
            head = random.randrange(len(STRUCT_NAMES)).to_bytes(2, "big") + random.randbytes(1)
        match random.randrange(8):
            case 0:
                return head + blind(stream, self.max_bytes - HEAD)
            case 1 | 2:
                return head + invented(random)
        return head + mutated(stream, random, _streams())


@cache
def _corpus() -> tuple[bytes, ...]:
    found = list(_seeds())
    random = Random(1)
    return (*found, *(with_head(random.choice(STRUCT_NAMES), 7, invented(random)) for _ in range(100)))


def _seeds() -> Iterator[bytes]:
    for vector in vectors():
        name = f"plugin.{vector.type}"
        if len(vector.data) < 6000:
            yield with_head(name if name in STRUCTS else STRUCT_NAMES[0], 5, vector.data)
    for data in features().values():
        yield with_head("model.Post", 1, data)
    for name, (go, _, fields) in STRUCTS.items():
        # What users decide, and what has readers of its own.
        free = {field: _ANYTHING for field, _, conversion, _ in fields if conversion in ("object", "value")}
        if free:
            yield with_head(name, 3, stock_encoder().encode(free, stock_table().struct(go)))


@cache
def _streams() -> tuple[bytes, ...]:
    return tuple(data[HEAD:] for data in _corpus())


def _compare_slow(read: Run, stream: bytes) -> None:
    slow, refusal = SlowReader(stream), None
    try:
        slow.read()
    except Malformed as error:
        refusal = error
    assert (refusal is None) == (read.error is None), f"slow: {refusal!r}, compiled: {read.error}"
    assert repr(read.values) == repr(slow.values)


def _come_back(value: object, shape: Shape) -> None:
    """What was read can be written by a type of the same shape, and is the same when it is read again."""
    kind = GoTypes().of(shape)
    sent: list[bytes] = []
    for _ in range(3):
        written = _written(value, kind)
        if written is None:
            return
        sent.append(written)
        (value,) = Run(written, GENERIC, len(written)).values
    # Pairs under a name that stands for a map become one, once.
    assert sent[2] == sent[1]


def _written(value: object, kind: Any) -> bytes | None:
    try:
        return Encoder().encode(value, kind)
    except GobEncodeError:
        # What an interface holds has a name that nobody has registered; times may be none that Go can have made.
        return None


def _settle(struct: str, message: Message) -> None:
    """A message that is sent on loses what a host cannot take, once: it comes back the same the second time."""
    kind, source, target = go_type(STRUCTS[struct][0]), struct_source(struct), struct_target(struct)
    for turn in range(3):
        message.SerializeToString()
        try:
            sent = Encoder(registry()).encode(message, kind, source)
        except GobEncodeError:
            assert turn == 0, "what was read of our own cannot be sent"
            return
        decoder = Decoder()
        decoder.feed(sent)
        came: Any = decoder.next_value(target)
        if turn:
            # By their bytes: NaN is not equal to itself.
            assert _bytes(came) == _bytes(message)
        message = came


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
