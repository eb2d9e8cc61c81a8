"""The moderation example: what it refuses, and that it refuses what it cannot check."""

from pathlib import Path

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.testing import LoadError, RejectedByPlugin, TestChannel, TestServer, TestUser

FOLDER = Path(__file__).parents[2] / "examples" / "moderation"


@pytest.fixture
def moderation(mattermost: TestServer) -> Plugin:
    return mattermost.load(FOLDER)


@pytest.fixture
def ada(mattermost: TestServer, moderation: Plugin) -> TestUser:
    return mattermost.user("ada")


@pytest.fixture
def lounge(mattermost: TestServer, ada: TestUser) -> TestChannel:
    return mattermost.channel("lounge", members=[ada])


def test_posts_and_edits(ada: TestUser, lounge: TestChannel) -> None:
    with pytest.raises(RejectedByPlugin) as caught:
        ada.post(lounge, "What Poppycock!")
    assert caught.value.reason == 'Please find another word for "Poppycock".'
    post = ada.post(lounge, "poppycocks are another word")
    with pytest.raises(RejectedByPlugin, match="Poppycock"):
        ada.edit(post, "Poppycock after all")
    assert ada.edit(post, "A fine day").message == "A fine day"


@pytest.mark.parametrize("content", [b"MZ\x90\x00", b"\x7fELF\x02", b"#!/bin/sh\n"])
def test_programs(mattermost: TestServer, ada: TestUser, lounge: TestChannel, content: bytes) -> None:
    with pytest.raises(RejectedByPlugin, match=r"cat\.png is a program\."):
        ada.upload(lounge, "cat.png", content)
    pairs = mattermost.logs("program refused").one.pairs
    assert (pairs["file"], pairs["user"]) == ("cat.png", ada.id)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n...", b""])
def test_other_files(ada: TestUser, lounge: TestChannel, content: bytes) -> None:
    assert ada.download(ada.upload(lounge, "cat.png", content)) == content


def test_what_cannot_be_checked_does_not_get_in(
    mattermost: TestServer, moderation: Plugin, ada: TestUser, lounge: TestChannel
) -> None:
    post = ada.post(lounge, "A fine day")
    vars(moderation)["words"] = None
    with mattermost.expect_errors("AttributeError") as errors:
        with pytest.raises(RejectedByPlugin, match="ask your administrator"):
            ada.post(lounge, "Another fine day")
        with pytest.raises(RejectedByPlugin, match="ask your administrator"):
            ada.edit(post, "A finer day")
    assert len(errors.texts) == 2
    assert lounge.messages == ["A fine day"]


def test_without_a_list_it_does_not_start(mattermost: TestServer, tmp_path: Path) -> None:
    for name in ("plugin.json", "plugin.py"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    with pytest.raises(LoadError, match=r"words\.txt"):
        mattermost.load(tmp_path)
    (tmp_path / "words.txt").write_text("# none yet\n", encoding="utf-8")
    with pytest.raises(LoadError, match="lists no words"):
        mattermost.load(tmp_path)
