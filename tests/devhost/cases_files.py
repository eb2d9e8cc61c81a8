"""What the API must do about files."""

import pytest

from mattermost_plugin.devhost import ApiError
from mattermost_pluginapi.v1.file_pb2 import GetFileInfosOptions, UploadSession
from mattermost_pluginapi.v1.post_pb2 import Post
from tests.devhost.site import NOBODY, Site, covers, made

MIB = 1024 * 1024


@covers("UploadFile", "GetFile", "GetFileInfo", "GetFileInfos", "GetFileLink", "ReadFile", "CopyFileInfos")
async def files(s: Site) -> None:
    content = bytes(range(256)) * 40
    info = (await s.api("UploadFile", data=content, channel_id=s.lobby.id, filename="../Ärger.TXT")).file_info
    assert (info.name, info.extension, info.mime_type, info.size) == ("Ärger.TXT", "txt", "text/plain", 10_240)
    assert (info.channel_id, info.creator_id) == ("", "nouser")
    assert (await s.api("GetFileInfo", file_id=info.id)).file_info == info
    assert (await s.api("GetFile", file_id=info.id)).data == content
    assert (await s.api("ReadFile", path=info.path)).data == content
    await s.api.error("GetFileLink", 400, "no_post", file_id=info.id)
    given = Post(user_id=s.ada.id, channel_id=s.lobby.id, message="look", file_ids=[info.id])
    post = (await s.api("CreatePost", post=given)).post
    assert (await s.api("GetFileInfo", file_id=info.id)).file_info.post_id == post.id
    link = (await s.api("GetFileLink", file_id=info.id)).link
    assert info.id in link
    (copy_id,) = (await s.api("CopyFileInfos", user_id=s.bob.id, file_ids=[info.id])).file_ids
    copy = (await s.api("GetFileInfo", file_id=copy_id)).file_info
    assert (copy.creator_id, copy.post_id) == (s.bob.id, "")
    assert (await s.api("GetFile", file_id=copy_id)).data == content
    options = GetFileInfosOptions(user_id=s.bob.id)
    found = (await s.api("GetFileInfos", page=0, per_page=60, options=options)).file_infos
    assert [each.id for each in found] == [copy_id]
    await s.api("DeletePost", post_id=post.id)
    await s.api.error("GetFile", 404, "app.file_info.get", file_id=info.id)
    await s.api.error("UploadFile", 400, "incorrect_channelId", data=b"", channel_id=NOBODY, filename="x")
    small = (await s.api("UploadFile", data=b"", filename="x")).file_info
    for options, expected in (
        (GetFileInfosOptions(sort_by="Size"), [small.id, copy_id]),
        (GetFileInfosOptions(sort_by="Size", sort_order="desc"), [copy_id, small.id]),
        (GetFileInfosOptions(channel_id=s.lobby.id, include_deleted=True), [info.id]),
    ):
        found = (await s.api("GetFileInfos", page=0, per_page=60, options=options)).file_infos
        assert [each.id for each in found] == expected
    for bad in ({"page": -1}, {"per_page": -1}, {"options": GetFileInfosOptions(sort_by="x")}):
        await s.api.error("GetFileInfos", 400, "get_with_options", **bad)
    await s.api.error("UploadFile", 400, data=b"", channel_id=s.lobby.id, filename="/")
    await s.api.error("ReadFile", 404, path="nowhere")
    await s.api.error("CopyFileInfos", 404, user_id=s.bob.id, file_ids=[copy_id, NOBODY])
    await s.host.act.configure("FileSettings", MaxFileSize=3, EnablePublicLink=False)
    # Plugins are not kept to the size, users are.
    await s.api("UploadFile", data=b"1234", channel_id=s.lobby.id, filename="x")
    with pytest.raises(ApiError, match="too_large"):
        await s.host.act.upload(s.ada.id, s.lobby.id, "x", b"1234")
    await s.api.error("GetFileLink", 501, file_id=copy_id)


@covers("CreateUploadSession", "GetUploadSession", "UploadData", "SetFileSearchableContent")
async def uploads_in_pieces(s: Site) -> None:
    upload_id = "upload" + "0" * 20
    fields = {
        "id": upload_id,
        "type": "attachment",
        "user_id": s.bob.id,
        "channel_id": s.lobby.id,
        "filename": "big.bin",
        "file_size": 6 * MIB,
    }
    given = made(UploadSession, fields)
    session = (await s.api("CreateUploadSession", upload_session=given)).upload_session
    await s.api.error("UploadData", 400, "first_part", upload_session=session, data=b"x" * MIB)
    answer = await s.api("UploadData", upload_session=session, data=b"x" * 5 * MIB)
    assert not answer.HasField("file_info")
    await s.api.error("UploadData", 400, "concurrent", upload_session=session, data=b"y" * MIB)
    session = (await s.api("GetUploadSession", upload_id=upload_id)).upload_session
    assert session.file_offset == 5 * MIB
    # What is more than the file is left out.
    info = (await s.api("UploadData", upload_session=session, data=b"y" * 2 * MIB)).file_info
    assert (info.size, info.creator_id) == (6 * MIB, s.bob.id)
    assert (await s.api("GetFile", file_id=info.id)).data == b"x" * 5 * MIB + b"y" * MIB
    await s.api.error("GetUploadSession", 404, upload_id=upload_id)
    await s.api("SetFileSearchableContent", file_id=info.id, content="words")
    assert (await s.api("GetFileInfo", file_id=info.id)).file_info.content == "words"
    await s.api.error("CreateUploadSession", 413, upload_session=made(UploadSession, fields, {"file_size": 2**40}))
    for bad in (
        {"id": "short"},
        {"type": "x"},
        {"filename": ""},
        {"file_size": 0},
        {"user_id": "x"},
    ):
        broken = UploadSession()
        broken.CopyFrom(given)
        for field, value in bad.items():
            setattr(broken, field, value)
        await s.api.error("CreateUploadSession", 400, "upload_session", upload_session=broken)
    wanted = made(UploadSession, fields, {"req_file_id": "f" * 26, "file_size": 3, "user_id": "nouser"})
    session = (await s.api("CreateUploadSession", upload_session=wanted)).upload_session
    info = (await s.api("UploadData", upload_session=session, data=b"xyz")).file_info
    assert (info.id, info.creator_id, info.channel_id) == ("f" * 26, "nouser", s.lobby.id)
    await s.api.error(
        "CreateUploadSession",
        400,
        "incorrect_channel",
        upload_session=made(UploadSession, fields, {"channel_id": NOBODY}),
    )
    await s.api("DeleteChannel", channel_id=s.lobby.id)
    await s.api.error("CreateUploadSession", 400, "deleted_channel", upload_session=made(UploadSession, fields))
