"""The order of hooks over two plugins, and what the host makes of their answers."""

from typing import Any

import pytest

from mattermost_plugin.devhost import ApiError, HttpQuestion
from mattermost_plugin.devhost.app.posts import DISMISS
from mattermost_plugin.devhost.events import HookCalled
from mattermost_plugin.models import (
    Preference,
    WebSocketRequest,
)
from mattermost_pluginapi.v1.hooks_channel_pb2 import UserHasJoinedChannelRequest, UserHasLeftChannelRequest
from mattermost_pluginapi.v1.hooks_message_pb2 import (
    MessageHasBeenDeletedRequest,
    MessageHasBeenPostedRequest,
    MessageWillBePostedRequest,
)
from mattermost_pluginapi.v1.post_pb2 import Post as PostMessage
from tests.devhost.hooked import Mover, calls, run
from tests.devhost.plugins import Loaded


def test_a_post_goes_round_and_is_told_after() -> None:
    async def scenario(here: Loaded) -> None:
        post = await here.host.act.post(here.ada.id, here.channel.id, "x")
        assert post.message == "x12"
        assert here.host.store.posts.get(post.id).message == "x12"  # type: ignore[union-attr]  # it is there
        await here.host.settle()
        assert calls(here) == [
            ("MessageWillBePosted", "First"),
            ("MessageWillBePosted", "Second"),
            ("MessageHasBeenPosted", "Second"),
        ]
        told = here.host.events.history(HookCalled)[-1].request
        assert isinstance(told, MessageHasBeenPostedRequest)
        assert (told.post.id, told.post.message) == (post.id, "x12")

    run(scenario)


def test_hooks_see_no_metadata_and_no_time_before_the_post_is_made() -> None:
    async def scenario(here: Loaded) -> None:
        info = await here.host.act.upload(here.ada.id, here.channel.id, "a.txt", b"x")
        post = await here.host.act.post(here.ada.id, here.channel.id, "x", file_ids=[info.id])
        assert [file.id for file in post.metadata.files] == [info.id]
        await here.host.settle()
        requests: list[Any] = [event.request for event in here.host.events.history(HookCalled)]
        before, told = requests[-3].post, requests[-1].post
        assert (before.id, before.create_at) == ("", 0)
        assert (told.id, told.create_at) == (post.id, post.create_at)
        assert not any(each.HasField("metadata") for each in (before, told))

    run(scenario)


def test_a_replacement_may_go_elsewhere() -> None:
    async def scenario(here: Loaded) -> None:
        square = here.host.store.channels.by_name(here.channel.team_id, "town-square")
        assert square is not None
        post = await here.host.act.post(here.ada.id, here.channel.id, f"to {square.id}")
        assert post.channel_id == square.id
        assert here.host.store.channels.get(square.id).total_msg_count == 1  # type: ignore[union-attr]  # it is there

    run(scenario, Mover)


def test_a_plugins_post_goes_the_same_way() -> None:
    async def scenario(here: Loaded) -> None:
        given = PostMessage(user_id=here.ada.id, channel_id=here.channel.id, message="x")
        assert (await here.api("CreatePost", post=given)).post.message == "x12"
        given.message = "no"
        error = await here.api.error("CreatePost", 400, "Post rejected by plugin. not like this", post=given)
        assert error.where == "createPost"

    run(scenario)


@pytest.mark.parametrize(("message", "reason"), [("no", "Post rejected by plugin. not like this"), ("shh", DISMISS)])
def test_the_first_refusal_ends_the_round(message: str, reason: str) -> None:
    async def scenario(here: Loaded) -> None:
        with pytest.raises(ApiError) as caught:
            await here.host.act.post(here.ada.id, here.channel.id, message)
        assert caught.value.error_id == reason
        await here.host.settle()
        assert calls(here) == [("MessageWillBePosted", "First")]
        assert here.host.store.posts.count() == 0

    run(scenario)


def test_a_hook_that_fails_lets_the_post_pass() -> None:
    async def scenario(here: Loaded) -> None:
        assert (await here.host.act.post(here.ada.id, here.channel.id, "oops")).message == "oops2"

    run(scenario)


def test_an_edit_a_deletion_and_reactions() -> None:
    async def scenario(here: Loaded) -> None:
        act = here.host.act
        post = await act.post(here.ada.id, here.channel.id, "x")
        with pytest.raises(ApiError, match="keep x12"):
            await act.edit(post.id, "no")
        with pytest.raises(ApiError, match=DISMISS) as caught:
            await act.edit(post.id, "shh")
        assert caught.value.error_id == DISMISS
        assert (await act.edit(post.id, "y")).message == "y"
        act.react(here.bob.id, post.id, "tada")
        act.unreact(here.bob.id, post.id, "tada")
        act.unreact(here.bob.id, post.id, "tada")
        act.delete(post.id)
        await here.host.settle()
        told = sorted(name for name, plugin in calls(here) if plugin == "Second")
        assert told == [
            "MessageHasBeenDeleted",
            "MessageHasBeenPosted",
            "MessageHasBeenUpdated",
            "MessageWillBePosted",
            "ReactionHasBeenAdded",
            # Twice, though there was one: the server does not look.
            "ReactionHasBeenRemoved",
            "ReactionHasBeenRemoved",
        ]
        (deleted,) = (
            event.request
            for event in here.host.events.history(HookCalled)
            if isinstance(event.request, MessageHasBeenDeletedRequest)
        )
        assert (deleted.post.id, deleted.post.delete_at) == (post.id, 0)

    run(scenario)


def test_logins_and_users() -> None:
    async def scenario(here: Loaded) -> None:
        with pytest.raises(ApiError, match="Login rejected by plugin: closed") as caught:
            await here.host.act.log_in(here.bob.id)
        assert caught.value.where == "DoLogin"
        await here.api("CreateBot", bot={"username": "robo"})
        session = await here.host.act.log_in(here.ada.id)
        assert (await here.api("GetSession", session_id=session.id)).session == session
        await here.api("UpdateUserActive", user_id=here.bob.id, active=False)
        with pytest.raises(ApiError, match="inactive"):
            await here.host.act.log_in(here.bob.id)
        await here.host.act.create_user("carl")
        await here.host.settle()
        names = sorted(name for name, plugin in calls(here) if plugin == "Second")
        assert names == ["UserHasBeenCreated", "UserHasBeenDeactivated", "UserHasLoggedIn"]

    run(scenario)


def test_channels_members_and_preferences() -> None:
    async def scenario(here: Loaded) -> None:
        act = here.host.act
        await act.join_channel(here.channel.id, here.bob.id, here.ada.id)
        act.leave_channel(here.channel.id, here.bob.id)
        await act.direct_channel(here.ada.id, here.bob.id)
        preference = Preference(user_id=here.ada.id, category="c", name="n", value="v")
        await here.api("UpdatePreferencesForUser", user_id=here.ada.id, preferences=[preference])
        connection = act.connect(here.ada.id)
        act.send(connection, here.ada.id, WebSocketRequest(seq=1, action="custom_Second_x"))
        act.disconnect(connection, here.ada.id)
        await here.host.settle()
        # They run beside each other: their ends have no order.
        assert sorted(name for name, _ in calls(here)) == [
            "ChannelHasBeenCreated",
            "OnWebSocketConnect",
            "OnWebSocketDisconnect",
            "PreferencesHaveChanged",
            "UserHasJoinedChannel",
            "UserHasLeftChannel",
            "WebSocketMessageHasBeenPosted",
        ]
        actors = {
            event.hook: event.request.actor.id
            for event in here.host.events.history(HookCalled)
            if isinstance(event.request, UserHasJoinedChannelRequest | UserHasLeftChannelRequest)
        }
        # Who leaves does it; who joins alone is not told.
        assert actors == {"UserHasJoinedChannel": here.ada.id, "UserHasLeftChannel": here.bob.id}
        error = await here.api.error("DeleteChannel", 400, "delete_channel.rejected", channel_id=here.channel.id)
        assert error.params["Reason"] == "in use"

    run(scenario)


def test_uploads() -> None:
    async def scenario(here: Loaded) -> None:
        info = await here.host.act.upload(here.ada.id, here.channel.id, "a.txt", b"x")
        assert info.size == 2
        assert await here.host.act.download(here.ada.id, info.id) == b"x1"
        with pytest.raises(ApiError, match="no programs"):
            await here.host.act.upload(here.ada.id, here.channel.id, "a.exe", b"x")
        await here.api.error("UploadFile", 400, data=b"x", channel_id=here.channel.id, filename="b.exe")
        assert here.host.store.files.count() == 1

    run(scenario)


def test_http_from_users_and_other_plugins() -> None:
    async def scenario(here: Loaded) -> None:
        body = bytes(200_000)
        question = HttpQuestion(
            method="PUT", path="/a?b=1", body=body, user_id=here.ada.id, headers=[("mattermost-plugin-id", "forged")]
        )
        answer = await here.host.act.request("First", question)
        assert (answer.status, answer.header("x-who")) == (201, here.ada.id)
        assert answer.body == b"PUT /a?b=1 " + body
        second = here.apis["Second"]
        answer = await second("PluginHTTP", method="POST", url="/First/x", body=b"hi")
        assert (answer.status_code, answer.body) == (201, b"POST /x hi")
        assert answer.headers["X-Who"] == "Second"
        assert (await here.api("PluginHTTP", method="GET", url="/Second/x")).status_code == 404

    run(scenario)


def test_configuration() -> None:
    async def scenario(here: Loaded) -> None:
        with pytest.raises(ApiError, match="a bad name"):
            await here.host.act.configure("TeamSettings", SiteName="bad")
        await here.host.act.configure("TeamSettings", SiteName="good")
        await here.host.settle()
        assert ("OnConfigurationChange", "Second") in calls(here)

    run(scenario)


def test_readers_see_what_plugins_make_of_posts() -> None:
    async def scenario(here: Loaded) -> None:
        posts = [PostMessage(id="a", message="x"), PostMessage(id="b", message="y")]
        seen = await here.host.act.read(posts)
        assert [(post.id, post.message) for post in seen] == [("a", "changed"), ("b", "y")]

    run(scenario)


def test_one_hook_alone() -> None:
    async def scenario(here: Loaded) -> None:
        response: Any = await here.host.hook("Second", MessageWillBePostedRequest(post=PostMessage(message="x")))
        assert response.modified_post.message == "x2"
        assert await here.host.is_healthy("Second")

    run(scenario)
