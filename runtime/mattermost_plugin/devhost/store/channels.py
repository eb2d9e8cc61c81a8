"""Channels, their members, who guards them, and users' sidebars."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMember, ChannelType
from mattermost_pluginapi.v1.channel_sidebar_pb2 import SidebarCategoryWithChannels

__all__ = ["ChannelGuardStore", "ChannelMemberStore", "ChannelStore", "SidebarStore"]

_WITHOUT_TEAM = (ChannelType.CHANNEL_TYPE_DIRECT, ChannelType.CHANNEL_TYPE_GROUP)


class ChannelStore(Table[Channel]):
    """Channels."""

    def __init__(self, database: Database) -> None:
        index = ["team_id", "name", "display_name", "type", "create_at", "delete_at"]
        super().__init__(database, "channels", Channel, ["id"], index)

    def by_name(self, team_id: str, name: str) -> Channel | None:
        """The channel of a name in a team, archived or not; direct messages are in the team ""."""
        return self.one("team_id = ? AND name = ?", [team_id, name])

    def public(self, team_id: str, page: Page | None = None) -> list[Channel]:
        """The public channels of a team that are not archived."""
        where = "team_id = ? AND type = ? AND delete_at = 0"
        return self.select(where, (team_id, ChannelType.CHANNEL_TYPE_OPEN), "display_name COLLATE NOCASE", page)

    def search(self, team_id: str, term: str) -> list[Channel]:
        """Public channels of a team whose names contain a text."""
        names = "(holds(name, ?) OR holds(display_name, ?))"
        where = f"team_id = ? AND type = ? AND delete_at = 0 AND {names}"
        values: list[str | int | bytes | None] = [team_id, ChannelType.CHANNEL_TYPE_OPEN]
        values += [term, term]
        return self.select(where, values, "display_name COLLATE NOCASE")

    def count_of_team(self, team_id: str) -> int:
        """How many channels of a team are not archived."""
        return self.count("team_id = ? AND delete_at = 0", [team_id])

    def of_team_and_private(self, team_id: str) -> list[Channel]:
        """The channels of a team, archived ones too, and all direct and group messages; "" is for all teams."""
        return self.select("team_id IN (?, '')" if team_id else "1", [team_id] if team_id else [])

    def of_user(self, user_id: str, team_id: str = "", *, include_deleted: bool = False) -> list[Channel]:
        """The channels of a user in a team, direct and group messages included.

        Args:
            user_id: whose.
            team_id: the team; "" for all.
            include_deleted: archived ones too.
        """
        where = "id IN (SELECT channel_id FROM channel_members WHERE user_id = ?)"
        values: list[str | int] = [user_id]
        if team_id:
            where += " AND (team_id = ? OR type IN (?, ?))"
            values += [team_id, *_WITHOUT_TEAM]
        if not include_deleted:
            where += " AND delete_at = 0"
        return self.select(where, values, "display_name, create_at")


class ChannelMemberStore(Table[ChannelMember]):
    """Who is in which channel."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "channel_members", ChannelMember, ["channel_id", "user_id"])

    def end(self, channel_id: str, user_id: str) -> None:
        """Remove a membership, and note that the user was there: groups do not bring back whoever has left."""
        self.delete(channel_id, user_id)
        self._database.change("INSERT OR IGNORE INTO channel_leavers VALUES (?, ?)", [channel_id, user_id])

    def of_channel(self, channel_id: str, page: Page | None = None) -> list[ChannelMember]:
        """The members of a channel."""
        return self.select("channel_id = ?", [channel_id], "rowid", page)

    def count_active(self, channel_id: str) -> int:
        """How many members of a channel are active users."""
        active = "user_id IN (SELECT id FROM users WHERE delete_at = 0)"
        return self.count(f"channel_id = ? AND {active}", [channel_id])

    def of_user(self, user_id: str, page: Page | None = None) -> list[ChannelMember]:
        """The memberships of a user."""
        return self.select("user_id = ?", [user_id], "rowid", page)


class ChannelGuardStore:
    """Which plugins claim which channels.

    Args:
        database: where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, channel_id: str, plugin_id: str) -> None:
        """Claim a channel for a plugin."""
        self._database.change("INSERT OR IGNORE INTO channel_guards VALUES (?, ?)", [channel_id, plugin_id])

    def remove(self, channel_id: str, plugin_id: str) -> None:
        """Give up a plugin's claim."""
        self._database.change(
            "DELETE FROM channel_guards WHERE channel_id = ? AND plugin_id = ?", [channel_id, plugin_id]
        )

    def of_channel(self, channel_id: str) -> list[str]:
        """The plugins that claim a channel."""
        rows = self._database.execute(
            "SELECT plugin_id FROM channel_guards WHERE channel_id = ? ORDER BY plugin_id", [channel_id]
        )
        return [str(row[0]) for row in rows]


class SidebarStore(Table[SidebarCategoryWithChannels]):
    """The categories of users' sidebars."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            database,
            "sidebar_categories",
            SidebarCategoryWithChannels,
            ["id"],
            ["user_id", "team_id", "sort_order"],
        )

    def of_user(self, user_id: str, team_id: str) -> list[SidebarCategoryWithChannels]:
        """A user's categories in a team, in their order."""
        return self.select("user_id = ? AND team_id = ?", [user_id, team_id], "sort_order")
