"""The order of hooks over two plugins, and what the host makes of their answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook
from mattermost_plugin.devhost import ApiError, HttpQuestion
from mattermost_plugin.devhost.app.posts import DISMISS
from mattermost_plugin.devhost.events import HookCalled, WebSocketEvent
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Channel,
    CommandArgs,
    CommandResponse,
    ConfigJson,
    FileInfo,
    MessageAttachment,
    PluginContext,
    Post,
    Preference,
    Reaction,
    User,
    WebSocketRequest,
)
from mattermost_pluginapi.v1.command_pb2 import Command
from mattermost_pluginapi.v1.hooks_channel_pb2 import UserHasJoinedChannelRequest, UserHasLeftChannelRequest
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest
from mattermost_pluginapi.v1.hooks_message_pb2 import (
    MessageHasBeenDeletedRequest,
    MessageHasBeenPostedRequest,
    MessageWillBePostedRequest,
)
from mattermost_pluginapi.v1.post_pb2 import Post as PostMessage
from tests.devhost.plugins import Loaded, Talker, loaded
from tests.devhost.site import Refused


class First(Talker):
    """Adds "1", refuses "no", dismisses "shh", crashes on "oops"."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == "no":
            return Reject("not like this")
        if post.message == "shh":
            return Reject(DISMISS)
        if post.message == "oops":
            raise RuntimeError("broken")
        post.message += "1"
        return post

    def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        if new_post.message == "shh":
            return Reject(DISMISS)
        return Reject(f"keep {old_post.message}") if new_post.message == "no" else None

    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        return Reject("closed") if user.username == "bob" else None

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse | None:
        if args.command == "/one fail":
            raise HookError("No.", id="one.fail", status_code=418)
        word = args.command.removeprefix("/one ")
        if word == "none":
            return None
        if word == "nothing":
            return CommandResponse()
        if word == "elsewhere":
            return CommandResponse(text="x", channel_id=args.channel_id)
        if word == "system":
            return CommandResponse(text="x", type="system_generic")
        if word == "many":
            quiet = CommandResponse(text="quietly")
            return CommandResponse(
                response_type="in_channel",
                username="Robo",
                message_attachments=[MessageAttachment(text="a")],
                extra_responses=[quiet],
            )
        return CommandResponse(response_type="in_channel", text=f"one: {args.command}")

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        content = await file.aread()
        if info.extension == "exe":
            return Reject("no programs")
        await output.awrite(content + b"1")
        return None

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["X-Who"] = request.headers.get("Mattermost-Plugin-ID", request.user_id)
        writer.write_header(201)
        await writer.awrite(request.method.encode() + b" " + request.url.encode() + b" ")
        async for piece in request.body:
            await writer.awrite(piece)

    def channel_will_be_archived(self, context: PluginContext, channel: Channel) -> Reject | None:
        return Reject("in use")

    def configuration_will_be_saved(self, new_config: ConfigJson) -> ConfigJson | None:
        if json.loads(new_config.config_json)["TeamSettings"]["SiteName"] == "bad":
            raise HookError("a bad name")
        return None

    def messages_will_be_consumed(self, posts: Sequence[Post]) -> Sequence[Post]:
        return [Post(id=posts[0].id, message="changed"), Post(id="added", message="added")]


class Second(Plugin):
    """Adds "2", and hears of everything."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.message += "2"
        return post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None: ...
    def message_has_been_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None: ...
    def message_has_been_deleted(self, context: PluginContext, post: Post) -> None: ...
    def reaction_has_been_added(self, context: PluginContext, reaction: Reaction) -> None: ...
    def reaction_has_been_removed(self, context: PluginContext, reaction: Reaction) -> None: ...
    def user_has_been_created(self, context: PluginContext, user: User) -> None: ...
    def user_has_logged_in(self, context: PluginContext, user: User) -> None: ...
    def user_has_been_deactivated(self, context: PluginContext, user: User) -> None: ...
    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None: ...
    def preferences_have_changed(self, context: PluginContext, preferences: Sequence[Preference]) -> None: ...
    def on_configuration_change(self) -> None: ...
    def on_websocket_connect(self, web_conn_id: str, user_id: str) -> None: ...
    def on_websocket_disconnect(self, web_conn_id: str, user_id: str) -> None: ...

    @hook(HookName.WebSocketMessageHasBeenPosted)
    def heard(self, web_conn_id: str, user_id: str, request: WebSocketRequest) -> None: ...

    @hook(HookName.UserHasJoinedChannel)
    def joined(self, context: PluginContext, member: Any, actor: User | None) -> None: ...

    @hook(HookName.UserHasLeftChannel)
    def left(self, context: PluginContext, member: Any, actor: User | None) -> None: ...


class Mover(Plugin):
    """Moves posts to the channel that they name."""

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        post.channel_id = post.message.removeprefix("to ")
        return post


class Eraser(Talker):
    """Deletes what is edited."""

    @hook(HookName.MessageWillBeUpdated)
    async def erase(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        await self.api_calls("DeletePost", post_id=old_post.id)
        return None


def run(scenario: Callable[[Loaded], Awaitable[None]], *plugins: type[Plugin]) -> None:
    async def inside() -> None:
        async with loaded(plugins or (First, Second)) as here:
            await scenario(here)

    asyncio.run(inside())


def calls(here: Loaded) -> list[tuple[str, str]]:
    return [(event.hook, event.plugin_id) for event in here.host.events.history(HookCalled)]


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


def test_a_post_that_is_deleted_while_hooks_look_at_its_edit_stays_deleted() -> None:
    async def scenario(here: Loaded) -> None:
        post = await here.host.act.post(here.ada.id, here.channel.id, "x")
        await here.api.error("UpdatePost", 404, "app.post.get", post=post)
        assert here.host.store.posts.get(post.id).delete_at  # type: ignore[union-attr]  # it is there

    run(scenario, Eraser)


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


def test_commands_go_to_the_plugin_that_declared_them() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))
        response = await here.host.act.run_command(here.bob.id, here.channel.id, "/one a b")
        assert response.text == "one: /one a b"
        (post,) = here.host.store.posts.of_channel(here.channel.id)
        assert (post.message, post.user_id) == ("one: /one a b12", here.bob.id)
        with pytest.raises(ApiError) as caught:
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one fail")
        assert (caught.value.error_id, caught.value.status_code) == ("one.fail", 418)
        assert response.trigger_id
        await here.host.act.run_command(here.bob.id, here.channel.id, "/one nothing")
        with pytest.raises(ApiError, match="not_found"):
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one none")
        await here.host.disable("First")
        with pytest.raises(ApiError, match="not_found"):
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one")

    run(scenario)


def test_what_commands_are_told_of_mentions() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))
        text = "/one @ada, @bob.: @nobody x@ada ~lobby ~nowhere"
        await here.host.act.run_command(here.bob.id, here.channel.id, text)
        (request,) = (
            event.request
            for event in here.host.events.history(HookCalled)
            if isinstance(event.request, ExecuteCommandRequest)
        )
        assert dict(request.args.user_mentions) == {"ada": here.ada.id, "bob": here.bob.id}
        assert dict(request.args.channel_mentions) == {"lobby": here.channel.id}
        assert request.args.site_url == "http://localhost:8065"
        post = await here.host.act.post(here.ada.id, here.channel.id, "see ~lobby and ~nowhere")
        mentioned = MessageToDict(post.props)["channel_mentions"]
        assert mentioned == {"lobby": {"display_name": "lobby", "team_name": "core"}}
        assert "channel_mentions" not in (await here.host.act.edit(post.id, "see")).props

    run(scenario)


def test_the_answers_of_commands_are_posted() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))

        def shown() -> list[str]:
            events = here.host.events.history(WebSocketEvent)
            return [str(event.data["post"]) for event in events if event.name == "ephemeral_message"]

        await here.host.act.run_command(here.ada.id, here.channel.id, "/one many")
        (post,) = here.host.store.posts.of_channel(here.channel.id)
        assert (post.type, MessageToDict(post.props)["attachments"]) == ("slack_attachment", [{"text": "a"}])
        assert "override_username" not in post.props
        assert "quietly" in shown()[0]
        await here.host.act.configure("ServiceSettings", EnablePostUsernameOverride=True)
        await here.host.act.run_command(here.ada.id, here.channel.id, "/one many")
        post = here.host.store.posts.of_channel(here.channel.id)[0]
        assert (post.props["override_username"], post.props["from_webhook"]) == ("Robo", "true")
        for command in ("/one elsewhere", "/one system"):
            with pytest.raises(ApiError) as caught:
                await here.host.act.run_command(here.bob.id, here.channel.id, command)
            assert caught.value.error_id == "api.command.execute_command.create_post_failed.app_error"
            assert caught.value.status_code == 500

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


def test_settings_that_plugins_save_at_once_are_all_kept() -> None:
    async def scenario(here: Loaded) -> None:
        for number in range(5):
            saves = [api("SavePluginConfig", config={"n": number}) for api in here.apis.values()]
            await asyncio.gather(*saves)
        for api in here.apis.values():
            assert (await api("GetPluginConfig")).config["n"] == 4

    run(scenario)


def test_the_last_piece_of_an_upload_counts_once() -> None:
    async def scenario(here: Loaded) -> None:
        given = {"id": "u" * 26, "type": "attachment", "user_id": here.ada.id, "filename": "a", "file_size": 3}
        session = {"upload_session": {**given, "channel_id": here.channel.id}}
        await here.api("CreateUploadSession", **session)
        pieces = [here.api("UploadData", **session, data=b"abc") for _ in range(5)]
        answers = await asyncio.gather(*pieces, return_exceptions=True)
        assert [isinstance(each, Refused) for each in answers].count(False) == 1
        assert here.host.store.files.count() == 1
        (info,) = here.host.store.files.select()
        assert (await here.api("GetFile", file_id=info.id)).data == b"abc1"

    run(scenario)


def test_readers_see_what_plugins_make_of_posts() -> None:
    async def scenario(here: Loaded) -> None:
        posts = [PostMessage(id="a", message="x"), PostMessage(id="b", message="y")]
        seen = await here.host.act.read(posts)
        assert [(post.id, post.message) for post in seen] == [("a", "changed"), ("b", "y")]

    run(scenario)


def test_each_plugin_has_its_own_keys_and_a_race_has_one_winner() -> None:
    async def scenario(here: Loaded) -> None:
        first, second = here.apis.values()
        await first("KVSet", key="k", value=b"1")
        assert (await second("KVGet", key="k")).value == b""
        tries = [
            first("KVCompareAndSet", key="lock", old_value=b"", new_value=str(number).encode()) for number in range(50)
        ]
        won = [number for number, answer in enumerate(await asyncio.gather(*tries)) if answer.success]
        assert len(won) == 1
        assert (await first("KVGet", key="lock")).value == str(won[0]).encode()

    run(scenario)


def test_one_hook_alone() -> None:
    async def scenario(here: Loaded) -> None:
        response: Any = await here.host.hook("Second", MessageWillBePostedRequest(post=PostMessage(message="x")))
        assert response.modified_post.message == "x2"
        assert await here.host.is_healthy("Second")

    run(scenario)
