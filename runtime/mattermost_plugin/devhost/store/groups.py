"""Groups of users, their members, and their links to teams and channels."""

import json
from collections.abc import Sequence

from mattermost_plugin.devhost.store.database import Database, SqlValue
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.group_pb2 import CreateDefaultMembershipParams, Group, GroupMember, GroupSyncable

__all__ = ["CHANNEL", "TEAM", "GroupFilter", "GroupMemberStore", "GroupStore", "GroupSyncableStore"]

TEAM, CHANNEL = "Team", "Channel"
"""To what groups are linked."""

_LINKED = "id IN (SELECT group_id FROM group_syncables WHERE syncable_type = ? AND syncable_id = ? AND delete_at = 0)"


_IS_ACTIVE = "user_id IN (SELECT id FROM users WHERE delete_at = 0)"
_IN_TEAMS = (
    "user_id IN (SELECT user_id FROM team_members WHERE delete_at = 0 AND team_id IN (SELECT value FROM json_each(?)))"
)
_IN_CHANNELS = "user_id IN (SELECT user_id FROM channel_members WHERE channel_id IN (SELECT value FROM json_each(?)))"
_OF_LINKED_GROUP = (
    "group_id IN (SELECT id FROM user_groups JOIN group_syncables links ON links.group_id = id"
    " WHERE user_groups.delete_at = 0 AND links.syncable_id = ? AND links.syncable_type = ? AND links.delete_at = 0)"
)
_OF_ADMIN_GROUP = (
    "group_id IN (SELECT group_id FROM group_syncables"
    " WHERE syncable_id = ? AND syncable_type = ? AND delete_at = 0 AND scheme_admin <> 0)"
)
_PAIRS = (
    "SELECT DISTINCT links.syncable_id, members.user_id"
    " FROM group_syncables links JOIN group_members members ON members.group_id = links.group_id"
)
_AUTO_ADD = (
    "links.syncable_type = ?",
    "links.auto_add <> 0",
    "links.delete_at = 0",
    "members.delete_at = 0",
    "members.group_id IN (SELECT id FROM user_groups WHERE delete_at = 0)",
)
_PLACE_IS_THERE = {
    TEAM: "links.syncable_id IN (SELECT id FROM teams WHERE delete_at = 0)",
    CHANNEL: "links.syncable_id IN (SELECT id FROM channels WHERE delete_at = 0)",
}
_NEVER_WAS_THERE = {
    TEAM: ("(links.syncable_id, members.user_id) NOT IN (SELECT team_id, user_id FROM team_members)",),
    CHANNEL: (
        "(links.syncable_id, members.user_id) NOT IN (SELECT channel_id, user_id FROM channel_members)",
        "(links.syncable_id, members.user_id) NOT IN (SELECT channel_id, user_id FROM channel_leavers)",
    ),
}


class GroupFilter:
    """A condition on groups, made piece by piece."""

    def __init__(self) -> None:
        self._conditions: list[str] = ["1"]
        self._values: list[SqlValue] = []

    def condition(self) -> tuple[str, list[SqlValue]]:
        """The condition and its values."""
        return " AND ".join(self._conditions), self._values

    def _add(self, condition: str, *values: SqlValue) -> None:
        self._conditions.append(condition)
        self._values += values

    def deleted(self, deleted: bool) -> None:
        """Groups that are deleted, or those that are not."""
        self._add("delete_at <> 0" if deleted else "delete_at = 0")

    def changed_after(self, time_ms: int) -> None:
        """Groups that have changed after a time."""
        self._add("update_at > ?", time_ms)

    def mentionable(self) -> None:
        """Groups that users may mention."""
        self._add("allow_reference <> 0")

    def named(self, text: str) -> None:
        """Groups whose name or displayed name contains a text."""
        self._add("(holds(name, ?) OR holds(display_name, ?))", text, text)

    def from_source(self, source: str) -> None:
        """Groups of a source."""
        self._add("source = ?", source)

    def linkable(self) -> None:
        """Groups of sources whose groups can be linked."""
        self._add("(source = 'ldap' OR source LIKE 'plugin\\_%' ESCAPE '\\')")

    def with_member(self, user_id: str) -> None:
        """Groups of a user."""
        self._add("id IN (SELECT group_id FROM group_members WHERE user_id = ? AND delete_at = 0)", user_id)

    def linked(self, kind: str, syncable_id: str, *, linked: bool = True) -> None:
        """Groups that are linked to a team or channel, or all others."""
        self._add(_LINKED if linked else f"NOT {_LINKED}", kind, syncable_id)


class GroupStore(Table[Group]):
    """Groups."""

    def __init__(self, database: Database) -> None:
        index = ["name", "display_name", "source", "remote_id", "allow_reference"]
        times = ["create_at", "update_at", "delete_at"]
        super().__init__(database, "user_groups", Group, ["id"], [*index, *times])

    def search(self, filters: GroupFilter, page: Page | None = None) -> list[Group]:
        """Groups that match, by their displayed names, deleted ones last."""
        where, values = filters.condition()
        return self.select(where, values, "delete_at <> 0, display_name, id", page)


class GroupMemberStore(Table[GroupMember]):
    """Who is in which group; delete_at is set for those who were."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "group_members", GroupMember, ["group_id", "user_id"], ["create_at", "delete_at"])

    def active(
        self, group_ids: Sequence[str], team_ids: Sequence[str] = (), channel_ids: Sequence[str] = ()
    ) -> dict[str, list[str]]:
        """Ids of the members of groups who are active users.

        Args:
            group_ids: the groups.
            team_ids: only those who are in one of these teams; none is no condition.
            channel_ids: only those who are in one of these channels; none is no condition.
        """
        conditions, values = ["delete_at = 0", _IS_ACTIVE], list[str]()
        for condition, ids in ((_IN_TEAMS, team_ids), (_IN_CHANNELS, channel_ids)):
            if ids:
                conditions.append(condition)
                values.append(json.dumps(list(ids)))
        found: dict[str, list[str]] = {}
        for member in self.among("group_id", group_ids, " AND ".join(conditions), values):
            found.setdefault(member.group_id, []).append(member.user_id)
        return found

    def linked_to(self, syncable_id: str, kind: str) -> set[str]:
        """The ids of users in at least one group that is linked to a team or channel."""
        members = self.select(f"delete_at = 0 AND {_OF_LINKED_GROUP}", [syncable_id, kind])
        return {member.user_id for member in members}

    def makes_admin(self, user_id: str, syncable_id: str, kind: str) -> bool:
        """Whether a group makes a user an administrator of a team or channel."""
        where = f"user_id = ? AND delete_at = 0 AND {_OF_ADMIN_GROUP}"
        return self.one(where, [user_id, syncable_id, kind]) is not None


class GroupSyncableStore(Table[GroupSyncable]):
    """Which group is linked to which team or channel; delete_at is set where that is over."""

    def __init__(self, database: Database) -> None:
        key = ["group_id", "syncable_id", "syncable_type"]
        index = ["auto_add", "scheme_admin", "update_at", "delete_at"]
        super().__init__(database, "group_syncables", GroupSyncable, key, index)

    def of_group(self, group_id: str, kind: str) -> list[GroupSyncable]:
        """The links of a group to teams or to channels."""
        return self.select("group_id = ? AND syncable_type = ? AND delete_at = 0", [group_id, kind], "syncable_id")

    def to_add(self, kind: str, params: CreateDefaultMembershipParams) -> list[tuple[str, str]]:
        """Who is to become a member of what, because of groups: ids of teams or channels, each with a user's.

        Args:
            kind: `TEAM` or `CHANNEL`.
            params: which ones. Who has left counts only if it wants such back.
        """
        conditions = [*_AUTO_ADD, _PLACE_IS_THERE[kind]]
        values: list[SqlValue] = [kind]
        scope = params.scoped_team_id if kind == TEAM else params.scoped_channel_id
        for column, wanted in (("links.syncable_id", scope), ("members.user_id", params.scoped_user_id)):
            if wanted:
                conditions.append(f"{column} = ?")
                values.append(wanted)
        if not params.re_add_removed_members:
            conditions += ["(members.create_at >= ? OR links.update_at >= ?)", *_NEVER_WAS_THERE[kind]]
            values += [params.since, params.since]
        rows = self._database.execute(f"{_PAIRS} WHERE {' AND '.join(conditions)} ORDER BY 1, 2", values)
        return [(str(place_id), str(user_id)) for place_id, user_id in rows]
