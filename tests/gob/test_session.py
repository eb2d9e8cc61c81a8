"""A recorded session between a stock host and a Go plugin: every stream of net/rpc in it is gob from end to end."""

import json
import struct
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._gob import SKIP, Interface
from tests.gob.streams import read, read_in_pieces

SESSION = Path(__file__).parents[1] / "contract" / "stock-session.jsonl"
HEAD = struct.Struct(">BBHII")
BROKER_ID_BYTES = 4
CONTROL = 1
HOOKS = 7
API = 2
RESPONSE_WRITER = 10


@cache
def streams() -> dict[tuple[int, str], bytes]:
    """What went over each stream of the connection in each direction, by stream id."""
    wire: dict[str, bytes] = defaultdict(bytes)
    for line in SESSION.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event.get("conn") == 0 and "hex" in event:
            wire[event["dir"]] += bytes.fromhex(event["hex"])
    found: dict[tuple[int, str], bytes] = defaultdict(bytes)
    for direction, data in wire.items():
        position = 0
        while position < len(data):
            _, kind, _, stream_id, length = HEAD.unpack_from(data, position)
            position += HEAD.size
            if kind == 0:
                found[stream_id, direction] += data[position : position + length]
                position += length
    return found


def gob_of(stream_id: int, direction: str) -> bytes:
    return streams()[stream_id, direction][0 if stream_id == CONTROL else BROKER_ID_BYTES :]


def bodies_of(stream_id: int, direction: str) -> list[tuple[str, Any]]:
    """Bodies with the methods that their headers name."""
    found = read(gob_of(stream_id, direction))
    headers: list[Any] = found[::2]
    return [(header["ServiceMethod"], body) for header, body in zip(headers, found[1::2], strict=True)]


def rpc_streams() -> list[tuple[int, str]]:
    ids = (CONTROL, HOOKS, API, RESPONSE_WRITER)
    return [(stream_id, direction) for stream_id in ids for direction in ("host->plugin", "plugin->host")]


@pytest.mark.parametrize(("stream_id", "direction"), rpc_streams())
def test_a_stream_is_read_to_its_end(stream_id: int, direction: str) -> None:
    data = gob_of(stream_id, direction)
    found = read(data)
    # Headers and bodies alternate.
    assert found
    assert len(found) % 2 == 0
    assert all(isinstance(header, dict) and "ServiceMethod" in header for header in found[::2])
    assert read_in_pieces(data, 1) == found
    assert read(data, SKIP) == [None] * len(found)


def test_calls_of_hooks() -> None:
    calls = bodies_of(HOOKS, "host->plugin")
    names = [name for name, _ in calls]
    assert names[:2] == ["Plugin.Implemented", "Plugin.OnActivate"]
    assert names[-1] == "Plugin.OnDeactivate"
    posted = dict(calls)["Plugin.MessageWillBePosted"]
    assert posted["B"]["Props"] == {"k": Interface("string", "v")}


def test_answers_of_hooks() -> None:
    by_method = bodies_of(HOOKS, "plugin->host")
    assert "OnActivate" in dict(by_method)["Plugin.Implemented"]
    replies = [body for name, body in by_method if name == "Plugin.MessageWillBePosted"]
    assert replies[0]["A"]["Props"]["seen"] == Interface("bool", True)
    assert replies[1] == {"B": "rejected for a reason"}
    assert dict(by_method)["Plugin.OnDeactivate"] == {
        "A": Interface("*plugin.ErrorString", {"Err": "deactivate failed on purpose"})
    }
