"""Plugins' keys and values."""

from typing import Final

from mattermost_plugin.devhost.clock import Clock
from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Page

__all__ = ["KvStore"]

_LATEST: Final = 2**63 - 1
"""The last time that SQLite can store."""


class KvStore:
    """Keys and values, apart for each plugin. A value that has expired is as none.

    Args:
        database: where the table is.
        clock: tells when values expire.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._remove_expired()

    def get(self, plugin_id: str, key: str) -> bytes | None:
        """The value of a key."""
        rows = self._database.execute(
            "SELECT value FROM kv WHERE plugin_id = ? AND name = ? AND (expire_at = 0 OR expire_at > ?)",
            [plugin_id, key, self._clock.now_ms()],
        )
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def set(self, plugin_id: str, key: str, value: bytes, expire_in_seconds: int = 0) -> None:
        """Set the value of a key; an empty one deletes it.

        Args:
            plugin_id: whose key.
            key: its name.
            value: the value.
            expire_in_seconds: after how long it expires; 0 for never.
        """
        if not value:
            self.delete(plugin_id, key)
            return
        expire_at = 0
        if expire_in_seconds:
            expire_at = max(-_LATEST, min(self._clock.now_ms() + expire_in_seconds * 1000, _LATEST))
            self._remove_expired()
        self._database.change(
            "INSERT INTO kv VALUES (?, ?, ?, ?) ON CONFLICT (plugin_id, name)"
            " DO UPDATE SET value = excluded.value, expire_at = excluded.expire_at",
            [plugin_id, key, value, expire_at],
        )

    def compare_and_set(
        self, plugin_id: str, key: str, old: bytes | None, new: bytes, expire_in_seconds: int = 0
    ) -> bool:
        """Set a value if the present one is as expected.

        Args:
            plugin_id: whose key.
            key: its name.
            old: the expected value; None or empty for no value.
            new: the new value; an empty one deletes the key.
            expire_in_seconds: after how long the new value expires; 0 for never.

        Returns:
            Whether it was as expected.
        """
        with self._database.transaction():
            if self.get(plugin_id, key) != (old or None):
                return False
            self.set(plugin_id, key, new, expire_in_seconds)
            return True

    def _remove_expired(self) -> None:
        """Keep what has expired from filling the file; nobody sees a difference."""
        self._database.change("DELETE FROM kv WHERE expire_at <> 0 AND expire_at <= ?", [self._clock.now_ms()])

    def delete(self, plugin_id: str, key: str) -> None:
        """Delete a key."""
        self._database.change("DELETE FROM kv WHERE plugin_id = ? AND name = ?", [plugin_id, key])

    def delete_all(self, plugin_id: str) -> None:
        """Delete all keys of a plugin."""
        self._database.change("DELETE FROM kv WHERE plugin_id = ?", [plugin_id])

    def keys(self, plugin_id: str, page: Page) -> list[str]:
        """The keys of a plugin, by name."""
        rows = self._database.execute(
            "SELECT name FROM kv WHERE plugin_id = ? AND (expire_at = 0 OR expire_at > ?)"
            " ORDER BY name LIMIT ? OFFSET ?",
            [plugin_id, self._clock.now_ms(), page.limit, page.offset],
        )
        return [str(row[0]) for row in rows]
