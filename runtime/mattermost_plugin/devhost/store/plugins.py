"""What the server keeps for plugins and integrations: commands, OAuth apps, settings, audits."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Table
from mattermost_pluginapi.v1.command_pb2 import Command
from mattermost_pluginapi.v1.log_pb2 import AuditRecord
from mattermost_pluginapi.v1.oauth_pb2 import OAuthApp

__all__ = [
    "AuditStore",
    "CommandStore",
    "OAuthAppStore",
    "SettingStore",
]


class CommandStore(Table[Command]):
    """Custom slash commands; those of plugins live only as long as the plugin."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "commands", Command, ["id"], ["team_id", "trigger", "create_at", "delete_at"])

    def of_team(self, team_id: str) -> list[Command]:
        """The commands of a team."""
        return self.select("team_id = ? AND delete_at = 0", [team_id], "trigger")

    def live(self, command_id: str) -> Command | None:
        """A command that is not deleted."""
        return self.one("id = ? AND delete_at = 0", [command_id])


class OAuthAppStore(Table[OAuthApp]):
    """Applications that may act for users."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "oauth_apps", OAuthApp, ["id"], ["creator_id"])


class SettingStore:
    """Single values by name: the server's configuration and what it remembers of itself.

    Args:
        database: where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> bytes | None:
        """A value."""
        rows = self._database.execute("SELECT value FROM settings WHERE name = ?", [name])
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def put(self, name: str, value: bytes) -> None:
        """Set a value."""
        self._database.change(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [name, value]
        )

    def first(self, name: str, value: bytes) -> bytes:
        """A value, which is set to the given one if there is none."""
        self._database.change("INSERT OR IGNORE INTO settings VALUES (?, ?)", [name, value])
        return self.get(name) or value


class AuditStore:
    """Audit records, in the order in which they came.

    Args:
        database: where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, plugin_id: str, level: str, record: AuditRecord) -> None:
        """Add a record."""
        self._database.change(
            "INSERT INTO audits (plugin_id, level, data) VALUES (?, ?, ?)",
            [plugin_id, level, record.SerializeToString()],
        )

    def all(self) -> list[tuple[str, str, AuditRecord]]:
        """Each record with its plugin and level."""
        rows = self._database.execute("SELECT plugin_id, level, data FROM audits ORDER BY number")
        return [
            (str(plugin_id), str(level), AuditRecord.FromString(data))
            for plugin_id, level, data in rows
            if isinstance(data, bytes)
        ]
