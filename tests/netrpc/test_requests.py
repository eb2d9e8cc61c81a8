"""One writer for the requests of many streams: each stream must be whole by itself."""

from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._gob import GENERIC, PLAIN, GobEncodeError, Target
from mattermost_plugin._gob.go_types import BYTES, INT, STRING, GoMap, GoSlice, GoStruct, GoType
from mattermost_plugin._netrpc import ClientConnection, RequestReceived, ServerConnection
from mattermost_plugin._netrpc.requests import RequestWriter, shared_requests

EMPTY = GoStruct("")
HEADER = GoMap(STRING, GoSlice(STRING), "Header")

CALLS: st.SearchStrategy[list[tuple[str, object, GoType]]] = st.lists(
    st.one_of(
        st.tuples(st.just("Plugin.Header"), st.just({}), st.just(EMPTY)),
        st.tuples(
            st.just("Plugin.SyncHeader"), st.dictionaries(st.text(max_size=3), st.lists(st.text())), st.just(HEADER)
        ),
        st.tuples(st.just("Plugin.WriteHeader"), st.integers(100, 999), st.just(INT)),
        st.tuples(st.just("Plugin.Write"), st.binary(max_size=300), st.just(BYTES)),
    ),
    max_size=6,
)


def any_method(method: str) -> Target[object]:
    return PLAIN


@given(st.lists(CALLS, min_size=2, max_size=4), st.integers(1, 40))
def test_every_stream_means_what_it_would_alone(streams: list[list[tuple[str, object, GoType]]], size: int) -> None:
    requests = shared_requests(EMPTY, HEADER)
    ends = [(ClientConnection(requests=requests), ServerConnection(any_method)) for _ in streams]
    seen: list[list[tuple[str, int, object]]] = [[] for _ in streams]
    for turn in range(max(map(len, streams))):
        for (here, there), calls, found in zip(ends, streams, seen, strict=True):
            for method, value, go_type in calls[turn : turn + 1]:
                here.call(method, value, go_type)
            data = here.data_to_send()
            for start in range(0, len(data), size):
                for event in there.receive(data[start : start + size]):
                    assert isinstance(event, RequestReceived)
                    found.append((event.call.method, event.call.seq, event.body))
    assert seen == [[(method, seq, value) for seq, (method, value, _) in enumerate(calls)] for calls in streams]


def test_all_definitions_come_first_and_once() -> None:
    requests = shared_requests(EMPTY, HEADER)
    assert requests.start.count(b"ServiceMethod") == 1
    for seq in (0, 1, 0, 7):
        data = requests.request("Plugin.SyncHeader", seq, {"A": ["b"]}, HEADER)
        assert b"ServiceMethod" not in data
        assert len(data) < 40


def test_a_value_that_cannot_be_sent_changes_nothing() -> None:
    requests = shared_requests(EMPTY, HEADER)
    expected = requests.request("Plugin.SyncHeader", 3, {"A": ["b"]}, HEADER)
    try:
        requests.request("Plugin.SyncHeader", 3, {"A": [1]}, HEADER)
    except GobEncodeError:
        pass
    else:
        raise AssertionError("a number was sent for a text")
    assert requests.request("Plugin.SyncHeader", 3, {"A": ["b"]}, HEADER) == expected


def test_a_writer_of_one_stream_defines_what_it_needs() -> None:
    here, there = ClientConnection(requests=RequestWriter()), ServerConnection(lambda _: GENERIC)
    here.call("Plugin.SyncHeader", {"A": ["b"]}, HEADER)
    (event,) = there.receive(here.data_to_send())
    assert isinstance(event, RequestReceived)
    assert event.body == {"A": ["b"]}
