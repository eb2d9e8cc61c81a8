"""Calls that end in rare ways leave no stream open, tell the host what they are, and take nothing else with them."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._gob import PLAIN
from mattermost_plugin._gob.go_types import STRING
from mattermost_plugin._netrpc import StreamEndedError
from mattermost_plugin._stock import broker as broker_module
from mattermost_plugin._stock import http_service
from mattermost_plugin._stock.broker import StreamNotFoundError
from mattermost_plugin._stock.files import StreamedReplacement
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.io_reader import varint
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._thread_bridge import LoopBridge
from mattermost_plugin._yamux import StreamClosedError, StreamLimitError
from mattermost_plugin.api import APIDeadlineExceeded, APIUnavailable
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import RequestAborted
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import PluginContext, UploadSession
from mattermost_plugin.server import PluginServer
from tests.stock.pair import pair
from tests.stock.stand_in import Response, StandInHost, served


class Web(Plugin):
    """Answers requests."""

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await writer.awrite(b"hello")


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def streams_of(host: StandInHost) -> set[int]:
    """The streams that live at the host's end."""
    return set(host.mux.session.stream_ids)


async def settled(host: StandInHost) -> None:
    """What the plugin sent before has been read."""
    with pytest.raises(CallRefusedError, match="unknown plugin type"):
        await host.control.call("Dispenser.Dispense", "settle", STRING)


def test_an_activation_without_its_database_leaves_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "BROKER_TIMEOUT_S", 0.05)

    async def scenario() -> None:
        async with served(Plugin, activate=False) as (host, _):
            before = streams_of(host)
            number = host.broker.next_id()
            accepting = asyncio.create_task(host.broker.accept(number))
            results = await host.hook("OnActivate", {"APIMuxId": number, "DriverMuxId": number + 1})
            assert "cannot be reached" in results["A"]["Err"]
            api = await accepting
            with pytest.raises(StreamClosedError):
                await api.read()
            await settled(host)
            assert streams_of(host) == before

    run(scenario)


def test_a_request_without_its_body_leaves_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise StreamLimitError("no room")

    monkeypatch.setattr(http_service, "StreamedContent", no_room)

    async def scenario() -> None:
        async with served(Web) as (host, _):
            before = streams_of(host)
            with pytest.raises(CallRefusedError, match="cannot be reached: no room"):
                await host.serve_http(body=None)
            await settled(host)
            assert streams_of(host) == before

    run(scenario)


def test_a_fault_in_one_call_ends_no_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise LookupError("a fault")

    async def scenario() -> None:
        async with served(Web) as (host, _):
            with monkeypatch.context() as patched:
                patched.setattr(http_service, "_request_head", fault)
                call = host.hooks.call(
                    "Plugin.ServeHTTP", {"Request": {"Method": "GET"}}, go_type("plugin.Z_ServeHTTPArgs")
                )
                with pytest.raises(CallRefusedError, match="could not answer"):
                    await call
            assert (await host.serve_http()).body == b"hello"

    run(scenario)
    assert "Plugin.ServeHTTP could not be handled" in caplog.text


def test_content_of_a_call_that_ends_early_is_cut_off() -> None:
    """Closed, the stream would say that the content is complete."""
    taken: asyncio.Queue[MuxStream] = asyncio.Queue()

    async def scenario() -> None:
        async def take(arguments: Any) -> object:
            stream = await host.broker.dial(arguments["PluginStreamID"])
            stream.write(varint(1))
            assert await stream.read() == b"c"
            taken.put_nowait(stream)
            await asyncio.Event().wait()
            return {}

        async with served(Plugin, {"UploadData": take}) as (running, server):
            host = running
            upload = asyncio.create_task(server.plugin.api.aio.upload_data(UploadSession(id="s1"), b"content"))
            stream = await taken.get()
            upload.cancel()
            with pytest.raises(StreamClosedError):
                await stream.read()

    run(scenario)


def test_an_answer_that_nobody_waits_for_is_cut_off() -> None:
    """The host could not write the rest of it anywhere."""
    answers: asyncio.Queue[MuxStream] = asyncio.Queue()

    async def scenario() -> None:
        async def answer(arguments: Any) -> object:
            stream = await host.broker.dial(arguments["ResponseBodyStream"])
            answers.put_nowait(stream)
            return {"StatusCode": 200, "Header": {}}

        async with served(Plugin, {"PluginHTTPStream": answer}) as (running, server):
            host = running
            with pytest.raises(APIDeadlineExceeded):
                await server.plugin.api.aio.plugin_http("GET", "/other/path", timeout=0.05)
            stream = await answers.get()
            with pytest.raises(StreamClosedError):
                await stream.read()

    run(scenario)


def test_an_answer_that_the_lost_connection_keeps_is_an_error_and_no_cancellation() -> None:
    called = asyncio.Event()

    async def scenario() -> None:
        def answer(_arguments: Any) -> object:
            called.set()
            return {"StatusCode": 200, "Header": {}}

        async with served(Plugin, {"PluginHTTPStream": answer}) as (host, server):
            call = asyncio.create_task(server.plugin.api.aio.plugin_http("GET", "/other/path"))
            await called.wait()
            await settled(host)
            await host.close()
            with pytest.raises(APIUnavailable, match="the connection is over"):
                await call

    run(scenario)


def test_an_upload_that_has_ended_takes_no_content_from_who_waited_for_its_stream() -> None:
    async def scenario() -> None:
        async with pair() as (host, plugin):
            reached: asyncio.Future[MuxStream] = asyncio.get_running_loop().create_future()

            async def dial() -> MuxStream:
                return await reached

            replacement = StreamedReplacement(asyncio.create_task(dial()), LoopBridge())
            writing = asyncio.create_task(replacement.awrite(b"part"))
            await asyncio.sleep(0)
            closing = asyncio.create_task(replacement.close())
            await asyncio.sleep(0)
            reached.set_result(plugin.connection.open())
            with pytest.raises(RequestAborted):
                await writing
            await closing
            assert not replacement.has_content
            assert await (await host.accepted()).read() == b""

    run(scenario)


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_a_number_that_no_stream_can_have_opens_none(number: int) -> None:
    async def scenario() -> None:
        async with pair() as (_, plugin):
            with pytest.raises(StreamNotFoundError, match=f"no stream can have the number {number}"):
                await plugin.broker.dial(number)
            with pytest.raises(StreamNotFoundError):
                plugin.broker.begin_dial(number)
            assert plugin.connection.session.stream_ids == []

    run(scenario)


def test_a_stream_that_comes_when_its_waiter_leaves_is_cut_off() -> None:
    async def scenario() -> None:
        async with pair() as (host, plugin):
            waiting = asyncio.create_task(plugin.broker.accept(1))
            await asyncio.sleep(0)
            (waiter,) = plugin.broker._waiting.values()
            stream = host.connection.open()
            waiter.set_result(await plugin.accepted())
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(StreamClosedError):
                await stream.read()

    run(scenario)


def test_the_last_piece_of_what_is_sent_is_lost_aloud() -> None:
    async def scenario() -> None:
        async with pair() as (host, plugin):
            stream = host.connection.open()
            other = await plugin.accepted()
            # One piece, for which there is no credit.
            stream.write(bytes(256 * 1024))
            sending = asyncio.create_task(stream.send(b"last"))
            await asyncio.sleep(0)
            other.reset()
            with pytest.raises(StreamClosedError, match="was reset"):
                await sending

    run(scenario)


def test_a_short_time_limit_is_kept_beside_a_long_one() -> None:
    async def scenario() -> None:
        async with pair() as (host, plugin):
            host.connection.open()
            # Waits 5 minutes for the other end to close it, too.
            (await plugin.accepted()).close()
            # Waits 75 s to be accepted.
            plugin.connection.open()
            timer = plugin.connection._timer
            assert timer is not None
            assert timer.when() == plugin.connection.session.next_deadline()

    run(scenario)


def test_users_of_a_stream_are_told_its_end_once_and_let_go_of() -> None:
    class User:
        def __init__(self, stream: MuxStream) -> None:
            self.stream = stream
            self.ends: list[Exception | None] = []

        def data_received(self, data: bytes) -> None:
            self.stream.reset()

        def ended(self, error: Exception | None) -> None:
            self.ends.append(error)

    async def scenario() -> None:
        async with pair() as (host, plugin):
            sending = host.connection.open()
            sending.write(b"x")
            sending.close()
            stream = await plugin.accepted()
            user = User(stream)
            stream.push_to(user)
            assert len(user.ends) == 1
            gone = weakref.ref(user)
            gc.disable()
            try:
                del user
                assert gone() is None
            finally:
                gc.enable()

    run(scenario)


class SlowStart(Plugin):
    """Takes its time."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.begun = asyncio.Event()
        self.ends: list[str] = []

    async def on_activate(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise

    def on_deactivate(self) -> None:
        self.ends.append("deactivated")


def test_a_host_that_goes_during_the_activation_ends_it() -> None:
    async def scenario() -> None:
        async with served(SlowStart, config=RuntimeConfig(drain_s=0.02), activate=False) as (host, server):
            plugin = cast("SlowStart", server.plugin)
            activating = asyncio.create_task(host.activate())
            await plugin.begun.wait()
            await host.close()
            await server.wait_stop_requested()
            await server.stop()
            # It never was active.
            assert plugin.ends == ["cancelled"]
            with pytest.raises(StreamEndedError):
                await activating

    run(scenario)


def test_a_host_that_quits_before_the_activation_is_answered() -> None:
    async def scenario() -> None:
        async with served(SlowStart, activate=False) as (host, server):
            await host.quit()
            await server.wait_stop_requested()
            await host.close()
            assert server.failure == ""
            await server.stop()
            assert cast("SlowStart", server.plugin).ends == []

    run(scenario)


def test_a_request_is_answered_after_the_last_piece_and_not_before() -> None:
    async def scenario() -> None:
        async with served(Web) as (host, _):
            response = Response({})
            response.holds = "Write"
            request = asyncio.create_task(host.serve_http(response=response))
            await response.is_held.wait()
            await settled(host)
            assert not request.done()
            response.release()
            assert (await request).calls_when_answered == len(response.calls)

    run(scenario)


def test_hooks_that_are_dispensed_twice_have_two_streams() -> None:
    async def scenario() -> None:
        async with served(Plugin) as (host, server):
            number = await host.control.call("Dispenser.Dispense", "hooks", STRING, PLAIN)
            assert isinstance(number, int)
            first, host.hooks = host.hooks, RpcClient(await host.broker.dial(number))
            first.close()
            assert await host.implemented() == ["OnActivate", "OnDeactivate"]
            assert server.failure == ""

    run(scenario)


def test_a_connection_that_comes_at_the_end_is_closed_with_the_others() -> None:
    async def scenario() -> None:
        server = PluginServer(Plugin, RuntimeConfig(), wire="netrpc")
        line = await server.start()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            connection.connect(line.split("|")[3])
            # asyncio has taken it, and has not made its protocol.
            for _ in range(2):
                await asyncio.sleep(0)
            await server.stop()
            assert connection.recv(1) == b""

    run(scenario)
