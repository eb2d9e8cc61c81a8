"""Posts as they are given out: to plugins without metadata, to clients with it."""

from collections.abc import Iterable

from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["for_plugin", "prepared", "without_metadata"]


def without_metadata(post: Post) -> Post:
    """A post as hooks and API methods give it to plugins: the server takes the metadata out of every one."""
    bare = Post()
    bare.CopyFrom(post)
    bare.ClearField("metadata")
    return bare


def for_plugin(world: World, posts: Iterable[Post]) -> list[Post]:
    """Posts without metadata, each with the number of replies in its thread."""
    bare = [without_metadata(post) for post in posts]
    counts = world.store.posts.reply_counts([post.root_id or post.id for post in bare])
    for post in bare:
        post.reply_count = counts.get(post.root_id or post.id, 0)
    return bare


def prepared(world: World, post: Post) -> Post:
    """A post as clients get it: with the number of replies in its thread, its reactions and its files."""
    (shown,) = for_plugin(world, [post])
    if post.HasField("metadata"):
        shown.metadata.CopyFrom(post.metadata)
    reactions, files = world.store.reactions.of_post(post.id), world.store.files.of_post(post.id)
    if reactions or files:
        shown.metadata.reactions.extend(reactions)
        shown.metadata.files.extend(files)
    return shown
