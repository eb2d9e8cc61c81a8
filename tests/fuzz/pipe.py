"""What a socket would be, without one."""

from __future__ import annotations

import asyncio
from typing import Any

from mattermost_plugin._netrpc import CallRefused, ClientConnection, ReplyReceived
from tests.fuzz.yamux_mutation import frames

__all__ = ["Pipe"]

_MOST_WRITTEN = 4 << 20


class Pipe(asyncio.Transport):
    """One end of a connection.

    Args:
        protocol: the end.
        is_read: whether the other end reads what is written; if not, it stays in the buffer.
    """

    def __init__(self, protocol: Any, *, is_read: bool = True) -> None:
        super().__init__()
        self._protocol = protocol
        self._is_read = is_read
        self._is_closing = False
        self._answered = 0
        self.written = b""
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        """Let the other end send."""
        if data and not self._is_closing:
            self._protocol.data_received(data)

    def answers(self, client: ClientConnection, stream_id: int) -> list[object]:
        """What new data of a stream is to the client of its calls: replies, and "refused"."""
        new, self._answered = self.written[self._answered :], len(self.written)
        payload = b"".join([frame.payload for frame in frames(new)[0] if frame.stream_id == stream_id])
        found: list[object] = []
        for event in client.receive(payload):
            if isinstance(event, ReplyReceived):
                found.append(event.body)
            elif isinstance(event, CallRefused):
                found.append("refused")
        return found

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        assert len(self.written) <= _MOST_WRITTEN, "answers without end"

    def get_write_buffer_size(self) -> int:
        return 0 if self._is_read else len(self.written)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()
