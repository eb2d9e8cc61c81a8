"""A plugin that handles every hook and does in each what the request says.

Somewhere in the text of a request stands "do=WORD":

    allow       return what changes nothing
    modify      return a changed argument or a value
    reject      return a Reject
    hookerror   raise a HookError
    fail        raise an exception

Hooks whose requests have no text read the word from the file "<hook>.do" in the folder CONFORMANCE_FOLDER. There each
call leaves its arguments as JSON in "<hook>.json", before it does anything else.
"""

# mypy: disable-error-code="no-any-return"
# Handlers pass on wrong results, which a type checker would catch.

import asyncio
import base64
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook, run_plugin
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Channel,
    ChannelMember,
    CommandArgs,
    CommandResponse,
    ConfigJson,
    Draft,
    EmailNotificationContent,
    EmailNotificationJson,
    FileData,
    FileInfo,
    OnInstallEvent,
    PluginClusterEvent,
    PluginContext,
    Post,
    Preference,
    ProductLimits,
    PushNotification,
    Reaction,
    RemoteCluster,
    SamlAssertionInfoJson,
    ScheduledPost,
    SyncMsgJson,
    SyncResponse,
    TeamMember,
    User,
    WebSocketRequest,
)
from tests.conformance.texts import CHANGED, REASON, SECRET

ResultT = TypeVar("ResultT")
EditedT = TypeVar("EditedT", Post, ScheduledPost, Draft, PushNotification)
PromotedT = TypeVar("PromotedT", ChannelMember, TeamMember)

FOLDER = Path(os.environ.get("CONFORMANCE_FOLDER", "."))


def text_of(argument: object) -> bytes:
    if isinstance(argument, Message):
        return argument.SerializeToString()
    if isinstance(argument, Sequence) and not isinstance(argument, (str, bytes)):
        return b"".join(text_of(part) for part in argument)
    return str(argument).encode()


def json_of(argument: object) -> object:
    if isinstance(argument, Message):
        return MessageToDict(argument, preserving_proto_field_name=True)
    if isinstance(argument, bytes):
        return base64.b64encode(argument).decode()
    if isinstance(argument, Sequence) and not isinstance(argument, str):
        return [json_of(part) for part in argument]
    # protojson writes 64-bit numbers as text.
    return argument if argument is None else str(argument)


def record(name: HookName, *arguments: object) -> None:
    (FOLDER / f"{name}.json").write_text(json.dumps([json_of(argument) for argument in arguments]))


def act(name: HookName, arguments: Sequence[object], neutral: ResultT, change: Callable[[], ResultT]) -> ResultT:
    """Record the call and do what the request says."""
    record(name, *arguments)
    found = re.search(rb"do=(\w+)", b"".join(text_of(argument) for argument in arguments))
    word = found[1].decode() if found else (FOLDER / f"{name}.do").read_text()
    if word == "allow":
        return neutral
    if word == "modify":
        return change()
    if word == "reject":
        return cast("ResultT", Reject(REASON))
    if word == "hookerror":
        raise HookError(REASON, id="conformance.refused", status_code=418, params={"a": 1}, where="here")
    raise RuntimeError(SECRET)


def note(name: HookName, *arguments: object) -> Any:
    """`act` for hooks that have nothing to answer."""
    return act(name, arguments, None, lambda: None)


def edited(message: EditedT) -> EditedT:
    message.message = CHANGED
    return message


def first_edited(posts: Sequence[Post]) -> Sequence[Post]:
    edited(posts[0])
    return posts


def promoted(member: PromotedT) -> PromotedT:
    """A new message, where `edited` changes its argument."""
    copy = type(member)()
    copy.CopyFrom(member)
    copy.roles = CHANGED
    return copy


def renamed(channel: Channel) -> Channel:
    channel.display_name = CHANGED
    channel.ClearField("scheme_id")
    return channel


async def answer(name: HookName, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
    body = b"".join([piece async for piece in request.body])
    numbers = (request.proto_major, request.proto_minor, request.content_length)
    texts = (request.method, request.url, request.proto, request.host, request.remote_addr, request.request_uri)
    fields = [f"{field}={value}" for field, value in request.headers.items_all()]
    text = act(name, (context, *texts, *numbers, fields, body), "", lambda: CHANGED)
    if text:
        writer.headers["X-Conformance"] = "first"
        writer.headers.add("x-conformance", "second")
        writer.write_header(201)
        await writer.awrite(text)


class Conformance(Plugin):
    """Overrides and @hook, `def` and `async def`, in turns."""

    def on_activate(self) -> None:
        return note(HookName.OnActivate)

    async def on_deactivate(self) -> None:
        return note(HookName.OnDeactivate)

    @hook(HookName.OnConfigurationChange)
    def read_configuration(self) -> None:
        return note(HookName.OnConfigurationChange)

    @hook("OnInstall")
    async def installed(self, context: PluginContext, event: OnInstallEvent) -> None:
        return note(HookName.OnInstall, context, event)

    def configuration_will_be_saved(self, new_config: ConfigJson) -> ConfigJson | Reject | None:
        changed = ConfigJson(config_json=CHANGED.encode())
        return act(HookName.ConfigurationWillBeSaved, (new_config,), None, lambda: changed)

    async def on_send_daily_telemetry(self) -> None:
        return note(HookName.OnSendDailyTelemetry)

    @hook
    def on_cloud_limits_updated(self, limits: ProductLimits) -> None:
        return note(HookName.OnCloudLimitsUpdated, limits)

    @hook()
    async def run_data_retention(self, now_time: int, batch_size: int) -> int:
        return act(HookName.RunDataRetention, (now_time, batch_size), 0, lambda: 2**60 + 1)

    def on_plugin_cluster_event(self, context: PluginContext, event: PluginClusterEvent) -> None:
        return note(HookName.OnPluginClusterEvent, context, event)

    async def generate_support_data(self, context: PluginContext) -> Sequence[FileData] | None:
        files = [FileData(filename=f"{CHANGED}.txt", data=b"\x00\xff"), FileData(filename="empty")]
        return act(HookName.GenerateSupportData, (context,), None, lambda: files)

    @hook(HookName.MessageWillBePosted)
    async def check_post(self, context: PluginContext, post: Post) -> Post | Reject | None:
        return act(HookName.MessageWillBePosted, (context, post), None, lambda: edited(post))

    @hook(HookName.MessageWillBeUpdated)
    def check_edit(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        return act(HookName.MessageWillBeUpdated, (context, new_post, old_post), None, lambda: edited(new_post))

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        return note(HookName.MessageHasBeenPosted, context, post)

    def message_has_been_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> None:
        return note(HookName.MessageHasBeenUpdated, context, new_post, old_post)

    @hook(HookName.MessageHasBeenDeleted)
    async def deleted(self, context: PluginContext, post: Post) -> None:
        return note(HookName.MessageHasBeenDeleted, context, post)

    def messages_will_be_consumed(self, posts: Sequence[Post]) -> Sequence[Post] | None:
        return act(HookName.MessagesWillBeConsumed, (posts,), None, lambda: (edited(posts[0]),))

    async def messages_will_be_consumed_with_context(
        self, context: PluginContext, posts: Sequence[Post]
    ) -> Sequence[Post] | None:
        arguments = (context, posts)
        return act(HookName.MessagesWillBeConsumedWithContext, arguments, None, lambda: first_edited(posts))

    def scheduled_post_will_be_created(
        self, context: PluginContext, scheduled_post: ScheduledPost
    ) -> ScheduledPost | Reject | None:
        arguments = (context, scheduled_post)
        return act(HookName.ScheduledPostWillBeCreated, arguments, None, lambda: edited(scheduled_post))

    async def draft_will_be_upserted(self, context: PluginContext, draft: Draft) -> Draft | Reject | None:
        return act(HookName.DraftWillBeUpserted, (context, draft), None, lambda: edited(draft))

    @hook(HookName.ReactionHasBeenAdded)
    @hook(HookName.ReactionHasBeenRemoved)
    async def reacted(self, context: PluginContext, reaction: Reaction) -> None:
        # One method for two hooks cannot tell them apart: it leaves a record for both.
        record(HookName.ReactionHasBeenRemoved, context, reaction)
        return note(HookName.ReactionHasBeenAdded, context, reaction)

    async def file_will_be_uploaded(
        self, context: PluginContext, file_info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        content = b"".join([piece async for piece in file])
        if b"do=allow" not in content:  # a refusal must not carry it
            await output.awrite(CHANGED.encode())
            await output.awrite(content[:10])

        def change() -> FileInfo:
            file_info.name = CHANGED
            return file_info

        return act(HookName.FileWillBeUploaded, (context, file_info, content), None, change)

    def file_will_be_downloaded(
        self, context: PluginContext, file_info: FileInfo, user_id: str, download_type: str
    ) -> Reject | None:
        arguments = (context, file_info, user_id, download_type)
        return act(HookName.FileWillBeDownloaded, arguments, None, lambda: None)

    async def notification_will_be_pushed(
        self, push_notification: PushNotification, user_id: str
    ) -> PushNotification | Reject | None:
        arguments = (push_notification, user_id)
        return act(HookName.NotificationWillBePushed, arguments, None, lambda: edited(push_notification))

    def email_notification_will_be_sent(
        self, email_notification: EmailNotificationJson
    ) -> EmailNotificationContent | Reject | None:
        changed = EmailNotificationContent(subject=CHANGED, button_url="https://example.com")
        return act(HookName.EmailNotificationWillBeSent, (email_notification,), None, lambda: changed)

    async def user_has_been_created(self, context: PluginContext, user: User) -> None:
        return note(HookName.UserHasBeenCreated, context, user)

    @hook(HookName.UserWillLogIn, timeout=5)
    async def check_login(self, context: PluginContext, user: User) -> Reject | None:
        await asyncio.sleep(0)
        return act(HookName.UserWillLogIn, (context, user), None, lambda: None)

    def user_has_logged_in(self, context: PluginContext, user: User) -> None:
        return note(HookName.UserHasLoggedIn, context, user)

    async def user_has_been_deactivated(self, context: PluginContext, user: User) -> None:
        return note(HookName.UserHasBeenDeactivated, context, user)

    @hook(HookName.OnSAMLLogin)
    def check_saml_login(self, context: PluginContext, user: User, assertion: SamlAssertionInfoJson) -> None:
        return note(HookName.OnSAMLLogin, context, user, assertion)

    async def preferences_have_changed(self, context: PluginContext, preferences: Sequence[Preference]) -> None:
        return note(HookName.PreferencesHaveChanged, context, preferences)

    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        return note(HookName.ChannelHasBeenCreated, context, channel)

    async def channel_will_be_updated(
        self, context: PluginContext, new_channel: Channel, old_channel: Channel
    ) -> Channel | Reject | None:
        arguments = (context, new_channel, old_channel)
        return act(HookName.ChannelWillBeUpdated, arguments, None, lambda: renamed(new_channel))

    def channel_will_be_archived(self, context: PluginContext, channel: Channel) -> Reject | None:
        return act(HookName.ChannelWillBeArchived, (context, channel), None, lambda: None)

    async def channel_will_be_restored(self, context: PluginContext, channel: Channel) -> Reject | None:
        return act(HookName.ChannelWillBeRestored, (context, channel), None, lambda: None)

    def channel_member_will_be_added(
        self, context: PluginContext, channel_member: ChannelMember
    ) -> ChannelMember | Reject | None:
        arguments = (context, channel_member)
        return act(HookName.ChannelMemberWillBeAdded, arguments, None, lambda: promoted(channel_member))

    async def user_has_joined_channel(self, context: PluginContext, member: ChannelMember, actor: User | None) -> None:
        return note(HookName.UserHasJoinedChannel, context, member, actor)

    def user_has_left_channel(self, context: PluginContext, channel_member: ChannelMember, actor: User | None) -> None:
        return note(HookName.UserHasLeftChannel, context, channel_member, actor)

    async def team_member_will_be_added(
        self, context: PluginContext, team_member: TeamMember
    ) -> TeamMember | Reject | None:
        return act(HookName.TeamMemberWillBeAdded, (context, team_member), None, lambda: promoted(team_member))

    def user_has_joined_team(self, context: PluginContext, team_member: TeamMember, actor: User | None) -> None:
        return note(HookName.UserHasJoinedTeam, context, team_member, actor)

    async def user_has_left_team(self, context: PluginContext, team_member: TeamMember, actor: User | None) -> None:
        return note(HookName.UserHasLeftTeam, context, team_member, actor)

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse | None:
        changed = CommandResponse(response_type="in_channel", text=CHANGED)
        return act(HookName.ExecuteCommand, (context, args), None, lambda: changed)

    async def on_websocket_connect(self, web_conn_id: str, user_id: str) -> None:
        return note(HookName.OnWebSocketConnect, web_conn_id, user_id)

    def on_websocket_disconnect(self, web_conn_id: str, user_id: str) -> None:
        return note(HookName.OnWebSocketDisconnect, web_conn_id, user_id)

    async def websocket_message_has_been_posted(
        self, web_conn_id: str, user_id: str, request: WebSocketRequest
    ) -> None:
        return note(HookName.WebSocketMessageHasBeenPosted, web_conn_id, user_id, request)

    def on_shared_channels_sync_msg(self, sync_msg: SyncMsgJson, remote_cluster: RemoteCluster) -> SyncResponse | None:
        changed = SyncResponse(posts_last_update_at=2**60 + 1, post_errors=["a", CHANGED])
        return act(HookName.OnSharedChannelsSyncMsg, (sync_msg, remote_cluster), None, lambda: changed)

    async def on_shared_channels_ping(self, remote_cluster: RemoteCluster) -> bool:
        return act(HookName.OnSharedChannelsPing, (remote_cluster,), False, lambda: True)

    def on_shared_channels_attachment_sync_msg(
        self, file_info: FileInfo, post: Post, remote_cluster: RemoteCluster
    ) -> None:
        return note(HookName.OnSharedChannelsAttachmentSyncMsg, file_info, post, remote_cluster)

    async def on_shared_channels_profile_image_sync_msg(self, user: User, remote_cluster: RemoteCluster) -> None:
        return note(HookName.OnSharedChannelsProfileImageSyncMsg, user, remote_cluster)

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await answer(HookName.ServeHTTP, context, writer, request)

    @hook(HookName.ServeMetrics)
    async def metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        await answer(HookName.ServeMetrics, context, writer, request)


if __name__ == "__main__":
    run_plugin(Conformance)
