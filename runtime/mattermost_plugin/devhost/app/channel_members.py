"""Who is in which channel."""

from typing import Final

from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMember
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_channel_pb2 import (
    ChannelMemberWillBeAddedRequest,
    UserHasJoinedChannelRequest,
    UserHasLeftChannelRequest,
)
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["end_channel_membership", "existing_member", "join_channel"]

_NOTIFY_DEFAULTS: Final = {
    "desktop": "default",
    "email": "default",
    "push": "default",
    "mark_unread": "all",
    "ignore_channel_mentions": "default",
    "channel_auto_follow_threads": "off",
}


def existing_member(world: World, channel_id: str, user_id: str) -> ChannelMember:
    """A membership.

    Raises:
        ApiError: there is none.
    """
    member = world.store.channel_members.get(channel_id, user_id)
    if member is None:
        raise not_found("app.channel.get_member.missing.app_error", f"channel_id={channel_id}, user_id={user_id}")
    return member


def _new_member(world: World, channel: Channel, user_id: str) -> ChannelMember:
    """A member who has read everything that was there before."""
    member = ChannelMember(channel_id=channel.id, user_id=user_id, roles="channel_user", scheme_user=True)
    member.notify_props.update(_NOTIFY_DEFAULTS)
    member.last_update_at, member.msg_count = world.now_ms(), channel.total_msg_count
    member.msg_count_root = channel.total_msg_count_root
    return member


async def join_channel(
    world: World,
    context: PluginContext,
    channel: Channel,
    user_id: str,
    actor_id: str = "",
    *,
    forced: bool = False,
) -> ChannelMember:
    """Make a user a member; nothing happens to one who is.

    Args:
        world: the host's parts.
        context: context of the hooks.
        channel: the channel.
        user_id: the user.
        actor_id: who does it; "" for the user.
        forced: a plugin's refusal only keeps the user out, and is no error.

    Raises:
        ApiError: a plugin refuses.
    """
    old = world.store.channel_members.get(channel.id, user_id)
    if old is not None:
        return old
    member, reason = await world.hooks.filter(
        _new_member(world, channel, user_id),
        lambda value: ChannelMemberWillBeAddedRequest(plugin_context=context, channel_member=value),
        "modified_channel_member",
    )
    if reason and forced:
        return member
    if reason:
        raise bad_request("api.channel.add_user.rejected_by_plugin.app_error", reason)
    member.channel_id, member.user_id = channel.id, user_id
    world.store.channel_members.put(member)
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasJoinedChannelRequest(plugin_context=context, channel_member=member, actor=actor))
    data = {"user_id": user_id, "team_id": channel.team_id}
    world.broadcast("user_added", data, WebsocketBroadcast(channel_id=channel.id))
    return member


def end_channel_membership(
    world: World, context: PluginContext, channel: Channel, user_id: str, actor_id: str = ""
) -> None:
    """Take a user out of a channel.

    Raises:
        ApiError: the user is no member.
    """
    member = existing_member(world, channel.id, user_id)
    world.store.channel_members.delete(channel.id, user_id)
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasLeftChannelRequest(plugin_context=context, channel_member=member, actor=actor))
    data = {"user_id": user_id, "channel_id": channel.id, "remover_id": actor_id}
    world.broadcast("user_removed", data, WebsocketBroadcast(channel_id=channel.id))
