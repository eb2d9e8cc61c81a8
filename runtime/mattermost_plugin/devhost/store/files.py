"""Files: what is known about them, their content by path, and uploads in several pieces."""

from collections.abc import Sequence
from typing import Final

from mattermost_plugin.devhost.store.database import Database, SqlValue
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.file_pb2 import FileInfo, UploadSession

__all__ = ["BlobStore", "FileStore", "UploadStore"]


class FileStore(Table[FileInfo]):
    """What is known about files."""

    def __init__(self, database: Database) -> None:
        index = ["post_id", "channel_id", "creator_id", "create_at", "delete_at", "size"]
        super().__init__(database, "files", FileInfo, ["id"], index)

    def of_post(self, post_id: str) -> list[FileInfo]:
        """The files of a post."""
        return self.select("post_id = ? AND delete_at = 0", [post_id], "create_at")

    def search(
        self,
        user_ids: Sequence[str],
        channel_ids: Sequence[str],
        *,
        since_ms: int,
        include_deleted: bool,
        order: str,
        page: Page,
    ) -> list[FileInfo]:
        """Files that match all conditions; an empty list of ids is none.

        Args:
            user_ids: who has uploaded them.
            channel_ids: where they are.
            since_ms: not older than this.
            include_deleted: those that are deleted too.
            order: columns by which to sort.
            page: which part of the list.
        """
        conditions: list[str] = ["create_at >= ?"]
        values: list[SqlValue] = [since_ms]
        for column, ids in (("creator_id", user_ids), ("channel_id", channel_ids)):
            if ids:
                conditions.append(f"{column} IN ({', '.join('?' * len(ids))})")
                values += ids
        if not include_deleted:
            conditions.append("delete_at = 0")
        return self.select(" AND ".join(conditions), values, order, page)


class BlobStore:
    """Content by path, as a server's file store has it.

    Args:
        database: where the table is.
    """

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def read(self, path: str) -> bytes | None:
        """The content at a path."""
        rows = self._database.execute("SELECT content FROM blobs WHERE path = ?", [path])
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def write(self, path: str, content: bytes) -> None:
        """Set the content at a path."""
        self._database.change(
            "INSERT INTO blobs VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET content = excluded.content",
            [path, content],
        )

    def append(self, path: str, content: bytes) -> None:
        """Add to the content at a path."""
        self.write(path, (self.read(path) or b"") + content)

    def delete(self, path: str) -> bool:
        """Remove the content at a path. Returns whether there was any."""
        return self._database.change("DELETE FROM blobs WHERE path = ?", [path]) > 0


class UploadStore(Table[UploadSession]):
    """Uploads that have begun."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "uploads", UploadSession, ["id"])
