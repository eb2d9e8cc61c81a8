"""What the API must do about places: teams, channels, members, sidebars, sharing."""

from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMemberIdentifier, ChannelType
from mattermost_pluginapi.v1.channel_sidebar_pb2 import SidebarCategoryWithChannels
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.preference_pb2 import Preference
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
    assert (stored.name, stored.display_name, stored.type) == ("red-team", "Blue", TeamType.TEAM_TYPE_OPEN)
    (told,) = (event for event in s.host.events.history(WebSocketEvent) if event.name == "update_team")
    assert team.invite_id not in str(told.data)
    await s.api("DeleteTeam", team_id=team.id)
    assert (await s.api("GetTeam", team_id=team.id)).team.delete_at > 0
    await s.api.error("CreateTeam", 400, "app.team.save.existing", team=given)
    assert (
        await s.api("CreateTeam", team=made(Team, {"name": "1st", "display_name": "x", "type": given.type}))
    ).team.id
    await s.api.error("CreateTeam", 400, "existing", team=stored)
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
    by_plugin = Post(user_id=s.ada.id, channel_id=square.id, message="hi")
    await s.api("CreatePost", post=by_plugin)
    # What a user writes is read; what a plugin writes in a user's name is not.
    for user, count in ((s.bob, 2), (s.ada, 1)):
        (unread,) = (await s.api("GetTeamsUnreadForUser", user_id=user.id)).team_unreads
        assert (unread.team_id, unread.msg_count) == (s.team.id, count)
    muted = {"mark_unread": "mention"}
    await s.api("UpdateChannelMemberNotifications", channel_id=square.id, user_id=s.bob.id, notifications=muted)
    (unread,) = (await s.api("GetTeamsUnreadForUser", user_id=s.bob.id)).team_unreads
    assert unread.msg_count == 0


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
    assert [each.user_id for each in page] == sorted([s.ada.id, s.bob.id, carl.id, dora.id, eve.id])[2:4]
    roles = "team_user team_admin"
    changed = await s.api("UpdateTeamMemberRoles", team_id=s.team.id, user_id=carl.id, new_roles=roles)
    assert (changed.team_member.roles, changed.team_member.scheme_admin) == (roles, True)
    wider = await s.api(
        "UpdateTeamMemberRoles", team_id=s.team.id, user_id=carl.id, new_roles="team_user system_post_all"
    )
    assert (wider.team_member.explicit_roles, wider.team_member.scheme_admin) == ("system_post_all", False)
    for error_id, new_roles in (
        ("role.get_by_name", "king"),
        ("scheme_role", "channel_user"),
        ("guest_and_user", "team_user team_guest"),
        ("changing_guest_role", "team_guest"),
    ):
        await s.api.error(
            "UpdateTeamMemberRoles", 400, error_id, team_id=s.team.id, user_id=carl.id, new_roles=new_roles
        )
    await s.api("UpdatePreferencesForUser", user_id=carl.id, preferences=[_last_channel(carl.id, s.team.id)])
    await s.api("DeleteTeamMember", team_id=s.team.id, user_id=carl.id, requestor_id=s.ada.id)
    assert (await s.api("GetTeamMember", team_id=s.team.id, user_id=carl.id)).team_member.delete_at > 0
    assert not s.host.store.channels.of_user(carl.id)
    assert not (await s.api("GetTeamMembersForUser", user_id=carl.id, page=0, per_page=60)).team_members
    assert not (await s.api("GetPreferencesForUser", user_id=carl.id)).preferences
    await s.api.error("DeleteTeamMember", 404, team_id=NOBODY, user_id=carl.id)
    await s.api.error("DeleteTeamMember", 404, team_id=s.team.id, user_id=NOBODY)
    outsider = await s.host.act.create_user("outsider")
    await s.api.error("DeleteTeamMember", 400, "missing", team_id=s.team.id, user_id=outsider.id)
    await s.api.error("GetTeamMember", 404, team_id=NOBODY, user_id=carl.id)
    returned = (await s.api("CreateTeamMember", team_id=s.team.id, user_id=carl.id)).team_member
    assert (returned.roles, returned.delete_at) == ("team_user", 0)


def _last_channel(user_id: str, team_id: str) -> Preference:
    return Preference(user_id=user_id, category=team_id, name="channel", value="x")


@covers("CreateTeamMember", "CreateBot", "UpdateTeam")
async def who_may_enter_a_team(s: Site) -> None:
    carl = await s.host.act.create_user("carl", email="carl@elsewhere.example")
    bot = (await s.api("CreateBot", bot=Bot(username="robo"))).bot
    closed = Team(id=s.team.id, display_name="Core", allowed_domains="@example.com, example.org")
    await s.api("UpdateTeam", team=closed)
    await s.api.error("CreateTeamMember", 400, "allowed_domains", team_id=s.team.id, user_id=carl.id)
    await s.api("CreateTeamMember", team_id=s.team.id, user_id=bot.user_id)
    dora = await s.host.act.create_user("dora")
    await s.api("CreateTeamMember", team_id=s.team.id, user_id=dora.id)
    await s.host.act.configure("TeamSettings", MaxUsersPerTeam=4)
    eve = await s.host.act.create_user("eve")
    await s.api.error("CreateTeamMember", 400, "save_member.max_accounts", team_id=s.team.id, user_id=eve.id)
    await s.api("UpdateUserActive", user_id=dora.id, active=False)
    await s.api("CreateTeamMember", team_id=s.team.id, user_id=eve.id)
    guest = await s.host.act.create_user("guest")
    guest.roles = "system_guest"
    s.host.store.users.put(guest)
    await s.host.act.configure("TeamSettings", MaxUsersPerTeam=9)
    member = (await s.api("CreateTeamMember", team_id=s.team.id, user_id=guest.id)).team_member
    assert (member.roles, member.scheme_guest) == ("team_guest", True)
    assert not s.host.store.channels.of_user(guest.id)


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
    for bad in (
        {"name": "Ü"},
        {"name": ""},
        {"name": "x" * 65},
        {"name": "-x"},
        {"name": "a" * 40},
        {"name": f"{NOBODY}__{NOBODY}"},
        {"type": 0},
        {"type": 3},
        {"display_name": "x" * 65},
        {"id": NOBODY},
        {"delete_at": 1},
    ):
        fields = {"team_id": s.team.id, "name": "new", "display_name": "x", "type": OPEN}
        await s.api.error("CreateChannel", 400, channel=made(Channel, fields, bad))
    assert created.last_post_at == created.extra_update_at == 0
    odd = made(Channel, fields, {"name": "0_a__b-", "display_name": " "})
    assert (await s.api("CreateChannel", channel=odd)).channel.display_name == ""
    await s.api.error("CreateChannel", 404, channel=Channel(name="x", display_name="x", type=OPEN, team_id=NOBODY))
    await s.host.act.configure("TeamSettings", MaxChannelsPerTeam=5)
    await s.api.error("CreateChannel", 400, "limit", channel=made(Channel, fields))
    archived = Channel()
    archived.CopyFrom(stored)
    archived.delete_at = 1
    await s.api.error("UpdateChannel", 400, "bad_id", channel=archived)
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
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    assert (await s.api("GetChannelStats", channel_id=square.id)).channel_stats.member_count == 1
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
    await s.api.error("GetGroupChannel", 400, "bad_user", user_ids=[s.ada.id, s.bob.id, s.bob.id])
    await s.api.error("GetDirectChannel", 400, "invalid_user", user_id_1=s.ada.id, user_id_2=NOBODY)
    await s.host.settle()
    events = [event.name for event in s.host.events.history(WebSocketEvent)]
    assert (events.count("direct_added"), events.count("group_added")) == (2, 3)
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
    assert len((await s.api("GetChannelMembers", **lobby, page=3, per_page=0)).channel_members) == 2
    page = (await s.api("GetChannelMembers", **lobby, page=1, per_page=1)).channel_members
    assert [each.user_id for each in page] == [s.bob.id]
    some = (await s.api("GetChannelMembersByIds", **lobby, user_ids=[NOBODY, s.bob.id])).channel_members
    assert list(some) == [member]
    mine = (await s.api("GetChannelMembersForUser", team_id=s.team.id, **bob, page=0, per_page=60)).channel_members
    assert len(mine) == 3
    roles = "channel_user channel_admin"
    assert (await s.api("UpdateChannelMemberRoles", **lobby, **bob, new_roles=roles)).channel_member.scheme_admin
    await s.api.error("UpdateChannelMemberRoles", 400, "scheme_role", **lobby, **bob, new_roles="team_user")
    muted = await s.api("UpdateChannelMemberNotifications", **lobby, **bob, notifications={"mark_unread": "mention"})
    assert muted.channel_member.notify_props["mark_unread"] == "mention"
    assert muted.channel_member.notify_props["push"] == "default"
    odd = await s.api("UpdateChannelMemberNotifications", **lobby, **bob, notifications={"mine": "x", "desktop": "all"})
    assert "mine" not in odd.channel_member.notify_props
    assert odd.channel_member.notify_props["desktop"] == "all"
    for bad in ({"desktop": "x"}, {"mark_unread": "none"}, {"email": "all"}, {"push": "on"}):
        await s.api.error("UpdateChannelMemberNotifications", 400, "is_valid", **lobby, **bob, notifications=bad)
    both = [ChannelMemberIdentifier(channel_id=s.lobby.id, user_id=user.id) for user in (s.ada, s.bob)]
    await s.api("PatchChannelMembersNotifications", members=both, notify_props={"push": "none"})
    assert (await s.api("GetChannelMember", **lobby, user_id=s.ada.id)).channel_member.notify_props["push"] == "none"
    await s.api.error("PatchChannelMembersNotifications", 400, members=both * 101)
    await s.api.error("PatchChannelMembersNotifications", 500, members=both)
    await s.api.error("PatchChannelMembersNotifications", 400, members=both, notify_props={"push": "x"})
    await s.api("DeleteChannelMember", **lobby, **bob)
    await s.api.error("GetChannelMember", 404, "app.channel.get_member", **lobby, **bob)
    await s.api.error("DeleteChannelMember", 404, **lobby, **bob)
    square = (await s.api("GetChannelByName", team_id=s.team.id, name="town-square")).channel
    await s.api.error("DeleteChannelMember", 400, "default", channel_id=square.id, **bob)
    outsider = await s.host.act.create_user("outsider")
    await s.api.error("AddChannelMember", 404, "app.team.get_member", **lobby, user_id=outsider.id)
    direct = await s.host.act.direct_channel(s.ada.id, s.bob.id)
    await s.api.error("AddChannelMember", 404, "app.team.get_member", channel_id=direct.id, user_id=outsider.id)
    await s.api.error("DeleteChannelMember", 400, "leave.direct", channel_id=direct.id, **bob)
    await s.host.act.join_team(s.team.id, outsider.id)
    await s.api("DeleteTeamMember", team_id=s.team.id, user_id=outsider.id)
    await s.api.error("AddChannelMember", 400, "failed.deleted", **lobby, user_id=outsider.id)
    await s.host.act.join_team(s.team.id, outsider.id)
    await s.api.error("AddUserToChannel", 404, "app.user", **lobby, user_id=outsider.id, as_user_id=NOBODY)
    await s.api("UpdateUserActive", user_id=outsider.id, active=False)
    await s.api.error("AddChannelMember", 403, "deleted_user", **lobby, user_id=outsider.id)
    # Plugins may add people to archived channels.
    await s.api("DeleteChannel", **lobby)
    await s.api("AddChannelMember", **lobby, **bob)
    assert s.host.store.channel_members.get(s.lobby.id, s.ada.id).scheme_admin  # type: ignore[union-attr]  # is there


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
    await s.api.error("UpdateChannelSidebarCategories", 500, **who, categories=[unknown])
    await s.api.error("GetChannelSidebarCategories", 404, user_id=NOBODY, team_id=s.team.id)


@covers("UpdateChannelSidebarCategories", "UpdatePreferencesForUser", "DeletePreferencesForUser")
async def favorites_and_mutes(s: Site) -> None:
    who = {"user_id": s.ada.id, "team_id": s.team.id}

    async def categories() -> list[SidebarCategoryWithChannels]:
        return list((await s.api("GetChannelSidebarCategories", **who)).categories.categories)

    def chosen() -> list[str]:
        preferences = s.host.store.preferences.of_user(s.ada.id)
        return [each.name for each in preferences if each.category == "favorite_channel"]

    def mark_unread() -> str:
        member = s.host.store.channel_members.get(s.lobby.id, s.ada.id)
        return "" if member is None else member.notify_props["mark_unread"]

    favorite = Preference(user_id=s.ada.id, category="favorite_channel", name=s.lobby.id, value="true")
    await s.api("UpdatePreferencesForUser", user_id=s.ada.id, preferences=[favorite])
    favorites, channels, direct = await categories()
    assert list(favorites.channel_ids) == [s.lobby.id]
    assert (direct.sorting, channels.sorting) == (2, 0)
    # What built-in ones are called stays, and what direct messages hold.
    favorites.display_name, favorites.channel_ids[:] = "Best", []
    direct.muted, direct.channel_ids[:] = True, [s.lobby.id]
    stored = (await s.api("UpdateChannelSidebarCategories", **who, categories=[favorites, direct])).categories
    assert [(each.display_name, list(each.channel_ids), each.muted) for each in stored] == [
        ("Favorites", [], False),
        ("Direct Messages", [], False),
    ]
    assert chosen() == []
    assert s.lobby.id in (await categories())[1].channel_ids
    favorites.channel_ids[:] = [s.lobby.id]
    favorites.muted = True
    await s.api("UpdateChannelSidebarCategories", **who, categories=[favorites])
    assert (chosen(), mark_unread()) == ([s.lobby.id], "mention")
    channels = (await categories())[1]
    channels.channel_ids.append(s.lobby.id)
    await s.api("UpdateChannelSidebarCategories", **who, categories=[channels])
    assert (chosen(), mark_unread()) == ([], "all")
    await s.api("UpdatePreferencesForUser", user_id=s.ada.id, preferences=[favorite])
    assert list((await categories())[0].channel_ids) == [s.lobby.id]
    await s.api("DeletePreferencesForUser", user_id=s.ada.id, preferences=[favorite])
    assert list((await categories())[0].channel_ids) == []
    await s.api("UpdatePreferencesForUser", user_id=s.ada.id, preferences=[favorite])
    s.host.act.leave_channel(s.lobby.id, s.ada.id)
    assert all(s.lobby.id not in category.channel_ids for category in await categories())
