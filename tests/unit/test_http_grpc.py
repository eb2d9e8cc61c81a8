"""HTTP exchanges through a real grpc.aio server and client."""

import asyncio
import gc
import logging
import threading
import tracemalloc
from collections.abc import Iterator

import grpc
import grpc.aio
import pytest

from mattermost_plugin.errors import ClientDisconnected, RequestAborted
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter
from mattermost_pluginapi.models import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse
from tests.unit.http_link import (
    GrpcHost,
    Response,
    assemble,
    grpc_host,
    head,
    in_thread,
    read_response,
    request_messages,
)

MIB = 1024 * 1024
PIECE = bytes(range(256)) * 256
# More than gRPC's own windows hold on both sides together.
FLOOD_PIECES = 64 * MIB // len(PIECE)


@pytest.fixture(autouse=True)
def _quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """grpc reports what goes wrong in a servicer; nothing may, unless a test looks for it."""
    yield
    assert [record for record in caplog.records if record.name.startswith(("grpc", "asyncio"))] == []


async def echo(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
    writer.headers["Content-Type"] = "application/octet-stream"
    async for piece in request.body:
        await writer.awrite(piece)


def echo_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
    writer.headers["Content-Type"] = "application/octet-stream"
    for piece in request.body:
        writer.write(piece)


@pytest.mark.parametrize("threaded", [False, True])
def test_pieces_go_both_ways_at_once(threaded: bool) -> None:
    async def run() -> None:
        async with grpc_host(in_thread(echo_in_thread) if threaded else echo) as host:
            call = host.call()
            await call.write(request_messages(head("POST"), b"one")[0])
            first = await call.read()
            assert isinstance(first, ServeHTTPResponse)
            assert (first.init.status_code, first.body_chunk) == (200, b"one")
            await call.write(ServeHTTPRequest(body_chunk=b"two"))
            second = await call.read()
            assert isinstance(second, ServeHTTPResponse)
            assert second.body_chunk == b"two"
            await call.write(ServeHTTPRequest(body_complete=True))
            await call.done_writing()
            last = await call.read()
            assert last == ServeHTTPResponse(body_complete=True)
            assert await call.code() is grpc.StatusCode.OK

    asyncio.run(run())


async def flood(call: grpc.aio.StreamStreamCall[ServeHTTPRequest, ServeHTTPResponse], pieces: int) -> None:
    await call.write(request_messages(head("POST"), PIECE)[0])
    message = ServeHTTPRequest(body_chunk=PIECE)
    for _ in range(pieces - 1):
        await call.write(message)
    await call.write(ServeHTTPRequest(body_complete=True))
    await call.done_writing()


@pytest.mark.parametrize("threaded", [False, True])
def test_64_mib_pass_through_in_flat_memory(threaded: bool) -> None:
    async def run() -> int:
        async with grpc_host(in_thread(echo_in_thread) if threaded else echo) as host:
            call = host.call()
            sending = asyncio.create_task(flood(call, FLOOD_PIECES))
            received = 0
            gc.collect()
            tracemalloc.start()
            try:
                while isinstance(message := await call.read(), ServeHTTPResponse) and not message.body_complete:
                    received += len(message.body_chunk)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            await sending
            assert received == 64 * MIB
            return peak

    assert asyncio.run(run()) < 4 * MIB


def test_a_client_that_does_not_read_stops_the_handlers_writes() -> None:
    async def run() -> None:
        written = 0
        left = asyncio.Event()

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            nonlocal written
            if request.method == "OPTIONS":
                return
            try:
                for _ in range(FLOOD_PIECES):
                    await writer.awrite(PIECE)
                    written += 1
            finally:
                left.set()

        async with grpc_host(handler) as host:
            call = await host.send(request_messages(head()))
            await host.wait_stalled(lambda: written)
            assert 0 < written < FLOOD_PIECES
            call.cancel()
            await left.wait()

    asyncio.run(run())


def test_a_handler_that_does_not_read_stops_the_client() -> None:
    async def run() -> None:
        sent = 0
        go_on = asyncio.Event()

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            if request.method == "OPTIONS":
                return
            await go_on.wait()
            count = 0
            async for piece in request.body:
                count += len(piece)
            await writer.awrite(str(count))

        async def send(host: GrpcHost) -> Response:
            nonlocal sent
            call = host.call()
            await call.write(request_messages(head("POST"), PIECE)[0])
            for _ in range(FLOOD_PIECES - 1):
                await call.write(ServeHTTPRequest(body_chunk=PIECE))
                sent += 1
            await call.write(ServeHTTPRequest(body_complete=True))
            await call.done_writing()
            return await read_response(call)

        async with grpc_host(handler) as host:
            sending = asyncio.create_task(send(host))
            await host.wait_stalled(lambda: sent)
            assert 0 < sent < FLOOD_PIECES - 1
            go_on.set()
            assert (await sending).body == str(64 * MIB).encode()

    asyncio.run(run())


def test_an_answer_may_come_before_the_body() -> None:
    async def run() -> None:
        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            writer.write_header(413)
            await writer.awrite(b"too large")

        async with grpc_host(handler) as host:
            call = host.call()
            await call.write(request_messages(head("POST"), PIECE)[0])
            response = await read_response(call)
            assert (response.status, response.body, response.is_whole) == (413, b"too large", True)
            assert await call.code() is grpc.StatusCode.OK

    asyncio.run(run())


def test_an_answer_may_come_in_the_middle_of_the_body() -> None:
    async def run() -> None:
        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            async for _ in request.body:
                break
            await writer.awrite(b"enough")

        async with grpc_host(handler) as host:
            call = host.call()
            for message in request_messages(head("POST"), b"", PIECE, complete=False):
                await call.write(message)
            assert (await read_response(call)).body == b"enough"
            assert await call.code() is grpc.StatusCode.OK

    asyncio.run(run())


def test_a_failure_after_the_first_piece_ends_the_call_with_an_error() -> None:
    async def run() -> None:
        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            await writer.awrite(b"half")
            raise ValueError("secret")

        async with grpc_host(handler) as host:
            call = await host.send(request_messages(head()))
            message = await call.read()
            assert isinstance(message, ServeHTTPResponse)
            assert message.body_chunk == b"half"
            with pytest.raises(grpc.aio.AioRpcError):
                await call.read()
            assert await call.code() is grpc.StatusCode.INTERNAL
            assert "secret" not in await call.details()

    asyncio.run(run())


def test_an_async_handler_is_cancelled_and_told_when_the_client_goes(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        seen: list[str] = []
        over = asyncio.Event()

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            async def watch() -> None:
                await request.wait_disconnected()
                seen.append("watcher")

            watcher = asyncio.create_task(watch())
            await writer.awrite(b"event")
            assert not request.is_disconnected
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                assert request.is_disconnected
                await watcher
                with pytest.raises(ClientDisconnected):
                    await writer.awrite(b"more")
                seen.append("handler")
                raise
            finally:
                over.set()

        async with grpc_host(handler) as host:
            call = await host.send(request_messages(head()))
            await call.read()
            call.cancel()
            await over.wait()
            assert seen == ["watcher", "handler"]

    asyncio.run(run())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_handler_in_a_thread_is_told_when_the_client_goes() -> None:
    async def run() -> None:
        errors: list[Exception] = []
        over = threading.Event()

        def handler(writer: ResponseWriter, request: HTTPRequest) -> None:
            try:
                while True:
                    writer.write(PIECE)
            except ClientDisconnected as error:
                assert request.is_disconnected
                errors.append(error)
            finally:
                over.set()

        async with grpc_host(in_thread(handler)) as host:
            call = await host.send(request_messages(head()))
            await call.read()
            call.cancel()
            await asyncio.to_thread(over.wait)
            assert len(errors) == 1

    asyncio.run(run())


def test_a_thread_that_reads_is_told_when_the_client_goes() -> None:
    async def run() -> None:
        errors: list[Exception] = []
        over = threading.Event()

        def handler(writer: ResponseWriter, request: HTTPRequest) -> None:
            writer.write(b"ready")
            try:
                request.body.read()
            except RequestAborted as error:
                errors.append(error)
            finally:
                over.set()

        async with grpc_host(in_thread(handler)) as host:
            call = host.call()
            await call.write(request_messages(head("POST"), b"one")[0])
            await call.read()
            call.cancel()
            await asyncio.to_thread(over.wait)
            assert len(errors) == 1

    asyncio.run(run())


def test_a_body_that_the_host_gave_up_on_is_answered() -> None:
    async def run() -> None:
        async with grpc_host(echo) as host:
            call = await host.send(request_messages(head("POST"), complete=False))
            response = await read_response(call)
            assert (response.status, response.is_whole) == (400, True)

    asyncio.run(run())


@pytest.mark.parametrize("messages", [[], [ServeHTTPRequest()], [ServeHTTPRequest(body_chunk=b"x")]])
def test_a_stream_without_a_head_is_refused(messages: list[ServeHTTPRequest]) -> None:
    async def run() -> None:
        async with grpc_host(echo) as host:
            call = await host.send(messages)
            assert (await read_response(call)).status == 400
            assert await call.code() is grpc.StatusCode.OK

    asyncio.run(run())


def test_bytes_that_are_no_message_break_the_body_off() -> None:
    async def run() -> None:
        outcome: list[str] = []

        async def handler(context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            try:
                await request.body.aread()
            except RequestAborted as error:
                outcome.append(str(error))

        async with grpc_host(handler) as host:
            raw = host.raw_call()
            first = request_messages(head("POST"), b"one")[0]
            await raw.write(first.SerializeToString())
            await raw.write(b"\xff\xff\xff")
            await raw.done_writing()
            messages = [ServeHTTPResponse.FromString(data) async for data in raw]
            assert assemble(messages).is_whole
        assert outcome == ["the stream broke off before the body was complete (DecodeError)"]

    asyncio.run(run())
