"""Both ends of a net/rpc stream, with each other and with bytes that Go wrote."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import GENERIC, Encoder, GobEncodeError, Item, Limits
from mattermost_plugin._gob.go_types import INT, STRING, UINT, GoField, GoMap, GoSlice, GoStruct
from mattermost_plugin._netrpc import (
    Called,
    Refused,
    Replied,
    RpcClient,
    RpcMethod,
    RpcServer,
    RpcStreamError,
    Unreadable,
    Value,
)
from mattermost_plugin._netrpc.headers import REQUEST, REQUEST_SOURCE, RequestHeader

PAIR = GoStruct("Pair", (GoField("A", STRING), GoField("B", INT)))
ADD = RpcMethod("Plugin.Add", Value(PAIR, target=GENERIC), Value(INT, target=GENERIC))
PING = RpcMethod("Control.Ping")
NAMES = RpcMethod("Plugin.Names", result=Value(GoSlice(STRING), target=GENERIC))
METHODS = {method.name: method for method in (ADD, PING, NAMES)}
SERVICES = frozenset({"Plugin", "Control"})


def server() -> RpcServer:
    return RpcServer(METHODS.get, SERVICES, limits=Limits())


def exchange(rpc_server: RpcServer, client: RpcClient) -> Sequence[object]:
    return client.receive(rpc_server.data_to_send())


def test_calls_and_replies_in_any_order() -> None:
    here, there = RpcClient(), server()
    seqs = [here.call(ADD, {"A": "x", "B": 1}), here.call(NAMES, {}), here.call(ADD, {})]
    assert seqs == [0, 1, 2]
    calls = there.receive(here.data_to_send())
    assert calls == [Called(0, ADD, {"A": "x", "B": 1}), Called(1, NAMES, None), Called(2, ADD, {})]
    there.reply(2, ADD, 5)
    there.reply(0, ADD, 0)
    there.reply(1, NAMES, ["OnActivate"])
    assert here.waiting == 3
    assert exchange(there, here) == [Replied(2, 5), Replied(0, 0), Replied(1, ["OnActivate"])]
    assert here.waiting == 0


def test_a_request_as_go_writes_it() -> None:
    method = RpcMethod("Plugin.OnActivate", Value(GoStruct("Z", (GoField("APIMuxId", UINT),)), target=GENERIC))
    there = RpcServer({method.name: method}.get, SERVICES)
    sent = bytes.fromhex(
        "2e7f03010107526571756573 7401ff8000010201 0d536572766963654d6574686f64 010c0001 03536571 0106000000"
        "18ff80 01 11 506c7567696e2e4f6e4163746976617465 01 01 00"
        "3bff8103010110 5a5f4f6e416374697661746541726773 01ff8200010201 08 4150494d75784964 01060001"
        "0b 4472697665724d75784964 0106000000"
        "07ff82 01 01 01 02 00"
    )
    assert there.receive(sent) == [Called(1, method, {"APIMuxId": 1, "DriverMuxId": 2})]


def test_an_error_as_go_writes_it() -> None:
    here = RpcClient()
    for _ in range(3):
        here.call(NAMES, {})
    reply = bytes.fromhex(
        "397f03010108526573706f6e736501ff80000103010d536572766963654d6574686f64010c0001035365710106000105 4572726f72"
        "010c000000 36ff80010b506c7567696e2e4e6f7065010201227270633a2063616e27742066696e64206d6574686f6420506c7567696e"
        "2e4e6f706500 0aff8103010 2ff82000000 03ff8200".replace(" ", "")
    )
    assert here.receive(reply) == [Refused(2, "rpc: can't find method Plugin.Nope")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Plugin.Nope", "rpc: can't find method Plugin.Nope"),
        ("Other.Nope", "rpc: can't find service Other.Nope"),
        ("Nope", "rpc: service/method request ill-formed: Nope"),
        ("", "rpc: service/method request ill-formed: "),
    ],
)
def test_what_cannot_be_found_is_answered_as_go_does(name: str, text: str) -> None:
    here, there = RpcClient(), server()
    seq = here.call(RpcMethod(name, ADD.argument), {"B": 3})
    following = here.call(PING, {})
    assert there.receive(here.data_to_send()) == [Called(following, PING, None)]
    assert exchange(there, here) == [Refused(seq, text)]


def test_an_argument_that_does_not_fit_is_refused_and_the_stream_goes_on() -> None:
    here = RpcClient()

    def refuse(_out: object, _value: object) -> None:
        raise ValueError

    from mattermost_plugin._gob import PLAIN, RecordTarget
    from mattermost_plugin._gob.puts import Call

    method = RpcMethod("Plugin.Add", Value(PAIR, target=RecordTarget(dict, {"A": Call(refuse, PLAIN)})))
    there = RpcServer({method.name: method, PING.name: PING}.get, SERVICES)
    seq = here.call(ADD, {"A": "secret"})
    here.call(PING, {})
    assert there.receive(here.data_to_send()) == [Called(1, PING, None)]
    (refused,) = exchange(there, here)
    assert isinstance(refused, Refused)
    assert refused.seq == seq
    assert "secret" not in refused.error


def test_a_request_without_a_body_is_answered_and_the_next_one_served() -> None:
    encoder, there, here = Encoder(), server(), RpcClient()
    for _ in range(2):
        here.call(ADD, {})
    here.data_to_send()
    headers = [Item(RequestHeader("Plugin.Add", seq), REQUEST, REQUEST_SOURCE) for seq in (0, 1)]
    sent = encoder.encode_all([*headers, Item({"B": 2}, PAIR)])
    assert there.receive(sent) == [Called(1, ADD, {"B": 2})]
    assert exchange(there, here) == [Refused(0, "rpc: the request has no body")]


def test_a_result_that_cannot_be_sent_is_answered_as_an_error() -> None:
    here, there = RpcClient(), server()
    here.call(ADD, {})
    there.receive(here.data_to_send())
    with pytest.raises(GobEncodeError):
        there.reply(0, ADD, "no number")
    assert exchange(there, here) == [Refused(0, "rpc: the result cannot be encoded")]


def test_an_argument_that_cannot_be_sent_leaves_the_stream_as_it_was() -> None:
    here, there = RpcClient(), server()
    with pytest.raises(GobEncodeError):
        here.call(ADD, {"B": "no number"})
    assert here.waiting == 0
    assert here.data_to_send() == b""
    assert here.call(ADD, {"B": 1}) == 0
    assert there.receive(here.data_to_send()) == [Called(0, ADD, {"B": 1})]


def test_a_result_of_another_type_is_told_to_its_call_alone() -> None:
    here, there = RpcClient(), server()

    def refuse(_out: object, _value: object) -> None:
        raise TypeError

    from mattermost_plugin._gob import PLAIN, RecordTarget
    from mattermost_plugin._gob.puts import Call

    wants_a = RpcMethod("Plugin.Add", ADD.argument, Value(PAIR, target=RecordTarget(dict, {"A": Call(refuse, PLAIN)})))
    here.call(wants_a, {})
    here.call(ADD, {})
    there.receive(here.data_to_send())
    there.reply(0, RpcMethod("Plugin.Add", ADD.argument, Value(PAIR)), {"A": "x"})
    there.reply(1, ADD, 4)
    first, second = exchange(there, here)
    assert isinstance(first, Unreadable)
    assert second == Replied(1, 4)


def test_a_reply_that_nobody_waits_for_is_dropped() -> None:
    here, there = RpcClient(), server()
    there.reply(7, ADD, 4)
    here.call(ADD, {})
    there.reply(0, ADD, 5)
    assert exchange(there, here) == [Replied(0, 5)]


@given(st.integers(1, 40))
def test_bytes_may_be_cut_anywhere(size: int) -> None:
    here, there = RpcClient(), server()
    for number in range(3):
        here.call(ADD, {"A": "a" * number, "B": number})
    sent = here.data_to_send()
    calls: list[Any] = []
    for start in range(0, len(sent), size):
        calls += there.receive(sent[start : start + size])
    assert [call.argument.get("B", 0) for call in calls] == [0, 1, 2]
    for call in calls:
        there.reply(call.seq, ADD, call.seq * 10)
    answer = there.data_to_send()
    replies: list[Any] = []
    for start in range(0, len(answer), size):
        replies += here.receive(answer[start : start + size])
    assert replies == [Replied(0, 0), Replied(1, 10), Replied(2, 20)]


def sample() -> tuple[bytes, bytes]:
    here, there = RpcClient(), server()
    here.call(ADD, {"A": "x", "B": 1})
    here.call(RpcMethod("Plugin.Nope", Value(GoMap(STRING, INT))), {"a": 1})
    here.call(NAMES, {})
    requests = here.data_to_send()
    there.receive(requests)
    there.reply(0, ADD, 1)
    there.reply(2, NAMES, ["a", "b"])
    return requests, there.data_to_send()


REQUESTS, RESPONSES = sample()
bad_bytes = st.binary(max_size=200) | st.tuples(st.integers(0, 300), st.binary(max_size=4), st.integers(0, 1))


def damaged(good: bytes, damage: bytes | tuple[int, bytes, int]) -> bytes:
    if isinstance(damage, bytes):
        return damage
    place, put, kept = damage
    return good[:place] + put + good[place + len(put) * kept :]


@given(bad_bytes)
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_calls_or_an_error_of_the_stream(damage: bytes | tuple[int, bytes, int]) -> None:
    there = server()
    try:
        for call in there.receive(damaged(REQUESTS, damage)):
            assert call.method in METHODS.values()
    except RpcStreamError as error:
        assert str(error)  # noqa: PT017 - any other exception fails the test
    there.data_to_send()


@given(bad_bytes)
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_replies_or_an_error_of_the_stream(damage: bytes | tuple[int, bytes, int]) -> None:
    here = RpcClient()
    for method in (ADD, PING, NAMES):
        here.call(method, {})
    try:
        seqs = [reply.seq for reply in here.receive(damaged(RESPONSES, damage))]
        assert len(seqs) == len(set(seqs)) <= 3
    except RpcStreamError as error:
        assert str(error)  # noqa: PT017 - any other exception fails the test
