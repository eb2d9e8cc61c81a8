"""Posts: created, changed, deleted, and the reactions to them."""

from http import HTTPStatus
from typing import Final

from google.protobuf.json_format import MessageToJson

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.rules import check_post
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
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
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["DISMISS", "create_post", "delete_post", "live_post", "prepared", "update_post"]

DISMISS: Final = "plugin.message_will_be_posted.dismiss_post"
"""The reason with which a plugin drops a post silently."""


def live_post(world: World, post_id: str) -> Post:
    """A post that is not deleted.

    Raises:
        ApiError: there is none.
    """
    post = world.store.posts.get(post_id)
    if post is None or post.delete_at:
        raise not_found("app.post.get.app_error", f"post_id={post_id}")
    return post


def prepared(world: World, post: Post) -> Post:
    """A post with what is counted or collected when it is read: replies, reactions, files."""
    replies = world.store.posts.replies(post.root_id or post.id)
    post.reply_count = len(replies)
    if replies and not post.root_id:
        post.last_reply_at = replies[-1].create_at
    reactions, files = world.store.reactions.of_post(post.id), world.store.files.of_post(post.id)
    if reactions or files:
        post.metadata.reactions.extend(reactions)
        post.metadata.files.extend(files)
    return post


async def create_post(world: World, context: PluginContext, post: Post) -> Post:
    """Create a post: the plugins look at it, it is stored, and the plugins are told.

    Raises:
        ApiError: a value breaks a rule, user, channel or thread are not there, or a plugin refuses.
    """
    channel = existing_channel(world, post.channel_id)
    existing_user(world, post.user_id)
    _check_place(world, channel, post)
    created = Post()
    created.CopyFrom(post)
    created.id, created.delete_at, created.edit_at = "", 0, 0
    created.create_at = post.create_at or world.now_ms()
    created, reason = await world.hooks.filter(
        created, lambda value: MessageWillBePostedRequest(plugin_context=context, post=value), "modified_post"
    )
    if reason:
        text = DISMISS if reason == DISMISS else f"Post rejected by plugin. {reason}"
        raise ApiError(text, HTTPStatus.BAD_REQUEST, where="createPost")
    created.id, created.channel_id = new_id(), channel.id
    check_post(created)
    _store_new(world, created)
    stored = prepared(world, created)
    world.hooks.notify(MessageHasBeenPostedRequest(plugin_context=context, post=stored))
    _broadcast(world, "posted", stored)
    return stored


def _check_place(world: World, channel: Channel, post: Post) -> None:
    if channel.delete_at:
        raise bad_request("api.post.create_post.can_not_post_to_deleted.error", f"channel_id={channel.id}")
    if post.root_id:
        root = world.store.posts.get(post.root_id)
        if root is None or root.delete_at or root.root_id:
            raise bad_request("api.post.create_post.root_id.app_error", f"root_id={post.root_id}")
        if root.channel_id != channel.id:
            raise bad_request("api.post.create_post.channel_root_id.app_error", f"root_id={post.root_id}")


def _store_new(world: World, post: Post) -> None:
    post.update_at = post.create_at
    _strip(post)
    with world.store.transaction():
        world.store.posts.insert(post)
        # Read here, as the hooks before may have changed them.
        channel = existing_channel(world, post.channel_id)
        channel.total_msg_count += 1
        channel.last_post_at = max(channel.last_post_at, post.create_at)
        if not post.root_id:
            channel.total_msg_count_root += 1
            channel.last_root_post_at = max(channel.last_root_post_at, post.create_at)
        world.store.channels.put(channel)
        member = world.store.channel_members.get(channel.id, post.user_id)
        if member is not None:
            member.msg_count, member.msg_count_root = channel.total_msg_count, channel.total_msg_count_root
            member.last_viewed_at = post.create_at
            world.store.channel_members.put(member)
        for file_id in post.file_ids:
            info = world.store.files.get(file_id)
            if info is not None and not info.post_id:
                info.post_id, info.channel_id = post.id, post.channel_id
                world.store.files.put(info)
        root = world.store.posts.get(post.root_id) if post.root_id else None
        if root is not None:
            root.update_at = post.create_at
            world.store.posts.put(root)


def _strip(post: Post) -> None:
    """Take out of a post what is counted when it is read."""
    post.ClearField("participants")
    post.reply_count = post.last_reply_at = 0
    for collected in ("embeds", "reactions", "files", "emojis", "images"):
        if post.HasField("metadata"):
            post.metadata.ClearField(collected)
    if post.HasField("metadata") and not post.metadata.ByteSize():
        post.ClearField("metadata")


async def update_post(world: World, context: PluginContext, post: Post) -> Post:
    """Change text, props and a few other fields of a post, if all plugins allow it.

    Raises:
        ApiError: there is no such post, a value breaks a rule, or a plugin refuses.
    """
    old = live_post(world, post.id)
    new = Post()
    new.CopyFrom(old)
    new.message, new.is_pinned = post.message, post.is_pinned
    new.props.CopyFrom(post.props)
    new.file_ids[:] = post.file_ids
    if new.message != old.message:
        new.edit_at = world.now_ms()
    new, reason = await world.hooks.filter(
        new,
        lambda value: MessageWillBeUpdatedRequest(plugin_context=context, new_post=value, old_post=old),
        "modified_post",
    )
    if reason:
        raise ApiError(f"Post rejected by plugin. {reason}", HTTPStatus.BAD_REQUEST, where="UpdatePost")
    for field in ("id", "create_at", "user_id", "channel_id", "root_id", "delete_at"):
        setattr(new, field, getattr(old, field))
    new.update_at = world.now_ms()
    check_post(new)
    _strip(new)
    world.store.posts.put(new)
    stored = prepared(world, new)
    world.hooks.notify(MessageHasBeenUpdatedRequest(plugin_context=context, new_post=stored, old_post=old))
    _broadcast(world, "post_edited", stored)
    return stored


def delete_post(world: World, context: PluginContext, post_id: str) -> None:
    """Delete a post; a first one takes its replies along.

    Raises:
        ApiError: there is no such post.
    """
    post = live_post(world, post_id)
    now = world.now_ms()
    with world.store.transaction():
        for each in [post, *world.store.posts.replies(post.id)]:
            each.delete_at = each.update_at = now
            world.store.posts.put(each)
            for info in world.store.files.of_post(each.id):
                info.delete_at = info.update_at = now
                world.store.files.put(info)
    world.hooks.notify(MessageHasBeenDeletedRequest(plugin_context=context, post=post))
    _broadcast(world, "post_deleted", post)


def _broadcast(world: World, name: str, post: Post) -> None:
    data = {"post": MessageToJson(post, preserving_proto_field_name=True, indent=None)}
    world.broadcast(name, data, WebsocketBroadcast(channel_id=post.channel_id))
