"""What a server does not survive, or does not get over, cannot be done to it by accident through this SDK.

Go's own go-plugin is the host where it would die; each test ends with a sign of its life. Ids of transactions and rows
are those of the database's tests.
"""

import asyncio
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin import Plugin
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext
from mattermost_plugin.server import PluginServer, format_handshake_line
from mattermost_pluginapi.stock.methods import API_METHODS, HOOKS
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.stock.gostock import GoStock
from tests.stock.plugins.careless_plugin import BAD_URLS
from tests.stock.stand_in import Response, served

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "careless_plugin.py"
API: dict[str, Any] = {"PluginHTTPStream": {}, "LogInfo": {}}

LONG_LINE_BYTES = 1024 * 1024
# go-plugin gives a process 2 s to end, pipes included.
KILL_MS = 1900

go = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]


class Careless:
    """The careless plugin under a host."""

    def __init__(self, host: GoStock) -> None:
        self.host = host

    def do(self, command: str) -> str:
        reply = self.host.hook("ExecuteCommand", A={}, B={"Command": command})
        assert reply["B"] is None, reply
        return str(reply["A"]["Text"])


@pytest.fixture
def careless(program: Path) -> Iterator[Careless]:
    """An active plugin; at the end its host must live."""
    with GoStock(program) as host:
        host.start([sys.executable, str(PLUGIN)], api=API, env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""})
        assert host.activate() == ""
        yield Careless(host)
        host.ping()


class TestGoHost:
    """With a Go host that would die or hang."""

    pytestmark = go

    def test_a_certificate_that_is_printed_is_no_part_of_the_handshake(self, careless: Careless) -> None:
        # It was printed at import, in the form of a handshake.
        careless.host.ping()

    def test_fields_of_log_lines_that_are_no_texts(self, careless: Careless) -> None:
        assert careless.do("lines") == "0"

    def test_lines_longer_than_any_buffer(self, careless: Careless) -> None:
        assert careless.do(f"long {LONG_LINE_BYTES}") == "written"

    def test_a_child_does_not_hold_the_pipes(self, program: Path) -> None:
        with GoStock(program) as host:
            host.start([sys.executable, str(PLUGIN)], api=API, env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""})
            assert host.activate() == ""
            child = int(Careless(host).do("child"))
            try:
                assert host.kill() < KILL_MS
            finally:
                # Fails if it does not run any more.
                os.kill(child, signal.SIGKILL)

    def test_requests_without_a_url_that_is_one(self, careless: Careless) -> None:
        outcomes = careless.do("urls").split()
        assert len(outcomes) == len(BAD_URLS)
        assert set(outcomes) <= {"404", "InvalidArgumentError", "ServerError"}

    def test_pairs_for_the_log_are_texts(self, careless: Careless) -> None:
        assert careless.do("pairs") == "logged"
        (call,) = careless.host.api_calls()
        assert all(isinstance(each, str) for each in call["args"]["B"])


addresses = st.text(max_size=40) | st.from_regex(r"/[a-z/|]{1,40}", fullmatch=True)


@given(addresses, st.sampled_from(["unix", "tcp"]), st.sampled_from(["grpc", "netrpc"]))
def test_no_handshake_has_a_certificate(address: str, network: str, protocol: str) -> None:
    try:
        line = format_handshake_line(address, network=network, protocol=protocol)
    except ValueError:
        return
    # A sixth field would be one. Go's own plugins end with an empty one, too.
    assert not any(line.split("|")[5:])
    assert "\n" not in line


SYN, ACK, RST = 1, 2, 8
STREAMS = 600
"""More than Go opens without an answer, and more than an end must take."""

_FRAME = struct.Struct(">BBHII")


def test_every_stream_is_answered_at_once() -> None:
    # A Go host ends the whole session 75 s after it has opened a stream that nobody acknowledges.
    async def scenario() -> None:
        server = PluginServer(Plugin(), RuntimeConfig(), wire="netrpc")
        address = (await server.start()).split("|")[3]
        try:
            async with asyncio.timeout(20):
                reader, writer = await asyncio.open_unix_connection(address)
                numbers = {2 * index + 1 for index in range(STREAMS)}
                writer.write(b"".join(_FRAME.pack(0, 1, SYN, number, 0) for number in sorted(numbers)))
                while numbers:
                    _, kind, flags, number, length = _FRAME.unpack(await reader.readexactly(_FRAME.size))
                    if kind == 0:
                        await reader.readexactly(length)
                    if flags & (ACK | RST):
                        numbers.discard(number)
                writer.close()
        finally:
            await server.stop()

    asyncio.run(scenario())


def test_a_response_writer_is_left_alone_once_the_request_is_answered() -> None:
    # The host's answer reads the header then: Go dies of a map that is read and changed at the same time.
    class WritesOn(Plugin):
        async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
            async def write_on() -> None:
                while True:
                    await writer.awrite("more")

            self.writing = asyncio.create_task(write_on())
            await writer.awrite("all")

    async def scenario() -> None:
        async with served(WritesOn) as (host, server):
            for _ in range(20):
                response = Response({})
                await host.serve_http(response=response)
                assert len(response.calls) == response.calls_when_answered
                writing = cast("WritesOn", server.plugin).writing
                await asyncio.wait([writing])
                assert writing.exception() is not None

    asyncio.run(scenario())


def structs_in(name: str, seen: set[str]) -> set[str]:
    """Every struct map and JSON struct that a struct map leads to."""
    for _, _, conversion, detail in STRUCTS[name][2]:
        inner = detail.partition(" ")[2] if conversion == "variant" else detail
        if inner and inner not in seen and conversion not in ("enum", "index"):
            seen.add(inner)
            if inner in STRUCTS:
                structs_in(inner, seen)
    return seen


def test_a_configuration_has_no_way_to_the_server_but_those_that_are_closed() -> None:
    # Every switch in it that is off would come back as its default.
    ways = {name for name, (arguments, _) in API_METHODS.items() if "model.Config" in structs_in(arguments, set())}
    ways |= {name for name, (_, results) in HOOKS.items() if "model.Config" in structs_in(results, set())}
    # Refused by the API's routes, and by the route of the hook: see test_api and test_hooks of tests/conformance.
    assert ways == {"SaveConfig", "ConfigurationWillBeSaved"}
