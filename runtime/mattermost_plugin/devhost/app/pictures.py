"""Pictures of users and teams."""

import struct
import zlib
from hashlib import sha256
from typing import Final

from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.world import World

__all__ = ["is_picture", "set_user_picture", "user_picture"]

_PICTURE_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def is_picture(content: bytes) -> bool:
    """Whether bytes begin like a picture; the host cannot read more of one."""
    return content.startswith(_PICTURE_STARTS)


def user_picture(world: World, user_id: str) -> bytes:
    """A user's picture; a plain one if the user has none.

    Raises:
        ApiError: there is no such user.
    """
    user = existing_user(world, user_id)
    return world.store.blobs.read(_path(user.id)) or _plain_picture(user.username)


def set_user_picture(world: World, user_id: str, image: bytes) -> None:
    """Give a user a picture.

    Raises:
        ApiError: there is no such user, or the bytes are no picture.
    """
    user = existing_user(world, user_id)
    if not is_picture(image):
        raise bad_request("api.user.upload_profile_user.decode.app_error")
    user.last_picture_update = user.update_at = world.now_ms()
    with world.store.transaction():
        world.store.blobs.write(_path(user.id), image)
        world.store.users.put(user)
    world.broadcast("user_updated", {"user_id": user.id})


def _path(user_id: str) -> str:
    return f"users/{user_id}/profile.png"


def _plain_picture(name: str, size: int = 32) -> bytes:
    """A PNG of one colour that depends on a name."""
    row = b"\0" + sha256(name.encode()).digest()[:3] * size

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return _PICTURE_STARTS[0] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * size)) + chunk(b"IEND", b"")
