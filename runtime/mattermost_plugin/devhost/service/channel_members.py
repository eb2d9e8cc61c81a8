"""Methods about who is in which channel."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.channel_members import (
    add_to_channel,
    existing_member,
    leave_channel,
    save_member,
)
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.member_roles import give_roles
from mattermost_plugin.devhost.errors import ApiError, bad_request
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_channel_member_pb2 as pb

METHODS: Final = Methods()

MOST_PATCHED: Final = 200
"""How many memberships PatchChannelMembersNotifications takes."""

_NOTIFY_PROPS: Final = frozenset(
    {
        "mark_unread",
        "desktop",
        "desktop_sound",
        "desktop_notification_sound",
        "desktop_threads",
        "email",
        "push",
        "push_threads",
        "ignore_channel_mentions",
        "channel_auto_follow_threads",
    }
)
"""What UpdateChannelMemberNotifications changes; it leaves out everything else."""

_LEVELS: Final = frozenset({"default", "all", "mention", "none"})
_ALLOWED: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "desktop": ("notify_level", _LEVELS),
    "push": ("push_level", _LEVELS),
    "mark_unread": ("unread_level", frozenset({"all", "mention"})),
    "email": ("email_value", frozenset({"default", "true", "false"})),
    "ignore_channel_mentions": ("ignore_channel_mentions_value", frozenset({"default", "on", "off"})),
    "channel_auto_follow_threads": ("channel_auto_follow_threads_value", frozenset({"on", "off"})),
}
"""Values of notification properties, each with what its error is called."""


@METHODS.rpc
async def _add_channel_member(call: Call, request: pb.AddChannelMemberRequest) -> pb.AddChannelMemberResponse:
    channel = existing_channel(call.world, request.channel_id)
    member = await add_to_channel(call.world, call.context(), channel, request.user_id)
    return pb.AddChannelMemberResponse(channel_member=member)


@METHODS.rpc
async def _add_user_to_channel(call: Call, request: pb.AddUserToChannelRequest) -> pb.AddUserToChannelResponse:
    channel = existing_channel(call.world, request.channel_id)
    member = await add_to_channel(call.world, call.context(), channel, request.user_id, request.as_user_id)
    return pb.AddUserToChannelResponse(channel_member=member)


@METHODS.rpc
def _delete_channel_member(call: Call, request: pb.DeleteChannelMemberRequest) -> pb.DeleteChannelMemberResponse:
    channel = existing_channel(call.world, request.channel_id)
    leave_channel(call.world, call.context(), channel, request.user_id)
    return pb.DeleteChannelMemberResponse()


@METHODS.rpc
def _get_channel_member(call: Call, request: pb.GetChannelMemberRequest) -> pb.GetChannelMemberResponse:
    member = existing_member(call.world, request.channel_id, request.user_id)
    return pb.GetChannelMemberResponse(channel_member=member)


@METHODS.rpc
def _get_channel_members(call: Call, request: pb.GetChannelMembersRequest) -> pb.GetChannelMembersResponse:
    # A page without a size is the whole list here.
    page = Page(request.page, request.per_page) if request.per_page > 0 else None
    found = call.world.store.channel_members.of_channel(request.channel_id, page)
    return pb.GetChannelMembersResponse(channel_members=found)


@METHODS.rpc
def _get_channel_members_by_ids(
    call: Call, request: pb.GetChannelMembersByIdsRequest
) -> pb.GetChannelMembersByIdsResponse:
    found = call.world.store.channel_members.among("user_id", request.user_ids, "channel_id = ?", [request.channel_id])
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
    give_roles(member, request.new_roles)
    return pb.UpdateChannelMemberRolesResponse(channel_member=save_member(call.world, member))


@METHODS.rpc
def _update_channel_member_notifications(
    call: Call, request: pb.UpdateChannelMemberNotificationsRequest
) -> pb.UpdateChannelMemberNotificationsResponse:
    member = existing_member(call.world, request.channel_id, request.user_id)
    props = {name: value for name, value in request.notifications.items() if name in _NOTIFY_PROPS}
    _check(props)
    member.notify_props.update(props)
    return pb.UpdateChannelMemberNotificationsResponse(channel_member=save_member(call.world, member))


@METHODS.rpc
def _patch_channel_members_notifications(
    call: Call, request: pb.PatchChannelMembersNotificationsRequest
) -> pb.PatchChannelMembersNotificationsResponse:
    if len(request.members) > MOST_PATCHED:
        raise bad_request("app.channel.patch_channel_members_notify_props.too_many", f"{len(request.members)} members")
    if not request.notify_props:
        raise ApiError(
            "app.channel.patch_channel_members_notify_props.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, "no props"
        )
    _check(request.notify_props)
    members = [existing_member(call.world, each.channel_id, each.user_id) for each in request.members]
    with call.world.store.transaction():
        for member in members:
            member.notify_props.update(request.notify_props)
            save_member(call.world, member)
    return pb.PatchChannelMembersNotificationsResponse()


def _check(props: Mapping[str, str]) -> None:
    for name, (called, allowed) in _ALLOWED.items():
        if props.get(name, next(iter(allowed))) not in allowed:
            raise bad_request(f"model.channel_member.is_valid.{called}.app_error", f"{name}={props[name]}")
