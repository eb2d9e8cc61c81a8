"""Channels: created, changed, archived; direct and group messages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from mattermost_plugin.devhost.app.channel_members import end_channel_membership, join_channel
from mattermost_plugin.devhost.app.rules import check_channel
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_channel_pb2 import (
    ChannelHasBeenCreatedRequest,
    ChannelWillBeArchivedRequest,
    ChannelWillBeRestoredRequest,
    ChannelWillBeUpdatedRequest,
)
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "archive_channel",
    "create_channel",
    "direct_channel",
    "existing_channel",
    "group_channel",
    "restore_channel",
    "update_channel",
]

DEFAULT_CHANNEL: Final = "town-square"
"""The channel of a team that nobody can leave or archive."""

FEWEST_IN_GROUP: Final = 3
MOST_IN_GROUP: Final = 8

_KEPT_BY_UPDATE: Final = (
    "create_at",
    "delete_at",
    "team_id",
    "creator_id",
    "last_post_at",
    "last_root_post_at",
    "total_msg_count",
    "total_msg_count_root",
)


def existing_channel(world: World, channel_id: str) -> Channel:
    """The channel of an id, also an archived one.

    Raises:
        ApiError: there is none.
    """
    channel = world.store.channels.get(channel_id)
    if channel is None:
        raise not_found("app.channel.get.existing.app_error", f"channel_id={channel_id}")
    return channel


async def create_channel(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Create a public or private channel without members.

    Raises:
        ApiError: a value breaks a rule, the name is taken, or there is no such team.
    """
    if channel.type in (ChannelType.CHANNEL_TYPE_DIRECT, ChannelType.CHANNEL_TYPE_GROUP):
        raise bad_request("api.channel.create_channel.direct_channel.app_error", f"name={channel.name}")
    if "__" in channel.name:
        raise bad_request("api.channel.create_channel.invalid_character.app_error", f"name={channel.name}")
    if not channel.display_name:
        raise bad_request("model.channel.is_valid.display_name.app_error")
    if world.store.teams.get(channel.team_id) is None:
        raise not_found("app.team.get.find.app_error", f"team_id={channel.team_id}")
    created = Channel()
    created.CopyFrom(channel)
    return await add_channel(world, context, created)


async def add_channel(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Store a new channel, and tell plugins and clients.

    Raises:
        ApiError: a value breaks a rule, or the name is taken.
    """
    channel.id = new_id()
    channel.create_at = channel.update_at = channel.last_post_at = channel.extra_update_at = world.now_ms()
    channel.delete_at = 0
    check_channel(channel)
    try:
        world.store.channels.insert(channel)
    except DuplicateError as error:
        raise bad_request("store.sql_channel.save_channel.exists.app_error", f"name={channel.name}") from error
    world.hooks.notify(ChannelHasBeenCreatedRequest(plugin_context=context, channel=channel))
    data = {"channel_id": channel.id, "team_id": channel.team_id}
    world.broadcast("channel_created", data, WebsocketBroadcast(channel_id=channel.id))
    return channel


async def update_channel(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Replace a channel, if all plugins allow it.

    Raises:
        ApiError: there is no such channel, a value breaks a rule, the name is taken, or a plugin refuses.
    """
    old = existing_channel(world, channel.id)
    new = Channel()
    new.CopyFrom(channel)
    new, reason = await world.hooks.filter(
        new,
        lambda value: ChannelWillBeUpdatedRequest(plugin_context=context, new_channel=value, old_channel=old),
        "modified_channel",
    )
    if reason:
        raise bad_request("app.channel.update_channel.rejected_by_plugin.app_error", reason)
    new.id = old.id
    for field in _KEPT_BY_UPDATE:
        setattr(new, field, getattr(old, field))
    new.type = new.type or old.type
    new.update_at = world.now_ms()
    check_channel(new)
    try:
        world.store.channels.put(new)
    except DuplicateError as error:
        raise bad_request("store.sql_channel.update.exists.app_error", f"name={new.name}") from error
    world.broadcast("channel_updated", {"channel_id": new.id}, WebsocketBroadcast(channel_id=new.id))
    return new


async def archive_channel(world: World, context: PluginContext, channel_id: str) -> None:
    """Archive a channel, if all plugins allow it.

    Raises:
        ApiError: there is no such channel, it cannot be archived, or a plugin refuses.
    """
    channel = existing_channel(world, channel_id)
    if channel.delete_at:
        raise bad_request("api.channel.delete_channel.deleted.app_error", f"channel_id={channel_id}")
    if channel.name == DEFAULT_CHANNEL and channel.team_id:
        raise bad_request("api.channel.delete_channel.cannot.app_error", f"channel_id={channel_id}")
    reason = await world.hooks.refusal(ChannelWillBeArchivedRequest(plugin_context=context, channel=channel))
    if reason:
        raise bad_request("app.channel.delete_channel.rejected_by_plugin.app_error", reason)
    channel.delete_at = channel.update_at = world.now_ms()
    world.store.channels.put(channel)
    world.broadcast("channel_deleted", {"channel_id": channel_id}, WebsocketBroadcast(team_id=channel.team_id))


async def restore_channel(world: World, context: PluginContext, channel_id: str) -> None:
    """Bring back an archived channel, if all plugins allow it.

    Raises:
        ApiError: there is no such channel, it is not archived, or a plugin refuses.
    """
    channel = existing_channel(world, channel_id)
    if not channel.delete_at:
        raise bad_request("api.channel.restore_channel.restored.app_error", f"channel_id={channel_id}")
    reason = await world.hooks.refusal(ChannelWillBeRestoredRequest(plugin_context=context, channel=channel))
    if reason:
        raise bad_request("app.channel.restore_channel.rejected_by_plugin.app_error", reason)
    channel.delete_at, channel.update_at = 0, world.now_ms()
    world.store.channels.put(channel)
    world.broadcast("channel_restored", {"channel_id": channel_id}, WebsocketBroadcast(team_id=channel.team_id))


async def direct_channel(world: World, context: PluginContext, user_id: str, other_id: str) -> Channel:
    """The channel of the direct messages between two users, created if there is none.

    Raises:
        ApiError: a user does not exist.
    """
    ids = sorted((user_id, other_id))
    for each in ids:
        existing_user(world, each)
    members = ids[:1] if user_id == other_id else ids
    return await _private_channel(world, context, "__".join(ids), "", ChannelType.CHANNEL_TYPE_DIRECT, members)


async def group_channel(world: World, context: PluginContext, user_ids: Sequence[str]) -> Channel:
    """The channel of the messages among some users, created if there is none.

    Raises:
        ApiError: they are too few or too many, or one does not exist.
    """
    ids = sorted(set(user_ids))
    if not FEWEST_IN_GROUP <= len(ids) <= MOST_IN_GROUP:
        raise bad_request("api.channel.create_group.bad_size.app_error", f"{len(ids)} users")
    users = [world.store.users.get(each) for each in ids]
    names = [user.username for user in users if user is not None]
    if len(names) < len(ids):
        raise bad_request("api.channel.create_group.bad_user.app_error", f"user_ids={','.join(ids)}")
    # The server's own way to a name that depends on the members alone.
    name = hashlib.sha1("".join(ids).encode(), usedforsecurity=False).hexdigest()
    title = ", ".join(sorted(names))[:64]
    return await _private_channel(world, context, name, title, ChannelType.CHANNEL_TYPE_GROUP, ids)


async def _private_channel(
    world: World, context: PluginContext, name: str, title: str, kind: ChannelType.ValueType, user_ids: Sequence[str]
) -> Channel:
    found = world.store.channels.by_name("", name)
    if found is not None:
        return found
    channel = await add_channel(world, context, Channel(name=name, display_name=title, type=kind))
    for user_id in user_ids:
        await join_channel(world, context, channel, user_id)
    return channel


async def join_default_channels(
    world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = ""
) -> None:
    """Make a user a member of a team's default channels, as far as plugins allow it."""
    for name in (DEFAULT_CHANNEL, "off-topic"):
        channel = world.store.channels.by_name(team_id, name)
        if channel is not None and not channel.delete_at:
            await join_channel(world, context, channel, user_id, actor_id, forced=True)


def leave_team_channels(world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = "") -> None:
    """Take a user out of all channels of a team."""
    for channel in world.store.channels.of_user(user_id, include_deleted=True):
        if channel.team_id == team_id:
            end_channel_membership(world, context, channel, user_id, actor_id)
