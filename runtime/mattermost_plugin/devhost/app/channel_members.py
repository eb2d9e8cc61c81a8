"""Who is in which channel."""

from __future__ import annotations

from typing import Final

from mattermost_plugin.devhost.app.guards import guarded_filter
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.member_roles import roles_text
from mattermost_plugin.devhost.app.users import existing_user, is_guest
from mattermost_plugin.devhost.errors import bad_request, forbidden, not_found, rejected
from mattermost_plugin.devhost.store import CHANNEL
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMember, ChannelType
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_channel_pb2 import (
    ChannelMemberWillBeAddedRequest,
    UserHasJoinedChannelRequest,
    UserHasLeftChannelRequest,
)
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "DEFAULT_CHANNEL",
    "add_to_channel",
    "enrol",
    "existing_member",
    "is_private_talk",
    "leave_channel",
    "remove_from_channel",
    "save_member",
]

DEFAULT_CHANNEL: Final = "town-square"
"""The channel of a team that only guests can leave and nobody can archive."""

_NOTIFY_DEFAULTS: Final = {
    "desktop": "default",
    "email": "default",
    "push": "default",
    "mark_unread": "all",
    "ignore_channel_mentions": "default",
    "channel_auto_follow_threads": "off",
}


def is_private_talk(channel: Channel) -> bool:
    """Whether a channel is that of direct or group messages, whose members never change."""
    return channel.type in (ChannelType.CHANNEL_TYPE_DIRECT, ChannelType.CHANNEL_TYPE_GROUP)


def existing_member(world: World, channel_id: str, user_id: str) -> ChannelMember:
    """A membership.

    Raises:
        ApiError: there is none.
    """
    member = world.store.channel_members.get(channel_id, user_id)
    if member is None:
        raise not_found("app.channel.get_member.missing.app_error", f"channel_id={channel_id}, user_id={user_id}")
    return member


def _new_member(world: World, channel: Channel, user: User, *, admin: bool = False) -> ChannelMember:
    """A member who has read everything that was there before."""
    member = ChannelMember(channel_id=channel.id, user_id=user.id, scheme_admin=admin)
    member.scheme_guest, member.scheme_user = is_guest(user), not is_guest(user)
    member.roles = roles_text(member)
    member.notify_props.update(_NOTIFY_DEFAULTS)
    member.last_update_at, member.msg_count = world.now_ms(), channel.total_msg_count
    member.msg_count_root = channel.total_msg_count_root
    return member


def enrol(world: World, channel: Channel, user: User, *, admin: bool = False) -> None:
    """Make a user a member without asking or telling any plugin.

    So does the server with a channel's creator, the members of direct and group messages, and a team's default
    channels. Nothing happens to one who is a member.
    """
    if world.store.channel_members.get(channel.id, user.id) is None:
        world.store.channel_members.put(_new_member(world, channel, user, admin=admin))


async def add_to_channel(
    world: World, context: PluginContext, channel: Channel, user_id: str, actor_id: str = ""
) -> ChannelMember:
    """Make a user a member, if all plugins allow it; nothing happens to one who is.

    Args:
        world: the host's parts.
        context: context of the hooks.
        channel: the channel, archived or not.
        user_id: the user.
        actor_id: who does it; "" for the user.

    Raises:
        ApiError: user or actor are not there, the user is deactivated, not in the team or not in a group that the
            channel is for, or a plugin refuses.
    """
    old = world.store.channel_members.get(channel.id, user_id)
    if old is not None:
        return old
    user = existing_user(world, user_id)
    if user.delete_at:
        raise forbidden("app.channel.add_member.deleted_user.app_error", f"user_id={user_id}")
    actor = existing_user(world, actor_id) if actor_id else None
    _check_may_enter(world, channel, user)
    member, reason = await guarded_filter(
        world,
        channel.id,
        "AddUserToChannel",
        _new_member(world, channel, user, admin=_is_admin_by_group(world, channel, user)),
        lambda value: ChannelMemberWillBeAddedRequest(plugin_context=context, channel_member=value),
        "modified_channel_member",
    )
    if reason:
        raise rejected("app.channel.add_user.to.channel.rejected_by_plugin", reason, "AddUserToChannel")
    # The hook takes its time: somebody else may have done it by now.
    old = world.store.channel_members.get(channel.id, user_id)
    if old is not None:
        return old
    member.channel_id, member.user_id = channel.id, user_id
    world.store.channel_members.put(member)
    world.hooks.notify(UserHasJoinedChannelRequest(plugin_context=context, channel_member=member, actor=actor))
    tell_of_new_member(world, channel, user_id)
    return member


def _is_admin_by_group(world: World, channel: Channel, user: User) -> bool:
    return not is_guest(user) and world.store.group_members.makes_admin(user.id, channel.id, CHANNEL)


def _check_may_enter(world: World, channel: Channel, user: User) -> None:
    team_member = world.store.team_members.get(channel.team_id, user.id)
    if team_member is None:
        raise not_found("app.team.get_member.missing.app_error", f"team_id={channel.team_id}, user_id={user.id}")
    if team_member.delete_at:
        raise bad_request("api.channel.add_user.to.channel.failed.deleted.app_error", f"user_id={user.id}")
    if is_private_talk(channel):
        raise bad_request("api.channel.add_user_to_channel.type.app_error", f"channel_id={channel.id}")
    if channel.group_constrained and not user.is_bot and user.id not in _people_of_groups(world, channel):
        raise bad_request("api.channel.add_members.user_denied", f"user_ids={user.id}")


def _people_of_groups(world: World, channel: Channel) -> set[str]:
    return world.store.group_members.linked_to(channel.id, CHANNEL)


def tell_of_new_member(world: World, channel: Channel, user_id: str) -> None:
    """Tell clients of a new member."""
    data = {"user_id": user_id, "team_id": channel.team_id}
    world.broadcast("user_added", data, WebsocketBroadcast(channel_id=channel.id))


def leave_channel(world: World, context: PluginContext, channel: Channel, user_id: str) -> None:
    """Have a user leave a channel.

    Raises:
        ApiError: the user is no member, or cannot leave.
    """
    existing_user(world, user_id)
    if is_private_talk(channel):
        raise bad_request("api.channel.leave.direct.app_error", f"channel_id={channel.id}")
    remove_from_channel(world, context, channel, user_id, user_id)


def remove_from_channel(
    world: World, context: PluginContext, channel: Channel, user_id: str, remover_id: str = ""
) -> None:
    """Take a user out of a channel.

    Args:
        world: the host's parts.
        context: context of the hooks.
        channel: the channel.
        user_id: the user.
        remover_id: who does it, the user too; "" for the server.

    Raises:
        ApiError: the user is no member, or cannot be taken out.
    """
    user = existing_user(world, user_id)
    if channel.name == DEFAULT_CHANNEL and not is_guest(user):
        raise bad_request("api.channel.remove.default.app_error", f"channel_id={channel.id}")
    by_others = user_id != remover_id and not user.is_bot
    if channel.group_constrained and by_others and user_id in _people_of_groups(world, channel):
        raise bad_request("api.channel.remove_members.denied", f"user_id={user_id}")
    member = existing_member(world, channel.id, user_id)
    world.store.channel_members.end(channel.id, user_id)
    actor = world.store.users.get(remover_id) if remover_id else None
    world.hooks.notify(UserHasLeftChannelRequest(plugin_context=context, channel_member=member, actor=actor))
    data = {"user_id": user_id, "channel_id": channel.id, "remover_id": remover_id}
    world.broadcast("user_removed", data, WebsocketBroadcast(channel_id=channel.id))
    # The user is no longer reached by what goes to the channel.
    world.broadcast("user_removed", data, WebsocketBroadcast(user_id=user_id))


def save_member(world: World, member: ChannelMember) -> ChannelMember:
    """Store what has changed about a membership, and tell the user's clients."""
    member.last_update_at = world.now_ms()
    world.store.channel_members.put(member)
    data = {"channelMember": json_text(member)}
    world.broadcast("channel_member_updated", data, WebsocketBroadcast(user_id=member.user_id))
    return member
