"""The guestbook, a WSGI app in a plugin."""

from pathlib import Path

import pytest

from mattermost_plugin.testing import TestServer

FOLDER = Path(__file__).parents[2] / "examples" / "flask_app"


@pytest.fixture(autouse=True)
def guestbook(mattermost: TestServer) -> None:
    mattermost.load(FOLDER)


def test_signing(mattermost: TestServer) -> None:
    ada = mattermost.user("ada")
    signed = ada.request("POST", "/", form={"text": "Hi <b>"})
    assert (signed.status, signed.header("Location")) == (303, ".")
    page = mattermost.get("/")
    assert (page.status, page.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert f"<li>Hi &lt;b&gt; <small>{ada.id}</small></li>" in page.text


def test_strangers_read_but_do_not_sign(mattermost: TestServer) -> None:
    refused = mattermost.request("POST", "/", form={"text": "Hi"})
    assert (refused.status, refused.text) == (401, "Log in to Mattermost first.\n")
    assert "<li>" not in mattermost.get("/").text
    assert mattermost.get("/nowhere").status == 404
