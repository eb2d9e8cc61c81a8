"""What a new development host starts with, so that there is somebody to act as and somewhere to write."""

from __future__ import annotations

from typing import Final

from mattermost_plugin.devhost import DevHost
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["make_starting_data"]

TEAM: Final = "crew"
ADMIN: Final = "admin"
USERS: Final = ("ada", "bob")
PRIVATE_CHANNEL: Final = "backstage"
"""Beside the channels that every team has, town-square and off-topic. Without bob."""

_DONE: Final = "cli.starting_data"


async def make_starting_data(host: DevHost) -> str:
    """Make a team with channels, an administrator and users, unless the host has had them already.

    What is there stays as it is, so a host that was killed in the middle of this can begin again. Afterwards nothing
    is made again, whatever is deleted.

    Returns:
        What there is, in words.
    """
    if host.store.settings.get(_DONE) is None:
        await _make(host)
        host.store.settings.put(_DONE, b"1")
    return f"team {TEAM}; users {', '.join((ADMIN, *USERS))}; channels town-square, off-topic, {PRIVATE_CHANNEL}"


async def _make(host: DevHost) -> None:
    act = host.act
    admin = await _user(host, ADMIN)
    # Nobody is an administrator from the beginning, so this is the store's to say.
    admin.roles = "system_user system_admin"
    host.store.users.put(admin)
    users = [await _user(host, name) for name in USERS]
    team = host.store.teams.by_name(TEAM) or await act.create_team(TEAM, TEAM.title())
    for user in (admin, *users):
        await act.join_team(team.id, user.id)
    channel = host.store.channels.by_name(team.id, PRIVATE_CHANNEL) or await act.create_channel(
        team.id, PRIVATE_CHANNEL, private=True, creator_id=admin.id
    )
    for user in (admin, users[0]):
        await act.join_channel(channel.id, user.id)


async def _user(host: DevHost, username: str) -> User:
    found = host.store.users.by_username(username)
    return found or await host.act.create_user(username, first_name=username.title())
