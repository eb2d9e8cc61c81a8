"""Posts, threads, reactions and custom emoji."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.emoji_pb2 import Emoji
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction

__all__ = ["EmojiStore", "PostStore", "ReactionStore"]

_NEWEST_FIRST = "create_at DESC, id"
_LIVE = "channel_id = ? AND delete_at = 0"


class PostStore(Table[Post]):
    """Posts; delete_at is set for deleted ones."""

    def __init__(self, database: Database) -> None:
        index = ["channel_id", "user_id", "root_id", "create_at", "update_at", "delete_at", "is_pinned", "message"]
        super().__init__(database, "posts", Post, ["id"], index)

    def of_channel(self, channel_id: str, page: Page | None = None) -> list[Post]:
        """The posts of a channel, newest first."""
        return self.select(_LIVE, [channel_id], _NEWEST_FIRST, page)

    def before(self, post: Post, page: Page) -> list[Post]:
        """The posts of the same channel that are older, newest first."""
        return self.select(f"{_LIVE} AND create_at < ?", [post.channel_id, post.create_at], _NEWEST_FIRST, page)

    def after(self, post: Post, page: Page) -> list[Post]:
        """The posts of the same channel that are newer, oldest first."""
        return self.select(f"{_LIVE} AND create_at > ?", [post.channel_id, post.create_at], "create_at, id", page)

    def since(self, channel_id: str, time_ms: int, limit: int) -> list[Post]:
        """What was made, changed or deleted in a channel after a time, newest first."""
        where = "channel_id = ? AND update_at > ?"
        return self.select(where, [channel_id, time_ms], _NEWEST_FIRST, Page(0, limit))

    def replies(self, root_id: str) -> list[Post]:
        """The replies of a thread, oldest first."""
        return self.select("root_id = ? AND delete_at = 0", [root_id], "create_at, id")

    def search(self, channel_ids: list[str], words: list[str], *, any_word: bool) -> list[Post]:
        """Posts in the given channels that contain all words, or any of them, newest first."""
        found: list[Post] = []
        for channel_id in channel_ids:
            conditions = ["holds(message, ?)" for _ in words]
            words_match = (" OR " if any_word else " AND ").join(conditions) or "1"
            found += self.select(f"{_LIVE} AND ({words_match})", [channel_id, *words])
        return sorted(found, key=lambda post: (-post.create_at, post.id))


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
