"""Files: uploaded in one piece or several, read, copied."""

import mimetypes
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.file_pb2 import FileInfo, UploadSession
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest

__all__ = ["continue_upload", "live_file", "open_upload", "read_content", "upload_file"]

LONGEST_FILENAME: Final = 256
SHORTEST_FIRST_PIECE: Final = 5 * 1024 * 1024
"""What S3 wants of all pieces but the last, and so the server."""


def live_file(world: World, file_id: str) -> FileInfo:
    """What is known about a file that is not deleted.

    Raises:
        ApiError: there is none.
    """
    info = world.store.files.get(file_id)
    if info is None or info.delete_at:
        raise not_found("app.file_info.get.app_error", f"file_id={file_id}")
    return info


def read_content(world: World, path: str) -> bytes:
    """The content at a path of the file store.

    Raises:
        ApiError: there is none.
    """
    content = world.store.blobs.read(path)
    if content is None:
        raise not_found("api.file.read_file.app_error", f"path={path}")
    return content


async def upload_file(
    world: World, context: PluginContext, channel_id: str, filename: str, content: bytes, user_id: str = "nouser"
) -> FileInfo:
    """Store a file, if all plugins allow it; they may replace it.

    Raises:
        ApiError: there is no such channel, the file is too large or has no name, or a plugin refuses.
    """
    existing_channel(world, channel_id)
    _check_size(world, len(content))
    name = PurePosixPath(filename.replace("\\", "/")).name
    if not name or len(name) > LONGEST_FILENAME:
        raise bad_request("model.file_info.is_valid.name.app_error", f"name={filename}")
    info = _describe(FileInfo(name=name, creator_id=user_id, channel_id=channel_id), content)
    info.id, info.create_at = new_id(), world.now_ms()
    info.update_at = info.create_at
    info, content = await _ask_plugins(world, context, info, content)
    info.path = f"{channel_id}/{info.id}/{name}"
    with world.store.transaction():
        world.store.blobs.write(info.path, content)
        world.store.files.insert(info)
    return info


async def _ask_plugins(world: World, context: PluginContext, info: FileInfo, content: bytes) -> tuple[FileInfo, bytes]:
    """Each plugin sees what the one before has made of the file."""
    file_id = info.id
    for plugin in world.hooks.plugins_with(FileWillBeUploadedRequest):
        request = FileWillBeUploadedRequest(plugin_context=context, file_info=info, file_content=content)
        response = await world.hooks.try_ask(plugin, request)
        if response is None:
            continue
        if response.rejection_reason:
            raise ApiError(
                "File rejected by plugin. " + response.rejection_reason,
                HTTPStatus.BAD_REQUEST,
                response.rejection_reason,
                where="UploadFile",
            )
        if response.HasField("modified_file_info"):
            info = response.modified_file_info
        if response.modified_content:
            content = response.modified_content
            info.size = len(content)
    info.id = file_id
    return info, content


def _describe(info: FileInfo, content: bytes) -> FileInfo:
    info.extension = PurePosixPath(info.name).suffix.lstrip(".").lower()
    info.mime_type = mimetypes.guess_type(info.name)[0] or ""
    info.size = len(content)
    return info


def _check_size(world: World, size: int) -> None:
    largest = section(load_config(world), "FileSettings").get("MaxFileSize")
    if isinstance(largest, int) and size > largest:
        raise ApiError("api.file.upload_file.too_large_detailed.app_error", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def open_upload(world: World, session: UploadSession) -> UploadSession:
    """Begin an upload in several pieces.

    Raises:
        ApiError: a value breaks a rule, the file is too large, or there is no such channel.
    """
    if not is_id(session.id):
        raise bad_request("model.upload_session.is_valid.id.app_error", f"id={session.id}")
    if session.type not in ("attachment", "import"):
        raise bad_request("model.upload_session.is_valid.type.app_error", f"type={session.type}")
    if not session.filename:
        raise bad_request("model.upload_session.is_valid.filename.app_error")
    if session.file_size <= 0:
        raise bad_request("model.upload_session.is_valid.file_size.app_error")
    _check_size(world, session.file_size)
    if session.type == "attachment":
        existing_channel(world, session.channel_id)
    opened = UploadSession()
    opened.CopyFrom(session)
    opened.create_at, opened.file_offset = world.now_ms(), 0
    opened.path = f"uploads/{session.id}/{session.filename}"
    return world.store.uploads.put(opened)


async def continue_upload(
    world: World, context: PluginContext, session: UploadSession, content: bytes
) -> FileInfo | None:
    """Take in the next piece.

    Returns:
        The file once it is complete, None before.

    Raises:
        ApiError: there is no such upload, the piece does not fit, or a plugin refuses the file.
    """
    stored = world.store.uploads.get(session.id)
    if stored is None:
        raise not_found("app.upload.get.app_error", f"upload_id={session.id}")
    if session.file_offset != stored.file_offset:
        raise bad_request("app.upload.upload_data.concurrent.app_error", f"file_offset={stored.file_offset}")
    end = stored.file_offset + len(content)
    if end > stored.file_size:
        raise bad_request("app.upload.upload_data.large.app_error", f"file_size={stored.file_size}")
    if stored.file_offset == 0 and end < stored.file_size and len(content) < SHORTEST_FIRST_PIECE:
        raise bad_request("app.upload.upload_data.first_part_too_small.app_error", f"{len(content)} bytes")
    with world.store.transaction():
        world.store.blobs.append(stored.path, content)
        stored.file_offset = end
        world.store.uploads.put(stored)
    if end < stored.file_size:
        return None
    whole = read_content(world, stored.path)
    try:
        return await upload_file(world, context, stored.channel_id, stored.filename, whole, stored.user_id)
    finally:
        # Only now: until the file is there, the pieces are all that is left of it if the host is killed.
        with world.store.transaction():
            world.store.uploads.delete(stored.id)
            world.store.blobs.delete(stored.path)
