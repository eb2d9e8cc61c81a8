"""Who and what a text mentions by name: @people and ~channels."""

import re
from typing import Final

from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType

__all__ = ["channels_mentioned", "people_mentioned"]

_AT: Final = re.compile(r"\B@([a-z0-9][a-z0-9._:-]*)", re.IGNORECASE)
_TILDE: Final = re.compile(r"\B~([a-zA-Z0-9_-]+)")

MOST_NAMES: Final = 100
"""How many different names of a text are looked up."""


def _names(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(pattern.findall(text)))[:MOST_NAMES]


def people_mentioned(world: World, text: str, team_id: str) -> dict[str, str]:
    """The ids of a team's members whom a text mentions, by their names without punctuation after them."""
    found: dict[str, str] = {}
    for written in _names(_AT, text):
        name, user = written, world.store.users.by_username(written)
        while user is None and name[-1:] in "._:-" and len(name) > 1:
            name = name[:-1]
            user = world.store.users.by_username(name)
        if user is not None and world.store.team_members.get(team_id, user.id) is not None:
            found[name] = user.id
    return found


def channels_mentioned(world: World, text: str, team_id: str) -> list[Channel]:
    """The public channels of a team that a text mentions."""
    if not team_id:
        return []
    channels = [world.store.channels.by_name(team_id, name) for name in _names(_TILDE, text)]
    return [
        channel
        for channel in channels
        if channel is not None and channel.type == ChannelType.CHANNEL_TYPE_OPEN and not channel.delete_at
    ]
