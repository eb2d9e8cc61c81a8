"""Streams over a real socket."""

import asyncio
import os

import pytest

from mattermost_plugin._stock import broker as broker_module
from mattermost_plugin._stock.broker import StreamNotFoundError
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import SessionEndedError, StreamClosedError
from tests.stock.pair import pair

MIB = 1024 * 1024


async def read_all(stream: MuxStream) -> bytes:
    parts = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)


def test_more_than_a_window_goes_both_ways() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            there, content = host.connection.open(), os.urandom(5 * MIB)

            async def echo() -> None:
                stream = await plugin.accepted()
                while data := await stream.read():
                    await stream.send(data)
                stream.close()

            async def ask() -> None:
                await there.send(content)
                there.close()

            _, _, answer = await asyncio.gather(echo(), ask(), read_all(there))
            assert answer == content

    asyncio.run(main())


def test_a_reader_that_does_not_read_holds_only_its_own_stream_back() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            slow, quick = host.connection.open(), host.connection.open()
            full = asyncio.create_task(slow.send(bytes(MIB)))
            await quick.send(b"hello")
            quick.close()
            slow_end, quick_end = await plugin.accepted(), await plugin.accepted()
            assert await read_all(quick_end) == b"hello"
            assert not full.done()
            assert len(await slow_end.read_exactly(MIB)) == MIB
            await full

    asyncio.run(main())


def test_what_is_pushed_comes_whole_and_in_order() -> None:
    class User:
        def __init__(self) -> None:
            self.got = b""
            self.ended_with: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

        def data_received(self, data: bytes) -> None:
            self.got += data

        def ended(self, error: Exception | None) -> None:
            self.ended_with.set_result(error)

    async def main() -> None:
        async with pair() as (host, plugin):
            stream, user = host.connection.open(), User()
            stream.write(b"before ")
            other = await plugin.accepted()
            assert await other.read(3) == b"bef"
            other.push_to(user)
            stream.write(b"and after")
            stream.close()
            assert await user.ended_with is None
            assert user.got == b"ore and after"

    asyncio.run(main())


def test_a_reset_reaches_who_reads_and_who_writes() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            stream = host.connection.open()
            other = await plugin.accepted()
            reading, writing = asyncio.create_task(stream.read()), asyncio.create_task(stream.send(bytes(MIB)))
            await asyncio.sleep(0)
            other.reset()
            for task in (reading, writing):
                with pytest.raises(StreamClosedError, match="was reset"):
                    await task
            stream.write(b"is lost")

    asyncio.run(main())


def test_the_end_of_the_connection_ends_the_streams() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            stream = host.connection.open()
            await plugin.accepted()
            reading = asyncio.create_task(stream.read())
            plugin.connection.close()
            with pytest.raises(StreamClosedError, match="the connection is over"):
                await reading
            with pytest.raises(SessionEndedError):
                host.connection.open()

    asyncio.run(main())


def test_streams_find_each_other_by_number() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            numbers = [host.broker.next_id(), host.broker.next_id()]
            assert numbers == [1, 2]
            taking = asyncio.gather(host.give_broker_one(), host.give_broker_one())
            late = asyncio.create_task(host.broker.accept(2))
            second, first = await asyncio.gather(plugin.broker.dial(2), _accept_and_dial(host.broker, plugin.broker, 1))
            await taking
            first.write(b"one")
            second.write(b"two")
            assert await (await late).read() == b"two"

    async def _accept_and_dial(
        acceptor: broker_module.MuxBroker, dialler: broker_module.MuxBroker, number: int
    ) -> MuxStream:
        dialling = asyncio.create_task(dialler.dial(number))
        accepted = await acceptor.accept(number)
        dialled = await dialling
        dialled.write(b"x")
        assert await accepted.read() == b"x"
        return dialled

    asyncio.run(main())


def test_nobody_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "BROKER_TIMEOUT_S", 0.05)

    async def main() -> None:
        async with pair() as (host, plugin):
            with pytest.raises(StreamNotFoundError, match="did not dial stream 9"):
                await host.broker.accept(9)
            taking = asyncio.create_task(host.give_broker_one())
            with pytest.raises(StreamNotFoundError, match="did not accept stream 7"):
                await plugin.broker.dial(7)
            await taking
            taking = asyncio.create_task(host.give_broker_one())
            dialling = asyncio.create_task(plugin.broker.dial(8))
            await host.broker.accept(8)
            await asyncio.gather(taking, dialling)

    asyncio.run(main())


def test_a_stream_without_a_number_is_cut_off() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            stream = plugin.connection.open()
            stream.write(b"ab")
            stream.close()
            await host.give_broker_one()
            with pytest.raises(StreamClosedError):
                await read_all(stream)

    asyncio.run(main())


def test_a_peer_that_breaks_the_protocol_ends_the_connection() -> None:
    async def main() -> None:
        async with pair() as (host, plugin):
            stream = plugin.connection.open()
            host.connection.data_received(b"\x07" * 12)
            assert "version 7" in str(await host.lost)
            with pytest.raises(StreamClosedError):
                await stream.read()

    asyncio.run(main())
