"""Lists of posts: of channels, of threads, and what a search finds."""

import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from mattermost_plugin.devhost.app.posts import prepared
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.post_list_pb2 import PostList
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["MOST_SINCE", "list_of", "search_posts", "thread_of"]

MOST_SINCE: Final = 1000
"""How many posts a server gives at most to those who ask for everything since a time."""


def list_of(world: World, posts: Sequence[Post]) -> PostList:
    """Posts in their order, with the first posts of the threads to which they reply."""
    result = PostList(order=[post.id for post in posts])
    for post in posts:
        result.posts[post.id].CopyFrom(prepared(world, post))
    for root_id in {post.root_id for post in posts if post.root_id} - set(result.order):
        root = world.store.posts.get(root_id)
        if root is not None:
            result.posts[root_id].CopyFrom(prepared(world, root))
    return result


def thread_of(world: World, post: Post) -> PostList:
    """The thread that a post is in: its first post, then the replies from the oldest."""
    root = world.store.posts.get(post.root_id) if post.root_id else post
    posts = [root] if root is not None and not root.delete_at else []
    return list_of(world, [*posts, *world.store.posts.replies(post.root_id or post.id)])


def words_of(terms: str) -> list[str]:
    """The words of a search; what is in quotation marks is one."""
    try:
        words = shlex.split(terms.replace("'", "\\'"))
    except ValueError:
        words = terms.split()
    return [word.strip("*") for word in words if word.strip("*")]


def search_posts(
    world: World, channel_ids: Iterable[str], terms: str, *, any_word: bool, user_ids: Sequence[str] = ()
) -> list[Post]:
    """Posts that contain the words of a search, newest first.

    Args:
        world: the host's parts.
        channel_ids: where to look.
        terms: the words.
        any_word: one word is enough.
        user_ids: whose posts; empty for everybody's.
    """
    words = words_of(terms)
    if not words and not user_ids:
        return []
    found = world.store.posts.search(list(channel_ids), words, any_word=any_word)
    return [prepared(world, post) for post in found if not user_ids or post.user_id in user_ids]
