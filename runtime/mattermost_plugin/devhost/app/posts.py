"""Posts: created, changed, deleted."""

from http import HTTPStatus
from typing import Final

from google.protobuf.json_format import MessageToDict

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.guards import guarded_filter
from mattermost_plugin.devhost.app.hashtags import hashtags_in
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.mentions import channels_mentioned
from mattermost_plugin.devhost.app.post_files import attach_files, change_files, remove_files
from mattermost_plugin.devhost.app.post_views import for_plugin, prepared, without_metadata
from mattermost_plugin.devhost.app.rules import check_post, is_system_type
from mattermost_plugin.devhost.app.statuses import set_online
from mattermost_plugin.devhost.app.type_letters import CHANNEL_LETTERS
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_message_pb2 import (
    MessageHasBeenDeletedRequest,
    MessageHasBeenPostedRequest,
    MessageHasBeenUpdatedRequest,
    MessageWillBePostedRequest,
    MessageWillBeUpdatedRequest,
)
from mattermost_pluginapi.v1.post_pb2 import Post, PostMetadata
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["DISMISS", "create_post", "create_post_as_user", "delete_post", "live_post", "update_post"]

DISMISS: Final = "plugin.message_will_be_posted.dismiss_post"
"""The reason with which a plugin drops a post silently."""

_NOT_COUNTED: Final = frozenset(
    f"system_{kind}"
    for kind in (
        "join_leave",
        "add_remove",
        "join_channel",
        "leave_channel",
        "join_team",
        "leave_team",
        "add_to_channel",
        "remove_from_channel",
        "add_to_team",
        "remove_from_team",
    )
)
"""Types of posts that a channel's counts of messages leave out."""

_SERVERS_PROPS: Final = ("add_channel_member", "channel_mentions", "force_notification")
"""Props that the server alone sets: it takes them out of what it is given."""


def live_post(world: World, post_id: str) -> Post:
    """A post that is not deleted.

    Raises:
        ApiError: there is none.
    """
    post = world.store.posts.get(post_id)
    if post is None or post.delete_at:
        raise not_found("app.post.get.app_error", f"post_id={post_id}")
    return post


async def create_post_as_user(world: World, context: PluginContext, post: Post) -> Post:
    """Create a post as a user does: not as the system, not in an archived channel; the author has read it.

    Raises:
        ApiError: it is not allowed, or as `create_post`.
    """
    if is_system_type(post.type):
        raise bad_request("api.context.invalid_param.app_error", "post.type")
    if existing_channel(world, post.channel_id).delete_at:
        raise bad_request("api.post.create_post.can_not_post_to_deleted.error", f"channel_id={post.channel_id}")
    try:
        created = await create_post(world, context, post)
    except ApiError as error:
        if error.error_id == "api.post.create_post.channel_root_id.app_error":
            error.status_code = HTTPStatus.BAD_REQUEST
        raise
    set_online(world, created.user_id)
    if "from_webhook" not in created.props and "from_bot" not in created.props:
        _mark_as_read(world, created)
    return created


async def create_post(world: World, context: PluginContext, post: Post) -> Post:
    """Create a post as a plugin may: the plugins look at it, it is stored, and the plugins are told.

    Returns:
        The post as clients get it.

    Raises:
        ApiError: a value breaks a rule, user, channel or thread are not there, or a plugin refuses.
    """
    channel = existing_channel(world, post.channel_id)
    user = existing_user(world, post.user_id)
    _check_thread(world, post)
    new = Post()
    new.CopyFrom(post)
    new.delete_at = new.edit_at = 0
    new.hashtags = hashtags_in(new.message)
    _set_servers_props(world, new, channel)
    if user.is_bot:
        new.props["from_bot"] = "true"
    metadata = new.metadata if new.HasField("metadata") else None
    new, reason = await guarded_filter(
        world,
        channel.id,
        "createPost",
        without_metadata(new),
        lambda value: MessageWillBePostedRequest(plugin_context=context, post=value),
        "modified_post",
    )
    if reason:
        raise _rejected(reason, "createPost")
    if new.id and not new.remote_id:
        raise bad_request("app.post.save.existing.app_error", f"id={new.id}")
    _restore_metadata(new, metadata)
    new.id, new.original_id = new.id or new_id(), ""
    new.create_at = new.create_at or world.now_ms()
    _tidy(new)
    check_post(new)
    try:
        _store_new(world, new)
    except DuplicateError as error:
        # Only posts of remotes come with ids: somebody has brought the same one meanwhile.
        raise ApiError("app.post.save.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, f"id={new.id}") from error
    (told,) = for_plugin(world, [new])
    world.hooks.notify(MessageHasBeenPostedRequest(plugin_context=context, post=told))
    shown = prepared(world, new)
    _tell_clients_of_new(world, existing_channel(world, new.channel_id), user.username, shown)
    return shown


def _check_thread(world: World, post: Post) -> None:
    if not post.root_id:
        return
    root = world.store.posts.get(post.root_id)
    if root is None or root.delete_at:
        raise bad_request("api.post.create_post.root_id.app_error", f"root_id={post.root_id}")
    if root.channel_id != post.channel_id:
        # Not the caller's fault, says the server; to users it says otherwise.
        raise ApiError(
            "api.post.create_post.channel_root_id.app_error",
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"root_id={post.root_id}",
        )
    if root.root_id:
        raise bad_request("api.post.create_post.root_id.app_error", f"root_id={post.root_id}")


def _rejected(reason: str, where: str) -> ApiError:
    text = DISMISS if reason == DISMISS else f"Post rejected by plugin. {reason}"
    return ApiError(text, HTTPStatus.BAD_REQUEST, where=where)


def _set_servers_props(world: World, post: Post, channel: Channel) -> None:
    """Take out props that only the server sets, and say which public channels the post mentions."""
    for name in _SERVERS_PROPS:
        if name in post.props:
            del post.props[name]
    mentioned = channels_mentioned(world, post.message, channel.team_id)
    team = world.store.teams.get(channel.team_id) if mentioned else None
    if team is not None:
        names = {each.name: {"display_name": each.display_name, "team_name": team.name} for each in mentioned}
        post.props["channel_mentions"] = names


def _restore_metadata(post: Post, before: PostMetadata | None) -> None:
    """Give a post back what was taken out of it before plugins saw it; of its priority they have no say."""
    if before is None:
        return
    if not post.HasField("metadata"):
        post.metadata.CopyFrom(before)
    elif before.HasField("priority"):
        post.metadata.priority.CopyFrom(before.priority)
    else:
        post.metadata.ClearField("priority")


def _tidy(post: Post) -> None:
    """Take out of a post what is counted or collected when it is read, and what it has twice."""
    post.ClearField("participants")
    post.reply_count = post.last_reply_at = 0
    post.file_ids[:] = dict.fromkeys(post.file_ids)
    for collected in ("embeds", "reactions", "files", "emojis", "images"):
        if post.HasField("metadata"):
            post.metadata.ClearField(collected)
    if post.HasField("metadata") and not post.metadata.ByteSize():
        post.ClearField("metadata")


def _store_new(world: World, post: Post) -> None:
    post.update_at = post.create_at
    pending_post_id, post.pending_post_id = post.pending_post_id, ""
    with world.store.transaction():
        post.file_ids[:] = attach_files(world, post, post.file_ids)
        world.store.posts.insert(post)
        # Read here, as the hooks before may have changed it.
        channel = existing_channel(world, post.channel_id)
        count = 0 if post.type in _NOT_COUNTED else 1
        channel.total_msg_count += count
        channel.last_post_at = max(channel.last_post_at, post.create_at)
        if not post.root_id:
            channel.total_msg_count_root += count
            channel.last_root_post_at = max(channel.last_root_post_at, post.create_at)
        world.store.channels.put(channel)
        _touch(world, post.root_id, post.create_at)
    # The client that made it up knows the post by it; nobody else needs it.
    post.pending_post_id = pending_post_id


def _touch(world: World, post_id: str, now: int) -> None:
    """Note that something about a thread has changed."""
    root = world.store.posts.get(post_id) if post_id else None
    if root is not None:
        root.update_at = now
        world.store.posts.put(root)


def _mark_as_read(world: World, post: Post) -> None:
    channel = existing_channel(world, post.channel_id)
    member = world.store.channel_members.get(channel.id, post.user_id)
    if member is not None:
        member.msg_count, member.msg_count_root = channel.total_msg_count, channel.total_msg_count_root
        member.last_viewed_at = channel.last_post_at
        world.store.channel_members.put(member)


async def update_post(world: World, context: PluginContext, post: Post) -> Post:
    """Change text, props, files and a few other fields of a post, if all plugins allow it.

    What the post was before stays as a deleted post with an id of its own, whose `original_id` is the post's.

    Returns:
        The post as clients get it.

    Raises:
        ApiError: there is no such post, it is none to be changed, a value breaks a rule, or a plugin refuses.
    """
    if not post.id:
        raise bad_request("app.post.get.app_error", "id is empty")
    old = live_post(world, post.id)
    if is_system_type(old.type):
        raise bad_request("api.post.update_post.system_message.app_error", f"id={post.id}")
    channel = _check_open(world, old, "api.post.update_post.can_not_update_post_in_deleted.error")
    new = _edited(world, channel, old, post)
    new, reason = await guarded_filter(
        world,
        old.channel_id,
        "UpdatePost",
        without_metadata(new),
        lambda value: MessageWillBeUpdatedRequest(
            plugin_context=context, new_post=value, old_post=without_metadata(old)
        ),
        "modified_post",
    )
    if reason:
        raise _rejected(reason, "UpdatePost")
    # Hooks take their time: it may be gone by now.
    live_post(world, old.id)
    for field in ("id", "create_at", "user_id", "channel_id", "root_id", "delete_at", "original_id", "pending_post_id"):
        setattr(new, field, getattr(old, field))
    kept = post if post.HasField("metadata") else old
    if kept.HasField("metadata"):
        new.metadata.CopyFrom(kept.metadata)
    _tidy(new)
    check_post(new)
    _store_edit(world, old, new)
    before, after = for_plugin(world, [old, new])
    world.hooks.notify(MessageHasBeenUpdatedRequest(plugin_context=context, new_post=after, old_post=before))
    shown = prepared(world, new)
    _tell_clients(world, "post_edited", shown)
    return shown


def _edited(world: World, channel: Channel, old: Post, given: Post) -> Post:
    """A post with what may be changed about it."""
    new = Post()
    new.CopyFrom(old)
    new.message, new.is_pinned, new.has_reactions = given.message, given.is_pinned, given.has_reactions
    new.hashtags = hashtags_in(new.message)
    new.props.CopyFrom(given.props)
    _set_servers_props(world, new, channel)
    new.file_ids[:] = dict.fromkeys(given.file_ids)
    files_changed = list(new.file_ids) != list(old.file_ids)
    if new.message != old.message or files_changed or _attachments(new) != _attachments(old):
        new.edit_at = world.now_ms()
    return new


def _attachments(post: Post) -> object:
    return MessageToDict(post.props).get("attachments")


def _store_edit(world: World, old: Post, new: Post) -> None:
    now = world.now_ms()
    new.update_at = now
    history = Post()
    history.CopyFrom(old)
    history.id, history.original_id = new_id(), old.id
    history.update_at = history.delete_at = now
    with world.store.transaction():
        new.file_ids[:] = change_files(world, old, new)
        world.store.posts.insert(history)
        world.store.posts.put(new)
        _touch(world, new.root_id, now)
        channel = existing_channel(world, new.channel_id)
        channel.last_post_at = max(channel.last_post_at, now)
        world.store.channels.put(channel)


def _check_open(world: World, post: Post, error_id: str) -> Channel:
    channel = existing_channel(world, post.channel_id)
    if channel.delete_at:
        raise bad_request(error_id, f"channel_id={channel.id}")
    return channel


def delete_post(world: World, context: PluginContext, post_id: str, deleted_by: str) -> None:
    """Delete a post; a first one takes its replies along.

    Args:
        world: the host's parts.
        context: context of the hooks.
        post_id: the post.
        deleted_by: id of the user or plugin that does it.

    Raises:
        ApiError: there is no such post, or its channel is archived.
    """
    post = world.store.posts.get(post_id)
    if post is None or post.delete_at:
        raise bad_request("app.post.get.app_error", f"post_id={post_id}")
    _check_open(world, post, "api.post.delete_post.can_not_delete_post_in_deleted.error")
    # As it was: the server tells plugins and clients of the post before the deletion.
    (told,) = for_plugin(world, [post])
    now = world.now_ms()
    with world.store.transaction():
        for each in [post, *world.store.posts.replies(post.id)]:
            each.delete_at = each.update_at = now
            each.props["deleteBy"] = deleted_by
            world.store.posts.put(each)
            remove_files(world, world.store.files.of_post(each.id), now)
        _touch(world, post.root_id, now)
    world.hooks.notify(MessageHasBeenDeletedRequest(plugin_context=context, post=told))
    _tell_clients(world, "post_deleted", told)


def _tell_clients_of_new(world: World, channel: Channel, author: str, post: Post) -> None:
    data = {
        "post": json_text(post),
        "channel_type": CHANNEL_LETTERS.get(channel.type, ""),
        "channel_display_name": channel.display_name,
        "channel_name": channel.name,
        "sender_name": f"@{author}",
        "team_id": channel.team_id,
        "set_online": True,
    }
    world.broadcast("posted", data, WebsocketBroadcast(channel_id=post.channel_id))


def _tell_clients(world: World, name: str, post: Post) -> None:
    world.broadcast(name, {"post": json_text(post)}, WebsocketBroadcast(channel_id=post.channel_id))
