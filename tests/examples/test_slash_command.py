"""The dice: what /roll says, and to whom."""

from pathlib import Path

import pytest

from mattermost_plugin.testing import RequestRefused, TestChannel, TestServer, TestUser

FOLDER = Path(__file__).parents[2] / "examples" / "slash_command"


@pytest.fixture(autouse=True)
def dice(mattermost: TestServer) -> None:
    mattermost.load(FOLDER)
    mattermost.register_command("roll")


@pytest.fixture
def ada(mattermost: TestServer) -> TestUser:
    return mattermost.user("ada")


@pytest.fixture
def lounge(mattermost: TestServer, ada: TestUser) -> TestChannel:
    return mattermost.channel("lounge", members=[ada])


def test_a_roll_is_seen_by_all(ada: TestUser, lounge: TestChannel) -> None:
    ada.command("/roll 3d1 + 4", lounge)
    assert lounge.messages == [":game_die: 1 + 1 + 1 + 4 = **7**"]
    assert ada.command("/roll", lounge).text in {f":game_die: {n} = **{n}**" for n in range(1, 7)}


def test_help_is_seen_by_who_asks(mattermost: TestServer, ada: TestUser, lounge: TestChannel) -> None:
    bob = mattermost.user("bob")
    ada.command("/roll help", lounge)
    (text,) = ada.ephemeral_messages
    assert "/roll 2d6" in text
    assert (bob.ephemeral_messages, lounge.messages) == ([], [])


@pytest.mark.parametrize("command", ["/roll two", "/roll 2d", "/roll -1d6", "/roll 2d6+", "/roll \u0662d6"])
def test_what_is_no_roll(ada: TestUser, lounge: TestChannel, command: str) -> None:
    with pytest.raises(RequestRefused, match="I cannot roll ") as caught:
        ada.command(command, lounge)
    assert (caught.value.id, caught.value.status_code) == ("com.example.dice.syntax", 400)


@pytest.mark.parametrize("command", ["/roll 0d6", "/roll 101d6", "/roll d0"])
def test_dice_that_there_are_not(ada: TestUser, lounge: TestChannel, command: str) -> None:
    with pytest.raises(RequestRefused, match="I have dice ") as caught:
        ada.command(command, lounge)
    assert caught.value.id == "com.example.dice.range"
