"""Teams and channels, as a test handles them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.app.channels import archive_channel, restore_channel
from mattermost_plugin.devhost.app.teams import remove_team_member
from mattermost_plugin.testing._core import ServerCore
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.team_pb2 import Team

if TYPE_CHECKING:
    from mattermost_plugin.testing._people import TestUser

__all__ = ["ChannelRef", "TestChannel", "TestTeam", "id_of_channel"]

__tracebackhide__ = True  # pytest shows the line of the test


class TestTeam:
    """A team.

    Attributes:
        id: its id.
        name: its name, as in addresses.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    def __init__(self, core: ServerCore, team: Team) -> None:
        self._core = core
        self.id = team.id
        self.name = team.name

    def __repr__(self) -> str:
        return f"<team {self.name} {self.id}>"

    @property
    def model(self) -> Team:
        """The team as the server has it now."""
        team = self._core._read(f"{self.name}.model", lambda host: host.store.teams.get(self.id))
        return team if team is not None else Team(id=self.id)

    @property
    def member_ids(self) -> list[str]:
        """Ids of its members."""
        members = self._core._read(f"{self.name}.member_ids", lambda host: host.store.team_members.of_team(self.id))
        return [member.user_id for member in members]

    def add(self, *users: TestUser, by: TestUser | None = None) -> None:
        """Make users members of the team and its default channels.

        Args:
            users: the users.
            by: who does it; None if they come by themselves.

        Raises:
            RejectedByPlugin: a plugin keeps one out.
        """
        for user in users:
            self._join(user.username, user.id, by.id if by else "")

    def remove(self, user: TestUser, by: TestUser | None = None) -> None:
        """Take a user out of the team and its channels.

        Args:
            user: the user.
            by: who does it; None if the user leaves.
        """
        self._core._call(
            f"{self.name}.remove({user.username})",
            lambda host: remove_team_member(
                host.world, host.world.hooks.new_context(), self.id, user.id, by.id if by else ""
            ),
        )

    def _join(self, name: str, user_id: str, actor_id: str) -> None:
        self._core._act(f"{self.name}.add({name})", lambda host: host.act.join_team(self.id, user_id, actor_id))


class TestChannel:
    """A channel, or the place of a conversation.

    Attributes:
        id: its id.
        name: its name, as in addresses.
    """

    __test__: ClassVar[bool] = False

    def __init__(self, core: ServerCore, channel: Channel) -> None:
        self._core = core
        self.id = channel.id
        self.name = channel.name

    def __repr__(self) -> str:
        return f"<channel {self.name} {self.id}>"

    @property
    def model(self) -> Channel:
        """The channel as the server has it now."""
        channel = self._core._read(f"{self.name}.model", lambda host: host.store.channels.get(self.id))
        return channel if channel is not None else Channel(id=self.id)

    @property
    def member_ids(self) -> list[str]:
        """Ids of its members."""
        members = self._core._read(
            f"{self.name}.member_ids", lambda host: host.store.channel_members.of_channel(self.id)
        )
        return [member.user_id for member in members]

    @property
    def posts(self) -> list[Post]:
        """The posts that are not deleted, oldest first."""
        return self._core._read(f"{self.name}.posts", lambda host: host.store.posts.of_channel(self.id))[::-1]

    @property
    def messages(self) -> list[str]:
        """The texts of `posts`."""
        return [post.message for post in self.posts]

    def add(self, *users: TestUser, by: TestUser | None = None) -> None:
        """Make users members of the channel, and of its team first, if it has one.

        Args:
            users: the users.
            by: who does it; None if they come by themselves.

        Raises:
            RejectedByPlugin: a plugin keeps one out.
        """
        for user in users:
            self._join(user.username, user.id, by.id if by else "")

    def remove(self, user: TestUser, by: TestUser | None = None) -> None:
        """Take a user out of the channel.

        Args:
            user: the user.
            by: who does it; None if the user leaves.
        """
        self._core._call(
            f"{self.name}.remove({user.username})",
            lambda host: host.act.leave_channel(self.id, user.id, by.id if by else ""),
        )

    def _join(self, name: str, user_id: str, actor_id: str) -> None:
        async def join(host: DevHost) -> None:
            channel = host.store.channels.get(self.id)
            if channel is not None and channel.team_id:
                await host.act.join_team(channel.team_id, user_id, actor_id)
            await host.act.join_channel(self.id, user_id, actor_id)

        self._core._act(f"{self.name}.add({name})", join)

    def archive(self) -> None:
        """Archive the channel.

        Raises:
            RejectedByPlugin: a plugin does not allow it.
        """
        self._core._act(
            f"{self.name}.archive()",
            lambda host: archive_channel(host.world, host.world.hooks.new_context(), self.id),
        )

    def restore(self) -> None:
        """Bring the channel back from the archive.

        Raises:
            RejectedByPlugin: a plugin does not allow it.
        """
        self._core._act(
            f"{self.name}.restore()",
            lambda host: restore_channel(host.world, host.world.hooks.new_context(), self.id),
        )


ChannelRef = TestChannel | Channel | str
"""A channel: one of the test's, a model of it, or its id."""


def id_of_channel(channel: ChannelRef) -> str:
    """The id of a channel."""
    return channel if isinstance(channel, str) else channel.id
