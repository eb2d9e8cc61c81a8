"""What the parts of the front share."""

from __future__ import annotations

from dataclasses import dataclass

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.posts import live_post
from mattermost_plugin.devhost.errors import forbidden
from mattermost_plugin.devhost.host import DevHost
from mattermost_plugin.devhost.web.journal import Journal
from mattermost_plugin.devhost.web.keys import Keys
from mattermost_plugin.devhost.web.logins import Login, Logins
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["FrontParts"]


@dataclass(frozen=True, slots=True)
class FrontParts:
    """The parts."""

    host: DevHost
    """The host behind the front."""
    keys: Keys
    """Which keys open the page."""
    logins: Logins
    """As whom the page acts."""
    journal: Journal
    """What has happened."""

    @property
    def world(self) -> World:
        """The host's parts."""
        return self.host.world

    def channel(self, login: Login, channel_id: str) -> Channel:
        """A channel that a user is in.

        Raises:
            ApiError: there is no such channel, or the user is not in it.
        """
        channel = existing_channel(self.world, channel_id)
        if self.world.store.channel_members.get(channel.id, login.user.id) is None:
            raise forbidden("api.context.permissions.app_error", f"{login.user.username} is not in this channel")
        return channel

    def post(self, login: Login, post_id: str) -> Post:
        """A post in a channel that a user is in.

        Raises:
            ApiError: there is no such post, or the user is not in its channel.
        """
        post = live_post(self.world, post_id)
        self.channel(login, post.channel_id)
        return post
