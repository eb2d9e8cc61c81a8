"""Groups of users, their members, and their links to teams and channels."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Table
from mattermost_pluginapi.v1.group_pb2 import Group, GroupMember, GroupSyncable

__all__ = ["GroupMemberStore", "GroupStore", "GroupSyncableStore"]


class GroupStore(Table[Group]):
    """Groups."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            database, "user_groups", Group, ["id"], ["name", "source", "remote_id", "create_at", "delete_at"]
        )

    def of_user(self, user_id: str) -> list[Group]:
        """The groups of a user."""
        member = "id IN (SELECT group_id FROM group_members WHERE user_id = ? AND delete_at = 0)"
        return self.select(f"delete_at = 0 AND {member}", [user_id], "create_at")


class GroupMemberStore(Table[GroupMember]):
    """Who is in which group; delete_at is set for those who were."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "group_members", GroupMember, ["group_id", "user_id"], ["delete_at"])

    def linked_to(self, syncable_id: str, kind: str) -> set[str]:
        """The ids of users in at least one group that is linked to a team or channel.

        Args:
            syncable_id: the team or channel.
            kind: "Team" or "Channel".
        """
        links = "SELECT group_id FROM group_syncables WHERE syncable_id = ? AND syncable_type = ? AND delete_at = 0"
        members = self.select(f"delete_at = 0 AND group_id IN ({links})", [syncable_id, kind])
        return {member.user_id for member in members}


class GroupSyncableStore(Table[GroupSyncable]):
    """Which group is linked to which team or channel; delete_at is set where that is over."""

    def __init__(self, database: Database) -> None:
        key = ["group_id", "syncable_id", "syncable_type"]
        super().__init__(database, "group_syncables", GroupSyncable, key, ["delete_at"])
