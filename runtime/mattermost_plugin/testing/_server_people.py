"""The part of the server under test that has people and places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.testing._http import Answer, Form, Headers
from mattermost_plugin.testing._people import TestUser, send_request
from mattermost_plugin.testing._places import TestChannel, TestTeam
from mattermost_plugin.testing._server_waiting import ServerWithWaiting
from mattermost_plugin.testing.errors import MisuseError
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["ServerWithPeople"]

__tracebackhide__ = True  # pytest shows the line of the test

DEFAULT_TEAM = "test-team"
ADMIN_ROLES = "system_admin system_user"


class ServerWithPeople(ServerWithWaiting):
    """Makes and finds users, teams and channels."""

    def user(self, username: str, *, admin: bool = False, **fields: str) -> TestUser:
        """Create a user.

        Args:
            username: the name.
            admin: whether it administrates the system.
            fields: more fields of the account, such as `email` or `locale`.

        Raises:
            RequestRefused: there is one of that name.
        """

        async def create(host: DevHost) -> User:
            user = await host.act.create_user(username, **fields)
            if admin:
                user.roles = ADMIN_ROLES
                host.store.users.put(user)
            return user

        return TestUser(self, self._act(f"user({username})", create))

    def team(self, name: str, *, members: Sequence[TestUser] = ()) -> TestTeam:
        """Create a team with its default channels.

        Args:
            name: the name, as in addresses.
            members: who is in it.

        Raises:
            RequestRefused: there is one of that name.
        """
        team = TestTeam(self, self._act(f"team({name})", lambda host: host.act.create_team(name)))
        team.add(*members)
        return team

    def channel(
        self, name: str, *, members: Sequence[TestUser] = (), team: TestTeam | None = None, private: bool = False
    ) -> TestChannel:
        """Create a channel.

        Args:
            name: the name, as in addresses.
            members: who is in it; the first one creates it. They become members of the team too.
            team: the team; None for a default one, which is made when it is first needed.
            private: whether it is private.

        Raises:
            RequestRefused: there is one of that name in the team.
        """
        team = team or self._default_team()
        team.add(*members)
        creator = members[0].id if members else ""
        made = self._act(
            f"channel({name})",
            lambda host: host.act.create_channel(team.id, name, private=private, creator_id=creator),
        )
        channel = TestChannel(self, made)
        channel.add(*members)
        return channel

    def direct(self, user: TestUser, other: TestUser) -> TestChannel:
        """The channel of the direct messages between two users."""
        return user.direct(other)

    def group(self, *users: TestUser) -> TestChannel:
        """The channel of the messages among three to eight users.

        Raises:
            RequestRefused: they are too few or too many.
        """
        ids = [user.id for user in users]
        made = self._act("group(...)", lambda host: host.act.group_channel(ids))
        return TestChannel(self, made)

    def _default_team(self) -> TestTeam:
        found = self._read("team", lambda host: host.store.teams.by_name(DEFAULT_TEAM))
        return TestTeam(self, found) if found is not None else self.team(DEFAULT_TEAM)

    # What is there already, by whomever it was made

    def find_user(self, name_or_id: str) -> TestUser:
        """A user or bot that is there already, such as one that a plugin has created.

        Raises:
            AssertionError: there is none. The text lists those that there are.
        """

        def find(host: DevHost) -> TestUser:
            users = host.store.users.select(order="username")
            for user in users:
                if name_or_id in (user.id, user.username):
                    return TestUser(self, user)
            raise AssertionError(f"there is no user {name_or_id!r}, but {_names(user.username for user in users)}")

        return self._read(f"find_user({name_or_id})", find)

    def find_channel(self, name_or_id: str) -> TestChannel:
        """A channel that is there already, such as one that a plugin has created, or "town-square".

        Raises:
            AssertionError: there is none. The text lists those that there are.
            MisuseError: several teams have one of that name.
        """

        def find(host: DevHost) -> TestChannel:
            channels = host.store.channels.select(order="name")
            found = [channel for channel in channels if name_or_id in (channel.id, channel.name)]
            if len(found) > 1:
                raise MisuseError(f"{len(found)} teams have a channel {name_or_id!r}: ask for it by its id")
            if not found:
                raise AssertionError(
                    f"there is no channel {name_or_id!r}, but {_names(each.name for each in channels)}"
                )
            return TestChannel(self, found[0])

        return self._read(f"find_channel({name_or_id})", find)

    def find_post(self, post_id: str) -> Post:
        """A post as the server has it now, with its reactions and files, also one that is deleted (`delete_at`).

        Raises:
            AssertionError: there is none.
        """

        def find(host: DevHost) -> Post:
            post = host.store.posts.get(post_id)
            if post is None:
                raise AssertionError(f"there is no post {post_id!r}")
            reactions, files = host.store.reactions.of_post(post_id), host.store.files.of_post(post_id)
            if reactions or files:
                post.metadata.reactions.extend(reactions)
                post.metadata.files.extend(files)
            return post

        return self._read(f"find_post({post_id})", find)

    # Visitors

    def get(self, path: str, *, headers: Headers = ()) -> Answer:
        """Send a GET request to a plugin, as somebody who is not logged in. See `TestUser.get`."""
        return self.request("GET", path, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: bytes | str = b"",
        json: object = None,
        form: Form | None = None,
    ) -> Answer:
        """Send a request to a plugin, as somebody who is not logged in. See `TestUser.request`."""
        return send_request(self, "", method, path, headers=headers, body=body, json=json, form=form)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none at all"
