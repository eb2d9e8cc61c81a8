"""The files of posts: which ones a post gets, and what becomes of them."""

from collections.abc import Iterable
from typing import Final

from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["NOBODY", "attach_files", "change_files", "remove_files"]

NOBODY: Final = "nouser"
"""Creator of files that plugins upload, which anybody's post may have."""


def attach_files(world: World, post: Post, file_ids: Iterable[str]) -> list[str]:
    """Attach files to a post: those that are in no other, and are its author's or a plugin's.

    Returns:
        The ids of the attached ones; the log tells about the others.
    """
    attached = []
    for file_id in file_ids:
        info = world.store.files.get(file_id)
        free = info is not None and not info.post_id and not info.delete_at
        if info is None or not free or info.creator_id not in (post.user_id, NOBODY):
            pairs = {"post_id": post.id, "file_id": file_id}
            world.log("warn", "a post has a file that it cannot have; it is left out", pairs=pairs)
            continue
        info.post_id, info.channel_id, info.update_at = post.id, post.channel_id, post.update_at
        world.store.files.put(info)
        attached.append(file_id)
    return attached


def change_files(world: World, old: Post, new: Post) -> list[str]:
    """Attach the files that an edited post has got, and remove those that it has lost.

    Returns:
        The ids of the files that it has now.
    """
    added = attach_files(world, new, [file_id for file_id in new.file_ids if file_id not in old.file_ids])
    lost = [file_id for file_id in old.file_ids if file_id not in new.file_ids]
    remove_files(world, world.store.files.among("id", lost, "delete_at = 0"), new.update_at)
    return [file_id for file_id in new.file_ids if file_id in old.file_ids or file_id in added]


def remove_files(world: World, infos: Iterable[FileInfo], now_ms: int) -> None:
    """Mark files as deleted."""
    for info in infos:
        info.delete_at = info.update_at = now_ms
        world.store.files.put(info)
