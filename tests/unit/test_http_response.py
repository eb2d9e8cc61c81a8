"""Responses that stream out, over streams in memory."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._http_response import CHUNK_SIZE
from mattermost_plugin.errors import ClientDisconnected, HeadersSentError
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPResponse
from tests.unit.http_link import (
    END,
    MemoryStream,
    Response,
    assemble,
    exchange,
    head,
    in_thread,
    request_messages,
    serve,
)

GET = request_messages(head())


def messages_of(answer: Callable[[ResponseWriter], Awaitable[None]]) -> list[ServeHTTPResponse]:
    """The messages of an async handler's answer."""

    async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await answer(writer)

    async def run() -> list[ServeHTTPResponse]:
        stream = MemoryStream(*GET, END)
        await serve(stream, handler)
        return stream.sent

    return asyncio.run(run())


def answered(answer: Callable[[ResponseWriter], Awaitable[None]]) -> Response:
    return assemble(messages_of(answer))


def answered_in_thread(answer: Callable[[ResponseWriter], None]) -> Response:
    return exchange(in_thread(lambda writer, request: answer(writer)), *GET)[0]


def test_a_handler_that_writes_nothing_answers_200() -> None:
    async def answer(writer: ResponseWriter) -> None:
        assert (writer.status, writer.header_sent) == (200, False)
        writer.headers["X-Empty"] = "yes"

    (message,) = messages_of(answer)
    assert assemble([message]) == Response(200, [("X-Empty", "yes")], b"", True)


def test_the_head_travels_with_the_first_piece_and_then_is_fixed() -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.headers["Content-Type"] = "text/plain"
        writer.headers.add("Set-Cookie", "a=1")
        writer.headers.add("set-cookie", "b=2")
        writer.write_header(HTTPStatus.CREATED)
        assert (writer.status, writer.header_sent) == (201, True)
        await writer.awrite("größer")
        with pytest.raises(HeadersSentError):
            writer.headers["X-Late"] = "1"
        with pytest.raises(HeadersSentError):
            writer.write_header(500)
        await writer.awrite(b" more")

    first, second, last = messages_of(answer)
    assert first.init.status_code == 201
    assert [(field.key, list(field.values)) for field in first.init.headers] == [
        ("Content-Type", ["text/plain"]),
        ("Set-Cookie", ["a=1", "b=2"]),
    ]
    assert (first.body_chunk, second.body_chunk) == ("größer".encode(), b" more")
    assert last == ServeHTTPResponse(body_complete=True)


def test_write_header_locks_at_once_and_waits_for_the_first_piece() -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.write_header(404)
        with pytest.raises(HeadersSentError):
            writer.headers["X-Late"] = "1"

    (message,) = messages_of(answer)
    assert (message.init.status_code, message.body_complete) == (404, True)


@pytest.mark.parametrize("status", [0, 99, 1000, -1, "200", None])
def test_a_status_that_the_server_does_not_take_is_refused(status: int) -> None:
    async def answer(writer: ResponseWriter) -> None:
        with pytest.raises(ValueError, match="from 100 to 999"):
            writer.write_header(status)
        assert writer.header_sent is False

    assert answered(answer).status == 200


@pytest.mark.parametrize("status", [100, 299, 999])
def test_any_status_that_the_server_takes_is_sent(status: int) -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.write_header(status)

    assert answered(answer).status == status


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_sends_none(status: int) -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.write_header(status)
        await writer.awrite(b"nobody may see this")

    (message,) = messages_of(answer)
    assert assemble([message]) == Response(status, [], b"", True)


def test_a_flush_before_the_first_write_sends_the_head() -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.headers["X-A"] = "1"
        await writer.aflush()
        assert writer.header_sent
        await writer.awrite(b"x")
        await writer.aflush()

    first, second, third, last = messages_of(answer)
    assert (first.init.status_code, first.flush, first.body_chunk) == (200, True, b"")
    assert (second.body_chunk, second.flush) == (b"x", False)
    assert (third.body_chunk, third.flush) == (b"", True)
    assert last.body_complete


def test_an_empty_write_fixes_the_head_and_sends_no_message() -> None:
    async def answer(writer: ResponseWriter) -> None:
        await writer.awrite(b"")
        assert writer.header_sent

    assert len(messages_of(answer)) == 1


@settings(deadline=None)
@given(st.integers(0, 3), st.integers(-2, 2))
def test_long_writes_are_cut_into_pieces(pieces: int, extra: int) -> None:
    data = bytes(range(256)) * (CHUNK_SIZE // 256) * pieces + b"!" * max(extra, 0)
    data = data[: len(data) + min(extra, 0)]

    async def answer(writer: ResponseWriter) -> None:
        await writer.awrite(data)

    *chunks, _ = messages_of(answer)
    assert b"".join(chunk.body_chunk for chunk in chunks) == data
    assert len(chunks) == -(-len(data) // CHUNK_SIZE)


def test_a_piece_of_the_right_size_is_passed_on_as_it_is() -> None:
    async def run() -> None:
        piece = bytes(CHUNK_SIZE)
        sent: list[bytes] = []

        class Sink:
            async def send(self, head: object, chunk: bytes, *, flush: bool, complete: bool) -> None:
                sent.append(chunk)

        from mattermost_plugin._http_response import StreamedResponse
        from mattermost_plugin._thread_bridge import LoopBridge

        await StreamedResponse(Sink(), LoopBridge(), asyncio.Event()).awrite(piece)
        assert sent[0] is piece

    asyncio.run(run())


def test_other_bytes_are_taken_and_other_types_refused() -> None:
    async def answer(writer: ResponseWriter) -> None:
        with pytest.raises(TypeError, match="not dict"):
            await writer.awrite({"a": 1})  # type: ignore[arg-type]  # the wrong type is the point
        await writer.awrite(bytearray(b"a"))  # type: ignore[arg-type]  # lenient at run time
        await writer.awrite(memoryview(b"b"))  # type: ignore[arg-type]  # lenient at run time

    assert answered(answer).body == b"ab"


def test_blocking_calls_on_the_event_loop_are_refused_by_name() -> None:
    async def answer(writer: ResponseWriter) -> None:
        with pytest.raises(RuntimeError, match=r"use awrite\(\)"):
            writer.write(b"x")
        with pytest.raises(RuntimeError, match=r"use aflush\(\)"):
            writer.flush()

    assert answered(answer).body == b""


def test_a_thread_writes_the_same_response() -> None:
    data = bytes(CHUNK_SIZE * 2 + 1)

    def answer(writer: ResponseWriter) -> None:
        writer.headers["X-A"] = "1"
        writer.write_header(202)
        writer.write("text")
        writer.flush()
        writer.write(data)

    assert answered_in_thread(answer) == Response(202, [("X-A", "1")], b"text" + data, True)


def test_a_thread_waits_while_the_client_is_slower() -> None:
    async def run() -> None:
        stream = MemoryStream(*GET, END)
        stream.writable.clear()
        progress: list[str] = []
        started = threading.Event()

        def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
            started.set()
            writer.write(b"x")
            progress.append("written")

        exchange_task = asyncio.create_task(serve(stream, in_thread(answer)))
        await asyncio.to_thread(started.wait)
        assert progress == []
        stream.writable.set()
        assert await exchange_task
        assert progress == ["written"]

    asyncio.run(run())


def test_pieces_of_several_tasks_do_not_collide() -> None:
    async def answer(writer: ResponseWriter) -> None:
        async with asyncio.TaskGroup() as group:
            for letter in (b"a", b"b", b"c"):
                group.create_task(writer.awrite(letter * (CHUNK_SIZE + 1)))

    body = answered(answer).body
    assert body == b"".join(letter * (CHUNK_SIZE + 1) for letter in (b"a", b"b", b"c"))


def failing(answer: Callable[[ResponseWriter], Awaitable[None]], error: BaseException) -> tuple[Response, bool]:
    async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await answer(writer)
        raise error

    return exchange(handler, *GET)


def test_a_failure_before_the_first_piece_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(writer: ResponseWriter) -> None:
        writer.headers["Content-Length"] = "5"
        writer.write_header(201)

    response, whole = failing(answer, ValueError("secret"))
    assert (response.status, response.body, whole) == (500, b"Internal Server Error\n", True)
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert "secret" not in repr(response)
    assert not any(name == "Content-Length" for name, _ in response.headers)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "req1" in record.getMessage()


def test_a_failure_after_the_first_piece_cuts_the_response_off() -> None:
    async def answer(writer: ResponseWriter) -> None:
        await writer.awrite(b"half")

    response, whole = failing(answer, ValueError("secret"))
    assert (response.status, response.body) == (200, b"half")
    assert (response.is_whole, whole) == (False, False)


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), ClientDisconnected("made up")])
def test_no_exception_of_a_handler_leaves_the_exchange(error: BaseException) -> None:
    async def answer(writer: ResponseWriter) -> None: ...

    response, whole = failing(answer, error)
    assert response.status in (400, 500)
    assert whole


def test_sys_exit_in_a_thread_is_a_failure() -> None:
    def answer(writer: ResponseWriter) -> None:
        raise SystemExit(3)

    assert answered_in_thread(answer).status == 500


def test_a_cancelled_write_ends_the_response() -> None:
    async def run() -> None:
        stream = MemoryStream(*GET, END)

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            await writer.awrite(b"one")
            stream.writable.clear()
            writing = asyncio.create_task(writer.awrite(b"two"))
            await asyncio.sleep(0)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            stream.writable.set()
            with pytest.raises(RuntimeError, match="was cancelled"):
                await writer.awrite(b"three")

        assert not await serve(stream, handler)
        assert not stream.response.is_whole

    asyncio.run(run())


def test_a_write_to_a_broken_stream_says_that_the_client_has_gone() -> None:
    async def run() -> None:
        stream = MemoryStream(*GET, END)

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            await writer.awrite(b"one")
            stream.is_broken = True
            for _ in range(2):
                with pytest.raises(ClientDisconnected):
                    await writer.awrite(b"two")
            assert request.is_disconnected
            await request.wait_disconnected()

        with pytest.raises(asyncio.CancelledError):
            await serve(stream, handler)
        assert len(stream.sent) == 1

    asyncio.run(run())


def test_what_outlives_the_handler_cannot_write() -> None:
    async def run() -> None:
        stream = MemoryStream(*GET, END)
        kept: list[ResponseWriter] = []

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            kept.append(writer)
            raise TimeoutError

        assert await serve(stream, handler)
        (writer,) = kept
        with pytest.raises(RuntimeError, match="handler has ended"):
            await writer.awrite(b"late")
        with pytest.raises(RuntimeError, match="handler has ended"):
            await asyncio.to_thread(writer.write, b"late")
        with pytest.raises(HeadersSentError):
            writer.headers["X-Late"] = "1"
        with pytest.raises(HeadersSentError):
            writer.write_header(200)
        assert stream.response.body == b"Internal Server Error\n"

    asyncio.run(run())


def test_a_thread_that_is_left_in_a_write_is_woken() -> None:
    async def run() -> None:
        stream = MemoryStream(*GET, END)
        errors: list[Exception] = []
        written = threading.Event()
        threads: list[asyncio.Task[None]] = []

        def write_on(writer: ResponseWriter) -> None:
            writer.write(b"one")
            stream.writable.clear()
            written.set()
            try:
                writer.write(b"two")
            except RuntimeError as error:
                errors.append(error)

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            threads.append(asyncio.create_task(asyncio.to_thread(write_on, writer)))
            await asyncio.to_thread(written.wait)
            # The limit of a handler's time passes.
            raise TimeoutError

        assert not await serve(stream, handler)
        await asyncio.gather(*threads)
        assert "handler has ended" in str(errors[0])

    asyncio.run(run())
