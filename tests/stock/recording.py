"""The session between a stock host and a Go plugin that is kept in tests/contract, taken apart."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from mattermost_plugin._gob import NEED_DATA, PLAIN, Decoder
from mattermost_plugin._yamux.frames import HEADER, HEADER_SIZE, FrameType

SESSION = Path(__file__).parents[1] / "contract" / "stock-session.jsonl"

HOST, PLUGIN = "host->plugin", "plugin->host"
HOOKS = 7
"""Number of the hooks stream. The plugin's own are 2, 4 and so on, in the order in which it dials."""


def connection_bytes(direction: str) -> bytes:
    """All that one end has sent."""
    entries = map(json.loads, SESSION.read_text(encoding="utf-8").splitlines())
    return b"".join([bytes.fromhex(entry["hex"]) for entry in entries if entry.get("dir") == direction])


class Recording:
    """What went over each stream.

    Attributes:
        payloads: Contents of the data frames by direction and stream. Go sends each message of net/rpc in one.
    """

    def __init__(self) -> None:
        self.payloads: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for direction in (HOST, PLUGIN):
            self._split(direction, connection_bytes(direction))

    def messages(self, direction: str, stream: int, skip: int = 4) -> list[tuple[Any, Any]]:
        """Headers and bodies; a brokered stream begins with its number, which is left out."""
        decoder = Decoder()
        decoder.feed(b"".join(self.payloads[direction, stream])[skip:])
        messages = []
        while (header := decoder.next_value(PLAIN)) is not NEED_DATA:
            messages.append((header, decoder.next_value(PLAIN)))
        return messages

    def content(self, direction: str, stream: int) -> bytes:
        """What went over a brokered stream, without its number."""
        return b"".join(self.payloads[direction, stream])[4:]

    def _split(self, direction: str, data: bytes) -> None:
        place = 0
        while place < len(data):
            _, kind, _, stream, length = HEADER.unpack_from(data, place)
            place += HEADER_SIZE
            if kind == FrameType.DATA:
                self.payloads[direction, stream].append(data[place : place + length])
                place += length
