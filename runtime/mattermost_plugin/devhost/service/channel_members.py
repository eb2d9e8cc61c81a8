"""Methods about who is in which channel."""

from collections.abc import Mapping
from typing import Final

from mattermost_plugin.devhost.app.channel_members import end_channel_membership, existing_member, join_channel
from mattermost_plugin.devhost.app.channels import DEFAULT_CHANNEL, existing_channel
from mattermost_plugin.devhost.app.permissions import check_roles
from mattermost_plugin.devhost.app.teams import present_team_member
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_channel_member_pb2 as pb
from mattermost_pluginapi.v1.channel_pb2 import ChannelMember, ChannelType

METHODS: Final = Methods()

MOST_PATCHED: Final = 200
"""How many memberships PatchChannelMembersNotifications takes."""

_FIXED_MEMBERS: Final = (ChannelType.CHANNEL_TYPE_DIRECT, ChannelType.CHANNEL_TYPE_GROUP)


async def _add(call: Call, channel_id: str, user_id: str, actor_id: str = "") -> ChannelMember:
    channel = existing_channel(call.world, channel_id)
    existing_user(call.world, user_id)
    if channel.type in _FIXED_MEMBERS:
        raise bad_request("api.channel.add_user_to_channel.type.app_error", f"channel_id={channel_id}")
    if channel.delete_at:
        raise bad_request("api.channel.add_user_to_channel.deleted.app_error", f"channel_id={channel_id}")
    present_team_member(call.world, channel.team_id, user_id)
    return await join_channel(call.world, call.context(), channel, user_id, actor_id)


@METHODS.rpc
async def _add_channel_member(call: Call, request: pb.AddChannelMemberRequest) -> pb.AddChannelMemberResponse:
    member = await _add(call, request.channel_id, request.user_id)
    return pb.AddChannelMemberResponse(channel_member=member)


@METHODS.rpc
async def _add_user_to_channel(call: Call, request: pb.AddUserToChannelRequest) -> pb.AddUserToChannelResponse:
    existing_user(call.world, request.as_user_id)
    member = await _add(call, request.channel_id, request.user_id, request.as_user_id)
    return pb.AddUserToChannelResponse(channel_member=member)


@METHODS.rpc
def _delete_channel_member(call: Call, request: pb.DeleteChannelMemberRequest) -> pb.DeleteChannelMemberResponse:
    channel = existing_channel(call.world, request.channel_id)
    existing_user(call.world, request.user_id)
    if channel.type in _FIXED_MEMBERS:
        raise bad_request("api.channel.leave.direct.app_error", f"channel_id={channel.id}")
    if channel.name == DEFAULT_CHANNEL:
        raise bad_request("api.channel.leave.default.app_error", f"channel_id={channel.id}")
    end_channel_membership(call.world, call.context(), channel, request.user_id)
    return pb.DeleteChannelMemberResponse()


@METHODS.rpc
def _get_channel_member(call: Call, request: pb.GetChannelMemberRequest) -> pb.GetChannelMemberResponse:
    member = existing_member(call.world, request.channel_id, request.user_id)
    return pb.GetChannelMemberResponse(channel_member=member)


@METHODS.rpc
def _get_channel_members(call: Call, request: pb.GetChannelMembersRequest) -> pb.GetChannelMembersResponse:
    found = call.world.store.channel_members.of_channel(request.channel_id, Page(request.page, request.per_page))
    return pb.GetChannelMembersResponse(channel_members=found)


@METHODS.rpc
def _get_channel_members_by_ids(
    call: Call, request: pb.GetChannelMembersByIdsRequest
) -> pb.GetChannelMembersByIdsResponse:
    members = [call.world.store.channel_members.get(request.channel_id, each) for each in request.user_ids]
    found = [member for member in members if member is not None]
    return pb.GetChannelMembersByIdsResponse(channel_members=found)


@METHODS.rpc
def _get_channel_members_for_user(
    call: Call, request: pb.GetChannelMembersForUserRequest
) -> pb.GetChannelMembersForUserResponse:
    found = call.world.store.channel_members.of_user(request.user_id, Page(request.page, request.per_page))
    return pb.GetChannelMembersForUserResponse(channel_members=found)


@METHODS.rpc
def _update_channel_member_roles(
    call: Call, request: pb.UpdateChannelMemberRolesRequest
) -> pb.UpdateChannelMemberRolesResponse:
    member = existing_member(call.world, request.channel_id, request.user_id)
    roles = request.new_roles.split()
    check_roles(roles, "channel")
    member.roles = " ".join(roles)
    member.scheme_admin, member.scheme_guest = "channel_admin" in roles, "channel_guest" in roles
    member.scheme_user = "channel_user" in roles
    return pb.UpdateChannelMemberRolesResponse(channel_member=_store(call, member))


@METHODS.rpc
def _update_channel_member_notifications(
    call: Call, request: pb.UpdateChannelMemberNotificationsRequest
) -> pb.UpdateChannelMemberNotificationsResponse:
    member = existing_member(call.world, request.channel_id, request.user_id)
    _set_notifications(member, request.notifications)
    return pb.UpdateChannelMemberNotificationsResponse(channel_member=_store(call, member))


@METHODS.rpc
def _patch_channel_members_notifications(
    call: Call, request: pb.PatchChannelMembersNotificationsRequest
) -> pb.PatchChannelMembersNotificationsResponse:
    if len(request.members) > MOST_PATCHED:
        raise bad_request("app.channel.patch_channel_members_notify_props.too_many", f"{len(request.members)} members")
    members = [existing_member(call.world, each.channel_id, each.user_id) for each in request.members]
    for member in members:
        _set_notifications(member, request.notify_props)
    with call.world.store.transaction():
        for member in members:
            _store(call, member)
    return pb.PatchChannelMembersNotificationsResponse()


def _set_notifications(member: ChannelMember, props: Mapping[str, str]) -> None:
    member.notify_props.update(props)
    if member.notify_props.get("mark_unread") not in ("all", "mention"):
        raise bad_request("model.channel_member.is_valid.unread_level.app_error")


def _store(call: Call, member: ChannelMember) -> ChannelMember:
    member.last_update_at = call.now_ms
    call.world.broadcast("channel_member_updated", {"channel_id": member.channel_id, "user_id": member.user_id})
    return call.world.store.channel_members.put(member)
