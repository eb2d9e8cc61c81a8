"""What the API must do about places: teams, channels, members, sidebars, sharing."""

from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMemberIdentifier, ChannelType
from mattermost_pluginapi.v1.channel_sidebar_pb2 import SidebarCategoryWithChannels
from mattermost_pluginapi.v1.shared_channel_pb2 import GetPostsSinceForSyncCursor, RegisterPluginOpts, SharedChannel
from mattermost_pluginapi.v1.team_pb2 import Team, TeamType
from tests.devhost.site import NOBODY, PNG, Site, covers, made

OPEN, PRIVATE = ChannelType.CHANNEL_TYPE_OPEN, ChannelType.CHANNEL_TYPE_PRIVATE


@covers("CreateTeam", "GetTeam", "GetTeamByName", "GetTeams", "SearchTeams", "UpdateTeam", "DeleteTeam")
async def teams(s: Site) -> None:
    given = Team(name="red-team", display_name="Red Team", type=TeamType.TEAM_TYPE_OPEN)
    team = (await s.api("CreateTeam", team=given)).team
    assert len(team.id) == len(team.invite_id) == 26
    assert (await s.api("GetTeam", team_id=team.id)).team == team
    assert (await s.api("GetTeamByName", name="red-team")).team == team
    assert {each.name for each in (await s.api("GetTeams")).teams} == {"core", "red-team"}
    assert [each.name for each in (await s.api("SearchTeams", term="red")).teams] == ["red-team"]
    public = (await s.api("GetPublicChannelsForTeam", team_id=team.id, page=0, per_page=60)).channels
    assert {channel.name for channel in public} == {"town-square", "off-topic"}
    changed = Team(id=team.id, name="ignored", display_name="Blue", type=TeamType.TEAM_TYPE_INVITE)
    stored = (await s.api("UpdateTeam", team=changed)).team
    assert (stored.name, stored.display_name) == ("red-team", "Blue")
    await s.api("DeleteTeam", team_id=team.id)
    assert (await s.api("GetTeam", team_id=team.id)).team.delete_at > 0
    await s.api.error("CreateTeam", 400, "app.team.save.existing", team=given)
    for name in ("", "a", "Red", "api-x", "x" * 65, "ä"):
        await s.api.error("CreateTeam", 400, "model.team", team=Team(name=name, display_name="x", type=given.type))
    await s.api.error("CreateTeam", 400, "type", team=Team(name="green", display_name="x"))
    for method, fields in (
        ("GetTeam", {"team_id": NOBODY}),
        ("GetTeamByName", {"name": "x"}),
        ("UpdateTeam", {"team": Team(id=NOBODY)}),
        ("DeleteTeam", {"team_id": NOBODY}),
        ("GetTeamStats", {"team_id": NOBODY}),
    ):
        await s.api.error(method, 404, "app.team", **fields)


@covers("GetTeamIcon", "SetTeamIcon", "RemoveTeamIcon", "GetTeamStats", "GetTeamsForUser", "GetTeamsUnreadForUser")
async def team_icons_and_counts(s: Site) -> None:
    await s.api.error("GetTeamIcon", 404, team_id=s.team.id)
    await s.api("SetTeamIcon", team_id=s.team.id, data=PNG)
    assert (await s.api("GetTeamIcon", team_id=s.team.id)).icon == PNG
    await s.api("RemoveTeamIcon", team_id=s.team.id)
    await s.api.error("GetTeamIcon", 404, team_id=s.team.id)
    await s.api.error("SetTeamIcon", 400, team_id=s.team.id, data=b"text")
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    stats = (await s.api("GetTeamStats", team_id=s.team.id)).team_stats
    assert (stats.total_member_count, stats.active_member_count) == (2, 1)
    assert [team.id for team in (await s.api("GetTeamsForUser", user_id=s.bob.id)).teams] == [s.team.id]
    square = (await s.api("GetChannelByName", team_id=s.team.id, name="town-square")).channel
    await s.host.act.post(s.ada.id, square.id, "hi")
    (unread,) = (await s.api("GetTeamsUnreadForUser", user_id=s.bob.id)).team_unreads
    assert (unread.team_id, unread.msg_count) == (s.team.id, 1)


@covers(
    "CreateTeamMember",
    "CreateTeamMembers",
    "CreateTeamMembersGracefully",
    "DeleteTeamMember",
    "GetTeamMember",
    "GetTeamMembers",
    "GetTeamMembersForUser",
    "UpdateTeamMemberRoles",
)
async def team_members(s: Site) -> None:
    carl, dora = await s.host.act.create_user("carl"), await s.host.act.create_user("dora")
    member = (await s.api("CreateTeamMember", team_id=s.team.id, user_id=carl.id)).team_member
    assert (member.roles, member.scheme_user) == ("team_user", True)
    assert (await s.api("CreateTeamMember", team_id=s.team.id, user_id=carl.id)).team_member == member
    names = {channel.name for channel in s.host.store.channels.of_user(carl.id)}
    assert names == {"town-square", "off-topic"}
    both = await s.api(
        "CreateTeamMembersGracefully", team_id=s.team.id, user_ids=[NOBODY, dora.id], requestor_id=s.ada.id
    )
    assert [(each.user_id, each.error.status_code) for each in both.team_members] == [(NOBODY, 404), (dora.id, 0)]
    assert both.team_members[1].member.user_id == dora.id
    eve = await s.host.act.create_user("eve")
    await s.api.error("CreateTeamMembers", 404, team_id=s.team.id, user_ids=[eve.id, NOBODY])
    done = await s.api("CreateTeamMembers", team_id=s.team.id, user_ids=[eve.id], requestor_id=s.ada.id)
    assert [each.user_id for each in done.team_members] == [eve.id]
    page = (await s.api("GetTeamMembers", team_id=s.team.id, page=1, per_page=2)).team_members
    assert [each.user_id for each in page] == [carl.id, dora.id]
    roles = "team_user team_admin"
    changed = await s.api("UpdateTeamMemberRoles", team_id=s.team.id, user_id=carl.id, new_roles=roles)
    assert (changed.team_member.roles, changed.team_member.scheme_admin) == (roles, True)
    await s.api.error("UpdateTeamMemberRoles", 404, team_id=s.team.id, user_id=carl.id, new_roles="channel_user")
    await s.api("DeleteTeamMember", team_id=s.team.id, user_id=carl.id, requestor_id=s.ada.id)
    assert (await s.api("GetTeamMember", team_id=s.team.id, user_id=carl.id)).team_member.delete_at > 0
    assert not s.host.store.channels.of_user(carl.id)
    assert not (await s.api("GetTeamMembersForUser", user_id=carl.id, page=0, per_page=60)).team_members
    await s.api.error("DeleteTeamMember", 404, team_id=s.team.id, user_id=carl.id)
    await s.api.error("GetTeamMember", 404, team_id=NOBODY, user_id=carl.id)


@covers(
    "CreateChannel",
    "GetChannel",
    "GetChannelByName",
    "GetChannelByNameForTeamName",
    "GetChannelOfType",
    "GetPublicChannelsForTeam",
    "SearchChannels",
    "UpdateChannel",
)
async def channels(s: Site) -> None:
    given = Channel(team_id=s.team.id, name="dev-ops", display_name="Dev Ops ⚙", type=PRIVATE)
    created = (await s.api("CreateChannel", channel=given)).channel
    assert len(created.id) == 26
    assert not s.host.store.channel_members.of_channel(created.id)
    assert (await s.api("GetChannel", channel_id=created.id)).channel == created
    assert (await s.api("GetChannelByName", team_id=s.team.id, name="dev-ops")).channel == created
    by_team = await s.api("GetChannelByNameForTeamName", team_name="core", channel_name="dev-ops")
    assert by_team.channel == created
    assert (await s.api("GetChannelOfType", channel_id=created.id, channel_type="P")).channel == created
    await s.api.error("GetChannelOfType", 404, channel_id=created.id, channel_type="O")
    found = (await s.api("SearchChannels", team_id=s.team.id, term="o")).channels
    assert {channel.name for channel in found} == {"lobby", "town-square", "off-topic"}
    page = (await s.api("GetPublicChannelsForTeam", team_id=s.team.id, page=1, per_page=2)).channels
    assert [channel.name for channel in page] == ["town-square"]
    created.header, created.type, created.team_id = "⚠", OPEN, NOBODY
    stored = (await s.api("UpdateChannel", channel=created)).channel
    assert (stored.header, stored.type, stored.team_id) == ("⚠", OPEN, s.team.id)
    await s.api.error("CreateChannel", 400, "exists", channel=given)
    for bad in ({"name": "Ü"}, {"display_name": ""}, {"type": 0}, {"name": "x" * 65}, {"type": 3}, {"name": "a__b"}):
        fields = {"team_id": s.team.id, "name": "new", "display_name": "x", "type": OPEN}
        await s.api.error("CreateChannel", 400, channel=made(Channel, fields, bad))
    await s.api.error("CreateChannel", 404, channel=Channel(name="x", display_name="x", type=OPEN, team_id=NOBODY))
    stored.name = "lobby"
    await s.api.error("UpdateChannel", 400, "exists", channel=stored)
    await s.api.error("UpdateChannel", 404, channel=Channel(id=NOBODY))
    await s.api.error("GetChannel", 404, "app.channel", channel_id="nope")
    await s.api.error("GetChannelByName", 404, team_id=s.team.id, name="nope")
    await s.api.error("GetChannelByNameForTeamName", 404, team_name="nope", channel_name="lobby")


@covers("DeleteChannel", "RestoreChannel", "GetChannelStats", "RegisterChannelGuard", "UnregisterChannelGuard")
async def archived_channels(s: Site) -> None:
    await s.api("DeleteChannel", channel_id=s.lobby.id)
    await s.api.error("DeleteChannel", 400, "deleted", channel_id=s.lobby.id)
    await s.api.error("GetChannelByName", 404, team_id=s.team.id, name="lobby")
    await s.api("GetChannelByName", team_id=s.team.id, name="lobby", include_deleted=True)
    await s.api("RestoreChannel", channel_id=s.lobby.id)
    await s.api.error("RestoreChannel", 400, channel_id=s.lobby.id)
    square = (await s.api("GetChannelByName", team_id=s.team.id, name="town-square")).channel
    await s.api.error("DeleteChannel", 400, "cannot", channel_id=square.id)
    for method in ("DeleteChannel", "RestoreChannel", "GetChannelStats", "RegisterChannelGuard"):
        await s.api.error(method, 404, channel_id=NOBODY)
    assert (await s.api("GetChannelStats", channel_id=square.id)).channel_stats.member_count == 2
    await s.api("RegisterChannelGuard", channel_id=s.lobby.id)
    await s.api("RegisterChannelGuard", channel_id=s.lobby.id)
    assert s.host.store.channel_guards.of_channel(s.lobby.id) == ["com.example.tester"]
    await s.api("UnregisterChannelGuard", channel_id=s.lobby.id)
    assert s.host.store.channel_guards.of_channel(s.lobby.id) == []


@covers("GetDirectChannel", "GetGroupChannel", "GetChannelsForTeamForUser")
async def direct_and_group_messages(s: Site) -> None:
    direct = (await s.api("GetDirectChannel", user_id_1=s.bob.id, user_id_2=s.ada.id)).channel
    assert direct.name == "__".join(sorted((s.ada.id, s.bob.id)))
    assert direct.team_id == ""
    assert (await s.api("GetDirectChannel", user_id_1=s.ada.id, user_id_2=s.bob.id)).channel == direct
    own = (await s.api("GetDirectChannel", user_id_1=s.ada.id, user_id_2=s.ada.id)).channel
    assert len(s.host.store.channel_members.of_channel(own.id)) == 1
    carl = await s.host.act.create_user("carl")
    group = (await s.api("GetGroupChannel", user_ids=[carl.id, s.ada.id, s.bob.id])).channel
    assert (group.display_name, len(group.name)) == ("ada, bob, carl", 40)
    assert (await s.api("GetGroupChannel", user_ids=[s.bob.id, carl.id, s.ada.id])).channel == group
    await s.api.error("GetGroupChannel", 400, "bad_size", user_ids=[s.ada.id, s.bob.id])
    await s.api.error("GetGroupChannel", 400, "bad_user", user_ids=[s.ada.id, s.bob.id, NOBODY])
    await s.api.error("GetDirectChannel", 404, user_id_1=s.ada.id, user_id_2=NOBODY)
    found = (await s.api("GetChannelsForTeamForUser", team_id=s.team.id, user_id=s.bob.id)).channels
    assert {channel.id for channel in found} >= {direct.id, group.id}
    assert s.lobby.id not in {channel.id for channel in found}


@covers(
    "AddChannelMember",
    "AddUserToChannel",
    "DeleteChannelMember",
    "GetChannelMember",
    "GetChannelMembers",
    "GetChannelMembersByIds",
    "GetChannelMembersForUser",
    "UpdateChannelMemberRoles",
    "UpdateChannelMemberNotifications",
    "PatchChannelMembersNotifications",
)
async def channel_members(s: Site) -> None:
    lobby, bob = {"channel_id": s.lobby.id}, {"user_id": s.bob.id}
    member = (await s.api("AddChannelMember", **lobby, **bob)).channel_member
    assert member.roles == "channel_user"
    assert (await s.api("AddUserToChannel", **lobby, **bob, as_user_id=s.ada.id)).channel_member == member
    assert (await s.api("GetChannelMember", **lobby, **bob)).channel_member == member
    page = (await s.api("GetChannelMembers", **lobby, page=1, per_page=1)).channel_members
    assert [each.user_id for each in page] == [s.bob.id]
    some = (await s.api("GetChannelMembersByIds", **lobby, user_ids=[NOBODY, s.bob.id])).channel_members
    assert list(some) == [member]
    mine = (await s.api("GetChannelMembersForUser", team_id=s.team.id, **bob, page=0, per_page=60)).channel_members
    assert len(mine) == 3
    roles = "channel_user channel_admin"
    assert (await s.api("UpdateChannelMemberRoles", **lobby, **bob, new_roles=roles)).channel_member.scheme_admin
    await s.api.error("UpdateChannelMemberRoles", 404, **lobby, **bob, new_roles="team_user")
    muted = await s.api("UpdateChannelMemberNotifications", **lobby, **bob, notifications={"mark_unread": "mention"})
    assert muted.channel_member.notify_props["mark_unread"] == "mention"
    assert muted.channel_member.notify_props["push"] == "default"
    both = [ChannelMemberIdentifier(channel_id=s.lobby.id, user_id=user.id) for user in (s.ada, s.bob)]
    await s.api("PatchChannelMembersNotifications", members=both, notify_props={"push": "none"})
    assert (await s.api("GetChannelMember", **lobby, user_id=s.ada.id)).channel_member.notify_props["push"] == "none"
    await s.api.error("PatchChannelMembersNotifications", 400, members=both * 101)
    await s.api("DeleteChannelMember", **lobby, **bob)
    await s.api.error("GetChannelMember", 404, "app.channel.get_member", **lobby, **bob)
    await s.api.error("DeleteChannelMember", 404, **lobby, **bob)
    square = (await s.api("GetChannelByName", team_id=s.team.id, name="town-square")).channel
    await s.api.error("DeleteChannelMember", 400, "default", channel_id=square.id, **bob)
    outsider = await s.host.act.create_user("outsider")
    await s.api.error("AddChannelMember", 404, "app.team.get_member", **lobby, user_id=outsider.id)
    direct = await s.host.act.direct_channel(s.ada.id, s.bob.id)
    await s.api.error("AddChannelMember", 400, "type", channel_id=direct.id, user_id=outsider.id)


@covers("CreateChannelSidebarCategory", "GetChannelSidebarCategories", "UpdateChannelSidebarCategories")
async def sidebar(s: Site) -> None:
    who = {"user_id": s.ada.id, "team_id": s.team.id}
    before = (await s.api("GetChannelSidebarCategories", **who)).categories
    assert [category.type for category in before.categories] == ["favorites", "channels", "direct_messages"]
    assert s.lobby.id in before.categories[1].channel_ids
    given = SidebarCategoryWithChannels(display_name="Work", channel_ids=[s.lobby.id])
    created = (await s.api("CreateChannelSidebarCategory", **who, new_category=given)).category
    after = (await s.api("GetChannelSidebarCategories", **who)).categories
    assert list(after.order)[1] == created.id
    assert [list(category.channel_ids).count(s.lobby.id) for category in after.categories] == [0, 1, 0, 0]
    created.display_name = "Arbeit"
    (stored,) = (await s.api("UpdateChannelSidebarCategories", **who, categories=[created])).categories
    assert stored.display_name == "Arbeit"
    unknown = SidebarCategoryWithChannels(id=NOBODY)
    await s.api.error("UpdateChannelSidebarCategories", 404, **who, categories=[unknown])
    await s.api.error("GetChannelSidebarCategories", 404, user_id=NOBODY, team_id=s.team.id)


@covers(
    "RegisterPluginForSharedChannels",
    "UnregisterPluginForSharedChannels",
    "UnregisterPluginRemoteForSharedChannels",
    "ShareChannel",
    "UpdateSharedChannel",
    "UnshareChannel",
    "InviteRemoteToChannel",
    "UninviteRemoteFromChannel",
    "SyncSharedChannel",
    "UpdateSharedChannelCursor",
)
async def shared_channels(s: Site) -> None:
    opts = RegisterPluginOpts(display_name="Bridge")
    remote = {"remote_id": (await s.api("RegisterPluginForSharedChannels", opts=opts)).remote_id}
    assert (await s.api("RegisterPluginForSharedChannels", opts=opts)).remote_id == remote["remote_id"]
    lobby = {"channel_id": s.lobby.id}
    await s.api.error("InviteRemoteToChannel", 404, **lobby, **remote)
    shared = (await s.api("ShareChannel", shared_channel=made(SharedChannel, lobby))).shared_channel
    assert (shared.share_name, shared.team_id) == ("lobby", s.team.id)
    assert (await s.api("GetChannel", **lobby)).channel.shared
    shared.share_purpose = "talk"
    assert (await s.api("UpdateSharedChannel", shared_channel=shared)).shared_channel.share_purpose == "talk"
    await s.api("InviteRemoteToChannel", **lobby, **remote, user_id=s.ada.id)
    cursor = GetPostsSinceForSyncCursor(last_post_update_at=7)
    await s.api("UpdateSharedChannelCursor", **lobby, **remote, cursor=cursor)
    assert s.host.store.invitations.cursor(s.lobby.id, remote["remote_id"]) == cursor
    await s.api("SyncSharedChannel", **lobby)
    await s.api("UninviteRemoteFromChannel", **lobby, **remote)
    await s.api.error("UninviteRemoteFromChannel", 404, **lobby, **remote)
    assert (await s.api("UnshareChannel", **lobby)).unshared
    assert not (await s.api("UnshareChannel", **lobby)).unshared
    await s.api.error("SyncSharedChannel", 404, **lobby)
    await s.api("UnregisterPluginRemoteForSharedChannels", **remote)
    await s.api.error("UnregisterPluginRemoteForSharedChannels", 404, **remote)
    await s.api("UnregisterPluginForSharedChannels", plugin_id="")
