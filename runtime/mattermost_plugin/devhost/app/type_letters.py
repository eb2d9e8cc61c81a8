"""The letters that Mattermost's REST API has for types of channels and teams."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mattermost_pluginapi.v1.channel_pb2 import ChannelType
from mattermost_pluginapi.v1.team_pb2 import TeamType

__all__ = ["CHANNEL_LETTERS", "TEAM_LETTERS"]

CHANNEL_LETTERS: Final[Mapping[ChannelType.ValueType, str]] = MappingProxyType(
    {
        ChannelType.CHANNEL_TYPE_OPEN: "O",
        ChannelType.CHANNEL_TYPE_PRIVATE: "P",
        ChannelType.CHANNEL_TYPE_DIRECT: "D",
        ChannelType.CHANNEL_TYPE_GROUP: "G",
    }
)

TEAM_LETTERS: Final[Mapping[TeamType.ValueType, str]] = MappingProxyType(
    {TeamType.TEAM_TYPE_OPEN: "O", TeamType.TEAM_TYPE_INVITE: "I"}
)
