"""Both ends of a connection, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import Role


class End:
    """One end: its connection, the streams that the other has opened, and why it ended."""

    def __init__(self, role: Role) -> None:
        self.opened: asyncio.Queue[MuxStream] = asyncio.Queue()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.connection = MuxConnection(role, self.opened.put_nowait, self.lost.set_result)
        self.broker = MuxBroker(self.connection)

    async def accepted(self) -> MuxStream:
        stream = await self.opened.get()
        stream.accept()
        return stream

    async def give_broker_one(self) -> None:
        self.broker.take(await self.opened.get())


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[End, End]]:
    """A host's end and a plugin's end."""
    host, plugin = End(Role.CLIENT), End(Role.SERVER)
    loop = asyncio.get_running_loop()
    for end, sock in zip((host, plugin), socket.socketpair(), strict=True):
        await loop.create_connection(partial(_given, end.connection), sock=sock)
    try:
        async with asyncio.timeout(20):
            yield host, plugin
    finally:
        for end in (host, plugin):
            end.broker.close()
            end.connection.close()
            await end.lost


def _given(connection: MuxConnection) -> MuxConnection:
    return connection
