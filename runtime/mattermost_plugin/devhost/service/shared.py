"""Methods about channels that are shared with plugins as remotes."""

from typing import Final

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.errors import bad_request, forbidden, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_shared_channel_pb2 as pb
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster
from mattermost_pluginapi.v1.shared_channel_pb2 import SharedChannel

METHODS: Final = Methods()


def _remote(call: Call, remote_id: str) -> RemoteCluster:
    remote = call.world.store.remotes.live(remote_id)
    if remote is None:
        raise not_found("app.remote_cluster.get.app_error", f"remote_id={remote_id}")
    return remote


def _shared(call: Call, channel_id: str) -> SharedChannel:
    shared = call.world.store.shared_channels.get(channel_id)
    if shared is None:
        raise not_found("app.shared_channel.get.app_error", f"channel_id={channel_id}")
    return shared


def _retire(call: Call, remote: RemoteCluster) -> None:
    remote.delete_at = call.now_ms
    with call.world.store.transaction():
        call.world.store.remotes.put(remote)
        for shared in call.world.store.shared_channels.select():
            call.world.store.invitations.remove(shared.channel_id, remote.remote_id)


@METHODS.rpc
def _register(
    call: Call, request: pb.RegisterPluginForSharedChannelsRequest
) -> pb.RegisterPluginForSharedChannelsResponse:
    if not request.opts.display_name:
        raise bad_request("api.remote_cluster.invalid_name.app_error", "display_name is empty")
    for known in call.world.store.remotes.of_plugin(call.plugin_id):
        if known.display_name == request.opts.display_name:
            return pb.RegisterPluginForSharedChannelsResponse(remote_id=known.remote_id)
    remote = RemoteCluster(
        remote_id=new_id(),
        name=call.plugin_id,
        display_name=request.opts.display_name,
        site_url=f"plugin_{call.plugin_id}",
        create_at=call.now_ms,
        creator_id=request.opts.creator_id,
        plugin_id=call.plugin_id,
    )
    call.world.store.remotes.insert(remote)
    return pb.RegisterPluginForSharedChannelsResponse(remote_id=remote.remote_id)


@METHODS.rpc
def _unregister(
    call: Call, request: pb.UnregisterPluginForSharedChannelsRequest
) -> pb.UnregisterPluginForSharedChannelsResponse:
    for remote in call.world.store.remotes.of_plugin(request.plugin_id or call.plugin_id):
        _retire(call, remote)
    return pb.UnregisterPluginForSharedChannelsResponse()


@METHODS.rpc
def _unregister_remote(
    call: Call, request: pb.UnregisterPluginRemoteForSharedChannelsRequest
) -> pb.UnregisterPluginRemoteForSharedChannelsResponse:
    remote = _remote(call, request.remote_id)
    if remote.plugin_id != call.plugin_id:
        raise forbidden("app.remote_cluster.not_own.app_error", f"remote_id={request.remote_id}")
    _retire(call, remote)
    return pb.UnregisterPluginRemoteForSharedChannelsResponse()


def _share(call: Call, given: SharedChannel) -> SharedChannel:
    channel = existing_channel(call.world, given.channel_id)
    shared = SharedChannel()
    shared.CopyFrom(given)
    shared.team_id, shared.create_at, shared.home = channel.team_id, call.now_ms, "true"
    shared.update_at = shared.create_at
    shared.share_name = given.share_name or channel.name
    shared.share_display_name = given.share_display_name or channel.display_name
    channel.shared = True
    with call.world.store.transaction():
        call.world.store.channels.put(channel)
        return call.world.store.shared_channels.put(shared)


@METHODS.rpc
def _share_channel(call: Call, request: pb.ShareChannelRequest) -> pb.ShareChannelResponse:
    return pb.ShareChannelResponse(shared_channel=_share(call, request.shared_channel))


@METHODS.rpc
def _update_shared_channel(call: Call, request: pb.UpdateSharedChannelRequest) -> pb.UpdateSharedChannelResponse:
    old = _shared(call, request.shared_channel.channel_id)
    shared = SharedChannel()
    shared.CopyFrom(request.shared_channel)
    shared.create_at, shared.team_id, shared.update_at = old.create_at, old.team_id, call.now_ms
    return pb.UpdateSharedChannelResponse(shared_channel=call.world.store.shared_channels.put(shared))


@METHODS.rpc
def _unshare_channel(call: Call, request: pb.UnshareChannelRequest) -> pb.UnshareChannelResponse:
    channel = existing_channel(call.world, request.channel_id)
    channel.shared = False
    with call.world.store.transaction():
        was_shared = call.world.store.shared_channels.delete(channel.id)
        call.world.store.invitations.remove_all(channel.id)
        call.world.store.channels.put(channel)
    return pb.UnshareChannelResponse(unshared=was_shared)


@METHODS.rpc
def _invite(call: Call, request: pb.InviteRemoteToChannelRequest) -> pb.InviteRemoteToChannelResponse:
    remote = _remote(call, request.remote_id)
    if call.world.store.shared_channels.get(request.channel_id) is None and request.share_if_not_shared:
        _share(call, SharedChannel(channel_id=request.channel_id, creator_id=request.user_id))
    shared = _shared(call, request.channel_id)
    call.world.store.invitations.add(shared.channel_id, remote.remote_id)
    return pb.InviteRemoteToChannelResponse()


@METHODS.rpc
def _uninvite(call: Call, request: pb.UninviteRemoteFromChannelRequest) -> pb.UninviteRemoteFromChannelResponse:
    if not call.world.store.invitations.remove(request.channel_id, request.remote_id):
        raise not_found("app.shared_channel.remote.app_error", f"remote_id={request.remote_id}")
    return pb.UninviteRemoteFromChannelResponse()


@METHODS.rpc
def _sync(call: Call, request: pb.SyncSharedChannelRequest) -> pb.SyncSharedChannelResponse:
    # Nothing is sent by itself: whoever drives the host calls OnSharedChannelsSyncMsg.
    _shared(call, request.channel_id)
    return pb.SyncSharedChannelResponse()


@METHODS.rpc
def _update_cursor(call: Call, request: pb.UpdateSharedChannelCursorRequest) -> pb.UpdateSharedChannelCursorResponse:
    if not call.world.store.invitations.set_cursor(request.channel_id, request.remote_id, request.cursor):
        raise not_found("app.shared_channel.remote.app_error", f"remote_id={request.remote_id}")
    return pb.UpdateSharedChannelCursorResponse()
