"""The runtime's own client against this host: what a plugin gets for arguments that cannot be right."""

from collections.abc import Callable

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.api import InvalidArgumentError, NotFoundError, PluginAPI
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.testing import TestServer

ODD_TEXT = "e\u0301 \u202eright \U0001f600 \x00 \ufffe"


class Caller(Plugin):
    """Passes a call on to the API."""

    def on_activate(self) -> None:
        self.calls: list[Callable[[PluginAPI], object]] = []
        self.raised: list[BaseException] = []

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        for call in self.calls:
            try:
                call(self.api)
            except (InvalidArgumentError, NotFoundError, ValueError) as error:
                self.raised.append(error)


@pytest.mark.parametrize("wrong", ["x", "UPPER", "x" * 27, "../../etc/passwd", "nobodynobodynobodynobodyno", "ä" * 26])
def test_ids_that_nothing_has(mattermost: TestServer, wrong: str) -> None:
    caller = mattermost.load(Caller)
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    caller.calls = [
        lambda api: api.get_user(wrong),
        lambda api: api.get_channel(wrong),
        lambda api: api.get_post(wrong),
        lambda api: api.get_team(wrong),
        lambda api: api.get_file_info(wrong),
        lambda api: api.create_post(Post(user_id=ada.id, channel_id=wrong, message="x")),
        lambda api: api.create_post(Post(user_id=wrong, channel_id=channel.id, message="x")),
        lambda api: api.create_post(Post(user_id=ada.id, channel_id=channel.id, root_id=wrong, message="x")),
        lambda api: api.add_channel_member(channel.id, wrong),
        lambda api: api.upload_file(b"x", wrong, "a.txt"),
    ]
    ada.post(channel, "go")
    assert [type(error) for error in caller.raised if isinstance(error, ValueError)] == []
    assert len(caller.raised) == len(caller.calls)
    assert channel.messages == ["go"]


def test_text_that_utf_8_cannot_hold(mattermost: TestServer) -> None:
    caller = mattermost.load(Caller)
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    caller.calls = [
        lambda api: api.kv_set("\udcff", b"x"),
        lambda api: api.get_user("\ud800"),
        lambda api: api.kv_set("bytes", b"\xff\xfe\x00"),
    ]
    ada.post(channel, "go")
    assert [type(error) for error in caller.raised] == [ValueError, ValueError]
    assert all("lone surrogates" in str(error) for error in caller.raised)
    assert mattermost.kv["bytes"] == b"\xff\xfe\x00"


def test_odd_text_comes_back_as_it_was(mattermost: TestServer) -> None:
    mattermost.load(Caller)
    ada = mattermost.user("ada")
    assert ada.post(mattermost.channel("lounge", members=[ada]), ODD_TEXT).message == ODD_TEXT
