"""net/rpc on streams of a connection."""

import asyncio
from typing import Any

import pytest

from mattermost_plugin._gob import PLAIN, GobEncodeError
from mattermost_plugin._gob.go_types import INT
from mattermost_plugin._netrpc import Call, StreamEndedError
from mattermost_plugin._stock.broker import number_bytes
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient, RpcServer
from tests.stock.pair import End, pair

GREETING = number_bytes(7)


def double(server: RpcServer, call: Call, body: Any) -> None:
    if body < 0:
        server.fail(call, "too small")
    else:
        server.reply(call, body * 2 if body < 100 else "no number", INT)


async def serve(end: End, greeting: bytes = b"") -> RpcServer:
    stream = await end.accepted()
    for number in greeting:
        # In pieces, as streams may bring it.
        stream.write(bytes([number]))
        await asyncio.sleep(0)
    return RpcServer(stream, "doubles", lambda _: PLAIN, double)


@pytest.mark.parametrize("greeting", [b"", GREETING])
def test_calls(greeting: bytes) -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            client = RpcClient(host.connection.open(), greeting=greeting)
            calls = [asyncio.create_task(client.call("Plugin.Double", each, INT, PLAIN)) for each in (1, 2, -1, 100)]
            await serve(plugin, greeting)
            assert await calls[0] == 2
            assert await calls[1] == 4
            with pytest.raises(CallRefusedError, match="too small"):
                await calls[2]
            with pytest.raises(CallRefusedError, match="cannot be sent"):
                await calls[3]
            with pytest.raises(GobEncodeError):
                await client.call("Plugin.Double", "no number", INT)
            # Cancelled ones are forgotten, and do not harm those that follow.
            forgotten = asyncio.create_task(client.call("Plugin.Double", 3, INT, PLAIN))
            await asyncio.sleep(0)
            forgotten.cancel()
            assert await client.call("Plugin.Double", 4, INT, PLAIN) == 8
            client.close()
            with pytest.raises(StreamEndedError):
                await client.call("Plugin.Double", 4, INT, PLAIN)

    asyncio.run(main())


def test_a_stream_that_is_another_one_ends_its_calls() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            client = RpcClient(host.connection.open(), greeting=GREETING)
            call = asyncio.create_task(client.call("Plugin.Double", 1, INT, PLAIN))
            await serve(plugin, number_bytes(8))
            with pytest.raises(StreamEndedError, match="does not know the stream"):
                await call
            assert client.failure is not None

    asyncio.run(main())


def test_outcomes_are_told_in_the_turn_in_which_they_come() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            client = RpcClient(host.connection.open())
            told: list[object] = []
            done = asyncio.Event()

            def second(reply: object, error: Exception | None) -> None:
                told.append((reply, error))
                done.set()

            def first(reply: object, error: Exception | None) -> None:
                told.append((reply, error))
                client.begin("Plugin.Double", reply, INT, second, PLAIN)

            client.begin("Plugin.Double", 1, INT, first, PLAIN)
            await serve(plugin)
            await done.wait()
            assert told == [(2, None), (4, None)]

    asyncio.run(main())


def test_bytes_that_are_no_calls_end_the_stream_alone() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            broken = host.connection.open()
            broken.write(b"\x05\x0c\x00\x02ab")
            await serve(plugin)
            client = RpcClient(host.connection.open())
            await serve(plugin)
            assert await client.call("Plugin.Double", 1, INT, PLAIN) == 2
            assert broken.is_over

    asyncio.run(main())
