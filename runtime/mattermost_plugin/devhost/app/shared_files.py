"""Files and pictures that come from remotes."""

from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.files import check_size, store_file
from mattermost_plugin.devhost.app.pictures import set_user_picture
from mattermost_plugin.devhost.app.remote_users import user_of_remote
from mattermost_plugin.devhost.app.shared_sync import check_shared_with
from mattermost_plugin.devhost.errors import bad_request, not_implemented
from mattermost_plugin.devhost.ids import is_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster

__all__ = ["take_in_file", "take_in_picture"]

_NEEDED: Final = (("creator_id", "creator_id"), ("name", "filename"))


async def take_in_file(
    world: World, context: PluginContext, remote: RemoteCluster, channel_id: str, given: FileInfo, content: bytes
) -> FileInfo:
    """Store a file of a shared channel, before or after its post. The same one again is the one that is there.

    Raises:
        ApiError: something is not said about it, its channel is not shared with the remote, its creator is not from
            there, it is too large or not whole, its id is another file's, or a plugin refuses it.
    """
    for field, name in _NEEDED:
        if not getattr(given, field):
            raise bad_request(f"api.shared_channel.attachment.{name}_required.app_error", f"{field} is empty")
    check_shared_with(world, channel_id, remote)
    user_of_remote(world, remote, given.creator_id)
    if not section(load_config(world), "FileSettings").get("EnableFileAttachments"):
        raise not_implemented("api.file.attachments.disabled.app_error")
    if given.id and not is_id(given.id):
        raise bad_request("model.file_info.is_valid.id.app_error", f"id={given.id}")
    check_size(world, given.size, "api.upload.create.upload_too_large.app_error")
    if given.size <= 0 or len(content) < given.size:
        raise bad_request("api.shared_channel.attachment.data.app_error", f"{len(content)} of {given.size} bytes")
    old = world.store.files.get(given.id)
    if old is not None:
        if (old.channel_id, old.creator_id) != (channel_id, given.creator_id):
            raise bad_request("api.shared_channel.attachment.mismatch.app_error", f"id={given.id} is another file")
        return old
    info = FileInfo(id=given.id, name=given.name, creator_id=given.creator_id, channel_id=channel_id)
    info.remote_id = remote.remote_id
    return await store_file(world, context, info, channel_id, content[: given.size])


def take_in_picture(world: World, remote: RemoteCluster, user_id: str, image: bytes) -> None:
    """Give a user of a remote a picture.

    Raises:
        ApiError: the user is not from there, or the bytes are too many or no picture.
    """
    user_of_remote(world, remote, user_id)
    check_size(world, len(image), "api.user.upload_profile_user.too_large.app_error")
    set_user_picture(world, user_id, image)
