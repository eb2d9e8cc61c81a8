"""What a host may send: whatever it is, the plugin lives on, and nothing is raised where nobody looks."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin._stock.io_reader import serve_content, varint
from mattermost_plugin._yamux.frames import HEADER, HEADER_SIZE, FrameType
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer
from tests.stock.pair import pair
from tests.stock.plugins.session_plugin import Recorded
from tests.stock.recording import HOST, SESSION
from tests.stock.stand_in import StandInHost

CHUNKS = [
    bytes.fromhex(entry["hex"])
    for entry in map(json.loads, SESSION.read_text(encoding="utf-8").splitlines())
    if entry.get("dir") == HOST
]

damages = st.lists(
    st.tuples(st.integers(0, len(CHUNKS) - 1), st.integers(0, 600), st.binary(max_size=6), st.booleans()), max_size=3
)


def damaged(damage: Sequence[tuple[int, int, bytes, bool]]) -> list[bytes]:
    chunks = list(CHUNKS)
    for number, place, put, replaces in damage:
        good = chunks[number]
        chunks[number] = good[:place] + put + good[place + (len(put) if replaces else 0) :]
    return chunks


def kept_whole(chunks: list[bytes]) -> list[bytes]:
    """The same with the lengths of data frames set right, so that the damage reaches what lies above yamux."""
    mended = []
    for chunk in chunks:
        if len(chunk) > HEADER_SIZE and chunk[:2] == bytes([0, FrameType.DATA]):
            _, _, flags, stream, _ = HEADER.unpack_from(chunk)
            head = HEADER.pack(0, FrameType.DATA, flags, stream, len(chunk) - HEADER_SIZE)
            mended.append(head + chunk[HEADER_SIZE:])
        else:
            mended.append(chunk)
    return mended


@given(damages, st.booleans(), st.integers(0, len(CHUNKS)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_session_ends_at_most_its_connection(
    damage: list[tuple[int, int, bytes, bool]], mend: bool, count: int
) -> None:
    complaints: list[Any] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        server = PluginServer(Recorded, RuntimeConfig(drain_s=0, deactivate_s=0.05), wire="netrpc")
        line = await server.start()
        reader, writer = await asyncio.open_unix_connection(line.split("|")[3])
        chunks = damaged(damage)
        for chunk in (kept_whole(chunks) if mend else chunks)[:count]:
            writer.write(chunk)
            # Let the plugin answer in between, as it would.
            for _ in range(3):
                await asyncio.sleep(0)
        writer.close()
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        await server.stop()

    logging.disable(logging.CRITICAL)
    try:
        asyncio.run(asyncio.wait_for(scenario(), 20))
    finally:
        logging.disable(logging.NOTSET)
    assert complaints == []


@given(st.binary(max_size=3_000), st.lists(st.integers(-5, 4_000), max_size=12), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_credits_get_what_they_ask_for(content: bytes, numbers: list[int], cut: int) -> None:
    async def scenario() -> bytes:
        async with pair() as (host, plugin):
            reading = host.connection.open()
            serving = asyncio.create_task(serve_content(await plugin.accepted(), content))
            asked = b"".join(map(varint, numbers))
            for start in range(0, len(asked), cut):
                reading.write(asked[start : start + cut])
            reading.close()
            parts = []
            while data := await reading.read():
                parts.append(data)
            await serving
            return b"".join(parts)

    assert asyncio.run(scenario()) == content[: sum(max(each, 0) for each in numbers)]


def test_a_host_that_does_not_read_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        server = PluginServer(Recorded, RuntimeConfig(), wire="netrpc")
        line = await server.start()
        host = StandInHost(line.split("|")[3])
        await host.connect()
        assert host.mux.is_over is False
        transport = host.mux._transport
        assert transport is not None
        transport.pause_reading()
        await server.stop()
        transport.resume_reading()
        await host.lost

    asyncio.run(scenario())
