"""What the API must do about groups of users, and what they are linked to."""

from typing import Any

import pytest

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.group_pb2 import CreateDefaultMembershipParams, Group, GroupSearchOpts, GroupSyncable
from mattermost_pluginapi.v1.user_pb2 import ViewUsersRestrictions
from tests.devhost.site import NOBODY, Site, covers, made

OPS = {"display_name": "Ops", "name": "ops", "source": "ldap", "remote_id": "ou=ops", "allow_reference": True}


async def created(s: Site, **fields: Any) -> Group:
    group: Group = (await s.api("CreateGroup", group=made(Group, OPS, fields))).group
    return group


@covers(
    "CreateGroup",
    "DeleteGroup",
    "RestoreGroup",
    "GetGroup",
    "GetGroupByName",
    "GetGroupByRemoteID",
    "GetGroupsBySource",
    "UpdateGroup",
)
async def groups(s: Site) -> None:
    group = await created(s)
    assert (await s.api("GetGroup", group_id=group.id)).group == group
    assert (await s.api("GetGroupByName", name="ops")).group == group
    assert (await s.api("GetGroupByRemoteID", remote_id="ou=ops", group_source="ldap")).group == group
    assert list((await s.api("GetGroupsBySource", group_source="ldap")).groups) == [group]
    group.display_name = "Operations"
    updated = (await s.api("UpdateGroup", group=group)).group
    assert (updated.display_name, updated.member_count) == ("Operations", 0)
    assert "Operations" in str([event.data for event in s.host.events.history(WebSocketEvent)][-1])
    assert (await s.api("DeleteGroup", group_id=group.id)).group.delete_at > 0
    await s.api.error("DeleteGroup", 404, group_id=group.id)
    assert not (await s.api("GetGroupsBySource", group_source="ldap")).groups
    assert (await s.api("RestoreGroup", group_id=group.id)).group.delete_at == 0
    await s.api.error("RestoreGroup", 404, group_id=group.id)
    await s.api.error("CreateGroup", 500, "insert_error", group=made(Group, OPS))
    other = await created(s, name="other")
    await s.api.error("UpdateGroup", 400, "unique_name", group=made(Group, OPS, {"id": other.id}))
    await s.api.error("UpdateGroup", 500, "select_error", group=made(Group, OPS, {"id": other.id, "delete_at": 5}))
    for error_id, fields in (
        ("group.id", {"id": NOBODY}),
        ("display_name", {"display_name": ""}),
        ("display_name", {"display_name": "x" * 129}),
        ("description", {"description": "x" * 1025}),
        ("source", {"source": "github"}),
        ("remote_id", {"remote_id": ""}),
        ("remote_id", {"remote_id": "x" * 49}),
        ("model.group.name.app_error", {"name": ""}),
        ("invalid_length", {"name": "x" * 65}),
        ("invalid_chars", {"name": "Ops"}),
        ("reserved_name", {"name": "here"}),
        ("username_conflict", {"name": "bob"}),
    ):
        await s.api.error("CreateGroup", 400, error_id, group=made(Group, OPS, fields))
    await s.api.error("GetGroup", 404, "app.group.no_rows", group_id=NOBODY)
    await s.api.error("GetGroupByName", 404, "app.group.no_rows", name="")
    await s.api.error("UpdateGroup", 404, group=Group(id=NOBODY))


@covers("GetGroups")
async def searching_groups(s: Site) -> None:
    async def found(page: int = 0, per_page: int = 10, restricted: Any = None, **opts: Any) -> list[Group]:
        fields = {"page": page, "per_page": per_page, "opts": GroupSearchOpts(**opts), "view_restrictions": restricted}
        return list((await s.api("GetGroups", **fields)).groups)

    async def names(*page: int, **opts: Any) -> list[str]:
        return [group.display_name for group in await found(*page, **opts)]

    one = await created(s, display_name="One")
    two = await created(s, display_name="Two", name="", source="custom", remote_id="", allow_reference=False)
    gone = await created(s, display_name="Gone", name="gone", source="plugin_x")
    await s.api("UpsertGroupMembers", group_id=one.id, user_ids=[s.ada.id, s.bob.id])
    await s.api("UpsertGroupMember", group_id=two.id, user_id=s.bob.id)
    await s.api("DeleteGroup", group_id=gone.id)
    assert await names() == ["One", "Two"]
    assert await names(1, 1) == ["Two"]
    assert await names(0, 0) == ["One", "Two"]
    assert await names(include_archived=True) == ["One", "Two", "Gone"]
    assert await names(filter_archived=True) == ["Gone"]
    # Whoever asks for changes gets deletions too.
    assert await names(since=str(two.update_at)) == ["Gone"]
    assert await names(q="W") == ["Two"]
    assert await names(q="OPS") == ["One"]
    assert await names(q="%") == []
    assert await names(filter_allow_reference="true") == ["One"]
    assert await names(source="custom") == ["Two"]
    assert await names(only_syncable_sources=True, include_archived=True) == ["One", "Gone"]
    assert await names(member_user_id=s.ada.id) == ["One"]
    for syncable_id, kind in ((s.team.id, "Team"), (s.lobby.id, "Channel")):
        link = GroupSyncable(group_id=one.id, syncable_id=syncable_id, syncable_type=kind)
        await s.api("UpsertGroupSyncable", group_syncable=link)
    assert await names(not_associated_to_team=s.team.id) == ["Two"]
    assert await names(not_associated_to_channel=s.lobby.id) == ["Two"]
    permitted = {"not_associated_to_channel": s.lobby.id, "filter_parent_team_permitted": True}
    assert await names(**permitted) == ["Two"]
    s.team.group_constrained = True
    s.host.store.teams.put(s.team)
    assert await names(**permitted) == []
    zones: dict[str, Any] = {
        "member_count_channel_id": s.lobby.id,
        "include_timezones": True,
        "include_member_ids": True,
    }
    s.ada.timezone.update({"useAutomaticTimezone": "true", "automaticTimezone": "Europe/Berlin"})
    s.host.store.users.put(s.ada)
    first, second = await found(include_member_count=True, **zones)
    assert (first.member_count, first.channel_member_count, first.channel_member_timezones_count) == (2, 1, 1)
    assert sorted(first.member_ids) == sorted([s.ada.id, s.bob.id])
    assert (second.member_count, second.channel_member_count) == (1, 0)
    restrictions = ViewUsersRestrictions(teams=[s.team.id], channels=[s.lobby.id])
    first, second = await found(restricted=restrictions, include_member_count=True)
    assert (first.member_count, second.member_count) == (1, 0)
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    first, second = await found(include_member_count=True)
    assert (first.member_count, second.member_count) == (1, 0)


@covers("UpsertGroupMember", "UpsertGroupMembers", "DeleteGroupMember", "GetGroupMemberUsers", "GetGroupsForUser")
async def group_members(s: Site) -> None:
    group = await created(s)
    member = (await s.api("UpsertGroupMember", group_id=group.id, user_id=s.bob.id)).group_member
    assert (member.group_id, member.user_id, member.delete_at) == (group.id, s.bob.id, 0)
    many = await s.api("UpsertGroupMembers", group_id=group.id, user_ids=[s.ada.id, s.bob.id, s.ada.id])
    assert len(many.group_members) == 2
    assert many.group_members[1].create_at > member.create_at
    users = (await s.api("GetGroupMemberUsers", group_id=group.id, page=0, per_page=60)).users
    assert [user.username for user in users] == ["ada", "bob"]
    gone = (await s.api("DeleteGroupMember", group_id=group.id, user_id=s.bob.id)).group_member
    assert gone.delete_at > 0
    await s.api.error("DeleteGroupMember", 404, group_id=group.id, user_id=s.bob.id)
    assert not (await s.api("GetGroupsForUser", user_id=s.bob.id)).groups
    await s.api.error("UpsertGroupMembers", 400, "user_not_found", group_id=group.id, user_ids=[s.bob.id, NOBODY])
    assert not (await s.api("GetGroupsForUser", user_id=s.bob.id)).groups
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    await s.api.error("UpsertGroupMember", 400, "user_not_found", group_id=group.id, user_id=s.bob.id)
    await s.api.error("UpsertGroupMember", 404, "no_rows", group_id=NOBODY, user_id=s.ada.id)
    await s.api("DeleteGroup", group_id=group.id)
    assert [each.id for each in (await s.api("GetGroupsForUser", user_id=s.ada.id)).groups] == [group.id]


@covers("GetGroupSyncable", "GetGroupSyncables", "UpsertGroupSyncable", "UpdateGroupSyncable", "DeleteGroupSyncable")
async def group_links(s: Site) -> None:
    group = await created(s)
    fields = {"group_id": group.id, "syncable_id": s.lobby.id, "syncable_type": "Channel"}
    of_team = {"group_id": group.id, "syncable_id": s.team.id, "syncable_type": "Team"}
    link = made(GroupSyncable, fields, {"auto_add": True, "delete_at": 7})
    stored = (await s.api("UpsertGroupSyncable", group_syncable=link)).group_syncable
    assert (stored.team_id, stored.auto_add, stored.delete_at) == (s.team.id, True, 0)
    assert (await s.api("GetGroupSyncable", **fields)).group_syncable.create_at == stored.create_at
    (seen,) = (await s.api("GetGroupSyncables", group_id=group.id, syncable_type="Channel")).group_syncables
    assert (seen.channel_display_name, seen.channel_type, seen.team_type) == ("lobby", "O", "O")
    # It is linked to the team too, and to neither when the team's link ends.
    (seen,) = (await s.api("GetGroupSyncables", group_id=group.id, syncable_type="Team")).group_syncables
    assert (seen.syncable_id, seen.auto_add, seen.team_display_name) == (s.team.id, True, "core")
    assert (await s.api("DeleteGroupSyncable", **of_team)).group_syncable.delete_at > 0
    assert (await s.api("GetGroupSyncable", **fields)).group_syncable.delete_at > 0
    await s.api.error("DeleteGroupSyncable", 400, "already_deleted", **fields)
    link = made(GroupSyncable, fields, {"scheme_admin": True})
    again = (await s.api("UpdateGroupSyncable", group_syncable=link)).group_syncable
    assert (again.delete_at, again.auto_add, again.create_at) == (0, False, stored.create_at)
    s.team.group_constrained = True
    s.host.store.teams.put(s.team)
    await s.api.error("UpsertGroupSyncable", 400, "synced_team", group_syncable=link)
    await s.api.error("UpsertGroupSyncable", 400, "type", group_syncable=GroupSyncable(group_id=group.id))
    for method, missing in (("GetGroupSyncable", {"group_id": NOBODY}), ("DeleteGroupSyncable", {"group_id": NOBODY})):
        await s.api.error(method, 404, "no_rows", **{**fields, **missing})
    for changes in ({"group_id": NOBODY}, {"syncable_id": NOBODY}):
        await s.api.error("UpsertGroupSyncable", 404, group_syncable=made(GroupSyncable, fields, changes))
    unknown = made(GroupSyncable, fields, {"group_id": NOBODY})
    await s.api.error("UpdateGroupSyncable", 404, "no_rows", group_syncable=unknown)


@covers("CreateDefaultSyncableMemberships", "DeleteGroupConstrainedMemberships")
async def memberships_by_groups(s: Site) -> None:
    async def add(**params: Any) -> None:
        await s.api("CreateDefaultSyncableMemberships", params=CreateDefaultMembershipParams(**params))

    def inside() -> set[str]:
        return {member.user_id for member in s.host.store.channel_members.of_channel(s.lobby.id)}

    group = await created(s)
    eve = await s.host.act.create_user("eve")
    await s.api("UpsertGroupMembers", group_id=group.id, user_ids=[s.bob.id, eve.id])
    fields = {"group_id": group.id, "syncable_id": s.lobby.id, "syncable_type": "Channel", "auto_add": True}
    await s.api("UpsertGroupSyncable", group_syncable=made(GroupSyncable, fields, {"scheme_admin": True}))
    await add(since=s.clock.now_ms())
    assert inside() == {s.ada.id}
    await add(scoped_user_id=s.bob.id)
    assert inside() == {s.ada.id, s.bob.id}
    assert s.host.store.team_members.get(s.team.id, eve.id) is None
    # One who cannot become a member stops nobody else.
    other = await s.host.act.create_channel(s.team.id, "other")
    await s.api("UpsertGroupSyncable", group_syncable=made(GroupSyncable, fields, {"syncable_id": other.id}))
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    params = {"params": CreateDefaultMembershipParams()}
    await s.api.error("CreateDefaultSyncableMemberships", 500, "create_syncable_memberships", **params)
    assert inside() == {s.ada.id, s.bob.id, eve.id}
    await s.api("UpdateUserActive", user_id=s.bob.id, active=True)
    member = (await s.api("GetChannelMember", channel_id=s.lobby.id, user_id=eve.id)).channel_member
    assert member.scheme_admin
    # Who has left comes back only if that is wanted.
    s.host.act.leave_channel(s.lobby.id, eve.id)
    await add()
    assert inside() == {s.ada.id, s.bob.id}
    await add(re_add_removed_members=True)
    assert inside() == {s.ada.id, s.bob.id, eve.id}
    await only_members_of_groups(s, group)


async def only_members_of_groups(s: Site, group: Group) -> None:
    lobby = Channel()
    lobby.CopyFrom(s.lobby)
    lobby.group_constrained = True
    s.host.store.channels.put(lobby)
    bot = (await s.api("CreateBot", bot=Bot(username="robo"))).bot
    await s.host.act.join_team(s.team.id, bot.user_id)
    await s.host.act.join_channel(s.lobby.id, bot.user_id)
    await s.api("DeleteGroupConstrainedMemberships")
    members = {member.user_id for member in s.host.store.channel_members.of_channel(s.lobby.id)}
    assert s.ada.id not in members
    assert {s.bob.id, bot.user_id} <= members
    await s.api.error("AddChannelMember", 400, "user_denied", channel_id=s.lobby.id, user_id=s.ada.id)
    with pytest.raises(ApiError, match=r"remove_members\.denied"):
        s.host.act.leave_channel(s.lobby.id, s.bob.id, s.ada.id)
    await s.api("DeleteGroup", group_id=group.id)
    await s.api("DeleteGroupConstrainedMemberships")
    assert {member.user_id for member in s.host.store.channel_members.of_channel(s.lobby.id)} == {bot.user_id}
