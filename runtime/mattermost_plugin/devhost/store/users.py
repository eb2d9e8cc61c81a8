"""Users, bots, statuses, preferences, sessions and tokens."""

from collections.abc import Sequence

from mattermost_plugin.devhost.store.database import Database, SqlValue
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.preference_pb2 import Preference
from mattermost_pluginapi.v1.session_pb2 import Session, UserAccessToken
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.user_status_pb2 import Status

__all__ = [
    "BY_STATUS",
    "AccessTokenStore",
    "BotStore",
    "PreferenceStore",
    "SessionStore",
    "StatusStore",
    "UserFilter",
    "UserStore",
]

_IN_TEAM = "id IN (SELECT user_id FROM team_members WHERE team_id = ? AND delete_at = 0)"
_IN_CHANNEL = "id IN (SELECT user_id FROM channel_members WHERE channel_id = ?)"
_IN_GROUP = "id IN (SELECT user_id FROM group_members WHERE group_id = ? AND delete_at = 0)"
_HAS_ROLE = "instr(' ' || roles || ' ', ' ' || ? || ' ') > 0"
BY_STATUS = (
    "(SELECT CASE status WHEN 'online' THEN 1 WHEN 'away' THEN 2 WHEN 'dnd' THEN 3 END"
    " FROM statuses WHERE user_id = users.id) NULLS LAST, username"
)
"""Orders users by whether they are online."""
_IN_NO_TEAM = "id NOT IN (SELECT user_id FROM team_members WHERE delete_at = 0)"


class UserStore(Table[User]):
    """Users."""

    def __init__(self, database: Database) -> None:
        index = ["username", "email", "nickname", "roles", "is_bot", "create_at", "update_at", "delete_at"]
        super().__init__(database, "users", User, ["id"], index)

    def by_username(self, username: str) -> User | None:
        """The user of a name; names have no upper case."""
        return self.one("username = ?", [username.lower()])

    def by_email(self, email: str) -> User | None:
        """The user with an e-mail address; addresses have no upper case."""
        return self.one("email = ?", [email.lower()])

    def search(self, filters: "UserFilter", page: Page, order: str = "username") -> list[User]:
        """Users that match.

        Args:
            filters: which ones.
            page: which part of the list.
            order: columns by which to sort, or `BY_STATUS`.
        """
        where, values = filters.condition()
        return self.select(where, values, order, page)

    def count_with_role(self, role: str) -> int:
        """How many active people, not bots, have a role."""
        return self.count(f"delete_at = 0 AND is_bot = 0 AND {_HAS_ROLE}", [role])


class UserFilter:
    """A condition on users, made piece by piece."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self._values: list[SqlValue] = []

    def condition(self) -> tuple[str, list[SqlValue]]:
        """The condition and its values."""
        return " AND ".join(self._conditions) or "1", self._values

    def any_role(self, roles: Sequence[str]) -> None:
        """Users who have at least one of some roles. None are no condition."""
        if roles:
            self._conditions.append(f"({' OR '.join(_HAS_ROLE for _ in roles)})")
            self._values += roles

    def updated_after(self, time_ms: int) -> None:
        """Users who have changed after a time."""
        self._conditions.append("update_at > ?")
        self._values.append(time_ms)

    def named(self, word: str) -> None:
        """Users whose username or nickname contains a word, or whose id it is."""
        self._conditions.append("(holds(username, ?) OR holds(nickname, ?) OR id = ?)")
        self._values += [word, word, word]

    def in_team(self, team_id: str, *, inside: bool = True) -> None:
        """Members of a team, or all others. "" is no condition."""
        self._member(_IN_TEAM, team_id, inside)

    def in_channel(self, channel_id: str, *, inside: bool = True) -> None:
        """Members of a channel, or all others. "" is no condition."""
        self._member(_IN_CHANNEL, channel_id, inside)

    def in_group(self, group_id: str, *, inside: bool = True) -> None:
        """Members of a group, or all others. "" is no condition."""
        self._member(_IN_GROUP, group_id, inside)

    def without_team(self) -> None:
        """Users who are in no team."""
        self._conditions.append(_IN_NO_TEAM)

    def active(self, active: bool) -> None:
        """Users who are active, or those who are not."""
        self._conditions.append("delete_at = 0" if active else "delete_at <> 0")

    def _member(self, condition: str, place_id: str, inside: bool) -> None:
        if place_id:
            self._conditions.append(condition if inside else f"NOT {condition}")
            self._values.append(place_id)


class BotStore(Table[Bot]):
    """Bots; each has a user too."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "bots", Bot, ["user_id"], ["owner_id", "create_at", "delete_at"])

    def enabled_of(self, owner_id: str) -> list[Bot]:
        """The bots of an owner that are not disabled."""
        return self.select("owner_id = ? AND delete_at = 0", [owner_id])

    def search(self, owner_id: str, *, include_deleted: bool, only_orphaned: bool, page: Page) -> list[Bot]:
        """Bots that match, oldest first.

        Args:
            owner_id: whose; "" for everybody's.
            include_deleted: those that are disabled too.
            only_orphaned: only those whose owner is a deactivated user.
            page: which part of the list.
        """
        conditions, values = ["1"], list[str]()
        if owner_id:
            conditions.append("owner_id = ?")
            values.append(owner_id)
        if not include_deleted:
            conditions.append("delete_at = 0")
        if only_orphaned:
            conditions.append("owner_id IN (SELECT id FROM users WHERE delete_at <> 0)")
        return self.select(" AND ".join(conditions), values, "create_at", page)


class StatusStore(Table[Status]):
    """Whether users are online."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "statuses", Status, ["user_id"], ["status"])


class PreferenceStore(Table[Preference]):
    """Users' preferences."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "preferences", Preference, ["user_id", "category", "name"])

    def of_user(self, user_id: str) -> list[Preference]:
        """A user's preferences."""
        return self.select("user_id = ?", [user_id], "category, name")


class SessionStore(Table[Session]):
    """Logins."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "sessions", Session, ["id"], ["token", "user_id", "expires_at"])

    def of_user(self, user_id: str) -> list[Session]:
        """All logins of a user."""
        return self.select("user_id = ?", [user_id])

    def end_of_user(self, user_id: str) -> None:
        """End all logins of a user."""
        self.delete_where("user_id = ?", [user_id])


class AccessTokenStore(Table[UserAccessToken]):
    """Personal access tokens."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "access_tokens", UserAccessToken, ["id"], ["token", "user_id"])
