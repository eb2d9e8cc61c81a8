"""Channels: created, changed, archived; direct and group messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from mattermost_plugin.devhost.app.channel_members import (
    DEFAULT_CHANNEL,
    enrol,
    is_private_talk,
    tell_of_new_member,
)
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.guards import guarded_filter, guarded_refusal
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.rules import check_channel
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, not_found, rejected
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
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "archive_channel",
    "create_channel",
    "create_channel_as_user",
    "create_default_channels",
    "direct_channel",
    "existing_channel",
    "group_channel",
    "join_default_channels",
    "leave_team_channels",
    "restore_channel",
    "update_channel",
]

EXISTS: Final = "store.sql_channel.save_channel.exists.app_error"
"""Id of the error that the name is taken."""

FEWEST_IN_GROUP: Final = 3
MOST_IN_GROUP: Final = 8
LONGEST_TITLE: Final = 64

_DEFAULTS: Final = ((DEFAULT_CHANNEL, "Town Square"), ("off-topic", "Off-Topic"))

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


def create_channel(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Create a public or private channel without members, as plugins do.

    Raises:
        ApiError: a value breaks a rule, the name is taken, or the team is not there or has too many channels.
    """
    if channel.delete_at:
        raise bad_request("store.sql_channel.save.archived_channel.app_error")
    if channel.id:
        raise bad_request("store.sql_channel.save_channel.existing.app_error", f"id={channel.id}")
    if is_private_talk(channel):
        raise bad_request("store.sql_channel.save.direct_channel.app_error", f"name={channel.name}")
    if world.store.teams.get(channel.team_id) is None:
        raise not_found("app.team.get.find.app_error", f"team_id={channel.team_id}")
    most = section(load_config(world), "TeamSettings").get("MaxChannelsPerTeam")
    if isinstance(most, int) and world.store.channels.count_of_team(channel.team_id) >= most:
        raise bad_request("store.sql_channel.save_channel.limit.app_error", f"team_id={channel.team_id}")
    created = Channel()
    created.CopyFrom(channel)
    created.display_name = channel.display_name.strip()
    save_new_channel(world, created)
    world.hooks.notify(ChannelHasBeenCreatedRequest(plugin_context=context, channel=created))
    return created


def create_channel_as_user(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Create a channel as a user does, who becomes its first member and administrator. No plugin hears of the joining.

    Raises:
        ApiError: as `create_channel`, or there is no such user.
    """
    creator = existing_user(world, channel.creator_id)
    created = create_channel(world, context, channel)
    enrol(world, created, creator, admin=True)
    data = {"channel_id": created.id, "team_id": created.team_id}
    world.broadcast("channel_created", data, WebsocketBroadcast(user_id=creator.id))
    return created


def save_new_channel(world: World, channel: Channel) -> Channel:
    """Store a new channel and tell nobody.

    Raises:
        ApiError: a value breaks a rule, or the name is taken.
    """
    channel.id = new_id()
    channel.create_at = channel.update_at = world.now_ms()
    channel.extra_update_at = channel.delete_at = 0
    check_channel(channel)
    try:
        return world.store.channels.insert(channel)
    except DuplicateError as error:
        raise bad_request(EXISTS, f"name={channel.name}") from error


async def update_channel(world: World, context: PluginContext, channel: Channel) -> Channel:
    """Replace a channel, if all plugins allow it.

    Raises:
        ApiError: there is no such channel, it is archived, a value breaks a rule, the name is taken, or a plugin
            refuses.
    """
    old = existing_channel(world, channel.id)
    if old.delete_at or channel.delete_at:
        raise bad_request("app.channel.update.bad_id", f"channel_id={channel.id} is archived")
    given = Channel()
    given.CopyFrom(channel)
    given.type = given.type or old.type
    new, reason = await guarded_filter(
        world,
        old.id,
        "UpdateChannel",
        given,
        lambda value: ChannelWillBeUpdatedRequest(plugin_context=context, new_channel=value, old_channel=old),
        "modified_channel",
    )
    if reason:
        raise rejected("app.channel.update_channel.rejected_by_plugin", reason, "UpdateChannel")
    new.type = new.type or given.type
    if new.type not in (given.type, old.type) and world.store.channel_guards.of_channel(old.id):
        raise bad_request("app.channel.update_channel.plugin_type_mutation.app_error", f"channel_id={old.id}")
    # The hooks take their time: what is counted may have changed by now.
    current = existing_channel(world, old.id)
    new.id, new.update_at = old.id, world.now_ms()
    for field in _KEPT_BY_UPDATE:
        setattr(new, field, getattr(current, field))
    check_channel(new)
    try:
        world.store.channels.put(new)
    except DuplicateError as error:
        raise bad_request(EXISTS, f"name={new.name}") from error
    world.broadcast("channel_updated", {"channel": json_text(new)}, WebsocketBroadcast(channel_id=new.id))
    return new


async def archive_channel(world: World, context: PluginContext, channel_id: str) -> None:
    """Archive a channel, if all plugins allow it. Guards of the channel are asked like all others.

    Raises:
        ApiError: there is no such channel, it cannot be archived, or a plugin refuses.
    """
    channel = _archivable(world, channel_id)
    reason = await world.hooks.refusal(ChannelWillBeArchivedRequest(plugin_context=context, channel=channel))
    if reason:
        raise rejected("app.channel.delete_channel.rejected_by_plugin", reason, "DeleteChannel")
    channel = _archivable(world, channel_id)
    channel.delete_at = channel.update_at = world.now_ms()
    world.store.channels.put(channel)
    data = {"channel_id": channel_id, "delete_at": channel.delete_at}
    world.broadcast("channel_deleted", data, _who_sees(channel))


def _archivable(world: World, channel_id: str) -> Channel:
    channel = existing_channel(world, channel_id)
    if channel.delete_at:
        raise bad_request("api.channel.delete_channel.deleted.app_error", f"channel_id={channel_id}")
    if channel.name == DEFAULT_CHANNEL:
        raise bad_request("api.channel.delete_channel.cannot.app_error", f"channel_id={channel_id}")
    return channel


def _who_sees(channel: Channel) -> WebsocketBroadcast:
    """Whom the fate of a channel concerns: its team, or its members if it is not public."""
    if channel.type == ChannelType.CHANNEL_TYPE_OPEN:
        return WebsocketBroadcast(team_id=channel.team_id)
    return WebsocketBroadcast(channel_id=channel.id)


async def restore_channel(world: World, context: PluginContext, channel_id: str) -> None:
    """Bring back an archived channel, if all plugins allow it.

    Raises:
        ApiError: there is no such channel, it is not archived, or a plugin refuses.
    """
    channel = _restorable(world, channel_id)
    request = ChannelWillBeRestoredRequest(plugin_context=context, channel=channel)
    reason = await guarded_refusal(world, channel.id, "RestoreChannel", request)
    if reason:
        raise rejected("app.channel.restore_channel.rejected_by_plugin", reason, "RestoreChannel")
    channel = _restorable(world, channel_id)
    channel.delete_at, channel.update_at = 0, world.now_ms()
    world.store.channels.put(channel)
    world.broadcast("channel_restored", {"channel_id": channel_id}, _who_sees(channel))


def _restorable(world: World, channel_id: str) -> Channel:
    channel = existing_channel(world, channel_id)
    if not channel.delete_at:
        raise bad_request("api.channel.restore_channel.restored.app_error", f"channel_id={channel_id}")
    return channel


def direct_channel(world: World, context: PluginContext, user_id: str, other_id: str) -> Channel:
    """The channel of the direct messages between two users, created if there is none.

    Raises:
        ApiError: a user does not exist.
    """
    ids = sorted((user_id, other_id))
    found = world.store.channels.by_name("", "__".join(ids))
    if found is not None:
        return found
    users = world.store.users.among("id", ids)
    if len(users) < len(set(ids)):
        raise bad_request("api.channel.create_direct_channel.invalid_user.app_error", f"user_ids={','.join(ids)}")
    channel = Channel(name="__".join(ids), type=ChannelType.CHANNEL_TYPE_DIRECT)
    _open_talk(world, context, channel, users)
    data = {"creator_id": user_id, "teammate_id": other_id}
    world.broadcast("direct_added", data, WebsocketBroadcast(channel_id=channel.id))
    return channel


def group_channel(world: World, context: PluginContext, user_ids: Sequence[str]) -> Channel:
    """The channel of the messages among some users, created if there is none.

    Raises:
        ApiError: they are too few or too many, or one does not exist.
    """
    ids = sorted(user_ids)
    if not FEWEST_IN_GROUP <= len(ids) <= MOST_IN_GROUP:
        raise bad_request("api.channel.create_group.bad_size.app_error", f"{len(ids)} users")
    users = world.store.users.among("id", ids, order="username")
    if len(users) < len(ids):
        raise bad_request("api.channel.create_group.bad_user.app_error", f"user_ids={','.join(ids)}")
    # The server's own way to a name that depends on the members alone.
    name = hashlib.sha1("".join(ids).encode(), usedforsecurity=False).hexdigest()
    found = world.store.channels.by_name("", name)
    if found is not None:
        return found
    title = ", ".join(user.username for user in users)[:LONGEST_TITLE]
    channel = Channel(name=name, display_name=title, type=ChannelType.CHANNEL_TYPE_GROUP)
    _open_talk(world, context, channel, users)
    for user in users:
        reaches = WebsocketBroadcast(channel_id=channel.id, user_id=user.id)
        world.broadcast("group_added", {"teammate_ids": json.dumps(ids)}, reaches)
    return channel


def _open_talk(world: World, context: PluginContext, channel: Channel, users: Sequence[User]) -> None:
    """Store the channel of direct or group messages. No plugin hears of its members' joining."""
    with world.store.transaction():
        save_new_channel(world, channel)
        for user in users:
            enrol(world, channel, user)
    world.hooks.notify(ChannelHasBeenCreatedRequest(plugin_context=context, channel=channel))


def create_default_channels(world: World, team_id: str) -> None:
    """Create the channels that every team has. No plugin hears of it."""
    for name, display_name in _DEFAULTS:
        channel = Channel(team_id=team_id, name=name, display_name=display_name, type=ChannelType.CHANNEL_TYPE_OPEN)
        save_new_channel(world, channel)


def join_default_channels(world: World, team_id: str, user: User, *, admin: bool) -> None:
    """Make a user a member of a team's default channels. No plugin is asked or hears of it."""
    for name, _ in _DEFAULTS:
        channel = world.store.channels.by_name(team_id, name)
        if channel is not None and channel.type == ChannelType.CHANNEL_TYPE_OPEN:
            enrol(world, channel, user, admin=admin)
            tell_of_new_member(world, channel, user.id)


def leave_team_channels(world: World, team_id: str, user_id: str) -> None:
    """Take a user out of all channels of a team. No plugin hears of it."""
    for channel in world.store.channels.of_user(user_id, team_id, include_deleted=True):
        if not is_private_talk(channel):
            world.store.channel_members.end(channel.id, user_id)
