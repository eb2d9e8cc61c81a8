"""A host that asks for answers and does not take them."""

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Any

import pytest

from mattermost_plugin._gob import PLAIN, SKIP, Limits
from mattermost_plugin._gob.go_types import STRING
from mattermost_plugin._netrpc import ClientConnection, no_such_method
from mattermost_plugin._stock import connection as connection_module
from mattermost_plugin._stock import host_connection as host_module
from mattermost_plugin._stock import rpc_streams
from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.host_connection import HostConnection
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import Role
from tests.fuzz.pipe import Pipe
from tests.fuzz.virtual_loop import VirtualLoop

DATA, UPDATE, PING = range(3)
SYN, RST = 1, 8
MINUTES_S = 1000


def frame(kind: int, flags: int, stream_id: int, length: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BBHII", 0, kind, flags, stream_id, length) + payload


def data(stream_id: int, payload: bytes) -> bytes:
    return frame(DATA, 0, stream_id, len(payload), payload)


def run(main: Callable[[], Any]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def choose(method: str) -> Any:
    if method != "Plugin.Known":
        raise no_such_method(method, ("Plugin",))
    return SKIP


@pytest.mark.parametrize("method", ["Plugin.Known", "Plugin.Unknown"])
def test_answers_that_nobody_gives_credit_for_are_bounded(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_streams, "_MAX_UNTAKEN", 20_000)
    streams: list[MuxStream] = []

    def serve(stream: MuxStream) -> None:
        streams.append(stream)
        RpcServer(stream, "hooks", choose, lambda server, call, body: server.reply(call, "x" * 70_000, STRING))

    async def main() -> None:
        lost = asyncio.get_running_loop().create_future()
        pipe = Pipe(MuxConnection(Role.SERVER, serve, lost.set_result))
        pipe.deliver(frame(UPDATE, SYN, 1, 0))
        client = ClientConnection()
        sent = 0
        while not streams[0].is_over:
            client.call(method, "x" * 1000, STRING)
            pipe.deliver(data(1, client.data_to_send()))
            sent += 1
            assert sent < 10_000
        await asyncio.sleep(0)
        assert frame(UPDATE, RST, 1, 0) in pipe.written
        # The connection goes on.
        pipe.deliver(frame(UPDATE, SYN, 3, 0))
        assert not streams[1].is_over
        pipe.close()
        await lost

    run(main)


def test_pings_that_nobody_reads_the_answers_of_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_MAX_UNSENT", 1000)

    async def main() -> None:
        lost = asyncio.get_running_loop().create_future()
        pipe = Pipe(MuxConnection(Role.SERVER, lambda stream: None, lost.set_result), is_read=False)
        await asyncio.sleep(0)
        for _ in range(100):
            pipe.deliver(frame(PING, SYN, 0, 7))
        assert "does not read" in str(await lost)
        assert len(pipe.written) <= 1012

    run(main)


def test_hooks_that_are_dispensed_and_not_dialled_are_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(host_module, "_MAX_DISPENSED", 3)
    caplog.set_level(logging.CRITICAL, "mattermost_plugin")

    async def main() -> None:
        plugin: Any = None
        host = HostConnection(
            plugin,
            Limits(),
            begun=lambda _: True,
            attach_api=lambda api, database: None,
            quit_asked=lambda: None,
            failed=lambda _: None,
            lost=lambda _, reason: None,
        )
        pipe = Pipe(host.mux)
        pipe.deliver(frame(UPDATE, SYN, 1, 0))
        client = ClientConnection()
        for _ in range(5):
            client.call("Dispenser.Dispense", "hooks", STRING, PLAIN)
        pipe.deliver(data(1, client.data_to_send()))
        await asyncio.sleep(0)
        assert pipe.answers(client, 1) == [1, 2, 3, "refused", "refused"]
        await asyncio.sleep(MINUTES_S)
        client.call("Dispenser.Dispense", "hooks", STRING, PLAIN)
        pipe.deliver(data(1, client.data_to_send()))
        await asyncio.sleep(0)
        assert pipe.answers(client, 1) == [4]
        host.close()
        await asyncio.sleep(MINUTES_S)

    run(main)
