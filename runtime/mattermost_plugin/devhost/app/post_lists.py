"""Lists of posts: of channels, of threads, and of what has changed."""

from collections.abc import Iterable
from typing import Final

from mattermost_plugin.devhost.app.post_views import for_plugin, without_metadata
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.store import Page
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.post_list_pb2 import PostList
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["after", "before", "changed_since", "page_of_channel", "thread_of"]

MOST_ON_A_PAGE: Final = 1000
"""A server refuses to give more posts of a channel at once."""

MOST_SINCE: Final = 1000
"""How many posts a server gives at most to those who ask for everything since a time."""


def _list(ordered: Iterable[Post], others: Iterable[Post] = ()) -> PostList:
    """A list: some posts in their order, and others that belong to them."""
    result = PostList()
    for post in ordered:
        result.order.append(post.id)
        result.posts[post.id].CopyFrom(post)
    for post in others:
        if post.id not in result.posts:
            result.posts[post.id].CopyFrom(post)
    return result


def page_of_channel(world: World, channel_id: str, page: Page) -> PostList:
    """A page of a channel's posts, newest first, and the whole threads of the replies among them.

    The posts do not say how many replies they have; a server does not count them here.

    Raises:
        ApiError: the page is too large.
    """
    if page.size > MOST_ON_A_PAGE:
        raise bad_request("app.post.get_posts.app_error", f"per_page={page.size}")
    posts = world.store.posts.of_channel(channel_id, page)
    threads = world.store.posts.threads([post.root_id for post in posts if post.root_id])
    return _list(map(without_metadata, posts), map(without_metadata, threads))


def before(world: World, channel_id: str, post_id: str, page: Page) -> PostList:
    """A page of the posts of a channel that are older than a post, newest first, with their whole threads.

    Raises:
        ApiError: the page has a negative number or size.
    """
    _check_around(page)
    return _around(world, world.store.posts.before(channel_id, post_id, page))


def after(world: World, channel_id: str, post_id: str, page: Page) -> PostList:
    """A page of the posts of a channel that are newer than a post, newest first, with their whole threads.

    Pages go from the given post on: the first one has those next to it.

    Raises:
        ApiError: the page has a negative number or size.
    """
    _check_around(page)
    return _around(world, world.store.posts.after(channel_id, post_id, page)[::-1])


def _check_around(page: Page) -> None:
    if page.number < 0 or page.size < 0:
        raise bad_request("app.post.get_posts_around.get.app_error", f"page={page.number}, per_page={page.size}")


def _around(world: World, posts: list[Post]) -> PostList:
    roots = [*(post.id for post in posts), *(post.root_id for post in posts if post.root_id)]
    return _list(for_plugin(world, posts), for_plugin(world, world.store.posts.threads(roots)))


def changed_since(world: World, channel_id: str, time_ms: int) -> PostList:
    """What was made, changed or deleted in a channel after a time, newest first, and the threads' first posts.

    What edited posts were before is in it too, as deleted posts.
    """
    posts = world.store.posts.since(channel_id, time_ms, MOST_SINCE)
    roots = world.store.posts.among("id", [post.root_id for post in posts if post.root_id])
    return _list(map(without_metadata, posts), map(without_metadata, roots))


def thread_of(world: World, post: Post) -> PostList:
    """The thread that a post is in: the post itself, then the others from the oldest."""
    others = (each for each in world.store.posts.thread(post.root_id or post.id) if each.id != post.id)
    return _list(for_plugin(world, [post, *others]))
