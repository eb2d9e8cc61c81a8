"""The notes, an ASGI app in a plugin: each user's own."""

from pathlib import Path

import pytest

from mattermost_plugin.testing import TestServer, TestUser

FOLDER = Path(__file__).parents[2] / "examples" / "fastapi_app"


@pytest.fixture(autouse=True)
def notes(mattermost: TestServer) -> None:
    mattermost.load(FOLDER)


@pytest.fixture
def ada(mattermost: TestServer) -> TestUser:
    return mattermost.user("ada")


def test_nobody_is_let_in_without_a_session(mattermost: TestServer) -> None:
    assert mattermost.get("/notes").status == 401


def test_notes_are_private(mattermost: TestServer, ada: TestUser) -> None:
    bob = mattermost.user("bob")
    added = ada.request("POST", "/notes", json={"text": "Milk"})
    assert (added.status, added.json()) == (201, {"id": 1, "text": "Milk"})
    bob.request("POST", "/notes", json={"text": "Bread"})
    listed = ada.get("/notes")
    assert (listed.status, listed.header("content-type")) == (200, "application/json")
    assert listed.json() == [{"id": 1, "text": "Milk"}]
    assert bob.request("DELETE", "/notes/1").status == 404
    assert ada.request("DELETE", "/notes/1").status == 204
    assert ada.get("/notes").json() == []


def test_a_note_without_text(ada: TestUser) -> None:
    assert ada.request("POST", "/notes", json={"text": ""}).status == 422


def test_each_test_has_the_script_anew(ada: TestUser) -> None:
    assert ada.get("/notes").json() == []
    assert ada.request("POST", "/notes", json={"text": "Milk"}).json() == {"id": 1, "text": "Milk"}
