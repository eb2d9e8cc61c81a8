"""What a session knows of one stream."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from mattermost_plugin._yamux.frames import Flag, FrameType, header
from mattermost_plugin._yamux.limits import INITIAL_WINDOW

__all__ = ["Piece", "Stream"]

Piece: TypeAlias = bytes | memoryview
"""What goes out."""

_RETURN_AT = INITIAL_WINDOW // 2
"""Credit goes back when half a window has been read: seldom enough to cost nothing, soon enough to stop no sender."""

_PIECE_BYTES = 64
"""Memory that a piece takes beside its bytes."""


class Stream:
    """State of one stream: credit both ways, what waits for credit, which directions are closed."""

    __slots__ = (
        "accepted",
        "credit",
        "deadline",
        "fin_received",
        "fin_sent",
        "fin_wanted",
        "is_ours",
        "stream_id",
        "unread",
        "unreturned",
        "waiting",
        "waiting_bytes",
        "window",
    )

    def __init__(self, stream_id: int, *, is_ours: bool, deadline: float | None) -> None:
        self.stream_id = stream_id
        self.is_ours = is_ours
        self.accepted = False
        self.credit = INITIAL_WINDOW
        self.window = INITIAL_WINDOW
        self.unread = 0
        """Bytes that were received and not yet told to be consumed."""
        self.unreturned = 0
        """Bytes that were consumed and whose credit has not gone back."""
        self.waiting: deque[memoryview] = deque()
        self.waiting_bytes = 0
        """Memory of what waits, about."""
        self.fin_wanted = False
        self.fin_sent = False
        self.fin_received = False
        self.deadline = deadline

    @property
    def is_over(self) -> bool:
        """Whether both directions are closed."""
        return self.fin_sent and self.fin_received

    def write(self, data: bytes, out: list[Piece]) -> None:
        """Put data into frames as far as the credit goes, and keep the rest."""
        if self.waiting:
            self._wait(data)
        elif len(data) <= self.credit:
            self.credit -= len(data)
            out.append(header(FrameType.DATA, 0, self.stream_id, len(data)))
            out.append(data)
        else:
            self._wait(data)
            self.drain(out)

    def _wait(self, data: bytes) -> None:
        # A view: it is cut into windows without copying the rest each time.
        self.waiting.append(memoryview(data))
        self.waiting_bytes += len(data) + _PIECE_BYTES

    def drain(self, out: list[Piece]) -> bool:
        """Send on what waits, as far as the credit goes. Returns whether something waited and all of it has gone."""
        if not self.waiting:
            return False
        while self.waiting and self.credit:
            data = self.waiting[0]
            if len(data) > self.credit:
                self.waiting[0] = data[self.credit :]
                data = data[: self.credit]
            else:
                self.waiting.popleft()
                self.waiting_bytes -= _PIECE_BYTES
            self.waiting_bytes -= len(data)
            self.credit -= len(data)
            out.append(header(FrameType.DATA, 0, self.stream_id, len(data)))
            out.append(data)
        return not self.waiting

    def finish(self, out: list[Piece]) -> None:
        """Close this end's direction, once nothing waits."""
        if self.fin_wanted and not self.fin_sent and not self.waiting:
            self.fin_sent = True
            out.append(header(FrameType.WINDOW_UPDATE, Flag.FIN, self.stream_id, 0))

    def consume(self, size: int, out: list[Piece]) -> None:
        """Give credit back for bytes that were read."""
        self.unread -= size
        self.unreturned += size
        if self.unreturned >= _RETURN_AT and not self.fin_received:
            out.append(header(FrameType.WINDOW_UPDATE, 0, self.stream_id, self.unreturned))
            self.window += self.unreturned
            self.unreturned = 0
