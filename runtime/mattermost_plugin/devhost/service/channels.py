"""Methods about channels."""

from typing import Final

from mattermost_plugin.devhost.app.channels import (
    archive_channel,
    create_channel,
    direct_channel,
    existing_channel,
    group_channel,
    restore_channel,
    update_channel,
)
from mattermost_plugin.devhost.app.type_letters import CHANNEL_LETTERS
from mattermost_plugin.devhost.errors import not_found
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_channel_pb2 as pb
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelStats

METHODS: Final = Methods()


@METHODS.rpc
def _create_channel(call: Call, request: pb.CreateChannelRequest) -> pb.CreateChannelResponse:
    return pb.CreateChannelResponse(channel=create_channel(call.world, call.context(), request.channel))


@METHODS.rpc
async def _delete_channel(call: Call, request: pb.DeleteChannelRequest) -> pb.DeleteChannelResponse:
    await archive_channel(call.world, call.context(), request.channel_id)
    return pb.DeleteChannelResponse()


@METHODS.rpc
async def _restore_channel(call: Call, request: pb.RestoreChannelRequest) -> pb.RestoreChannelResponse:
    await restore_channel(call.world, call.context(), request.channel_id)
    return pb.RestoreChannelResponse()


@METHODS.rpc
def _get_channel(call: Call, request: pb.GetChannelRequest) -> pb.GetChannelResponse:
    return pb.GetChannelResponse(channel=existing_channel(call.world, request.channel_id))


@METHODS.rpc
def _get_channel_of_type(call: Call, request: pb.GetChannelOfTypeRequest) -> pb.GetChannelOfTypeResponse:
    channel = existing_channel(call.world, request.channel_id)
    if CHANNEL_LETTERS.get(channel.type) != request.channel_type:
        raise not_found("app.channel.get.existing.app_error", f"channel_type={request.channel_type}")
    return pb.GetChannelOfTypeResponse(channel=channel)


def _by_name(call: Call, team_id: str, name: str, *, include_deleted: bool) -> Channel:
    channel = call.world.store.channels.by_name(team_id, name)
    if channel is None or (channel.delete_at and not include_deleted):
        raise not_found("app.channel.get_by_name.missing.app_error", f"team_id={team_id}, name={name}")
    return channel


@METHODS.rpc
def _get_channel_by_name(call: Call, request: pb.GetChannelByNameRequest) -> pb.GetChannelByNameResponse:
    channel = _by_name(call, request.team_id, request.name, include_deleted=request.include_deleted)
    return pb.GetChannelByNameResponse(channel=channel)


@METHODS.rpc
def _get_channel_by_name_for_team_name(
    call: Call, request: pb.GetChannelByNameForTeamNameRequest
) -> pb.GetChannelByNameForTeamNameResponse:
    team = call.world.store.teams.by_name(request.team_name)
    if team is None:
        raise not_found("app.team.get_by_name.missing.app_error", f"name={request.team_name}")
    channel = _by_name(call, team.id, request.channel_name, include_deleted=request.include_deleted)
    return pb.GetChannelByNameForTeamNameResponse(channel=channel)


@METHODS.rpc
def _get_channels_for_team_for_user(
    call: Call, request: pb.GetChannelsForTeamForUserRequest
) -> pb.GetChannelsForTeamForUserResponse:
    found = call.world.store.channels.of_user(request.user_id, request.team_id, include_deleted=request.include_deleted)
    return pb.GetChannelsForTeamForUserResponse(channels=found)


@METHODS.rpc
def _get_public_channels_for_team(
    call: Call, request: pb.GetPublicChannelsForTeamRequest
) -> pb.GetPublicChannelsForTeamResponse:
    found = call.world.store.channels.public(request.team_id, Page(request.page, request.per_page))
    return pb.GetPublicChannelsForTeamResponse(channels=found)


@METHODS.rpc
def _get_channel_stats(call: Call, request: pb.GetChannelStatsRequest) -> pb.GetChannelStatsResponse:
    channel = existing_channel(call.world, request.channel_id)
    # The server counts nothing else for plugins, and takes all members for guests.
    count = call.world.store.channel_members.count_active(channel.id)
    stats = ChannelStats(channel_id=channel.id, member_count=count, guest_count=count)
    return pb.GetChannelStatsResponse(channel_stats=stats)


@METHODS.rpc
def _get_direct_channel(call: Call, request: pb.GetDirectChannelRequest) -> pb.GetDirectChannelResponse:
    channel = direct_channel(call.world, call.context(), request.user_id_1, request.user_id_2)
    return pb.GetDirectChannelResponse(channel=channel)


@METHODS.rpc
def _get_group_channel(call: Call, request: pb.GetGroupChannelRequest) -> pb.GetGroupChannelResponse:
    channel = group_channel(call.world, call.context(), request.user_ids)
    return pb.GetGroupChannelResponse(channel=channel)


@METHODS.rpc
def _search_channels(call: Call, request: pb.SearchChannelsRequest) -> pb.SearchChannelsResponse:
    return pb.SearchChannelsResponse(channels=call.world.store.channels.search(request.team_id, request.term))


@METHODS.rpc
async def _update_channel(call: Call, request: pb.UpdateChannelRequest) -> pb.UpdateChannelResponse:
    return pb.UpdateChannelResponse(channel=await update_channel(call.world, call.context(), request.channel))


@METHODS.rpc
def _register_channel_guard(call: Call, request: pb.RegisterChannelGuardRequest) -> pb.RegisterChannelGuardResponse:
    channel = existing_channel(call.world, request.channel_id)
    call.world.store.channel_guards.add(channel.id, call.plugin_id)
    return pb.RegisterChannelGuardResponse()


@METHODS.rpc
def _unregister_channel_guard(
    call: Call, request: pb.UnregisterChannelGuardRequest
) -> pb.UnregisterChannelGuardResponse:
    call.world.store.channel_guards.remove(request.channel_id, call.plugin_id)
    return pb.UnregisterChannelGuardResponse()
