"""Methods about channels that are shared with plugins as remotes."""

from typing import Final

from mattermost_plugin.devhost.app.shared_channels import (
    invite,
    own_remote,
    register_remote,
    retire_remote,
    share_channel,
    shared_channel,
    uninvite,
    unshare_channel,
    update_shared_channel,
)
from mattermost_plugin.devhost.app.shared_files import take_in_file, take_in_picture
from mattermost_plugin.devhost.app.shared_sync import take_in
from mattermost_plugin.devhost.app.sync_bundle import read_bundle
from mattermost_plugin.devhost.errors import not_found
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_shared_channel_pb2 as pb
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster

METHODS: Final = Methods()


def _own(call: Call, remote_id: str) -> RemoteCluster:
    return own_remote(call.world, call.plugin_id, remote_id)


@METHODS.rpc
def _register(
    call: Call, request: pb.RegisterPluginForSharedChannelsRequest
) -> pb.RegisterPluginForSharedChannelsResponse:
    remote = register_remote(call.world, call.plugin_id, request.opts)
    return pb.RegisterPluginForSharedChannelsResponse(remote_id=remote.remote_id)


@METHODS.rpc
def _unregister(
    call: Call, request: pb.UnregisterPluginForSharedChannelsRequest
) -> pb.UnregisterPluginForSharedChannelsResponse:
    remote = call.world.store.remotes.of_plugin(request.plugin_id or call.plugin_id)
    if remote is None:
        raise not_found("app.remote_cluster.get.app_error", f"plugin_id={request.plugin_id}")
    if not remote.delete_at:
        retire_remote(call.world, remote)
    return pb.UnregisterPluginForSharedChannelsResponse()


@METHODS.rpc
def _unregister_remote(
    call: Call, request: pb.UnregisterPluginRemoteForSharedChannelsRequest
) -> pb.UnregisterPluginRemoteForSharedChannelsResponse:
    retire_remote(call.world, _own(call, request.remote_id))
    return pb.UnregisterPluginRemoteForSharedChannelsResponse()


@METHODS.rpc
def _share_channel(call: Call, request: pb.ShareChannelRequest) -> pb.ShareChannelResponse:
    return pb.ShareChannelResponse(shared_channel=share_channel(call.world, request.shared_channel))


@METHODS.rpc
def _update_shared_channel(call: Call, request: pb.UpdateSharedChannelRequest) -> pb.UpdateSharedChannelResponse:
    return pb.UpdateSharedChannelResponse(shared_channel=update_shared_channel(call.world, request.shared_channel))


@METHODS.rpc
def _unshare_channel(call: Call, request: pb.UnshareChannelRequest) -> pb.UnshareChannelResponse:
    return pb.UnshareChannelResponse(unshared=unshare_channel(call.world, request.channel_id))


@METHODS.rpc
def _invite(call: Call, request: pb.InviteRemoteToChannelRequest) -> pb.InviteRemoteToChannelResponse:
    share = request.share_if_not_shared
    invite(call.world, request.channel_id, request.remote_id, request.user_id, share=share)
    return pb.InviteRemoteToChannelResponse()


@METHODS.rpc
def _uninvite(call: Call, request: pb.UninviteRemoteFromChannelRequest) -> pb.UninviteRemoteFromChannelResponse:
    uninvite(call.world, request.channel_id, request.remote_id)
    return pb.UninviteRemoteFromChannelResponse()


@METHODS.rpc
def _sync(call: Call, request: pb.SyncSharedChannelRequest) -> pb.SyncSharedChannelResponse:
    # Nothing is sent by itself: whoever drives the host calls OnSharedChannelsSyncMsg.
    shared_channel(call.world, request.channel_id)
    return pb.SyncSharedChannelResponse()


@METHODS.rpc
def _update_cursor(call: Call, request: pb.UpdateSharedChannelCursorRequest) -> pb.UpdateSharedChannelCursorResponse:
    if not call.world.store.invitations.set_cursor(request.channel_id, request.remote_id, request.cursor):
        raise not_found("app.shared_channel.remote.app_error", f"remote_id={request.remote_id}")
    return pb.UpdateSharedChannelCursorResponse()


@METHODS.rpc
async def _receive_changes(
    call: Call, request: pb.ReceiveSharedChannelSyncMsgRequest
) -> pb.ReceiveSharedChannelSyncMsgResponse:
    remote = _own(call, request.remote_id)
    bundle = read_bundle(request.msg.sync_msg_json)
    response = await take_in(call.world, call.context(), remote, bundle)
    return pb.ReceiveSharedChannelSyncMsgResponse(response=response)


@METHODS.rpc
async def _receive_file(
    call: Call, request: pb.ReceiveSharedChannelAttachmentSyncMsgRequest
) -> pb.ReceiveSharedChannelAttachmentSyncMsgResponse:
    remote = _own(call, request.remote_id)
    info = await take_in_file(call.world, call.context(), remote, request.channel_id, request.file_info, request.data)
    return pb.ReceiveSharedChannelAttachmentSyncMsgResponse(file_info=info)


@METHODS.rpc
def _receive_picture(
    call: Call, request: pb.ReceiveSharedChannelProfileImageSyncMsgRequest
) -> pb.ReceiveSharedChannelProfileImageSyncMsgResponse:
    take_in_picture(call.world, _own(call, request.remote_id), request.user_id, request.image)
    return pb.ReceiveSharedChannelProfileImageSyncMsgResponse()
