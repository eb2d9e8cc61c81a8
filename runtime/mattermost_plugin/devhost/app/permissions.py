"""Which role grants which permission."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.world import World

__all__ = [
    "ROLES",
    "check_roles_exist",
    "has_permission",
    "has_permission_to_channel",
    "has_permission_to_team",
    "is_given_by_scheme",
    "roles_grant",
]

_EVERYBODY: Final = "create_team list_public_teams join_public_teams create_direct_channel create_group_channel"
_EVERYBODY_ELSE: Final = "view_members create_custom_group manage_custom_group_members edit_custom_group"
_TEAM_USER: Final = (
    "list_team_channels join_public_channels read_public_channel view_team create_public_channel"
    " create_private_channel invite_user add_user_to_team"
)
_CHANNEL_USER: Final = (
    "read_channel read_channel_content create_post create_post_public add_reaction remove_reaction use_channel_mentions"
    " use_group_mentions edit_post delete_post upload_file get_public_link manage_public_channel_members"
    " manage_private_channel_members manage_public_channel_properties manage_private_channel_properties"
    " delete_public_channel delete_private_channel"
)
_TEAM_ADMIN: Final = (
    "manage_team manage_team_roles remove_user_from_team import_team manage_slash_commands"
    " manage_others_slash_commands manage_incoming_webhooks manage_outgoing_webhooks delete_others_posts"
    " convert_public_channel_to_private manage_channel_roles read_private_channel_groups read_public_channel_groups"
)
_CHANNEL_ADMIN: Final = "manage_channel_roles use_group_mentions delete_others_posts edit_others_posts"
_SYSTEM_ADMIN: Final = (
    "manage_system manage_roles manage_oauth create_user_access_token read_user_access_token"
    " revoke_user_access_token create_bot read_bots read_others_bots manage_bots manage_others_bots assign_bot"
    " edit_other_users sysconsole_read_plugins sysconsole_write_plugins manage_jobs manage_shared_channels"
    " manage_secure_connections list_private_teams join_private_teams list_users_without_team edit_others_posts"
    " promote_guest demote_to_guest manage_emojis create_emojis delete_emojis delete_others_emojis"
)
_GUEST: Final = (
    "read_channel read_channel_content create_post add_reaction remove_reaction upload_file use_channel_mentions"
)
_USER: Final = f"{_EVERYBODY} {_EVERYBODY_ELSE} create_emojis delete_emojis"

ROLES: Final = MappingProxyType(
    {
        role: frozenset(permissions.split())
        for role, permissions in {
            "system_user": _USER,
            "system_guest": "create_direct_channel create_group_channel",
            "system_admin": f"{_SYSTEM_ADMIN} {_USER} {_TEAM_USER} {_TEAM_ADMIN} {_CHANNEL_USER} {_CHANNEL_ADMIN}",
            "system_manager": "sysconsole_read_plugins list_private_teams list_users_without_team view_members",
            "system_read_only_admin": "sysconsole_read_plugins list_private_teams view_members",
            "system_user_access_token": "create_user_access_token read_user_access_token revoke_user_access_token",
            "system_post_all": "create_post use_channel_mentions",
            "system_post_all_public": "create_post_public use_channel_mentions",
            "team_user": _TEAM_USER,
            "team_guest": "view_team",
            "team_admin": f"{_TEAM_USER} {_TEAM_ADMIN} {_CHANNEL_USER}",
            "team_post_all": "create_post use_channel_mentions",
            "team_post_all_public": "create_post_public use_channel_mentions",
            "channel_user": _CHANNEL_USER,
            "channel_guest": _GUEST,
            "channel_admin": f"{_CHANNEL_USER} {_CHANNEL_ADMIN}",
        }.items()
    }
)
"""Permissions of each role. A readable part of a server's table, not all of it."""


_LEVELS: Final = ("system", "team", "channel")
_OF_SCHEMES: Final = frozenset(f"{level}_{kind}" for level in _LEVELS for kind in ("guest", "user", "admin"))


def is_given_by_scheme(name: str) -> bool:
    """Whether a role is one of those that every member of a level has or may have, and is none by itself."""
    return name in _OF_SCHEMES


def check_roles_exist(names: Iterable[str]) -> None:
    """Check that there are such roles.

    Raises:
        ApiError: there is one that does not exist.
    """
    for name in names:
        if name not in ROLES:
            raise bad_request("app.role.check_roles_exist.role_not_found", f"role={name}")


def roles_grant(names: Iterable[str], permission: str) -> bool:
    """Whether at least one of the roles has a permission."""
    return any(permission in ROLES.get(name, ()) for name in names)


def has_permission(world: World, user_id: str, permission: str) -> bool:
    """Whether a user has a permission on the whole system."""
    user = world.store.users.get(user_id)
    return user is not None and user.delete_at == 0 and roles_grant(user.roles.split(), permission)


def has_permission_to_team(world: World, user_id: str, team_id: str, permission: str) -> bool:
    """Whether a user has a permission in a team."""
    member = world.store.team_members.get(team_id, user_id)
    if member is not None and member.delete_at == 0 and roles_grant(member.roles.split(), permission):
        return True
    return world.store.teams.get(team_id) is not None and has_permission(world, user_id, permission)


def has_permission_to_channel(world: World, user_id: str, channel_id: str, permission: str) -> bool:
    """Whether a user has a permission in a channel."""
    channel = world.store.channels.get(channel_id)
    if channel is None:
        return False
    member = world.store.channel_members.get(channel_id, user_id)
    if member is not None and roles_grant(member.roles.split(), permission):
        return True
    if channel.team_id:
        return has_permission_to_team(world, user_id, channel.team_id, permission)
    return has_permission(world, user_id, permission)
