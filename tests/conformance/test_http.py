"""ServeHTTP and ServeMetrics over every wire."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import RequestAborted
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from tests.conformance.hosts import WIRES, hosted, recorder_of
from tests.conformance.http_seen import HTTPAsked, HTTPSeen, asked
from tests.conformance.recorder import HTTP_HOOKS, STYLES, Act, Style, recorder
from tests.conformance.texts import SECRET

every_wire = pytest.mark.parametrize("wire", WIRES)
every_style = pytest.mark.parametrize("style", STYLES)
every_hook = pytest.mark.parametrize("hook", HTTP_HOOKS)

# Any: handlers of either style.


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def answered(wire: WireName, style: Style, act: Act, request: HTTPAsked, hook: HookName) -> HTTPSeen:
    """The response to a request whose handler does that, from a plugin that goes on afterwards."""
    seen: list[HTTPSeen] = []

    async def scenario() -> None:
        async with hosted(wire, recorder(style)) as host:
            recorder_of(host).acts[hook] = act
            seen.append(await host.http(hook, request))
            assert len(await host.implemented()) == len(HookName)

    run(scenario)
    return seen[0]


async def async_answer(writer: ResponseWriter, request: HTTPRequest) -> None:
    body = await request.body.aread()
    head(writer)
    await writer.awrite(b"got:" + body)
    await writer.aflush()
    await writer.awrite("end")


def thread_answer(writer: ResponseWriter, request: HTTPRequest) -> None:
    body = request.body.read()
    head(writer)
    writer.write(b"got:" + body)
    writer.flush()
    writer.write("end")


def head(writer: ResponseWriter) -> None:
    writer.headers["content-type"] = "text/plain"
    writer.headers.add("Set-Cookie", "a=1")
    writer.headers.add("Set-Cookie", "b=2")
    writer.write_header(201)


@every_wire
@every_style
@every_hook
def test_a_request_and_its_response(wire: WireName, style: Style, hook: HookName) -> None:
    request = asked(
        "PUT", "/caf%C3%A9/x?q=a%20b&q=c", b"hello", headers=[("X-Many", ["1", "2"]), ("Mattermost-User-Id", ["u1"])]
    )
    requests: list[HTTPRequest] = []

    async def act_async(writer: ResponseWriter, request: HTTPRequest) -> None:
        requests.append(request)
        await async_answer(writer, request)

    def act_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
        requests.append(request)
        thread_answer(writer, request)

    seen = answered(wire, style, act_async if style == "async def" else act_in_thread, request, hook)

    assert (seen.status, seen.body, seen.is_whole, seen.has_flushed) == (201, b"got:helloend", True, True)
    headers = {name.title(): values for name, values in seen.headers.items()}
    assert headers == {"Content-Type": ["text/plain"], "Set-Cookie": ["a=1", "b=2"]}
    (found,) = requests
    assert (found.method, found.url) == ("PUT", "/caf%C3%A9/x?q=a%20b&q=c")
    assert (found.path, found.query_string) == ("/café/x", "q=a%20b&q=c")
    assert found.headers.get_all("x-many") == ["1", "2"]
    assert (found.proto, found.proto_major, found.proto_minor) == ("HTTP/1.1", 1, 1)
    assert (found.host, found.remote_addr) == ("chat.example.com", "192.0.2.7:50123")
    assert found.request_uri == "/plugins/com.example.test/caf%C3%A9/x?q=a%20b&q=c"
    assert (found.content_length, found.user_id) == (5, "u1")
    assert found.context == request.init.plugin_context


@every_wire
@every_style
@every_hook
def test_a_handler_that_does_nothing_answers_200(wire: WireName, style: Style, hook: HookName) -> None:
    seen = answered(wire, style, lambda *_: None, asked(), hook)

    assert seen[:1] + seen[2:4] == (200, b"", True)


async def async_echo(writer: ResponseWriter, request: HTTPRequest) -> None:
    async for piece in request.body:
        await writer.awrite(piece)


def thread_echo(writer: ResponseWriter, request: HTTPRequest) -> None:
    for piece in request.body:
        writer.write(piece)


@every_wire
@every_style
@every_hook
def test_large_bodies_stream_both_ways(wire: WireName, style: Style, hook: HookName) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)

    seen = answered(wire, style, async_echo if style == "async def" else thread_echo, asked("POST", body=content), hook)

    assert (seen.status, seen.is_whole) == (200, True)
    assert seen.body == content


@every_wire
@every_style
def test_a_body_that_nobody_reads_holds_nothing_up(wire: WireName, style: Style) -> None:
    async def refuse(writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(413)
        await writer.awrite("too much")

    def refuse_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(413)
        writer.write("too much")

    request = asked("POST", body=bytes(2 * 1024 * 1024))
    seen = answered(wire, style, refuse if style == "async def" else refuse_in_thread, request, HookName.ServeHTTP)

    assert (seen.status, seen.body, seen.is_whole) == (413, b"too much", True)


def failing(style: Style, after: str) -> Act:
    async def fail(writer: ResponseWriter, request: HTTPRequest) -> None:
        if after:
            await writer.awrite(after)
            await writer.aflush()
        raise RuntimeError(SECRET)

    def fail_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
        if after:
            writer.write(after)
            writer.flush()
        raise RuntimeError(SECRET)

    return fail if style == "async def" else fail_in_thread


@every_wire
@every_style
@every_hook
def test_a_handler_that_fails_answers_a_fixed_500(
    wire: WireName, style: Style, hook: HookName, caplog: pytest.LogCaptureFixture
) -> None:
    seen = answered(wire, style, failing(style, ""), asked(), hook)

    assert (seen.status, seen.body, seen.is_whole) == (500, b"Internal Server Error\n", True)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == f"{hook}: the handler failed (request r1)"
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


@every_wire
@every_style
@every_hook
@pytest.mark.parametrize("can_hijack", [True, False], ids=["HTTP/1", "HTTP/2"])
def test_a_handler_that_fails_half_way_cuts_the_response(
    wire: WireName, style: Style, hook: HookName, can_hijack: bool
) -> None:
    seen = answered(wire, style, failing(style, "half of"), asked(can_hijack=can_hijack), hook)

    assert (seen.status, seen.body, seen.is_whole) == (200, b"half of", False)


@every_wire
@every_style
@every_hook
def test_a_client_that_has_gone_ends_the_handler(wire: WireName, style: Style, hook: HookName) -> None:
    ended: list[bool] = []
    over = asyncio.Event()

    async def push(writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            while True:
                await writer.awrite("tick")
                await writer.aflush()
        finally:
            ended.append(request.is_disconnected)
            over.set()

    def push_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            while True:
                writer.write("tick")
                writer.flush()
        finally:
            ended.append(request.is_disconnected)
            loop[0].call_soon_threadsafe(over.set)

    loop: list[asyncio.AbstractEventLoop] = []

    async def scenario() -> None:
        loop.append(asyncio.get_running_loop())
        async with hosted(wire, recorder(style)) as host:
            recorder_of(host).acts[hook] = push if style == "async def" else push_in_thread
            await host.http(hook, asked(leaves_after=8))
            await over.wait()

    run(scenario)
    assert ended == [True]


@every_wire
@every_style
@every_hook
def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(wire: WireName, style: Style, hook: HookName) -> None:
    raised: list[type[BaseException]] = []

    async def read(writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            await request.body.aread()
        except BaseException as error:
            raised.append(type(error))
            raise

    def read_in_thread(writer: ResponseWriter, request: HTTPRequest) -> None:
        try:
            request.body.read()
        except BaseException as error:
            raised.append(type(error))
            raise

    request = asked("POST", body=b"12345", length=10, is_broken_off=True)
    seen = answered(wire, style, read if style == "async def" else read_in_thread, request, hook)

    assert raised == [RequestAborted]
    assert (seen.status, seen.body) == (400, b"Bad Request\n")


@every_wire
def test_a_body_that_is_read_too_late_is_told_of(wire: WireName, caplog: pytest.LogCaptureFixture) -> None:
    async def read_late(writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite("first")
        await writer.aflush()
        await request.body.aread()

    request = asked("POST", body=b"12345", length=10, is_broken_off=True)
    seen = answered(wire, "async def", read_late, request, HookName.ServeHTTP)

    assert (seen.body, seen.is_whole) == (b"first", False)
    (record,) = [record for record in caplog.records if "ended early" in record.getMessage()]
    assert record.levelno == logging.WARNING
    assert "read it before the first write" in record.getMessage()


@every_wire
def test_requests_that_run_at_the_end_are_cut_off(wire: WireName) -> None:
    begun = asyncio.Event()

    async def hang(writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite("half of")
        await writer.aflush()
        begun.set()
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with hosted(wire, recorder("async def"), RuntimeConfig(drain_s=0.01)) as host:
            recorder_of(host).acts[HookName.ServeHTTP] = hang
            request = asyncio.create_task(host.http(HookName.ServeHTTP, asked()))
            await begun.wait()
            await host.server.stop()
            seen = await request
            assert (seen.body, seen.is_whole) == (b"half of", False)

    run(scenario)
