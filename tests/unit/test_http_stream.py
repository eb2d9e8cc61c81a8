"""Requests that stream in: bodies for async handlers and for handlers in threads, over streams in memory."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin.errors import RequestAborted
from mattermost_pluginapi.hooks.streams import HTTPRequest, RequestBody, ResponseWriter
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest
from tests.unit.http_link import END, MemoryStream, exchange, head, in_thread, request_messages, serve

Context = PluginContext


def post(*chunks: bytes, complete: bool = True) -> list[ServeHTTPRequest]:
    return request_messages(head("POST", "/upload"), *chunks, complete=complete)


def with_request(check: Callable[[HTTPRequest], Awaitable[None]], *messages: ServeHTTPRequest) -> None:
    """Let the check look at a request on the event loop."""

    async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
        await check(request)
        await writer.awrite(b"checked")

    response, _ = exchange(handler, *messages)
    assert response.body == b"checked"


def with_body_in_thread(check: Callable[[RequestBody], None], *messages: ServeHTTPRequest) -> None:
    """Let the check read a body in a thread."""

    def handler(writer: ResponseWriter, request: HTTPRequest) -> None:
        check(request.body)
        writer.write(b"checked")

    response, _ = exchange(in_thread(handler), *messages)
    assert response.body == b"checked"


def test_a_request_tells_what_the_host_sent() -> None:
    async def check(request: HTTPRequest) -> None:
        assert (request.method, request.url) == ("POST", "/a%20b?x=1&x=2")
        assert (request.path, request.query_string) == ("/a b", "x=1&x=2")
        assert (request.proto, request.proto_major, request.proto_minor) == ("HTTP/1.1", 1, 1)
        assert request.host == "chat.example.com"
        assert request.remote_addr == "192.0.2.7:50123"
        assert request.request_uri == "/plugins/com.example.test/a%20b?x=1&x=2"
        assert request.content_length == 0
        assert request.headers.get_all("accept") == ["a", "b"]
        assert request.user_id == "user1"
        assert request.context.request_id == "req1"
        assert request.is_disconnected is False
        assert repr(request) == "<StreamedRequest POST>"

    headers = [("Accept", ["a", "b"]), ("Mattermost-User-Id", ["user1"])]
    with_request(check, *request_messages(head("POST", "/a%20b?x=1&x=2", headers=headers, content_length=0)))


def test_what_the_host_does_not_know_is_none_or_empty() -> None:
    async def check(request: HTTPRequest) -> None:
        assert request.content_length is None
        assert request.user_id == ""

    with_request(check, *request_messages(head(content_length=-1)))


def test_pieces_come_as_they_arrive_without_empty_ones() -> None:
    async def check(request: HTTPRequest) -> None:
        assert [piece async for piece in request.body] == [b"one", b"two", b"three"]
        assert [piece async for piece in request.body] == []
        assert await request.body.aread() == b""

    with_request(check, *post(b"one", b"", b"two", b"three"))


def test_a_thread_gets_the_same_pieces() -> None:
    def check(body: RequestBody) -> None:
        assert list(body) == [b"one", b"two", b"three"]
        assert list(body) == []
        assert body.read() == b""

    with_body_in_thread(check, *post(b"one", b"", b"two", b"three"))


@pytest.mark.parametrize("messages", [post(), post(b"")])
def test_an_empty_body_is_at_its_end_at_once(messages: list[ServeHTTPRequest]) -> None:
    async def check(request: HTTPRequest) -> None:
        assert await request.body.aread() == b""
        assert [piece async for piece in request.body] == []

    with_request(check, *messages)


def test_the_last_message_may_have_a_piece() -> None:
    async def check(request: HTTPRequest) -> None:
        assert await request.body.aread() == b"onetwo"

    first, *_ = post(b"one")
    with_request(check, first, ServeHTTPRequest(body_chunk=b"two", body_complete=True))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(-1, 25), max_size=30))
def test_any_sizes_read_the_same_content(chunks: list[bytes], sizes: list[int]) -> None:
    content = b"".join(chunks)

    async def check(request: HTTPRequest) -> None:
        read = b""
        for size in sizes:
            piece = await request.body.aread(size)
            assert size < 0 or len(piece) <= size
            assert piece or size == 0 or read == content
            read += piece
        assert read + await request.body.aread() == content

    with_request(check, *post(*chunks))


def test_a_thread_reads_sizes_and_the_rest() -> None:
    def check(body: RequestBody) -> None:
        assert body.read(2) == b"ab"
        assert body.read(0) == b""
        assert body.read(2) == b"cd"
        assert body.read(2) == b"e"
        assert body.read(-1) == b"fghij"
        assert body.read(5) == b""

    with_body_in_thread(check, *post(b"abcde", b"fgh", b"ij"))


def test_blocking_reads_on_the_event_loop_are_refused_by_name() -> None:
    async def check(request: HTTPRequest) -> None:
        with pytest.raises(RuntimeError, match=r"use aread\(\)"):
            request.body.read()
        with pytest.raises(RuntimeError, match="use async for"):
            iter(request.body)
        assert await request.body.aread() == b"x"

    with_request(check, *post(b"x"))


def test_nothing_is_read_from_the_host_before_the_handler_asks() -> None:
    async def run() -> None:
        stream = MemoryStream(*post(b"one", b"two", b"three"))
        reads: list[int] = []

        async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
            reads.append(stream.reads)
            async for _ in request.body:
                await asyncio.sleep(0)
                reads.append(stream.reads)

        await serve(stream, handler)
        # The first message has the first piece; from the second on, one is read ahead.
        assert reads == [1, 1, 3, 4]

    asyncio.run(run())


def test_a_cancelled_read_loses_nothing() -> None:
    async def run() -> None:
        stream = MemoryStream(post(b"one")[0])
        pieces: list[bytes] = []

        async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
            pieces.append(await request.body.aread(2))
            for _ in range(3):
                reading = asyncio.create_task(request.body.aread())
                await asyncio.sleep(0)
                reading.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reading
            stream.incoming.put_nowait(ServeHTTPRequest(body_chunk=b"two", body_complete=True))
            pieces.append(await request.body.aread())

        assert await serve(stream, handler)
        assert pieces == [b"on", b"etwo"]

    asyncio.run(run())


def test_only_one_reader_at_a_time() -> None:
    async def run() -> None:
        stream = MemoryStream(*request_messages(head("POST"), b"x", complete=False))

        async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
            reading = asyncio.create_task(request.body.aread())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task or thread"):
                await request.body.aread()
            stream.incoming.put_nowait(ServeHTTPRequest(body_chunk=b"y", body_complete=True))
            assert await reading == b"xy"

        assert await serve(stream, handler)

    asyncio.run(run())


def test_a_body_that_breaks_off_raises_each_time_it_is_read() -> None:
    async def check(request: HTTPRequest) -> None:
        assert await request.body.aread(10) == b"one"
        for _ in range(2):
            with pytest.raises(RequestAborted, match="before the body was complete"):
                await request.body.aread(10)

    with_request(check, *post(b"one", complete=False))


def test_a_body_that_breaks_off_raises_in_a_thread() -> None:
    def check(body: RequestBody) -> None:
        with pytest.raises(RequestAborted):
            body.read()
        with pytest.raises(RequestAborted):
            list(body)

    with_body_in_thread(check, *post(b"one", complete=False))


def test_a_broken_body_that_the_handler_lets_pass_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
        await request.body.aread()

    response, whole = exchange(handler, *post(b"one", complete=False))
    assert (response.status, response.body, whole) == (400, b"Bad Request\n", True)
    assert [record.levelname for record in caplog.records if record.name == "tests.http"] == ["INFO"]
    assert all(record.exc_info is None for record in caplog.records)


def test_a_second_head_ends_the_body(caplog: pytest.LogCaptureFixture) -> None:
    async def check(request: HTTPRequest) -> None:
        with pytest.raises(RequestAborted, match="second request"):
            await request.body.aread()

    first, *_ = post(b"one", complete=False)
    with_request(check, first, first)
    assert "second request" in caplog.text


def test_a_stream_error_ends_the_body() -> None:
    async def run() -> None:
        stream = MemoryStream()

        class BrokenStream(MemoryStream):
            async def read(self) -> object:
                if self.incoming.empty():
                    from grpc.aio import InternalError

                    raise InternalError("gone")
                return await super().read()

        stream = BrokenStream(*post(b"one", complete=False))

        async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
            with pytest.raises(RequestAborted, match="broke off"):
                await request.body.aread()

        assert await serve(stream, handler)

    asyncio.run(run())


@pytest.mark.parametrize("first", [ServeHTTPRequest(body_chunk=b"x"), ServeHTTPRequest(body_complete=True), END])
def test_a_stream_that_does_not_start_a_request_is_refused(first: object, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
        pytest.fail("called without a request")

    async def run() -> None:
        stream = MemoryStream(first)
        assert await serve(stream, handler)
        assert (stream.response.status, stream.response.is_whole) == (400, True)

    asyncio.run(run())
    assert "does not start a request" in caplog.text


def test_a_thread_that_outlives_its_handler_gets_no_more_of_the_body() -> None:
    async def run() -> None:
        outcome: list[BaseException] = []
        reading = threading.Event()

        def read_on(request: HTTPRequest) -> None:
            reading.set()
            try:
                request.body.read()
            except RequestAborted as error:
                outcome.append(error)

        async def handler(context: Context, writer: ResponseWriter, request: HTTPRequest) -> None:
            threads.append(asyncio.create_task(asyncio.to_thread(read_on, request)))
            await asyncio.to_thread(reading.wait)

        threads: list[asyncio.Task[None]] = []
        stream = MemoryStream(*post(b"one", complete=False))
        assert await serve(stream, handler)
        await asyncio.gather(*threads)
        assert len(outcome) == 1

    asyncio.run(run())
