"""Remotes with which channels are shared."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Table
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster
from mattermost_pluginapi.v1.shared_channel_pb2 import GetPostsSinceForSyncCursor, SharedChannel

__all__ = ["InvitationStore", "RemoteStore", "SharedChannelStore"]


class RemoteStore(Table[RemoteCluster]):
    """Plugins that are remotes; delete_at is set for those that were."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "remotes", RemoteCluster, ["remote_id"], ["plugin_id", "delete_at"])

    def live(self, remote_id: str) -> RemoteCluster | None:
        """A remote that is not removed."""
        return self.one("remote_id = ? AND delete_at = 0", [remote_id])

    def of_plugin(self, plugin_id: str) -> RemoteCluster | None:
        """The remote that a plugin is or was."""
        return self.one("plugin_id = ?", [plugin_id])


class SharedChannelStore(Table[SharedChannel]):
    """Channels that are shared."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "shared_channels", SharedChannel, ["channel_id"])


class InvitationStore:
    """Which remote is invited to which channel, and up to where it has its posts.

    Args:
        database: where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, channel_id: str, remote_id: str) -> None:
        """Invite a remote."""
        self._database.change(
            "INSERT OR IGNORE INTO shared_channel_remotes VALUES (?, ?, x'')", [channel_id, remote_id]
        )

    def remove(self, channel_id: str, remote_id: str) -> bool:
        """Take back an invitation. Returns whether there was one."""
        where = [channel_id, remote_id]
        return (
            self._database.change("DELETE FROM shared_channel_remotes WHERE channel_id = ? AND remote_id = ?", where)
            > 0
        )

    def remove_channel(self, channel_id: str) -> None:
        """Take back all invitations to a channel."""
        self._database.change("DELETE FROM shared_channel_remotes WHERE channel_id = ?", [channel_id])

    def remove_remote(self, remote_id: str) -> None:
        """Take back all invitations of a remote."""
        self._database.change("DELETE FROM shared_channel_remotes WHERE remote_id = ?", [remote_id])

    def has(self, channel_id: str, remote_id: str) -> bool:
        """Whether a remote is invited to a channel."""
        return self.cursor(channel_id, remote_id) is not None

    def of_channel(self, channel_id: str) -> list[str]:
        """The remotes that are invited to a channel."""
        rows = self._database.execute(
            "SELECT remote_id FROM shared_channel_remotes WHERE channel_id = ? ORDER BY remote_id", [channel_id]
        )
        return [str(row[0]) for row in rows]

    def set_cursor(self, channel_id: str, remote_id: str, cursor: GetPostsSinceForSyncCursor) -> bool:
        """Set up to where a remote has a channel's posts. Returns whether it is invited."""
        return (
            self._database.change(
                "UPDATE shared_channel_remotes SET cursor = ? WHERE channel_id = ? AND remote_id = ?",
                [cursor.SerializeToString(), channel_id, remote_id],
            )
            > 0
        )

    def cursor(self, channel_id: str, remote_id: str) -> GetPostsSinceForSyncCursor | None:
        """Up to where a remote has a channel's posts."""
        rows = self._database.execute(
            "SELECT cursor FROM shared_channel_remotes WHERE channel_id = ? AND remote_id = ?", [channel_id, remote_id]
        )
        found = rows[0][0] if rows else None
        return GetPostsSinceForSyncCursor.FromString(found) if isinstance(found, bytes) else None
