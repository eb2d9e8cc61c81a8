"""Channels that are shared with plugins as remotes."""

import re
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.channel_members import is_private_talk
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.rules import check_shared_channel
from mattermost_plugin.devhost.errors import ApiError, bad_request, forbidden, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster
from mattermost_pluginapi.v1.shared_channel_pb2 import RegisterPluginOpts, SharedChannel
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "invite",
    "own_remote",
    "register_remote",
    "retire_remote",
    "share_channel",
    "shared_channel",
    "uninvite",
    "unshare_channel",
    "update_shared_channel",
]

_REMOTE_NAME: Final = re.compile(r"[a-z0-9._-]{1,64}")


def register_remote(world: World, plugin_id: str, opts: RegisterPluginOpts) -> RemoteCluster:
    """Make a plugin a remote. One that was a remote before is the same one again, with the name that it has now.

    Raises:
        ApiError: its name is none: the server takes the displayed one as name too when it comes first.
    """
    old = world.store.remotes.of_plugin(plugin_id)
    if old is not None:
        old.display_name, old.delete_at = opts.display_name or old.name, 0
        return world.store.remotes.put(old)
    name = opts.display_name.lower()
    if not _REMOTE_NAME.fullmatch(name):
        raise bad_request("model.cluster.is_valid.name.app_error", f"name={name}: letters, digits, '.', '-' and '_'")
    remote = RemoteCluster(
        remote_id=new_id(),
        name=name,
        display_name=opts.display_name,
        site_url=f"plugin_{plugin_id}",
        create_at=world.now_ms(),
        creator_id=opts.creator_id,
        plugin_id=plugin_id,
    )
    return world.store.remotes.insert(remote)


def own_remote(world: World, plugin_id: str, remote_id: str) -> RemoteCluster:
    """The remote of an id, which is the plugin's.

    Raises:
        ApiError: there is none, or it is another plugin's.
    """
    remote = world.store.remotes.live(remote_id)
    if remote is None:
        raise not_found("app.remote_cluster.get.app_error", f"remote_id={remote_id}")
    if remote.plugin_id != plugin_id:
        raise forbidden("app.remote_cluster.not_own.app_error", f"remote_id={remote_id} is not of {plugin_id}")
    return remote


def retire_remote(world: World, remote: RemoteCluster) -> None:
    """Make a plugin no remote any more, in no channel. What has come from it stays."""
    remote.delete_at = world.now_ms()
    with world.store.transaction():
        world.store.remotes.put(remote)
        world.store.invitations.remove_remote(remote.remote_id)


def shared_channel(world: World, channel_id: str) -> SharedChannel:
    """A channel that is shared.

    Raises:
        ApiError: it is not.
    """
    shared = world.store.shared_channels.get(channel_id)
    if shared is None:
        raise not_found("app.shared_channel.get.app_error", f"channel_id={channel_id}")
    return shared


def share_channel(world: World, given: SharedChannel) -> SharedChannel:
    """Share a channel; what is not said about it is taken from the channel. One that is shared stays as it is.

    Raises:
        ApiError: there is no such channel, it is one of direct or group messages, or a value breaks a rule.
    """
    channel = _shareable(world, given.channel_id)
    old = world.store.shared_channels.get(channel.id)
    if old is not None:
        return old
    shared = SharedChannel()
    shared.CopyFrom(given)
    shared.team_id = given.team_id or channel.team_id
    shared.share_name = given.share_name or channel.name
    shared.share_display_name = given.share_display_name or channel.display_name
    shared.share_purpose = given.share_purpose or channel.purpose
    shared.share_header = given.share_header or channel.header
    shared.creator_id = given.creator_id or channel.creator_id
    shared.create_at = shared.update_at = world.now_ms()
    check_shared_channel(shared)
    channel.shared = True
    with world.store.transaction():
        world.store.channels.put(channel)
        world.store.shared_channels.put(shared)
    _tell_of_change(world, "channel_converted", channel)
    return shared


def _shareable(world: World, channel_id: str) -> Channel:
    channel = existing_channel(world, channel_id)
    if is_private_talk(channel):
        raise bad_request("app.shared_channel.direct.app_error", f"channel_id={channel_id}")
    return channel


def _tell_of_change(world: World, event: str, channel: Channel) -> None:
    world.broadcast(event, {"channel_id": channel.id}, WebsocketBroadcast(team_id=channel.team_id))


def update_shared_channel(world: World, given: SharedChannel) -> SharedChannel:
    """Replace how a shared channel presents itself.

    Raises:
        ApiError: it is not shared, or a value breaks a rule.
    """
    old = shared_channel(world, given.channel_id)
    shared = SharedChannel()
    shared.CopyFrom(given)
    shared.create_at, shared.team_id, shared.update_at = old.create_at, old.team_id, world.now_ms()
    check_shared_channel(shared)
    world.store.shared_channels.put(shared)
    _tell_of_change(world, "channel_updated", existing_channel(world, shared.channel_id))
    return shared


def unshare_channel(world: World, channel_id: str) -> bool:
    """Share a channel no longer. Returns whether it was shared.

    Raises:
        ApiError: there is no such channel, or it is one of direct or group messages.
    """
    channel = _shareable(world, channel_id)
    channel.shared = False
    with world.store.transaction():
        was_shared = world.store.shared_channels.delete(channel.id)
        world.store.invitations.remove_channel(channel.id)
        if was_shared:
            world.store.channels.put(channel)
    if was_shared:
        _tell_of_change(world, "channel_converted", channel)
    return was_shared


def invite(world: World, channel_id: str, remote_id: str, user_id: str, *, share: bool) -> None:
    """Invite a remote to a shared channel; nothing happens to one that is invited.

    Args:
        world: the host's parts.
        channel_id: the channel.
        remote_id: the remote.
        user_id: who invites.
        share: whether to share the channel first if it is not shared.

    Raises:
        ApiError: the channel is not shared or cannot be, it is another server's, or there is no such remote.
    """
    if world.store.invitations.has(channel_id, remote_id):
        return
    if share:
        try:
            share_channel(world, SharedChannel(channel_id=channel_id, creator_id=user_id, home="true"))
        except ApiError as error:
            raise bad_request("api.command_share.share_channel.error", str(error)) from error
    shared = world.store.shared_channels.get(channel_id)
    if shared is None:
        raise bad_request("api.command_share.channel_not_shared.error", f"channel_id={channel_id}")
    if world.store.remotes.live(remote_id) is None:
        raise _failed("api.command_share.remote_id_invalid.error", f"remote_id={remote_id}")
    if not shared.home:
        raise bad_request("api.command_share.channel_invite_not_home.error", f"channel_id={channel_id}")
    world.store.invitations.add(channel_id, remote_id)


def uninvite(world: World, channel_id: str, remote_id: str) -> None:
    """Take back the invitation of a remote. A channel without any remote left is shared no longer.

    Raises:
        ApiError: it is not invited.
    """
    if not world.store.invitations.remove(channel_id, remote_id):
        raise _failed("api.command_share.channel_remote_id_not_exists", f"remote_id={remote_id}")
    if not world.store.invitations.of_channel(channel_id):
        unshare_channel(world, channel_id)


def _failed(error_id: str, detail: str) -> ApiError:
    """What the server answers as if it were its own fault."""
    return ApiError(error_id, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
