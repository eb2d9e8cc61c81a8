"""Both ends of a net/rpc stream, with each other and with bytes that Go wrote."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import GENERIC, PLAIN, SKIP, Encoder, GobEncodeError, Item, RecordTarget, Target
from mattermost_plugin._gob import Limits as GobLimits
from mattermost_plugin._gob.go_types import FLOAT64, INT, STRING, UINT, GoField, GoMap, GoSlice, GoStruct, GoType
from mattermost_plugin._gob.puts import Call as CallFunction
from mattermost_plugin._netrpc import (
    Call,
    CallRefused,
    ClientConnection,
    ClientEvent,
    Limits,
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
from mattermost_plugin._netrpc.messages import EMPTY, EMPTY_TYPE, REQUEST_SOURCE, REQUEST_TYPE

PAIR = GoStruct("Pair", (GoField("A", STRING), GoField("B", INT)))
NAMES = GoSlice(STRING)
ADD, PING, LIST = "Plugin.Add", "Control.Ping", "Plugin.Names"
SERVICES = ("Plugin", "Control")


def choose(method: str) -> Target[object]:
    if method in (ADD, PING, LIST):
        return GENERIC
    raise no_such_method(method, SERVICES)


def ends() -> tuple[ClientConnection, ServerConnection]:
    return ClientConnection(), ServerConnection(choose)


def refuse(_out: object, _value: object) -> None:
    raise ValueError("secret")


CHOOSY: RecordTarget[object] = RecordTarget(dict, {"A": CallFunction(refuse, PLAIN)})


def test_calls_and_replies_in_any_order() -> None:
    here, there = ends()
    numbers = [
        here.call(ADD, {"A": "x", "B": 1}, PAIR, GENERIC),
        here.call(LIST, EMPTY, EMPTY_TYPE, GENERIC),
        here.call(ADD, {}, PAIR, GENERIC),
    ]
    assert numbers == [0, 1, 2]
    assert there.receive(here.data_to_send()) == [
        RequestReceived(Call(ADD, 0), {"A": "x", "B": 1}),
        RequestReceived(Call(LIST, 1), {}),
        RequestReceived(Call(ADD, 2), {}),
    ]
    assert there.open_calls == here.open_calls == 3
    there.reply(Call(ADD, 2), 5, INT)
    there.reply(Call(ADD, 0), 0, INT)
    there.reply(Call(LIST, 1), ["OnActivate"], NAMES)
    assert here.receive(there.data_to_send()) == [
        ReplyReceived(2, 5),
        ReplyReceived(0, 0),
        ReplyReceived(1, ["OnActivate"]),
    ]
    assert there.open_calls == here.open_calls == 0


def test_a_request_as_go_writes_it() -> None:
    there = ServerConnection(lambda _: GENERIC)
    sent = bytes.fromhex(
        "2e7f0301010752657175657374 01ff8000010201 0d536572766963654d6574686f64 010c0001 03536571 0106000000"
        "18ff80 01 11 506c7567696e2e4f6e4163746976617465 01 01 00"
        "3bff8103010110 5a5f4f6e416374697661746541726773 01ff8200010201 08 4150494d75784964 01060001"
        "0b 4472697665724d75784964 0106000000"
        "07ff82 01 01 01 02 00"
    )
    assert there.receive(sent) == [RequestReceived(Call("Plugin.OnActivate", 1), {"APIMuxId": 1, "DriverMuxId": 2})]


def test_an_error_as_go_writes_it() -> None:
    here = ClientConnection()
    for _ in range(3):
        here.call(LIST, EMPTY, EMPTY_TYPE, GENERIC)
    reply = bytes.fromhex(
        "397f03010108526573706f6e736501ff80000103010d536572766963654d6574686f64010c0001035365710106000105 4572726f72"
        "010c000000 36ff80010b506c7567696e2e4e6f7065010201227270633a2063616e27742066696e64206d6574686f6420506c7567696e"
        "2e4e6f706500 0aff8103010 2ff82000000 03ff8200".replace(" ", "")
    )
    assert here.receive(reply) == [CallRefused(2, "rpc: can't find method Plugin.Nope")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Plugin.Nope", "rpc: can't find method Plugin.Nope"),
        ("Other.Nope", "rpc: can't find service Other.Nope"),
        ("Nope", "rpc: service/method request ill-formed: Nope"),
        ("", "rpc: service/method request ill-formed: "),
        ("Plugin." + "x" * 300, "rpc: can't find method Plugin." + "x" * 249 + "..."),
    ],
)
def test_what_cannot_be_found_is_answered_as_go_does(name: str, text: str) -> None:
    here, there = ends()
    number = here.call(name, {"B": 3}, PAIR, GENERIC)
    following = here.call(PING, EMPTY, EMPTY_TYPE)
    assert there.receive(here.data_to_send()) == [
        RequestRefused(Call(name[:256], number), text),
        RequestReceived(Call(PING, following), {}),
    ]
    assert here.receive(there.data_to_send()) == [CallRefused(number, text)]
    assert there.open_calls == 1


def test_an_argument_that_does_not_fit_is_told_and_the_stream_goes_on() -> None:
    here = ClientConnection()
    there = ServerConnection(lambda method: CHOOSY if method == ADD else SKIP)
    number = here.call(ADD, {"A": "x"}, PAIR)
    here.call(PING, EMPTY, EMPTY_TYPE)
    unusable, served = there.receive(here.data_to_send())
    assert isinstance(unusable, RequestUnusable)
    assert unusable.call == Call(ADD, number)
    assert unusable.reason
    assert "secret" not in unusable.reason
    assert served == RequestReceived(Call(PING, 1), None)
    assert there.open_calls == 2
    there.fail(unusable.call, unusable.reason)
    assert here.receive(there.data_to_send()) == [CallRefused(number, unusable.reason)]
    assert there.open_calls == 1


def test_a_header_whose_body_was_left_behind_is_passed_over() -> None:
    encoder, there = Encoder(), ServerConnection(choose)
    headers = [Item(Call(ADD, seq), REQUEST_TYPE, REQUEST_SOURCE) for seq in (0, 1)]
    assert there.receive(encoder.encode_all([*headers, Item({"B": 2}, PAIR)])) == [
        RequestAbandoned(Call(ADD, 0)),
        RequestReceived(Call(ADD, 1), {"B": 2}),
    ]
    assert there.open_calls == 1
    assert there.data_to_send() == b""


def test_a_result_that_cannot_be_sent_leaves_the_stream_as_it_was() -> None:
    here, there = ends()
    here.call(ADD, {}, PAIR, GENERIC)
    there.receive(here.data_to_send())
    with pytest.raises(GobEncodeError):
        there.reply(Call(ADD, 0), "no number", INT)
    assert there.data_to_send() == b""
    there.fail(Call(ADD, 0), "")
    assert here.receive(there.data_to_send()) == [CallRefused(0, "unknown error")]
    assert there.open_calls == 0


def test_an_argument_that_cannot_be_sent_leaves_the_stream_as_it_was() -> None:
    here, there = ends()
    with pytest.raises(GobEncodeError):
        here.call(ADD, {"B": "no number"}, PAIR)
    assert here.open_calls == 0
    assert here.data_to_send() == b""
    assert here.call(ADD, {"B": 1}, PAIR) == 0
    assert there.receive(here.data_to_send()) == [RequestReceived(Call(ADD, 0), {"B": 1})]


def test_a_result_of_another_type_is_told_to_its_call_alone() -> None:
    here, there = ends()
    here.call(ADD, {}, PAIR, CHOOSY)
    here.call(ADD, {}, PAIR, GENERIC)
    there.receive(here.data_to_send())
    there.reply(Call(ADD, 0), {"A": "x"}, PAIR)
    there.reply(Call(ADD, 1), 4, INT)
    first, second = here.receive(there.data_to_send())
    assert isinstance(first, ReplyUnreadable)
    assert second == ReplyReceived(1, 4)


def test_replies_that_nobody_waits_for_are_dropped() -> None:
    here, there = ends()
    there.reply(Call(ADD, 7), 4, INT)
    forgotten = here.call(ADD, {}, PAIR, CHOOSY)
    here.call(ADD, {}, PAIR, GENERIC)
    here.forget(forgotten)
    there.reply(Call(ADD, 0), {"A": "x"}, PAIR)
    there.reply(Call(ADD, 1), 5, INT)
    assert here.receive(there.data_to_send()) == [ReplyReceived(1, 5)]
    assert here.open_calls == 0


def test_no_more_calls_than_the_limit_are_taken() -> None:
    here, there = ClientConnection(), ServerConnection(choose, limits=Limits(open_calls=1))
    for _ in range(2):
        here.call(ADD, {}, PAIR, GENERIC)
    _, surplus = there.receive(here.data_to_send())
    assert isinstance(surplus, RequestUnusable)
    assert surplus == RequestUnusable(Call(ADD, 1), "too many calls are under way")
    there.fail(surplus.call, surplus.reason)
    there.reply(Call(ADD, 0), 1, INT)
    here.call(ADD, {}, PAIR, GENERIC)
    assert there.receive(here.data_to_send()) == [RequestReceived(Call(ADD, 2), {})]


def test_the_end_of_the_stream_refuses_calls() -> None:
    here, there = ends()
    here.call(ADD, {"A": "text"}, PAIR)
    sent = here.data_to_send()
    there.receive(sent[:-1])
    assert there.end() is False
    assert there.receive(sent[-1:]) == []
    here.end()
    with pytest.raises(StreamEndedError, match="has ended"):
        here.call(ADD, {}, PAIR)


@pytest.mark.parametrize(
    "header",
    [
        GoStruct("Request", (GoField("ServiceMethod", INT), GoField("Seq", UINT))),
        GoStruct("Request", (GoField("ServiceMethod", STRING), GoField("Seq", STRING))),
        GoStruct("Other", (GoField("X", STRING),)),
    ],
)
def test_a_header_of_another_type_ends_the_stream_after_what_came_before(header: GoStruct) -> None:
    encoder, there = Encoder(), ServerConnection(choose)
    good = encoder.encode_all([Item(Call(ADD, 0), REQUEST_TYPE, REQUEST_SOURCE), Item({"B": 2}, PAIR)])
    values: dict[str, object] = {field.name: 1 if field.type in (INT, UINT) else "x" for field in header.fields}
    before, failed = there.receive(good + encoder.encode(values, header))
    assert before == RequestReceived(Call(ADD, 0), {"B": 2})
    assert isinstance(failed, StreamFailed)
    assert there.receive(good) == []


@pytest.mark.parametrize(
    ("number", "go_type"), [("x", STRING), (-1, INT), (1.5, FLOAT64)], ids=["text", "negative", "fraction"]
)
def test_a_reply_whose_number_is_none_ends_the_stream(number: object, go_type: GoType) -> None:
    here = ClientConnection()
    here.call(ADD, {}, PAIR)
    header = GoStruct("Response", (GoField("ServiceMethod", STRING), GoField("Seq", go_type)))
    (failed,) = here.receive(Encoder().encode({"ServiceMethod": ADD, "Seq": number}, header))
    assert isinstance(failed, StreamFailed)
    with pytest.raises(StreamEndedError):
        here.call(ADD, {}, PAIR)


def test_a_message_over_the_limit_ends_the_stream() -> None:
    here, there = ClientConnection(), ServerConnection(choose, gob_limits=GobLimits(max_message_bytes=100))
    here.call(ADD, {"A": "x" * 200}, PAIR)
    (failed,) = there.receive(here.data_to_send())
    assert isinstance(failed, StreamFailed)
    assert "max_message_bytes" in str(failed.error)


@given(st.integers(1, 40))
def test_bytes_may_be_cut_anywhere(size: int) -> None:
    here, there = ends()
    for number in range(3):
        here.call(ADD, {"A": "a" * number, "B": number}, PAIR, GENERIC)
    calls: list[Any] = []
    for piece in pieces(here.data_to_send(), size):
        calls += there.receive(piece)
    assert [call.body.get("B", 0) for call in calls] == [0, 1, 2]
    for event in calls:
        there.reply(event.call, event.call.seq * 10, INT)
    replies: list[Any] = []
    for piece in pieces(there.data_to_send(), size):
        replies += here.receive(piece)
    assert replies == [ReplyReceived(0, 0), ReplyReceived(1, 10), ReplyReceived(2, 20)]


@given(st.lists(st.tuples(st.sampled_from("crf"), st.integers(0, 5)), max_size=60), st.integers(1, 100))
def test_every_call_gets_its_own_answer(steps: list[tuple[str, int]], size: int) -> None:
    here, there = ends()
    expected: dict[int, int | str] = {}
    got: dict[int, object] = {}
    waiting: list[Call] = []

    def carry() -> None:
        for piece in pieces(here.data_to_send(), size):
            waiting.extend(event.call for event in there.receive(piece) if isinstance(event, RequestReceived))
        for piece in pieces(there.data_to_send(), size):
            for event in here.receive(piece):
                assert not isinstance(event, StreamFailed)
                assert event.seq not in got
                got[event.seq] = event.body if isinstance(event, ReplyReceived) else getattr(event, "text", None)

    for step, place in steps:
        if step == "c":
            here.call(ADD, {"B": place}, PAIR, GENERIC)
        elif waiting:
            call = waiting.pop(place % len(waiting))
            expected[call.seq] = call.seq + 7 if step == "r" else f"no {call.seq}"
            if step == "r":
                there.reply(call, call.seq + 7, INT)
            else:
                there.fail(call, f"no {call.seq}")
        carry()
    assert got == expected
    assert here.open_calls == there.open_calls == len(waiting)


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def sample() -> tuple[bytes, bytes]:
    here, there = ends()
    here.call(ADD, {"A": "x", "B": 1}, PAIR)
    here.call("Plugin.Nope", {"a": 1}, GoMap(STRING, INT))
    here.call(LIST, EMPTY, EMPTY_TYPE)
    requests = here.data_to_send()
    there.receive(requests)
    there.reply(Call(ADD, 0), 1, INT)
    there.reply(Call(LIST, 2), ["a", "b"], NAMES)
    return requests, there.data_to_send()


REQUESTS, RESPONSES = sample()
damages = st.binary(max_size=200) | st.tuples(st.integers(0, 300), st.binary(max_size=4), st.integers(0, 1))


def damaged(good: bytes, damage: bytes | tuple[int, bytes, int]) -> bytes:
    if isinstance(damage, bytes):
        return damage
    place, put, kept = damage
    return good[:place] + put + good[place + len(put) * kept :]


@given(damages)
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_events_at_the_server(damage: bytes | tuple[int, bytes, int]) -> None:
    there = ServerConnection(choose)
    events: list[ServerEvent] = there.receive(damaged(REQUESTS, damage))
    assert sum(isinstance(event, StreamFailed) for event in events) <= 1
    for event in events:
        if isinstance(event, RequestReceived):
            there.fail(event.call, "no")
    there.data_to_send()
    assert there.open_calls == 0


@given(damages)
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_events_at_the_client(damage: bytes | tuple[int, bytes, int]) -> None:
    here = ClientConnection()
    for method in (ADD, PING, LIST):
        here.call(method, EMPTY, EMPTY_TYPE, GENERIC)
    events: list[ClientEvent] = here.receive(damaged(RESPONSES, damage))
    numbers = [event.seq for event in events if not isinstance(event, StreamFailed)]
    assert len(numbers) == len(set(numbers)) <= 3
