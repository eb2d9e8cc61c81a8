"""HTTP requests over the stock wire, passed on by a host in Python: what is this wire's own.

What both wires share is in tests/conformance.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._netrpc import NetRPCError
from mattermost_plugin._stock.http_response import canonical_name
from mattermost_plugin._stock.io_reader import varint
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext
from tests.stock.stand_in import Response, served

Handler = Callable[[ResponseWriter, HTTPRequest], Awaitable[None]]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def site(handler: Handler) -> Plugin:
    class Site(Plugin):
        async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            await handler(writer, request)

    return Site()


def test_a_request_and_its_response() -> None:
    seen: list[HTTPRequest] = []

    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        seen.append(request)
        body = await request.body.aread()
        writer.headers["content-type"] = "text/plain"
        writer.headers.add("set-cookie", "a=1")
        writer.headers.add("Set-Cookie", "b=2")
        writer.write_header(201)
        await writer.awrite(b"got:" + body)
        await writer.aflush()
        await writer.awrite("end")

    async def scenario() -> None:
        async with served(site(answer)) as (host, _):
            fields = {
                "Method": "PUT",
                "URL": b"/a%20b?c=d",
                "Header": {"X-Y": ["1", "2"], "Content-Length": ["5"], "Mattermost-User-Id": ["u1"]},
                "Host": "example.com",
                "RemoteAddr": "1.2.3.4:5",
                "RequestURI": "/plugins/p/a%20b?c=d",
            }
            response = await host.serve_http(fields, b"hello")
        assert response.status == 201
        assert response.body == b"got:helloend"
        assert response.flushes == 1
        assert response.header == {
            "X-Preset": ["server"],
            "Content-Type": ["text/plain"],
            "Set-Cookie": ["a=1", "b=2"],
        }

    run(scenario)
    (request,) = seen
    assert (request.method, request.path, request.query_string) == ("PUT", "/a b", "c=d")
    assert request.headers.get_all("x-y") == ["1", "2"]
    assert (request.host, request.remote_addr) == ("example.com", "1.2.3.4:5")
    assert request.content_length == 5
    assert request.user_id == "u1"
    assert request.context.request_id == "r1"


@pytest.mark.parametrize("status", [200, 404])
def test_what_is_not_needed_is_not_called(status: int) -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.write_header(status)
        await writer.awrite("x")

    async def scenario() -> None:
        async with served(site(answer)) as (host, _):
            response = await host.serve_http()
            assert response.status == status
            assert response.header == {"X-Preset": ["server"]}
            assert response.calls == ["Header", *(["WriteHeader"] if status != 200 else []), "Write"]

    run(scenario)


def test_a_preset_field_is_replaced_by_the_same_one() -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["x-preset"] = "plugin"

    async def scenario() -> None:
        async with served(site(answer)) as (host, _):
            preset = Response({"X-Preset": ["server"], "X-Other": ["kept"]})
            response = await host.serve_http(response=preset)
            assert response.header == {"X-Preset": ["plugin"], "X-Other": ["kept"]}

    run(scenario)


class ThreadEcho(Plugin):
    """Echoes in a thread."""

    def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        for piece in request.body:
            writer.write(piece)


class LoopEcho(Plugin):
    """Echoes on the event loop."""

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        async for piece in request.body:
            await writer.awrite(piece)


@pytest.mark.parametrize("echo", [ThreadEcho, LoopEcho])
def test_large_bodies_stream_both_ways(echo: type[Plugin]) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)

    async def scenario() -> None:
        async with served(echo) as (host, _):
            response = await host.serve_http(body=content)
            assert response.body == content
            assert response.calls.count("Write") < len(content) / 50_000

    run(scenario)


def test_a_body_that_nobody_reads_holds_nothing_up() -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite("no")

    async def read_a_little(writer: ResponseWriter, request: HTTPRequest) -> None:
        await request.body.aread(10)
        await writer.awrite("some")

    async def scenario() -> None:
        content = bytes(2 * 1024 * 1024)
        async with served(site(answer)) as (host, _):
            assert (await host.serve_http(body=content)).body == b"no"
        async with served(site(read_a_little)) as (host, _):
            assert (await host.serve_http(body=content)).body == b"some"

    run(scenario)


def test_a_request_without_a_body_stream() -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        assert request.content_length == 0
        assert await request.body.aread() == b""
        await writer.awrite("none")

    async def scenario() -> None:
        async with served(site(answer)) as (host, _):
            assert (await host.serve_http(body=None)).body == b"none"

    run(scenario)


def test_a_handler_that_fails_before_its_response_is_answered_with_500() -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        raise RuntimeError("secret")

    async def scenario() -> None:
        async with served(site(answer)) as (host, _):
            response = await host.serve_http()
            assert response.status == 500
            assert response.body == b"Internal Server Error\n"
            assert response.header["X-Preset"] == ["server"]

    run(scenario)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "00"), (512, "8008"), (32768, "808004"), (-1, "01"), (1 << 62, "80808080808080808001")]
)
def test_credits_are_numbers_as_go_writes_them(number: int, expected: str) -> None:
    assert varint(number).hex() == expected


@pytest.mark.parametrize(
    ("name", "canonical"), [("content-type", "Content-Type"), ("X-REQUEST-ID", "X-Request-Id"), ("etag", "Etag")]
)
def test_names_are_those_of_gos_header(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical


def test_a_plugin_that_ends_before_its_last_piece_is_taken_does_not_call_the_response_whole() -> None:
    async def answer(writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite("hello")

    async def scenario() -> None:
        async with served(site(answer), config=RuntimeConfig(drain_s=0.02)) as (host, server):
            response = Response({})
            response.holds = "Write"
            request = asyncio.create_task(host.serve_http(response=response))
            await response.is_held.wait()
            await server.stop()
            with pytest.raises(NetRPCError):
                await request

    run(scenario)
