"""What a test can ask the server for afterwards, and what it reads when an assertion fails."""

from collections.abc import Iterator

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.models import PluginContext, Post, WebsocketBroadcast
from mattermost_plugin.testing import MisuseError, Records, TestServer, messages
from mattermost_plugin.testing.messages import (
    CreatePostRequest,
    GetUserRequest,
    GetUserResponse,
    MessageHasBeenPostedRequest,
    MessageWillBePostedRequest,
    MessageWillBePostedResponse,
)


class Answerer(Plugin):
    """Answers each post that is no answer, and writes about it."""

    def on_activate(self) -> None:
        self.logger.info("ready", extra={"port": 1})

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | None:
        post.message += "!"
        return post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        if not post.root_id:
            name = self.api.get_user(post.user_id).username
            answer = Post(user_id=post.user_id, channel_id=post.channel_id, root_id=post.id, message=f"hi {name}")
            self.api.create_post(answer)
            self.api.publish_websocket_event("answered", {"to": name}, WebsocketBroadcast(user_id=post.user_id))
            self.logger.warning("answered %s", name)


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        server.load(Answerer)
        yield server


def test_hooks_with_the_types_of_their_messages(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    first, second = server.hooks(MessageWillBePostedRequest, MessageWillBePostedResponse)
    assert first.request.post.message == "hello"
    assert first.response is not None
    assert first.response.modified_post.message == "hello!"
    assert second.request.post.message == "hi ada"
    # They run beside each other: their ends have no order.
    told = {call.request.post.message for call in server.hooks(MessageHasBeenPostedRequest)}
    assert told == {"hi ada!", "hello!"}
    assert len(server.hooks("MessageHasBeenPosted")) == len(server.hooks("message_has_been_posted")) == 2
    assert len(server.hooks()) == 5
    assert server.hooks(plugin="test.answerer") == server.hooks()
    with pytest.raises(MisuseError, match="is it 'MessageHasBeenPosted'"):
        server.hooks("MessageHasBeenPostd")
    with pytest.raises(MisuseError, match="MessageWillBePostedResponse is no request"):
        server.hooks(MessageWillBePostedResponse)


def test_api_calls_by_any_name(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    call = server.api_calls(GetUserRequest, GetUserResponse).one
    assert (call.request.user_id, call.response.user.username, call.error) == (ada.id, "ada", None)
    assert server.api_calls("GetUser").one.request == server.api_calls("get_user").one.request
    assert [call.method for call in server.api_calls()] == ["GetUser", "CreatePost", "PublishWebSocketEvent"]
    assert server.api_calls(CreatePostRequest).last.request.post.message == "hi ada"
    with pytest.raises(MisuseError, match="is it 'create_post'"):
        server.api_calls("create_posts")


def test_log_lines(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    assert server.logs("ready").one.pairs == {"port": 1}
    line = server.logs(level="warn").one
    assert (line.message, line.plugin_id) == ("answered ada", "test.answerer")
    assert line.pairs["request_id"]
    assert server.logs("^answered", plugin="test.answerer") == [line]
    assert server.logs("other") == []


def test_events(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    assert server.websocket_events("custom_test.answerer_answered").one.data == {"to": "ada"}
    assert len(server.websocket_events("posted")) == 2
    server.forget()
    assert server.websocket_events() == []


def test_the_texts_of_records(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    assert repr(server.api_calls("GetUser").one).startswith(f'GetUser(user_id: "{ada.id}") -> user: User {{id: ')
    assert 'message: "hello"' in repr(server.hooks("MessageWillBePosted")[0])
    assert "of test.answerer -> modified_post: " in repr(server.hooks("MessageWillBePosted")[0])
    assert repr(server.logs("ready").one) == "info test.answerer: ready port=1"
    assert repr(server.api_calls("KVGet")) == (
        "<no API calls of KVGet; there were: GetUser, CreatePost, PublishWebSocketEvent>"
    )
    assert repr(server.mails()) == "<no mails; there were: none at all>"
    assert repr(server.hooks("OnActivate")) == "<1 calls of OnActivate:\n  OnActivate() of test.answerer -> ok>"
    with pytest.raises(AssertionError, match=r"there must be one, and there are 2: <2 calls of MessageWillBePosted:"):
        _ = server.hooks("MessageWillBePosted").one
    with pytest.raises(AssertionError, match="there is no record 7: <1 calls"):
        _ = server.hooks("OnActivate")[7]
    with pytest.raises(AssertionError, match="there is no record -1: <no API calls of KVGet"):
        _ = server.api_calls("KVGet").last


def test_a_failed_call_shows_its_error(server: TestServer) -> None:
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    server.fail("GetUser", status=404, id="app.user.missing")
    with server.expect_errors("missing"):
        ada.post(channel, "hello")
    call = server.api_calls("GetUser").one
    assert call.error is not None
    assert (call.error.status_code, call.error.id) == (404, "app.user.missing")
    assert repr(call) == f'GetUser(user_id: "{ada.id}") -> 404 app.user.missing'


def test_many_records_are_cut() -> None:
    records = Records(range(100), "numbers")
    assert repr(records).endswith("  29\n  and 70 more>")
    assert records[1:3] == [1, 2]
    assert len(records) == 100
    assert 5 in records
    assert records != 5


def test_secrets_are_not_shown(server: TestServer) -> None:
    class Peeker(Plugin):
        def on_activate(self) -> None:
            user = self.api.get_user_by_username("ada")
            user.mfa_secret = "hidden-secret"
            self.api.update_user(user)

    server.user("ada")
    server.load(Peeker)
    assert "hidden-secret" not in repr(server.api_calls("UpdateUser"))
    assert "hidden-secret" not in server.transcript()


def test_the_transcript_tells_everything_in_order(server: TestServer) -> None:
    ada = server.user("ada")
    ada.post(server.channel("lounge", members=[ada]), "hello")
    lines = server.transcript().splitlines()
    assert lines[0] == "     test.answerer is STARTING"
    kinds = [line[:4] for line in lines]
    assert {"log ", "hook", "ws  ", "API "} <= set(kinds)
    server.close()
    assert server.transcript().splitlines()[-1] == "     test.answerer is NOT_RUNNING"
    assert len(server.api_calls("GetUser")) == 1


def test_every_request_and_response_can_be_named() -> None:
    for name in ("UploadDataRequest", "ServeHTTPRequestInit", "OnActivateResponse", "LogInfoRequest"):
        assert getattr(messages, name).DESCRIPTOR.name == name
    with pytest.raises(AttributeError, match="has no attribute 'Post'"):
        getattr(messages, "Post")  # noqa: B009 - type checkers know that it is not there
