"""The greeter, in this process and as a process of its own: to its users they are the same."""

from pathlib import Path

import pytest

from mattermost_plugin.testing import (
    PostDismissed,
    RejectedByPlugin,
    RequestRefused,
    TestChannel,
    TestServer,
    TestUser,
)

FOLDER = Path(__file__).parents[2] / "examples" / "greeter"


@pytest.fixture(params=["in this process", "a process"], autouse=True)
def greeter(request: pytest.FixtureRequest, mattermost: TestServer) -> None:
    if request.param == "a process":
        mattermost.launch(FOLDER)
    else:
        mattermost.load(FOLDER)
    mattermost.register_command("greet")


@pytest.fixture
def ada(mattermost: TestServer) -> TestUser:
    return mattermost.user("ada")


@pytest.fixture
def lounge(mattermost: TestServer, ada: TestUser) -> TestChannel:
    return mattermost.channel("lounge", members=[ada])


def test_it_waves_back(ada: TestUser, lounge: TestChannel) -> None:
    assert ada.post(lounge, "Hello, everybody").message == "Hello, everybody :wave:"
    assert ada.post(lounge, "Bye").message == "Bye"


def test_nobody_shouts(ada: TestUser, lounge: TestChannel) -> None:
    with pytest.raises(RejectedByPlugin) as caught:
        ada.post(lounge, "WHO ATE MY LUNCH")
    assert caught.value.reason == "Please do not shout."
    ada.post(lounge, "SHORT")
    assert lounge.messages == ["SHORT"]


def test_a_shrug_is_dropped_silently(ada: TestUser, lounge: TestChannel) -> None:
    with pytest.raises(PostDismissed):
        ada.post(lounge, "/shrug never mind")


def test_a_closed_account(mattermost: TestServer, ada: TestUser) -> None:
    with pytest.raises(RejectedByPlugin, match=r"This account is closed\."):
        mattermost.user("mallory").log_in()
    assert ada.log_in().user_id == ada.id


def test_the_command(mattermost: TestServer, ada: TestUser, lounge: TestChannel) -> None:
    assert ada.command("/greet Bob", lounge).text == "Hello, Bob!"
    assert lounge.messages == ["Hello, Bob! :wave:"]
    with pytest.raises(RequestRefused, match="Whom shall I greet"):
        ada.command("/greet", lounge)
    mattermost.disable()
    assert mattermost.logs("deactivated").one.pairs["greeted"] == 1


def test_files(ada: TestUser, lounge: TestChannel) -> None:
    signed = ada.upload(lounge, "note.txt", "Dear Bob")
    assert ada.download(signed) == b"Dear Bob\n-- signed by the greeter\n"
    picture = ada.upload(lounge, "cat.png", b"\x89PNG")
    assert ada.download(picture) == b"\x89PNG"
    with pytest.raises(RejectedByPlugin, match="Programs are not welcome here"):
        ada.upload(lounge, "setup.exe", b"MZ")


def test_the_page(mattermost: TestServer, ada: TestUser) -> None:
    assert ada.get("/plugins/com.example.greeter/hello").text == f"Hello, {ada.id}!\n"
    assert mattermost.get("/hello").text == "Hello, stranger!\n"
    assert ada.request("POST", "/echo", body="again").text == "again"
    assert ada.request("POST", "/echo", body="x" * (8 * 1024 * 1024 + 1)).status == 413
    assert ada.get("/nowhere").status == 404
