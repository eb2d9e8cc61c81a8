"""Methods about groups of users and who is in them."""

from typing import Final

from mattermost_plugin.devhost.app.groups import (
    add_group_members,
    create_group,
    delete_group,
    existing_group,
    remove_group_member,
    restore_group,
    search_groups,
    update_group,
)
from mattermost_plugin.devhost.errors import not_found
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import GroupFilter, Page, UserFilter
from mattermost_pluginapi.v1 import api_group_pb2 as pb

METHODS: Final = Methods()


@METHODS.rpc
def _create_group(call: Call, request: pb.CreateGroupRequest) -> pb.CreateGroupResponse:
    return pb.CreateGroupResponse(group=create_group(call.world, request.group))


@METHODS.rpc
def _delete_group(call: Call, request: pb.DeleteGroupRequest) -> pb.DeleteGroupResponse:
    return pb.DeleteGroupResponse(group=delete_group(call.world, request.group_id))


@METHODS.rpc
def _restore_group(call: Call, request: pb.RestoreGroupRequest) -> pb.RestoreGroupResponse:
    return pb.RestoreGroupResponse(group=restore_group(call.world, request.group_id))


@METHODS.rpc
def _update_group(call: Call, request: pb.UpdateGroupRequest) -> pb.UpdateGroupResponse:
    return pb.UpdateGroupResponse(group=update_group(call.world, request.group))


@METHODS.rpc
def _get_group(call: Call, request: pb.GetGroupRequest) -> pb.GetGroupResponse:
    return pb.GetGroupResponse(group=existing_group(call.world, request.group_id))


@METHODS.rpc
def _get_group_by_name(call: Call, request: pb.GetGroupByNameRequest) -> pb.GetGroupByNameResponse:
    group = call.world.store.groups.one("name = ? AND name <> ''", [request.name])
    if group is None:
        raise not_found("app.group.no_rows", f"name={request.name}")
    return pb.GetGroupByNameResponse(group=group)


@METHODS.rpc
def _get_group_by_remote_id(call: Call, request: pb.GetGroupByRemoteIDRequest) -> pb.GetGroupByRemoteIDResponse:
    group = call.world.store.groups.one("remote_id = ? AND source = ?", [request.remote_id, request.group_source])
    if group is None:
        raise not_found("app.group.no_rows", f"remote_id={request.remote_id}")
    return pb.GetGroupByRemoteIDResponse(group=group)


@METHODS.rpc
def _get_groups(call: Call, request: pb.GetGroupsRequest) -> pb.GetGroupsResponse:
    page = Page(request.page, request.per_page) if request.per_page else None
    limits = request.view_restrictions
    groups = search_groups(call.world, request.opts, page, limits.teams, limits.channels)
    return pb.GetGroupsResponse(groups=groups)


@METHODS.rpc
def _get_groups_by_source(call: Call, request: pb.GetGroupsBySourceRequest) -> pb.GetGroupsBySourceResponse:
    filters = GroupFilter()
    filters.from_source(request.group_source)
    filters.deleted(False)
    return pb.GetGroupsBySourceResponse(groups=call.world.store.groups.search(filters))


@METHODS.rpc
def _get_groups_for_user(call: Call, request: pb.GetGroupsForUserRequest) -> pb.GetGroupsForUserResponse:
    # Deleted ones too, as on a server.
    filters = GroupFilter()
    filters.with_member(request.user_id)
    return pb.GetGroupsForUserResponse(groups=call.world.store.groups.search(filters))


@METHODS.rpc
def _get_group_member_users(call: Call, request: pb.GetGroupMemberUsersRequest) -> pb.GetGroupMemberUsersResponse:
    existing_group(call.world, request.group_id)
    filters = UserFilter()
    filters.in_group(request.group_id)
    filters.active(True)
    users = call.world.store.users.search(filters, Page(request.page, request.per_page))
    return pb.GetGroupMemberUsersResponse(users=users)


@METHODS.rpc
def _upsert_group_member(call: Call, request: pb.UpsertGroupMemberRequest) -> pb.UpsertGroupMemberResponse:
    (member,) = add_group_members(call.world, request.group_id, [request.user_id])
    return pb.UpsertGroupMemberResponse(group_member=member)


@METHODS.rpc
def _upsert_group_members(call: Call, request: pb.UpsertGroupMembersRequest) -> pb.UpsertGroupMembersResponse:
    members = add_group_members(call.world, request.group_id, request.user_ids)
    return pb.UpsertGroupMembersResponse(group_members=members)


@METHODS.rpc
def _delete_group_member(call: Call, request: pb.DeleteGroupMemberRequest) -> pb.DeleteGroupMemberResponse:
    member = remove_group_member(call.world, request.group_id, request.user_id)
    return pb.DeleteGroupMemberResponse(group_member=member)
