"""Fuzzing of net/rpc: a server's connection and a client's, on the streams that a host has recorded and others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any, Final

from mattermost_plugin._gob import (
    NEED_DATA,
    PLAIN,
    SKIP,
    Decoder,
    Encoder,
    GobEncodeError,
    GobError,
    GobMismatchError,
    Item,
    Limits,
    Target,
)
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoField, GoMap, GoSlice, GoStruct, GoType
from mattermost_plugin._netrpc import (
    Call,
    CallRefused,
    ClientConnection,
    ClientEvent,
    ReplyReceived,
    ReplyUnreadable,
    RequestAbandoned,
    RequestReceived,
    RequestRefused,
    RequestUnusable,
    ServerConnection,
    ServerEvent,
    StreamEndedError,
    StreamFailed,
    no_such_method,
)
from mattermost_plugin._netrpc import Limits as CallLimits
from mattermost_plugin._netrpc.messages import (
    EMPTY,
    EMPTY_TYPE,
    REQUEST_SOURCE,
    REQUEST_TYPE,
    RESPONSE_SOURCE,
    RESPONSE_TYPE,
    Response,
)
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.stock.methods import API_METHODS, HOOKS
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.fuzz.gob_mutation import invented, joined, mutated, split
from tests.fuzz.target import Mutate
from tests.gob.test_session import API, CONTROL, RESPONSE_WRITER, gob_of
from tests.gob.test_session import HOOKS as HOOKS_STREAM

__all__ = ["HEAD", "NetrpcTarget"]

HEAD: Final = 3
"""Which end this is, the size of the pieces, and what it does."""

GOB_LIMITS: Final = Limits(max_message_bytes=1 << 18, max_elements=1 << 13, max_depth=60, max_types=64)
LIMITS: Final = CallLimits(open_calls=5)
_SERVICES: Final = ("Plugin", "Dispenser", "Control")
_CALLS: Final = 12
_MOST_CHARS: Final = LIMITS.method_chars


_ARGUMENTS: Final[dict[str, str]] = {name: arguments for name, (arguments, _) in HOOKS.items() if arguments in STRUCTS}
"""Of hooks with messages of their own."""


def _choose(method: str) -> Target[object]:
    service, _, name = method.rpartition(".")
    if service == "Plugin" and name in _ARGUMENTS:
        return struct_target(_ARGUMENTS[name])
    if service in _SERVICES:
        return PLAIN
    raise no_such_method(method, _SERVICES)


class NetrpcTarget:
    """See FuzzTarget."""

    name = "netrpc"
    max_bytes = 8192

    def run(self, data: bytes) -> None:
        if len(data) < HEAD:
            return
        size, seed, stream = data[1] or 1, data[2], data[HEAD:]
        end: type[Server | Client] = Client if data[0] & 1 else Server
        whole, cut = end(seed), end(seed)
        whole.take(stream, max(1, len(stream)))
        cut.take(stream, size)
        assert cut.told == whole.told
        assert cut.sent == whole.sent
        if end is Server:
            # How many calls are open, and so whether one is too many, depends on when others are answered.
            Server(seed, answers_at_once=True).take(stream, size)

    def corpus(self) -> Sequence[bytes]:
        return _corpus()

    def mutate(self, data: bytes, random: Random, blind: Mutate) -> bytes:
        if len(data) < HEAD:
            return random.choice(_corpus())
        head, stream = data[:HEAD], data[HEAD:]
        if random.random() < 0.1:
            head = random.randbytes(HEAD)
        match random.randrange(10):
            case 0:
                return head + blind(stream, self.max_bytes - HEAD)
            case 1:
                return head + stream + invented(random)
            case 2:
                # Headers before what is no body of theirs.
                bodies, rest = split(stream)
                other, _ = split(invented(random))
                place = random.randint(0, len(bodies))
                return head + joined([*bodies[:place], *other, *bodies[place:]], rest)
        return head + mutated(stream, random, _streams())


class Row:
    """What the values of a stream are, read one after the other: headers, and bodies behind them.

    Args:
        stream: any bytes.
        headers_repeat: whether a value of the header's type in a body's place is the next header.
    """

    def __init__(self, stream: bytes, *, headers_repeat: bool) -> None:
        self.calls: list[tuple[Any, Any]] = []
        """Methods and numbers of messages that are there as a whole."""
        decoder = Decoder(GOB_LIMITS)
        decoder.feed(stream)
        header: dict[str, Any] | None = None
        header_type: object = None
        try:
            while (type_id := decoder.next_type()) is not None:
                if header is not None and headers_repeat and type_id == header_type:
                    self._add(header)
                    header = None
                value: Any = decoder.next_value(PLAIN)
                if value is NEED_DATA or (header is None and not isinstance(value, dict)):
                    return
                if header is None:
                    header, header_type = value, type_id
                else:
                    self._add(header)
                    header = None
        except GobError:
            return

    def _add(self, header: dict[str, Any]) -> None:
        self.calls.append((header.get("ServiceMethod", ""), header.get("Seq", 0)))

    def check(self, told: list[tuple[str, int]], *, is_whole: bool) -> None:
        """Compare with what was told, up to where the stream was given up."""
        assert told == self.calls[: len(told)]
        assert not is_whole or len(told) == len(self.calls)


class Server:
    """A server's end.

    Args:
        seed: chooses the answers.
        answers_at_once: False: all calls are answered at the end.
    """

    def __init__(self, seed: int, *, answers_at_once: bool = False) -> None:
        self._answers_at_once = answers_at_once
        self._connection = ServerConnection(_choose, limits=LIMITS, gob_limits=GOB_LIMITS)
        self._random = Random(seed)
        self._open: list[Call] = []
        self._calls: list[Call] = []
        self._failed = False
        self.told: list[str] = []
        self.sent = b""
        self._answers = Decoder()
        self._count = 0
        self._values = 0

    def take(self, stream: bytes, size: int) -> None:
        for start in range(0, len(stream), size):
            for event in self._connection.receive(stream[start : start + size]):
                self._take(event)
            if self._answers_at_once:
                self._answer()
                self._check()
        while self._open:
            self._answer()
        self._check()
        row = Row(stream, headers_repeat=True)
        row.calls = [(method[:_MOST_CHARS], seq) for method, seq in row.calls]
        row.check([(call.method, call.seq) for call in self._calls], is_whole=not self._failed)
        ended_well = self._connection.end()
        self.told.append(f"end {ended_well}")
        assert self._connection.receive(stream) == []

    def _take(self, event: ServerEvent) -> None:
        assert not self._failed
        if not isinstance(event, StreamFailed):
            self._calls.append(event.call)
        match event:
            case RequestReceived(call, body):
                self._open.append(call)
                self.told.append(f"{call} {body!r}")
            case RequestUnusable(call, reason):
                self._open.append(call)
                self.told.append(f"{call} {reason}")
                assert len(reason) < 1000
            case RequestRefused(call, reason):
                self.told.append(f"{call} {reason}")
                self._count += 1
                assert len(reason) < 1000
            case RequestAbandoned(call):
                self.told.append(f"{call} abandoned")
            case StreamFailed(error):
                self._failed = True
                self.told.append(str(error))
                assert len(str(error)) < 1000

    def _answer(self) -> None:
        """Answer some calls, in any order."""
        random = self._random
        while self._open and random.random() < 0.6:
            call = self._open.pop(random.randrange(len(self._open)))
            self._count += 1
            if random.random() < 0.3:
                self._connection.fail(call, random.choice(("", "no", "\udcff")))
                continue
            value, kind = random.choice(_ANSWERS)
            try:
                self._connection.reply(call, value, kind)
            except GobEncodeError:
                self._connection.fail(call, "cannot be sent")

    def _check(self) -> None:
        assert self._connection.open_calls == len(self._open)
        data = self._connection.data_to_send()
        self.sent += data
        self._answers.feed(data)
        while self._answers.next_value(SKIP) is not NEED_DATA:
            self._values += 1
        self._answers.close()
        # A header and a body each.
        assert self._values == 2 * self._count


class Client:
    """A client's end with some calls under way."""

    def __init__(self, seed: int) -> None:
        self._connection = ClientConnection(gob_limits=GOB_LIMITS)
        self._random = Random(seed)
        self._waiting: set[int] = set()
        self._answered: list[int] = []
        self._failed = False
        self.told: list[str] = []
        self.sent = b""
        for _ in range(_CALLS):
            self._call()

    def _call(self) -> None:
        name, (_, results) = self._random.choice(_METHODS)
        target = self._random.choice((PLAIN, SKIP, struct_target(results)))
        self._waiting.add(self._connection.call(f"Plugin.{name}", EMPTY, EMPTY_TYPE, target))

    def take(self, stream: bytes, size: int) -> None:
        waiting = set(self._waiting)
        forgotten = self._random.sample(sorted(waiting), 2)
        for seq in forgotten:
            self._connection.forget(seq)
            self._waiting.discard(seq)
        for start in range(0, len(stream), size):
            for event in self._connection.receive(stream[start : start + size]):
                self._take(event)
        self.sent += self._connection.data_to_send()
        assert self._connection.open_calls == len(self._waiting)
        row = Row(stream, headers_repeat=False)
        firsts = dict.fromkeys(seq for _, seq in row.calls if seq in waiting - set(forgotten))
        row.calls = [("", seq) for seq in firsts]
        row.check([("", seq) for seq in self._answered], is_whole=not self._failed)
        self._connection.end()
        try:
            self._call()
        except StreamEndedError:
            assert self._connection.receive(stream) == []
            return
        raise AssertionError("a call on a stream that has ended")

    def _take(self, event: ClientEvent) -> None:
        assert not self._failed
        if isinstance(event, StreamFailed):
            self._failed = True
            self.told.append(str(event.error))
            return
        # Each call is answered once.
        self._waiting.remove(event.seq)
        self._answered.append(event.seq)
        match event:
            case ReplyReceived(seq, body):
                self.told.append(f"{seq} {body!r}")
            case CallRefused(seq, text):
                assert text
                self.told.append(f"{seq} {text}")
            case ReplyUnreadable(seq, error):
                assert isinstance(error, GobMismatchError)
                self.told.append(f"{seq} {error}")


_ANSWERS: Final[tuple[tuple[object, GoType], ...]] = (
    (EMPTY, EMPTY_TYPE),
    (1, go.UINT32),
    ("text", go.STRING),
    (["OnActivate"], GoSlice(go.STRING)),
    ({"A": {"k": "v"}}, GoStruct("R", (GoField("A", GoMap(go.STRING, go.ANY)),))),
    ({"A": object()}, GoStruct("R", (GoField("A", go.ANY),))),
    ("no number", go.INT),
)
_METHODS: Final = [(name, structs) for name, structs in API_METHODS.items() if structs[1] in STRUCTS]


@cache
def _corpus() -> tuple[bytes, ...]:
    ids = (CONTROL, HOOKS_STREAM, API, RESPONSE_WRITER)
    found = [
        bytes((end, 7, 3)) + gob_of(number, direction)
        for number in ids
        for end, direction in ((0, "host->plugin"), (1, "plugin->host"))
    ]
    found += [bytes((end ^ 1, 7, 3)) + gob_of(API, way) for end, way in ((0, "host->plugin"), (1, "plugin->host"))]
    return (*[data[: NetrpcTarget.max_bytes] for data in found], *_requests(), *_replies())


def _requests() -> list[bytes]:
    """A call of each hook without arguments, some at a time."""
    names = [f"Plugin.{name}" for name in HOOKS]
    found = []
    for start in range(0, len(names), 8):
        encoder = Encoder()
        calls = [
            Item(Call(name, number), REQUEST_TYPE, REQUEST_SOURCE) for number, name in enumerate(names[start:][:8])
        ]
        parts = [
            encoder.encode_all((call, Item({}, go_type(HOOKS[name][0]))))
            for call, name in zip(calls, HOOKS, strict=False)
        ]
        found.append(bytes((0, 50, start)) + b"".join(parts))
    return found


def _replies() -> list[bytes]:
    """Replies of some methods, an error among them."""
    found = []
    for start in range(0, len(_METHODS), 12):
        encoder, parts = Encoder(), []
        for number, (name, (_, results)) in enumerate(_METHODS[start : start + 12]):
            header = Response(f"Plugin.{name}", number, "no" if number == 3 else "")
            body = Item(EMPTY, EMPTY_TYPE) if number == 3 else Item({}, go_type(STRUCTS[results][0]))
            parts.append(encoder.encode_all((Item(header, RESPONSE_TYPE, RESPONSE_SOURCE), body)))
        found.append(bytes((1, 50, start)) + b"".join(parts))
    return found


@cache
def _streams() -> tuple[bytes, ...]:
    return tuple(data[HEAD:] for data in _corpus())
