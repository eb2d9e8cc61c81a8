"""Uploads that are in memory as a whole."""

import asyncio

import pytest

from mattermost_plugin._upload import PIECE_SIZE, BufferedReplacement, BufferedUpload

CONTENT = bytes(range(256)) * 600


def test_sizes_are_read_in_order() -> None:
    file = BufferedUpload(b"abcdef")
    assert (file.read(2), file.read(0), file.read(3), file.read(9), file.read(1)) == (b"ab", b"", b"cde", b"f", b"")


def test_a_negative_size_reads_the_rest() -> None:
    file = BufferedUpload(CONTENT)
    assert file.read(10) + file.read() == CONTENT
    assert file.read() == b""


def test_pieces_have_the_size_of_a_streams() -> None:
    file = BufferedUpload(CONTENT)
    pieces = list(file)
    assert b"".join(pieces) == CONTENT
    assert [len(piece) for piece in pieces] == [PIECE_SIZE, PIECE_SIZE, len(CONTENT) - 2 * PIECE_SIZE]
    assert list(file) == []


def test_async_handlers_read_the_same() -> None:
    async def run() -> None:
        file = BufferedUpload(CONTENT)
        assert await file.aread(10) == CONTENT[:10]
        assert b"".join([piece async for piece in file]) == CONTENT[10:]
        assert await file.aread() == b""

    asyncio.run(run())


def test_an_empty_upload_ends_at_once() -> None:
    assert list(BufferedUpload(b"")) == []
    assert BufferedUpload(b"").read() == b""


def test_what_is_written_is_collected() -> None:
    async def run() -> None:
        output = BufferedReplacement()
        assert output.content() == b""
        assert output.write(b"abc") == 3
        assert await output.awrite(b"de") == 2
        assert output.write(b"") == 0
        assert output.content() == b"abcde"

    asyncio.run(run())


def test_only_bytes_are_taken() -> None:
    output = BufferedReplacement()
    with pytest.raises(TypeError, match="not str"):
        output.write("text")  # type: ignore[arg-type]  # the wrong type is the point
    assert output.content() == b""
