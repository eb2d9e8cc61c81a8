"""The ServeHTTP stream message by message: what a well-behaved host never sends, and how responses are cut up."""

import base64
from collections.abc import Iterator

import pytest

from tests.peer.conftest import log_end, start_plugin
from tests.peer.gohost import GoHost, GoPlugin, StreamResult
from tests.peer.gohost_results import JSON, JSONInput
from tests.peer.plugins.web_async import PIECE, SECRET, piece_of

CHUNK_BYTES = 64 * 1024

GARBAGE = b"\xff\xff\xff garbage"

Message = dict[str, JSONInput]


@pytest.fixture(scope="module", params=["web_async.py", "web_sync.py"])
def web(host: GoHost, request: pytest.FixtureRequest) -> Iterator[GoPlugin]:
    plugin = start_plugin(host, request.param)
    yield plugin
    assert plugin.ping().ok
    plugin.kill()


def init(path: str, *, complete: bool = False, chunk: bytes = b"") -> Message:
    """The first message of a request."""
    message: Message = {"init": {"method": "POST", "url": path, "proto": "HTTP/1.1", "content_length": "-1"}}
    return message | piece(chunk, complete=complete)


def piece(chunk: bytes = b"", *, complete: bool = False) -> Message:
    return {"body_chunk": base64.b64encode(chunk).decode(), "body_complete": complete}


def status_of(answer: StreamResult) -> JSON:
    start = answer.messages[0]["init"]
    assert isinstance(start, dict)
    return start["status_code"]


def chunks_of(answer: StreamResult) -> list[bytes]:
    return [base64.b64decode(str(message.get("body_chunk", ""))) for message in answer.messages]


def check_form(answer: StreamResult) -> None:
    """One init, first; one body_complete, last; no chunk above the size that hosts recommend."""
    assert answer.code == "OK", answer
    assert ["init" in message for message in answer.messages] == [True, *[False] * (len(answer.messages) - 1)]
    complete = [message.get("body_complete") is True for message in answer.messages]
    assert complete == [*[False] * (len(answer.messages) - 1), True]
    assert max(len(chunk) for chunk in chunks_of(answer)) <= CHUNK_BYTES


def check_refused(answer: StreamResult) -> None:
    check_form(answer)
    assert status_of(answer) == 400
    assert b"".join(chunks_of(answer)) == b"Bad Request\n"


def test_a_large_write_is_cut_into_chunks(web: GoPlugin) -> None:
    answer = web.stream([init("/download/2", complete=True)])

    check_form(answer)
    assert b"".join(chunks_of(answer)) == piece_of(0) + piece_of(1)
    assert len(answer.messages) >= 2 * PIECE // CHUNK_BYTES


def test_a_flush_is_passed_on(web: GoPlugin) -> None:
    answer = web.stream([init("/echo", chunk=b"a"), piece(b"b"), piece(complete=True)])

    check_form(answer)
    assert b"".join(chunks_of(answer)) == b"ab"
    assert sum(message.get("flush") is True for message in answer.messages) == 2


def test_a_response_without_a_body_is_one_message(web: GoPlugin) -> None:
    answer = web.stream([init("/nothing", complete=True)])

    check_form(answer)
    assert len(answer.messages) == 1


def test_empty_chunks_are_legal(web: GoPlugin) -> None:
    answer = web.stream([init("/whole-body"), piece(), piece(b"a"), piece(), piece(b"b"), piece(complete=True)])

    check_form(answer)
    assert b"".join(chunks_of(answer)) == b"ab"


def test_the_last_chunk_may_be_in_the_first_message(web: GoPlugin) -> None:
    answer = web.stream([init("/whole-body", chunk=b"all", complete=True)])

    assert b"".join(chunks_of(answer)) == b"all"


def test_an_answer_ends_without_the_end_of_the_request(web: GoPlugin) -> None:
    answer = web.stream([init("/early")], half_close=False)

    check_form(answer)
    assert status_of(answer) == 413


@pytest.mark.parametrize(
    "messages",
    [[], [piece(b"x")], [piece(complete=True), init("/nothing")], [GARBAGE], [b""]],
    ids=["nothing", "no init", "init comes second", "garbage", "an empty message"],
)
def test_a_stream_that_starts_no_request_is_refused(web: GoPlugin, messages: list[Message | bytes]) -> None:
    before = log_end(web)

    check_refused(web.stream(messages))

    web.wait_log("first message does not start a request", level="warn", after=before)


def test_an_init_without_anything_is_a_request(web: GoPlugin) -> None:
    answer = web.stream([{"init": {}, "body_complete": True}])

    check_form(answer)
    assert status_of(answer) == 404


@pytest.mark.parametrize(
    "rest",
    [[], [piece(b"more")], [init("/nothing", complete=True)], [GARBAGE]],
    ids=["nothing", "no end", "a second init", "garbage"],
)
def test_a_body_that_is_not_completed_is_refused(web: GoPlugin, rest: list[Message | bytes]) -> None:
    before = log_end(web)

    check_refused(web.stream([init("/whole-body", chunk=b"begin"), *rest]))

    web.wait_log("the request ended early", source="plugin", after=before)


@pytest.mark.parametrize(
    "rest", [[piece(b"more")], [init("/nothing", complete=True)], [GARBAGE]], ids=["a chunk", "an init", "garbage"]
)
def test_what_follows_a_complete_body_is_ignored(web: GoPlugin, rest: list[Message | bytes]) -> None:
    answer = web.stream([init("/whole-body", chunk=b"all", complete=True), *rest])

    check_form(answer)
    assert (status_of(answer), b"".join(chunks_of(answer))) == (200, b"all")


def test_a_handler_that_fails_half_way_ends_the_call_with_an_error(web: GoPlugin) -> None:
    answer = web.stream([init("/fail-late", complete=True)])

    assert answer.code not in ("OK", "CANCELLED")
    assert SECRET not in answer.message
    assert b"".join(chunks_of(answer)) == b"so far so good"
    assert not any(message.get("body_complete") for message in answer.messages)


@pytest.mark.parametrize(("path", "text"), [("/push", "the client has left"), ("/upload", "the upload broke off")])
def test_a_cancelled_call_reaches_the_handler(web: GoPlugin, path: str, text: str) -> None:
    before = log_end(web)
    stream = web.open_stream()
    stream.send(init(path))
    assert isinstance(stream.receive(), dict)

    stream.cancel()

    web.wait_log(text, source="plugin", after=before)
    while isinstance(end := stream.receive(), dict):
        pass
    assert end.code == "CANCELLED"


def test_no_failure_is_logged_for_a_client_that_left(web: GoPlugin) -> None:
    before = log_end(web)
    stream = web.open_stream()
    stream.send(init("/push"))
    assert isinstance(stream.receive(), dict)
    stream.cancel()
    left = web.wait_log("the client has left", source="plugin", after=before)

    web.stream([init("/nothing", complete=True)])

    assert [record for record in web.logs(after=left.index) if record.level in ("warn", "error")] == []
