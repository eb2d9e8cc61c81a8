"""Teams and who is in them."""

from typing import Final

from mattermost_plugin.devhost.app.channels import (
    create_default_channels,
    join_default_channels,
    leave_team_channels,
)
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.member_roles import roles_text
from mattermost_plugin.devhost.app.rules import check_team
from mattermost_plugin.devhost.app.users import existing_user, is_guest
from mattermost_plugin.devhost.errors import bad_request, not_found, rejected
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import TEAM, DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_team_pb2 import (
    TeamMemberWillBeAddedRequest,
    UserHasJoinedTeamRequest,
    UserHasLeftTeamRequest,
)
from mattermost_pluginapi.v1.team_pb2 import Team, TeamMember
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["add_team_member", "create_team", "delete_team", "existing_team", "remove_team_member", "update_team"]

_UPDATABLE: Final = (
    "display_name",
    "description",
    "company_name",
    "allowed_domains",
    "allow_open_invite",
    "last_team_icon_update",
)


def existing_team(world: World, team_id: str) -> Team:
    """The team of an id, also an archived one.

    Raises:
        ApiError: there is none.
    """
    team = world.store.teams.get(team_id)
    if team is None:
        raise not_found("app.team.get.find.app_error", f"team_id={team_id}")
    return team


def create_team(world: World, team: Team) -> Team:
    """Create a team with its default channels and without members. No plugin hears of it.

    Raises:
        ApiError: a value breaks a rule, or the name is taken.
    """
    if team.id:
        raise bad_request("store.sql_team.save_team.existing.app_error", f"id={team.id}")
    created = Team()
    created.CopyFrom(team)
    created.id, created.invite_id = new_id(), new_id()
    created.create_at = created.update_at = world.now_ms()
    created.delete_at = 0
    check_team(created)
    try:
        with world.store.transaction():
            world.store.teams.insert(created)
            create_default_channels(world, created.id)
    except DuplicateError as error:
        raise bad_request("app.team.save.existing.app_error", f"name={team.name}") from error
    return created


def update_team(world: World, team: Team) -> Team:
    """Change what describes a team.

    Raises:
        ApiError: there is no such team, or a value breaks a rule.
    """
    updated = existing_team(world, team.id)
    for field in _UPDATABLE:
        setattr(updated, field, getattr(team, field))
    updated.ClearField("group_constrained")
    if team.HasField("group_constrained"):
        updated.group_constrained = team.group_constrained
    updated.update_at = world.now_ms()
    check_team(updated)
    world.store.teams.put(updated)
    _tell_of_team(world, "update_team", updated)
    return updated


def delete_team(world: World, team_id: str) -> None:
    """Archive a team.

    Raises:
        ApiError: there is no such team.
    """
    team = existing_team(world, team_id)
    team.delete_at = team.update_at = world.now_ms()
    world.store.teams.put(team)
    _tell_of_team(world, "delete_team", team)


def _tell_of_team(world: World, event: str, team: Team) -> None:
    seen = Team()
    seen.CopyFrom(team)
    # With these anybody could join.
    seen.email = seen.invite_id = ""
    world.broadcast(event, {"team": json_text(seen)}, WebsocketBroadcast(team_id=team.id))


async def add_team_member(
    world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = ""
) -> TeamMember:
    """Add a user to a team and its default channels, if all plugins allow it; nothing happens to one who is a member.

    Raises:
        ApiError: team or user are not there, the user may not be in it, it is full, or a plugin refuses.
    """
    team, user = existing_team(world, team_id), existing_user(world, user_id)
    if not _is_allowed(world, team, user):
        raise bad_request("api.team.join_user_to_team.allowed_domains.app_error", f"team_id={team_id}")
    old = world.store.team_members.get(team_id, user_id)
    if old is not None and not old.delete_at:
        return old
    _check_room(world, team, was_member=old is not None)
    by_group = not is_guest(user) and world.store.group_members.makes_admin(user_id, team_id, TEAM)
    admin = by_group or (bool(team.email) and team.email == user.email)
    member = TeamMember(team_id=team_id, user_id=user_id, scheme_admin=admin, create_at=world.now_ms())
    member.scheme_guest, member.scheme_user = is_guest(user), not is_guest(user)
    member.roles = roles_text(member)
    member, reason = await world.hooks.filter(
        member,
        lambda value: TeamMemberWillBeAddedRequest(plugin_context=context, team_member=value),
        "modified_team_member",
    )
    if reason:
        raise rejected("app.team.join_user_to_team.rejected_by_plugin", reason, "JoinUserToTeam")
    # The hook takes its time: somebody else may have done it by now.
    old = world.store.team_members.get(team_id, user_id)
    if old is not None and not old.delete_at:
        return old
    member.team_id, member.user_id, member.delete_at = team_id, user_id, 0
    with world.store.transaction():
        world.store.team_members.put(member)
        _note_change(world, user_id)
        if not is_guest(user):
            join_default_channels(world, team_id, user, admin=admin)
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasJoinedTeamRequest(plugin_context=context, team_member=member, actor=actor))
    world.broadcast("added_to_team", {"team_id": team_id, "user_id": user_id}, WebsocketBroadcast(user_id=user_id))
    return member


def _is_allowed(world: World, team: Team, user: User) -> bool:
    """Whether a user's e-mail address is of the domains that a team, and the server, are for."""
    if user.is_bot:
        return True
    config = load_config(world)
    of_guests = section(config, "GuestAccountsSettings").get("RestrictCreationToDomains")
    of_people = section(config, "TeamSettings").get("RestrictCreationToDomains")
    rules = [of_guests] if is_guest(user) else [team.allowed_domains, of_people]
    return all(_is_of_domains(user.email, str(rule or "")) for rule in rules)


def _is_of_domains(email: str, domains: str) -> bool:
    """Whether an address is of one of the domains, which commas, spaces and @ signs part; none are all."""
    names = domains.lower().replace("@", " ").replace(",", " ").split()
    return not names or email.lower().endswith(tuple(f"@{name}" for name in names))


def _check_room(world: World, team: Team, *, was_member: bool) -> None:
    most = section(load_config(world), "TeamSettings").get("MaxUsersPerTeam")
    if isinstance(most, int) and world.store.team_members.count_active(team.id) >= most:
        returning = "" if was_member else "save_member."
        raise bad_request(f"app.team.join_user_to_team.{returning}max_accounts.app_error", f"team_id={team.id}")


def _note_change(world: World, user_id: str) -> None:
    """Note that something about a user has changed."""
    user = existing_user(world, user_id)
    user.update_at = world.now_ms()
    world.store.users.put(user)


def remove_team_member(world: World, context: PluginContext, team_id: str, user_id: str, actor_id: str = "") -> None:
    """Remove a user from a team and its channels; of the channels no plugin hears.

    Raises:
        ApiError: team or user are not there, or the user never was a member.
    """
    if world.store.teams.get(team_id) is None:
        raise not_found("app.team.get_by_invite_id.finding.app_error", f"team_id={team_id}")
    existing_user(world, user_id)
    member = world.store.team_members.get(team_id, user_id)
    if member is None:
        raise bad_request("api.team.remove_user_from_team.missing.app_error", f"user_id={user_id}")
    with world.store.transaction():
        leave_team_channels(world, team_id, user_id)
        member.delete_at, member.roles = world.now_ms(), ""
        world.store.team_members.put(member)
        _note_change(world, user_id)
        world.store.sidebar.delete_where("user_id = ? AND team_id = ?", [user_id, team_id])
        world.store.preferences.delete_where("user_id = ? AND category = ?", [user_id, team_id])
    data = {"team_id": team_id, "user_id": user_id}
    world.broadcast("leave_team", data, WebsocketBroadcast(team_id=team_id, omit_users=[user_id]))
    world.broadcast("leave_team", data, WebsocketBroadcast(user_id=user_id))
    actor = world.store.users.get(actor_id) if actor_id else None
    world.hooks.notify(UserHasLeftTeamRequest(plugin_context=context, team_member=member, actor=actor))
