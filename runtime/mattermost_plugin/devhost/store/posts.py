"""Posts, threads, reactions and custom emoji."""

from collections.abc import Sequence

from mattermost_plugin.devhost.store.database import Database, SqlValue
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.emoji_pb2 import Emoji
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction

__all__ = ["EmojiStore", "PostStore", "ReactionStore"]

_NEWEST_FIRST = "create_at DESC, id"
_LIVE = "channel_id = ? AND delete_at = 0"
_ITS_TIME = "(SELECT create_at FROM posts WHERE id = ?)"


class PostStore(Table[Post]):
    """Posts; delete_at is set for deleted ones, and for what edited ones were before."""

    def __init__(self, database: Database) -> None:
        times = ["create_at", "update_at", "delete_at"]
        index = ["channel_id", "user_id", "root_id", "type", *times, "is_pinned", "message", "hashtags"]
        super().__init__(database, "posts", Post, ["id"], index)

    def of_channel(self, channel_id: str, page: Page | None = None) -> list[Post]:
        """The posts of a channel, newest first."""
        return self.select(_LIVE, [channel_id], _NEWEST_FIRST, page)

    def before(self, channel_id: str, post_id: str, page: Page) -> list[Post]:
        """The posts of a channel that are older than a post, newest first; none if there is no such post."""
        return self.select(f"{_LIVE} AND create_at < {_ITS_TIME}", [channel_id, post_id], _NEWEST_FIRST, page)

    def after(self, channel_id: str, post_id: str, page: Page) -> list[Post]:
        """The posts of a channel that are newer than a post, oldest first; none if there is no such post."""
        return self.select(f"{_LIVE} AND create_at > {_ITS_TIME}", [channel_id, post_id], "create_at, id", page)

    def since(self, channel_id: str, time_ms: int, limit: int) -> list[Post]:
        """What was made, changed or deleted in a channel after a time, newest first."""
        where = "channel_id = ? AND update_at > ?"
        return self.select(where, [channel_id, time_ms], _NEWEST_FIRST, Page(0, limit))

    def thread(self, root_id: str) -> list[Post]:
        """The first post of a thread and its replies, oldest first."""
        return self.select("(id = ? OR root_id = ?) AND delete_at = 0", [root_id, root_id], "create_at, id")

    def threads(self, root_ids: Sequence[str]) -> list[Post]:
        """The first posts of some threads, and all replies."""
        live = "delete_at = 0"
        return [*self.among("id", root_ids, live), *self.among("root_id", root_ids, live)]

    def replies(self, root_id: str) -> list[Post]:
        """The replies of a thread, oldest first."""
        return self.select("root_id = ? AND delete_at = 0", [root_id], "create_at, id")

    def reply_counts(self, root_ids: Sequence[str]) -> dict[str, int]:
        """How many replies there are, by the threads' first posts; those without any are left out."""
        return self.count_by("root_id", root_ids, "delete_at = 0")

    def search(self, conditions: Sequence[str], values: Sequence[SqlValue], limit: int) -> list[Post]:
        """Posts of people, not of the system, that fulfil all conditions, newest first."""
        where = " AND ".join(["delete_at = 0", "type NOT LIKE 'system\\_%' ESCAPE '\\'", *conditions])
        return self.select(where, values, _NEWEST_FIRST, Page(0, limit))


class ReactionStore(Table[Reaction]):
    """Reactions to posts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "reactions", Reaction, ["post_id", "user_id", "emoji_name"], ["create_at"])

    def of_post(self, post_id: str) -> list[Reaction]:
        """The reactions to a post, oldest first."""
        return self.select("post_id = ?", [post_id], "create_at")


class EmojiStore(Table[Emoji]):
    """Custom emoji."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "emoji", Emoji, ["id"], ["name", "create_at", "delete_at"])

    def by_name(self, name: str) -> Emoji | None:
        """The emoji of a name."""
        return self.one("name = ? AND delete_at = 0", [name])
