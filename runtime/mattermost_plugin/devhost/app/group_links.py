"""Links of groups to teams and channels, and the memberships that follow from them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.channel_members import add_to_channel, remove_from_channel
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.groups import existing_group
from mattermost_plugin.devhost.app.teams import add_team_member, existing_team, remove_team_member
from mattermost_plugin.devhost.app.type_letters import CHANNEL_LETTERS, TEAM_LETTERS
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.store import CHANNEL, TEAM
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.group_pb2 import CreateDefaultMembershipParams, GroupSyncable
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "add_members_of_groups",
    "existing_link",
    "link_group",
    "links_of_group",
    "remove_members_without_group",
    "unlink_group",
    "update_link",
]

_WRONG_DOMAIN: Final = "api.team.join_user_to_team.allowed_domains.app_error"


def existing_link(world: World, group_id: str, syncable_id: str, kind: str) -> GroupSyncable:
    """The link between a group and a team or channel, also one that is over.

    Raises:
        ApiError: there is none.
    """
    link = world.store.group_syncables.get(group_id, syncable_id, kind)
    if link is None:
        raise not_found("app.group.no_rows", f"group_id={group_id}, syncable_id={syncable_id}")
    return link


def links_of_group(world: World, group_id: str, kind: str) -> list[GroupSyncable]:
    """The links of a group to teams or to channels, with what these are called."""
    links = world.store.group_syncables.of_group(group_id, kind)
    for link in links:
        if kind == CHANNEL:
            channel = existing_channel(world, link.syncable_id)
            link.channel_display_name = channel.display_name
            link.channel_type = CHANNEL_LETTERS.get(channel.type, "")
            link.team_id = channel.team_id
        team = existing_team(world, link.team_id if kind == CHANNEL else link.syncable_id)
        link.team_display_name, link.team_type = team.display_name, TEAM_LETTERS.get(team.type, "")
    return links


def link_group(world: World, given: GroupSyncable) -> GroupSyncable:
    """Link a group to a team or channel, or change the link. With a channel it is linked to the channel's team too.

    Raises:
        ApiError: group, team or channel are not there, or the team is for other groups.
    """
    existing_group(world, given.group_id)
    if given.syncable_type == CHANNEL:
        _link_to_team_of(world, given)
    elif given.syncable_type == TEAM:
        existing_team(world, given.syncable_id)
    else:
        detail = f"syncable_type={given.syncable_type}"
        raise bad_request("model.group_syncable.is_valid.type.app_error", detail)
    return _put_link(world, given)


def _link_to_team_of(world: World, given: GroupSyncable) -> None:
    team = existing_team(world, existing_channel(world, given.syncable_id).team_id)
    old = world.store.group_syncables.get(given.group_id, team.id, TEAM)
    if not team.group_constrained:
        of_team = GroupSyncable(group_id=given.group_id, syncable_id=team.id, syncable_type=TEAM)
        of_team.auto_add = given.auto_add
        _put_link(world, of_team)
    elif old is None or old.delete_at:
        raise bad_request("group_not_associated_to_synced_team", f"team_id={team.id}")


def _put_link(world: World, given: GroupSyncable) -> GroupSyncable:
    old = world.store.group_syncables.get(given.group_id, given.syncable_id, given.syncable_type)
    link = GroupSyncable(group_id=given.group_id, syncable_id=given.syncable_id, syncable_type=given.syncable_type)
    link.auto_add, link.scheme_admin, link.update_at = given.auto_add, given.scheme_admin, world.now_ms()
    link.create_at = link.update_at if old is None else old.create_at
    world.store.group_syncables.put(link)
    _tell(world, link, "received_group_associated_to")
    if link.syncable_type == CHANNEL:
        link.team_id = existing_channel(world, link.syncable_id).team_id
    return link


def _tell(world: World, link: GroupSyncable, event: str) -> None:
    if link.syncable_type == TEAM:
        reaches = WebsocketBroadcast(team_id=link.syncable_id)
    else:
        reaches = WebsocketBroadcast(channel_id=link.syncable_id)
    world.broadcast(f"{event}_{link.syncable_type.lower()}", {"group_id": link.group_id}, reaches)


def update_link(world: World, given: GroupSyncable) -> GroupSyncable:
    """Change a link; one that is over is there again.

    Raises:
        ApiError: there is none.
    """
    existing_link(world, given.group_id, given.syncable_id, given.syncable_type)
    return _put_link(world, given)


def unlink_group(world: World, group_id: str, syncable_id: str, kind: str) -> GroupSyncable:
    """End a link; with one to a team, those to channels go too, as on a server. Who became a member so stays one.

    Raises:
        ApiError: there is none, or it is over.
    """
    link = existing_link(world, group_id, syncable_id, kind)
    if link.delete_at:
        raise bad_request("app.group.group_syncable_already_deleted", f"syncable_id={syncable_id}")
    ended = [link, *(world.store.group_syncables.of_group(group_id, CHANNEL) if kind == TEAM else ())]
    now = world.now_ms()
    with world.store.transaction():
        for each in ended:
            each.delete_at = each.update_at = now
            world.store.group_syncables.put(each)
    _tell(world, link, "received_group_not_associated_to")
    return link


async def add_members_of_groups(world: World, context: PluginContext, params: CreateDefaultMembershipParams) -> None:
    """Make the members of groups members of the teams, then of the channels that the groups are linked to.

    One who cannot become a member stops nobody else; but if that is so with a team, the channels are left out.

    Raises:
        ApiError: somebody could not become a member. Who has no address of a team's domains does not count.
    """
    faults = _Faults(world, "app.group.create_syncable_memberships.error")
    for team_id, user_id in world.store.group_syncables.to_add(TEAM, params):
        with faults.noted():
            await add_team_member(world, context, team_id, user_id)
    faults.check()
    for channel_id, user_id in world.store.group_syncables.to_add(CHANNEL, params):
        with faults.noted():
            channel = existing_channel(world, channel_id)
            if world.store.team_members.get(channel.team_id, user_id) is None:
                await add_team_member(world, context, channel.team_id, user_id)
            await add_to_channel(world, context, channel, user_id)
    faults.check()


def remove_members_without_group(world: World, context: PluginContext) -> None:
    """Take out of channels, then of teams, that are for groups whoever is in none of these. Bots stay.

    Raises:
        ApiError: somebody could not be taken out; if that is so with a channel, the teams are left out.
    """
    faults = _Faults(world, "app.group.delete_invalid_syncable_memberships.error")
    for channel in world.store.channels.select("delete_at = 0"):
        if channel.group_constrained:
            members = world.store.channel_members.of_channel(channel.id)
            for user_id in _without_group(world, channel.id, CHANNEL, [member.user_id for member in members]):
                with faults.noted():
                    remove_from_channel(world, context, channel, user_id)
    faults.check()
    for team in world.store.teams.select("delete_at = 0"):
        if team.group_constrained:
            team_members = world.store.team_members.of_team(team.id)
            for user_id in _without_group(world, team.id, TEAM, [member.user_id for member in team_members]):
                with faults.noted():
                    remove_team_member(world, context, team.id, user_id)
    faults.check()


def _without_group(world: World, syncable_id: str, kind: str, user_ids: Sequence[str]) -> list[str]:
    allowed = world.store.group_members.linked_to(syncable_id, kind)
    people = world.store.users.among("id", user_ids, "is_bot = 0")
    return [user.id for user in people if user.id not in allowed]


class _Faults:
    """What goes wrong with one of many memberships, for the end."""

    def __init__(self, world: World, error_id: str) -> None:
        self._world = world
        self._error_id = error_id
        self._texts: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            if error.error_id == _WRONG_DOMAIN:
                self._world.log("info", f"a member of a group is left out: {error}")
            else:
                self._texts.append(str(error))

    def check(self) -> None:
        if self._texts:
            raise ApiError(self._error_id, HTTPStatus.INTERNAL_SERVER_ERROR, "; ".join(self._texts))
