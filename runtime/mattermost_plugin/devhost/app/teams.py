"""Teams and who is in them."""

from typing import Final

from mattermost_plugin.devhost.app.channels import add_channel, join_default_channels, leave_team_channels
from mattermost_plugin.devhost.app.rules import check_team
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_team_pb2 import (
    TeamMemberWillBeAddedRequest,
    UserHasJoinedTeamRequest,
    UserHasLeftTeamRequest,
)
from mattermost_pluginapi.v1.team_pb2 import Team, TeamMember
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["add_team_member", "create_team", "delete_team", "existing_team", "remove_team_member", "update_team"]

_UPDATABLE: Final = ("display_name", "description", "company_name", "allowed_domains", "allow_open_invite", "type")
_DEFAULT_CHANNELS: Final = (("town-square", "Town Square"), ("off-topic", "Off-Topic"))


def existing_team(world: World, team_id: str) -> Team:
    """The team of an id, also an archived one.

    Raises:
        ApiError: there is none.
    """
    team = world.store.teams.get(team_id)
    if team is None:
        raise not_found("app.team.get.find.app_error", f"team_id={team_id}")
    return team


async def create_team(world: World, context: PluginContext, team: Team) -> Team:
    """Create a team with its default channels and without members.

    Raises:
        ApiError: a value breaks a rule, or the name is taken.
    """
    created = Team()
    created.CopyFrom(team)
    created.id, created.invite_id = new_id(), new_id()
    created.create_at = created.update_at = world.now_ms()
    created.delete_at = 0
    check_team(created)
    try:
        world.store.teams.insert(created)
    except DuplicateError as error:
        raise bad_request("app.team.save.existing.app_error", f"name={team.name}") from error
    for name, display_name in _DEFAULT_CHANNELS:
        channel = Channel(team_id=created.id, name=name, display_name=display_name, type=ChannelType.CHANNEL_TYPE_OPEN)
        await add_channel(world, context, channel)
    world.broadcast("update_team", {"team_id": created.id})
    return created


def update_team(world: World, team: Team) -> Team:
    """Change what describes a team.

    Raises:
        ApiError: there is no such team, or a value breaks a rule.
    """
    updated = existing_team(world, team.id)
    for field in _UPDATABLE:
        setattr(updated, field, getattr(team, field))
    updated.update_at = world.now_ms()
    check_team(updated)
    world.store.teams.put(updated)
    world.broadcast("update_team", {"team_id": team.id}, WebsocketBroadcast(team_id=team.id))
    return updated


def delete_team(world: World, team_id: str) -> None:
    """Archive a team.

    Raises:
        ApiError: there is no such team.
    """
    team = existing_team(world, team_id)
    team.delete_at = team.update_at = world.now_ms()
    world.store.teams.put(team)
    world.broadcast("delete_team", {"team_id": team_id}, WebsocketBroadcast(team_id=team_id))


async def add_team_member(
    world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = ""
) -> TeamMember:
    """Add a user to a team and its default channels; nothing happens to one who is a member.

    Raises:
        ApiError: team or user are not there, or a plugin refuses.
    """
    team, user = existing_team(world, team_id), existing_user(world, user_id)
    if team.delete_at:
        raise bad_request("api.team.join_user_to_team.archived.app_error", f"team_id={team_id}")
    if user.delete_at:
        raise bad_request("app.user.missing_account.const", f"user_id={user_id} is deactivated")
    old = world.store.team_members.get(team_id, user_id)
    if old is not None and old.delete_at == 0:
        return old
    member = TeamMember(team_id=team_id, user_id=user_id, roles="team_user", scheme_user=True)
    member.create_at = world.now_ms()
    member, reason = await world.hooks.filter(
        member,
        lambda value: TeamMemberWillBeAddedRequest(plugin_context=context, team_member=value),
        "modified_team_member",
    )
    if reason:
        raise bad_request("api.team.add_user.rejected_by_plugin.app_error", reason)
    member.team_id, member.user_id = team_id, user_id
    world.store.team_members.put(member)
    await join_default_channels(world, context, team_id, user_id, actor_id)
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasJoinedTeamRequest(plugin_context=context, team_member=member, actor=actor))
    world.broadcast("added_to_team", {"team_id": team_id, "user_id": user_id}, WebsocketBroadcast(user_id=user_id))
    return member


def present_team_member(world: World, team_id: str, user_id: str) -> TeamMember:
    """A membership that has not ended.

    Raises:
        ApiError: there is none.
    """
    member = world.store.team_members.get(team_id, user_id)
    if member is None or member.delete_at:
        raise not_found("app.team.get_member.missing.app_error", f"team_id={team_id}, user_id={user_id}")
    return member


def remove_team_member(world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = "") -> None:
    """Remove a user from a team and its channels.

    Raises:
        ApiError: team or user are not there, or the user is no member.
    """
    existing_team(world, team_id)
    existing_user(world, user_id)
    member = present_team_member(world, team_id, user_id)
    leave_team_channels(world, context, team_id, user_id, actor_id)
    member.delete_at, member.roles = world.now_ms(), ""
    world.store.team_members.put(member)
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasLeftTeamRequest(plugin_context=context, team_member=member, actor=actor))
    world.broadcast("leave_team", {"team_id": team_id, "user_id": user_id}, WebsocketBroadcast(team_id=team_id))
