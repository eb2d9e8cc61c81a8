"""Files: uploaded in one piece or several, read, copied."""

import mimetypes
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.post_files import NOBODY
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.file_pb2 import FileInfo, UploadSession
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest

__all__ = [
    "check_size",
    "continue_upload",
    "live_file",
    "open_upload",
    "read_content",
    "store_file",
    "upload_file",
    "upload_file_as_user",
]

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


async def upload_file_as_user(
    world: World, context: PluginContext, channel_id: str, filename: str, content: bytes, user_id: str
) -> FileInfo:
    """Store a file as a user does, who is kept to the configured size.

    Raises:
        ApiError: the file is too large, or as `upload_file`.
    """
    check_size(world, len(content), "api.file.upload_file.too_large_detailed.app_error")
    return await upload_file(world, context, channel_id, filename, content, user_id)


async def upload_file(
    world: World, context: PluginContext, channel_id: str, filename: str, content: bytes, user_id: str = NOBODY
) -> FileInfo:
    """Store a file that is in no post; it belongs to no channel before it is in one.

    Args:
        world: the host's parts.
        context: context of the hooks.
        channel_id: where it will be posted; "" if that is not known.
        filename: its name; folders before it are left out.
        content: its content.
        user_id: who uploads it; `NOBODY` for a plugin.

    Raises:
        ApiError: there is no such channel, the file has no name, or a plugin refuses.
    """
    if channel_id and world.store.channels.get(channel_id) is None:
        raise bad_request("api.file.upload_file.incorrect_channelId.app_error", f"channel_id={channel_id}")
    return await store_file(world, context, FileInfo(name=filename, creator_id=user_id), channel_id, content)


async def store_file(world: World, context: PluginContext, info: FileInfo, channel_id: str, content: bytes) -> FileInfo:
    """Store a file, if all plugins allow it; they may replace it.

    Args:
        world: the host's parts.
        context: context of the hooks.
        info: its name and creator, and what else is known about it. It gets an id if it has none.
        channel_id: where it will be posted; "" if that is not known.
        content: its content.

    Raises:
        ApiError: the file has no name, its id is another file's, or a plugin refuses.
    """
    name = PurePosixPath(info.name.replace("\\", "/")).name
    if not name or len(name) > LONGEST_FILENAME:
        raise bad_request("model.file_info.is_valid.name.app_error", f"name={info.name[:LONGEST_FILENAME]}")
    info.name = name
    info = _describe(info, content)
    info.id = info.id or new_id()
    info.create_at = info.update_at = world.now_ms()
    path = info.path = _path(info, channel_id)
    kept = (info.id, info.create_at)
    info, content = await _ask_plugins(world, context, info, content)
    (info.id, info.create_at), info.path = kept, path
    try:
        with world.store.transaction():
            world.store.files.insert(info)
            world.store.blobs.write(info.path, content)
    except DuplicateError as error:
        raise ApiError("app.file_info.save.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, f"id={info.id}") from error
    return info


def _path(info: FileInfo, channel_id: str) -> str:
    """Where a file is, as on a server, whose folders are the days."""
    day = datetime.fromtimestamp(info.create_at / 1000, tz=UTC).strftime("%Y%m%d")
    return f"{day}/teams/noteam/channels/{channel_id}/users/{info.creator_id}/{info.id}/{info.name}"


async def _ask_plugins(world: World, context: PluginContext, info: FileInfo, content: bytes) -> tuple[FileInfo, bytes]:
    """Each plugin sees what the one before has made of the file."""
    for plugin in world.hooks.plugins_with(FileWillBeUploadedRequest):
        request = FileWillBeUploadedRequest(plugin_context=context, file_info=info, file_content=content)
        response = await world.hooks.try_ask(plugin, request)
        if response is None:
            continue
        if response.rejection_reason:
            raise ApiError(
                f"File rejected by plugin. {response.rejection_reason}", HTTPStatus.BAD_REQUEST, where="DoUploadFile"
            )
        if response.HasField("modified_file_info"):
            info = response.modified_file_info
        if response.modified_content:
            content = response.modified_content
            info.size = len(content)
    return info, content


def _describe(info: FileInfo, content: bytes) -> FileInfo:
    info.extension = PurePosixPath(info.name).suffix.lstrip(".").lower()
    info.mime_type = mimetypes.guess_type(info.name)[0] or ""
    info.size = len(content)
    return info


def check_size(world: World, size: int, error_id: str) -> None:
    """Check that something is not larger than files may be.

    Args:
        world: the host's parts.
        size: its size in bytes.
        error_id: id of the error if it is.

    Raises:
        ApiError: it is.
    """
    largest = section(load_config(world), "FileSettings").get("MaxFileSize")
    if isinstance(largest, int) and size > largest:
        raise ApiError(error_id, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{size} bytes")


def open_upload(world: World, session: UploadSession) -> UploadSession:
    """Begin an upload in several pieces.

    Raises:
        ApiError: a value breaks a rule, the file is too large, or the channel is not there or is archived.
    """
    if not is_id(session.id):
        raise bad_request("model.upload_session.is_valid.id.app_error", f"id={session.id}")
    if session.type not in ("attachment", "import"):
        raise bad_request("model.upload_session.is_valid.type.app_error", f"type={session.type}")
    if not is_id(session.user_id) and session.user_id != NOBODY:
        raise bad_request("model.upload_session.is_valid.user_id.app_error", f"id={session.id}")
    if not session.filename:
        raise bad_request("model.upload_session.is_valid.filename.app_error")
    if session.file_size <= 0:
        raise bad_request("model.upload_session.is_valid.file_size.app_error")
    check_size(world, session.file_size, "app.upload.create.upload_too_large.app_error")
    if session.type == "attachment":
        _check_channel(world, session.channel_id)
    opened = UploadSession()
    opened.CopyFrom(session)
    opened.create_at, opened.file_offset = world.now_ms(), 0
    opened.path = f"uploads/{session.id}/{PurePosixPath(session.filename).name}"
    return world.store.uploads.put(opened)


def _check_channel(world: World, channel_id: str) -> None:
    channel = world.store.channels.get(channel_id)
    if channel is None:
        raise bad_request("app.upload.create.incorrect_channel_id.app_error", f"channel_id={channel_id}")
    if channel.delete_at:
        raise bad_request("app.upload.create.cannot_upload_to_deleted_channel.app_error", f"channel_id={channel_id}")


async def continue_upload(
    world: World, context: PluginContext, session: UploadSession, content: bytes
) -> FileInfo | None:
    """Take in the next piece; what is more than the file is left out.

    Returns:
        The file once it is complete, None before.

    Raises:
        ApiError: there is no such upload, the piece does not fit, another one is being taken in, or a plugin refuses
            the file.
    """
    if session.id in world.uploads_under_way:
        raise bad_request("app.upload.upload_data.concurrent.app_error", f"upload_id={session.id}")
    world.uploads_under_way.add(session.id)
    try:
        upload = _append(world, session, content)
        return await _complete(world, context, upload) if upload.file_offset == upload.file_size else None
    finally:
        world.uploads_under_way.discard(session.id)


def _append(world: World, session: UploadSession, content: bytes) -> UploadSession:
    stored = world.store.uploads.get(session.id)
    if stored is None:
        raise not_found("app.upload.get.app_error", f"upload_id={session.id}")
    if session.file_offset != stored.file_offset:
        raise bad_request("app.upload.upload_data.concurrent.app_error", f"file_offset={stored.file_offset}")
    piece = content[: stored.file_size - stored.file_offset]
    end = stored.file_offset + len(piece)
    if stored.file_offset == 0 and end < stored.file_size and len(piece) < SHORTEST_FIRST_PIECE:
        raise bad_request("app.upload.upload_data.first_part_too_small.app_error", f"{len(piece)} bytes")
    with world.store.transaction():
        world.store.blobs.append(stored.path, piece)
        stored.file_offset = end
        return world.store.uploads.put(stored)


async def _complete(world: World, context: PluginContext, upload: UploadSession) -> FileInfo:
    """Make a file of an upload that has all its pieces.

    They are kept until the file is there or refused: they are all that is left of it if the host is killed, or the
    caller gives up.
    """
    whole = read_content(world, upload.path)
    info = FileInfo(id=upload.req_file_id, name=upload.filename, creator_id=upload.user_id)
    info.channel_id = upload.channel_id
    if upload.remote_id:
        info.remote_id = upload.remote_id
    try:
        stored = await store_file(world, context, info, upload.channel_id, whole)
    except ApiError:
        _forget(world, upload)
        raise
    _forget(world, upload)
    return stored


def _forget(world: World, upload: UploadSession) -> None:
    with world.store.transaction():
        world.store.uploads.delete(upload.id)
        world.store.blobs.delete(upload.path)
