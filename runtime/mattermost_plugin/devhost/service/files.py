"""Methods about files, uploads and custom emoji."""

from hashlib import sha256
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.files import continue_upload, live_file, open_upload, read_content, upload_file
from mattermost_plugin.devhost.errors import bad_request, not_found, not_implemented
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_emoji_pb2 as emoji
from mattermost_pluginapi.v1 import api_file_pb2 as pb
from mattermost_pluginapi.v1.emoji_pb2 import Emoji
from mattermost_pluginapi.v1.file_pb2 import FileInfo

METHODS: Final = Methods()

MOST_IDS: Final = 500
"""How many ids of one kind GetFileInfos looks at: more would be more than a statement takes."""

_ORDERS: Final = {"": "create_at", "CreateAt": "create_at", "Size": "size"}


@METHODS.rpc
def _get_file_info(call: Call, request: pb.GetFileInfoRequest) -> pb.GetFileInfoResponse:
    return pb.GetFileInfoResponse(file_info=live_file(call.world, request.file_id))


@METHODS.rpc
def _get_file_infos(call: Call, request: pb.GetFileInfosRequest) -> pb.GetFileInfosResponse:
    options = request.options
    order = _ORDERS.get(options.sort_by)
    if request.page < 0 or request.per_page < 0 or order is None:
        raise bad_request("app.file_info.get_with_options.app_error", f"sort_by={options.sort_by}")
    user_ids = [each for each in (options.user_id, *options.user_ids) if each][:MOST_IDS]
    channel_ids = [each for each in (options.channel_id, *options.channel_ids) if each][:MOST_IDS]
    found = call.world.store.files.search(
        user_ids,
        channel_ids,
        since_ms=options.since,
        include_deleted=options.include_deleted,
        order=f"{order} {'DESC' if options.sort_order.lower() == 'desc' else 'ASC'}, id",
        page=Page(request.page, request.per_page),
    )
    return pb.GetFileInfosResponse(file_infos=found)


@METHODS.rpc
def _get_file(call: Call, request: pb.GetFileRequest) -> pb.GetFileResponse:
    return pb.GetFileResponse(data=read_content(call.world, live_file(call.world, request.file_id).path))


@METHODS.rpc
def _get_file_link(call: Call, request: pb.GetFileLinkRequest) -> pb.GetFileLinkResponse:
    config = load_config(call.world)
    settings = section(config, "FileSettings")
    if not settings.get("EnablePublicLink"):
        raise not_implemented("plugin_api.get_file_link.disabled.app_error")
    info = live_file(call.world, request.file_id)
    if not info.post_id:
        raise bad_request("plugin_api.get_file_link.no_post.app_error", f"file_id={info.id}")
    proof = sha256(f"{settings.get('PublicLinkSalt')}{info.id}".encode()).hexdigest()
    site = section(config, "ServiceSettings").get("SiteURL")
    return pb.GetFileLinkResponse(link=f"{site}/files/{info.id}/public?h={proof}")


@METHODS.rpc
def _read_file(call: Call, request: pb.ReadFileRequest) -> pb.ReadFileResponse:
    return pb.ReadFileResponse(data=read_content(call.world, request.path))


@METHODS.rpc
def _copy_file_infos(call: Call, request: pb.CopyFileInfosRequest) -> pb.CopyFileInfosResponse:
    originals = [live_file(call.world, file_id) for file_id in request.file_ids]
    copies = []
    with call.world.store.transaction():
        for original in originals:
            copy = FileInfo()
            copy.CopyFrom(original)
            copy.id, copy.creator_id, copy.post_id, copy.channel_id = new_id(), request.user_id, "", ""
            copy.create_at = copy.update_at = call.now_ms
            copies.append(call.world.store.files.insert(copy).id)
    return pb.CopyFileInfosResponse(file_ids=copies)


@METHODS.rpc
def _set_file_searchable_content(
    call: Call, request: pb.SetFileSearchableContentRequest
) -> pb.SetFileSearchableContentResponse:
    info = live_file(call.world, request.file_id)
    info.content = request.content
    call.world.store.files.put(info)
    return pb.SetFileSearchableContentResponse()


@METHODS.rpc
async def _upload_file(call: Call, request: pb.UploadFileRequest) -> pb.UploadFileResponse:
    info = await upload_file(call.world, call.context(), request.channel_id, request.filename, request.data)
    return pb.UploadFileResponse(file_info=info)


@METHODS.rpc
def _create_upload_session(call: Call, request: pb.CreateUploadSessionRequest) -> pb.CreateUploadSessionResponse:
    return pb.CreateUploadSessionResponse(upload_session=open_upload(call.world, request.upload_session))


@METHODS.rpc
def _get_upload_session(call: Call, request: pb.GetUploadSessionRequest) -> pb.GetUploadSessionResponse:
    session = call.world.store.uploads.get(request.upload_id)
    if session is None:
        raise not_found("app.upload.get.app_error", f"upload_id={request.upload_id}")
    return pb.GetUploadSessionResponse(upload_session=session)


@METHODS.rpc
async def _upload_data(call: Call, request: pb.UploadDataRequest) -> pb.UploadDataResponse:
    info = await continue_upload(call.world, call.context(), request.upload_session, request.data)
    return pb.UploadDataResponse(file_info=info)


def _check_emoji(call: Call) -> None:
    if not section(load_config(call.world), "ServiceSettings").get("EnableCustomEmoji"):
        raise not_found("api.emoji.disabled.app_error")


def _live_emoji(call: Call, emoji_id: str) -> Emoji:
    _check_emoji(call)
    found = call.world.store.emoji.get(emoji_id)
    if found is None or found.delete_at:
        raise not_found("app.emoji.get.no_result", f"emoji_id={emoji_id}")
    return found


@METHODS.rpc
def _get_emoji(call: Call, request: emoji.GetEmojiRequest) -> emoji.GetEmojiResponse:
    return emoji.GetEmojiResponse(emoji=_live_emoji(call, request.emoji_id))


@METHODS.rpc
def _get_emoji_by_name(call: Call, request: emoji.GetEmojiByNameRequest) -> emoji.GetEmojiByNameResponse:
    _check_emoji(call)
    found = call.world.store.emoji.by_name(request.name)
    if found is None:
        raise not_found("app.emoji.get_by_name.no_result", f"name={request.name}")
    return emoji.GetEmojiByNameResponse(emoji=found)


@METHODS.rpc
def _get_emoji_list(call: Call, request: emoji.GetEmojiListRequest) -> emoji.GetEmojiListResponse:
    order = "name" if request.sort_by == "name" else "create_at"
    page = Page(request.page, request.per_page)
    return emoji.GetEmojiListResponse(emojis=call.world.store.emoji.select("delete_at = 0", (), order, page))


@METHODS.rpc
def _get_emoji_image(call: Call, request: emoji.GetEmojiImageRequest) -> emoji.GetEmojiImageResponse:
    found = _live_emoji(call, request.emoji_id)
    image = read_content(call.world, f"emoji/{found.id}/image")
    kinds = {b"\x89PNG": "png", b"GIF8": "gif", b"\xff\xd8\xff": "jpeg"}
    kind = next((name for start, name in kinds.items() if image.startswith(start)), "png")
    return emoji.GetEmojiImageResponse(image=image, content_type=kind)
