"""The roles of members of teams and channels.

Three of a level's roles are flags of a membership (guest, user, admin); others that a server knows are explicit ones.
"""

from typing import Final

from mattermost_plugin.devhost.app.permissions import ROLES, is_given_by_scheme
from mattermost_plugin.devhost.errors import bad_request
from mattermost_pluginapi.v1.channel_pb2 import ChannelMember
from mattermost_pluginapi.v1.team_pb2 import TeamMember

__all__ = ["give_roles", "roles_text"]

_FLAGS: Final = ("guest", "user", "admin")


def _level(member: TeamMember | ChannelMember) -> str:
    return "team" if isinstance(member, TeamMember) else "channel"


def roles_text(member: TeamMember | ChannelMember) -> str:
    """All roles of a member, parted by spaces."""
    level = _level(member)
    flags = [f"{level}_{flag}" for flag in _FLAGS if getattr(member, f"scheme_{flag}")]
    return " ".join([*member.explicit_roles.split(), *flags])


def give_roles(member: TeamMember | ChannelMember, new_roles: str) -> None:
    """Replace the roles of a member.

    Args:
        member: the membership.
        new_roles: the roles, parted by spaces.

    Raises:
        ApiError: a role does not exist or is one of another level, or a guest would become none, or the reverse.
    """
    level, was_guest = _level(member), member.scheme_guest
    error_id = f"api.channel.update_{level}_member_roles"
    flags, explicit = set[str](), list[str]()
    for name in new_roles.split():
        if name not in ROLES:
            raise bad_request("app.role.get_by_name.app_error", f"role={name}")
        if not is_given_by_scheme(name):
            explicit.append(name)
        elif name.startswith(f"{level}_"):
            flags.add(name.removeprefix(f"{level}_"))
        else:
            raise bad_request(f"{error_id}.scheme_role.app_error", f"role_name={name}")
    if {"guest", "user"} <= flags:
        raise bad_request(f"{error_id}.guest_and_user.app_error")
    if ("guest" in flags) != was_guest:
        raise bad_request(f"{error_id}.changing_guest_role.app_error")
    for flag in _FLAGS:
        setattr(member, f"scheme_{flag}", flag in flags)
    member.explicit_roles = " ".join(explicit)
    member.roles = roles_text(member)
