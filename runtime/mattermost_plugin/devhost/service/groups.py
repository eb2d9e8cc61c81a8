"""Methods about groups of users and what they are linked to."""

from typing import Final

from mattermost_plugin.devhost.app.channel_members import add_to_channel, remove_from_channel
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.teams import add_team_member, existing_team, remove_team_member
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import DuplicateError, Page, UserFilter
from mattermost_pluginapi.v1 import api_group_pb2 as pb
from mattermost_pluginapi.v1 import api_group_syncable_pb2 as links
from mattermost_pluginapi.v1.group_pb2 import Group, GroupMember, GroupSyncable

METHODS: Final = Methods()

CUSTOM: Final = "custom"
TEAM: Final = "Team"
CHANNEL: Final = "Channel"
LONGEST_NAME: Final = 128


def _existing_group(call: Call, group_id: str) -> Group:
    group = call.world.store.groups.get(group_id)
    if group is None:
        raise not_found("app.group.no_rows", f"group_id={group_id}")
    return group


def _save(call: Call, group: Group) -> Group:
    if not group.display_name or len(group.display_name) > LONGEST_NAME:
        raise bad_request("model.group.display_name.app_error")
    if not group.source:
        raise bad_request("model.group.source.app_error")
    if group.source != CUSTOM and not group.remote_id:
        raise bad_request("model.group.remote_id.app_error")
    if group.allow_reference and not group.name:
        raise bad_request("model.group.name.app_error")
    group.update_at = call.now_ms
    try:
        return call.world.store.groups.put(group)
    except DuplicateError as error:
        raise bad_request("app.custom_group.unique_name", f"name={group.name}") from error


@METHODS.rpc
def _create_group(call: Call, request: pb.CreateGroupRequest) -> pb.CreateGroupResponse:
    group = Group()
    group.CopyFrom(request.group)
    group.id, group.create_at, group.delete_at = new_id(), call.now_ms, 0
    return pb.CreateGroupResponse(group=_save(call, group))


@METHODS.rpc
def _delete_group(call: Call, request: pb.DeleteGroupRequest) -> pb.DeleteGroupResponse:
    group = _existing_group(call, request.group_id)
    if group.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group.id} is deleted")
    group.delete_at = call.now_ms
    return pb.DeleteGroupResponse(group=_save(call, group))


@METHODS.rpc
def _restore_group(call: Call, request: pb.RestoreGroupRequest) -> pb.RestoreGroupResponse:
    group = _existing_group(call, request.group_id)
    if not group.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group.id} is not deleted")
    group.delete_at = 0
    return pb.RestoreGroupResponse(group=_save(call, group))


@METHODS.rpc
def _get_group(call: Call, request: pb.GetGroupRequest) -> pb.GetGroupResponse:
    return pb.GetGroupResponse(group=_existing_group(call, request.group_id))


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
    opts, store = request.opts, call.world.store
    found = []
    for group in sorted(store.groups.select(), key=lambda group: (group.display_name, group.id)):
        if group.delete_at and not (opts.include_archived or opts.filter_archived):
            continue
        if not group.delete_at and opts.filter_archived:
            continue
        if opts.q and opts.q.lower() not in f"{group.name} {group.display_name}".lower():
            continue
        if opts.source and group.source != opts.source:
            continue
        member_ids = [member.user_id for member in _members(call, group.id)]
        if opts.member_user_id and opts.member_user_id not in member_ids:
            continue
        if opts.include_member_count:
            group.member_count = len(member_ids)
        if opts.include_member_ids:
            group.member_ids[:] = member_ids
        found.append(group)
    page = Page(request.page, request.per_page)
    return pb.GetGroupsResponse(groups=found[page.offset : page.offset + page.limit])


def _members(call: Call, group_id: str) -> list[GroupMember]:
    return call.world.store.group_members.select("group_id = ? AND delete_at = 0", [group_id])


@METHODS.rpc
def _get_groups_by_source(call: Call, request: pb.GetGroupsBySourceRequest) -> pb.GetGroupsBySourceResponse:
    found = call.world.store.groups.select("source = ? AND delete_at = 0", [request.group_source], "create_at")
    return pb.GetGroupsBySourceResponse(groups=found)


@METHODS.rpc
def _get_groups_for_user(call: Call, request: pb.GetGroupsForUserRequest) -> pb.GetGroupsForUserResponse:
    return pb.GetGroupsForUserResponse(groups=call.world.store.groups.of_user(request.user_id))


@METHODS.rpc
def _update_group(call: Call, request: pb.UpdateGroupRequest) -> pb.UpdateGroupResponse:
    old = _existing_group(call, request.group.id)
    group = Group()
    group.CopyFrom(request.group)
    group.create_at, group.delete_at = old.create_at, old.delete_at
    saved = _save(call, group)
    call.world.broadcast("received_group", {"group_id": saved.id})
    return pb.UpdateGroupResponse(group=saved)


@METHODS.rpc
def _get_group_member_users(call: Call, request: pb.GetGroupMemberUsersRequest) -> pb.GetGroupMemberUsersResponse:
    _existing_group(call, request.group_id)
    filters = UserFilter()
    filters.in_group(request.group_id)
    users = call.world.store.users.search(filters, Page(request.page, request.per_page))
    return pb.GetGroupMemberUsersResponse(users=users)


def _new_member(call: Call, group_id: str, user_id: str) -> GroupMember:
    group = _existing_group(call, group_id)
    if group.delete_at:
        raise bad_request("app.group.uniqueness_error", f"group_id={group_id} is deleted")
    existing_user(call.world, user_id)
    old = call.world.store.group_members.get(group_id, user_id)
    if old is not None and not old.delete_at:
        return old
    return GroupMember(group_id=group_id, user_id=user_id, create_at=call.now_ms)


@METHODS.rpc
def _upsert_group_member(call: Call, request: pb.UpsertGroupMemberRequest) -> pb.UpsertGroupMemberResponse:
    member = _new_member(call, request.group_id, request.user_id)
    return pb.UpsertGroupMemberResponse(group_member=call.world.store.group_members.put(member))


@METHODS.rpc
def _upsert_group_members(call: Call, request: pb.UpsertGroupMembersRequest) -> pb.UpsertGroupMembersResponse:
    members = [_new_member(call, request.group_id, user_id) for user_id in request.user_ids]
    with call.world.store.transaction():
        for member in members:
            call.world.store.group_members.put(member)
    return pb.UpsertGroupMembersResponse(group_members=members)


@METHODS.rpc
def _delete_group_member(call: Call, request: pb.DeleteGroupMemberRequest) -> pb.DeleteGroupMemberResponse:
    member = call.world.store.group_members.get(request.group_id, request.user_id)
    if member is None or member.delete_at:
        raise not_found("app.group.no_rows", f"group_id={request.group_id}, user_id={request.user_id}")
    member.delete_at = call.now_ms
    return pb.DeleteGroupMemberResponse(group_member=call.world.store.group_members.put(member))


def _live_link(call: Call, group_id: str, syncable_id: str, kind: str) -> GroupSyncable:
    link = call.world.store.group_syncables.get(group_id, syncable_id, kind)
    if link is None or link.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group_id}, syncable_id={syncable_id}")
    return link


@METHODS.rpc
def _get_group_syncable(call: Call, request: links.GetGroupSyncableRequest) -> links.GetGroupSyncableResponse:
    link = _live_link(call, request.group_id, request.syncable_id, request.syncable_type)
    return links.GetGroupSyncableResponse(group_syncable=link)


@METHODS.rpc
def _get_group_syncables(call: Call, request: links.GetGroupSyncablesRequest) -> links.GetGroupSyncablesResponse:
    where = "group_id = ? AND syncable_type = ? AND delete_at = 0"
    found = call.world.store.group_syncables.select(where, [request.group_id, request.syncable_type])
    return links.GetGroupSyncablesResponse(group_syncables=found)


@METHODS.rpc
def _upsert_group_syncable(call: Call, request: links.UpsertGroupSyncableRequest) -> links.UpsertGroupSyncableResponse:
    link = GroupSyncable()
    link.CopyFrom(request.group_syncable)
    _existing_group(call, link.group_id)
    if link.syncable_type == TEAM:
        existing_team(call.world, link.syncable_id)
        link.team_id = link.syncable_id
    elif link.syncable_type == CHANNEL:
        link.team_id = existing_channel(call.world, link.syncable_id).team_id
    else:
        raise bad_request("model.group_syncable.is_valid.type.app_error", f"syncable_type={link.syncable_type}")
    old = call.world.store.group_syncables.get(link.group_id, link.syncable_id, link.syncable_type)
    link.update_at, link.delete_at = call.now_ms, 0
    link.create_at = old.create_at if old is not None else link.update_at
    return links.UpsertGroupSyncableResponse(group_syncable=call.world.store.group_syncables.put(link))


@METHODS.rpc
def _update_group_syncable(call: Call, request: links.UpdateGroupSyncableRequest) -> links.UpdateGroupSyncableResponse:
    given = request.group_syncable
    link = _live_link(call, given.group_id, given.syncable_id, given.syncable_type)
    link.auto_add, link.scheme_admin, link.update_at = given.auto_add, given.scheme_admin, call.now_ms
    return links.UpdateGroupSyncableResponse(group_syncable=call.world.store.group_syncables.put(link))


@METHODS.rpc
def _delete_group_syncable(call: Call, request: links.DeleteGroupSyncableRequest) -> links.DeleteGroupSyncableResponse:
    link = _live_link(call, request.group_id, request.syncable_id, request.syncable_type)
    link.delete_at = link.update_at = call.now_ms
    return links.DeleteGroupSyncableResponse(group_syncable=call.world.store.group_syncables.put(link))


@METHODS.rpc
async def _create_default_syncable_memberships(
    call: Call, request: links.CreateDefaultSyncableMembershipsRequest
) -> links.CreateDefaultSyncableMembershipsResponse:
    context, world = call.context(), call.world
    user_id = request.params.scoped_user_id
    # Teams first: nobody enters a channel without its team.
    for link in world.store.group_syncables.select("delete_at = 0", (), "syncable_type DESC"):
        if not link.auto_add:
            continue
        for member in _members(call, link.group_id):
            if user_id and member.user_id != user_id:
                continue
            await add_team_member(world, context, link.team_id, member.user_id)
            if link.syncable_type == CHANNEL:
                await add_to_channel(world, context, existing_channel(world, link.syncable_id), member.user_id)
    return links.CreateDefaultSyncableMembershipsResponse()


@METHODS.rpc
def _delete_group_constrained_memberships(
    call: Call,
    request: links.DeleteGroupConstrainedMembershipsRequest,
) -> links.DeleteGroupConstrainedMembershipsResponse:
    context, world = call.context(), call.world
    for team in world.store.teams.select("delete_at = 0"):
        if team.group_constrained:
            allowed = world.store.group_members.linked_to(team.id, TEAM)
            for member in world.store.team_members.of_team(team.id):
                if member.user_id not in allowed:
                    remove_team_member(world, context, team.id, member.user_id)
    for channel in world.store.channels.select("delete_at = 0"):
        if channel.group_constrained:
            allowed = world.store.group_members.linked_to(channel.id, CHANNEL)
            for channel_member in world.store.channel_members.of_channel(channel.id):
                if channel_member.user_id not in allowed:
                    remove_from_channel(world, context, channel, channel_member.user_id)
    return links.DeleteGroupConstrainedMembershipsResponse()
