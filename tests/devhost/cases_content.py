"""What the API must do about posts, reactions, emoji and files."""

from typing import Any

from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_pluginapi.v1.file_pb2 import GetFileInfosOptions, UploadSession
from mattermost_pluginapi.v1.post_list_pb2 import SearchParameter, SearchParams
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction
from tests.devhost.site import NOBODY, PNG, Site, covers, made

MIB = 1024 * 1024


async def write(s: Site, message: str, **fields: Any) -> Post:
    given = Post(user_id=s.ada.id, channel_id=s.lobby.id, message=message, **fields)
    post: Post = (await s.api("CreatePost", post=given)).post
    return post


@covers("CreatePost", "GetPost", "UpdatePost", "DeletePost", "GetPostThread")
async def posts_and_threads(s: Site) -> None:
    given = Post(user_id=s.ada.id, channel_id=s.lobby.id, message="Grüße 👋", pending_post_id="p1")
    given.props.update({"a": [1, {"b": None}], "text": "x"})
    root = (await s.api("CreatePost", post=given)).post
    assert len(root.id) == 26
    assert root.message == "Grüße 👋"
    assert root.props["from_plugin"] == "true"
    assert root.props["a"][1]["b"] is None
    assert root.create_at == root.update_at > 0
    assert (await s.api("GetPost", post_id=root.id)).post == root
    reply = await write(s, "first", root_id=root.id)
    await write(s, "second", root_id=root.id)
    thread = (await s.api("GetPostThread", post_id=reply.id)).post_list
    assert [thread.posts[post_id].message for post_id in thread.order] == ["Grüße 👋", "first", "second"]
    stored = (await s.api("GetPost", post_id=root.id)).post
    assert stored.reply_count == 2
    assert stored.last_reply_at > reply.create_at
    channel = (await s.api("GetChannel", channel_id=s.lobby.id)).channel
    assert (channel.total_msg_count, channel.total_msg_count_root) == (3, 1)
    reply.message, reply.user_id = "changed", s.bob.id
    changed = (await s.api("UpdatePost", post=reply)).post
    assert (changed.message, changed.user_id) == ("changed", s.ada.id)
    assert changed.edit_at > changed.create_at
    await s.api("DeletePost", post_id=root.id)
    for post_id in (root.id, reply.id, NOBODY, "nope", ""):
        for method in ("GetPost", "DeletePost", "GetPostThread"):
            await s.api.error(method, 404, "app.post.get", post_id=post_id)
    await s.api.error("UpdatePost", 404, post=root)
    assert s.host.store.posts.get(reply.id).delete_at > 0  # type: ignore[union-attr]  # kept, as deleted


@covers("CreatePost")
async def refused_posts(s: Site) -> None:
    post = await write(s, "x" * 16_383)
    reply = await write(s, "reply", root_id=post.id)
    square = (await s.api("GetChannelByName", team_id=s.team.id, name="town-square")).channel
    valid = {"user_id": s.ada.id, "channel_id": s.lobby.id, "message": "x"}
    for status, error_id, bad in (
        (404, "app.channel", {"channel_id": NOBODY}),
        (404, "app.user", {"user_id": ""}),
        (400, "message_length", {"message": "x" * 16_384}),
        (400, "root_id", {"root_id": NOBODY}),
        (400, "root_id", {"root_id": reply.id}),
        (400, "channel_root_id", {"root_id": post.id, "channel_id": square.id}),
        (400, "file_ids", {"file_ids": [NOBODY] * 11}),
    ):
        await s.api.error("CreatePost", status, error_id, post=made(Post, valid, bad))
    await s.api("DeleteChannel", channel_id=s.lobby.id)
    await s.api.error("CreatePost", 400, "deleted", post=made(Post, valid))


@covers("GetPostsForChannel", "GetPostsBefore", "GetPostsAfter", "GetPostsSince")
async def lists_of_posts(s: Site) -> None:
    posts = [await write(s, str(number)) for number in range(5)]
    reply = await write(s, "reply", root_id=posts[0].id)

    def messages(answer: Any) -> list[str]:
        return [answer.post_list.posts[post_id].message for post_id in answer.post_list.order]

    lobby = {"channel_id": s.lobby.id}
    page = await s.api("GetPostsForChannel", **lobby, page=0, per_page=2)
    assert messages(page) == ["reply", "4"]
    assert posts[0].id in page.post_list.posts
    assert messages(await s.api("GetPostsForChannel", **lobby, page=2, per_page=2)) == ["1", "0"]
    assert messages(await s.api("GetPostsForChannel", **lobby, page=9, per_page=2)) == []
    here = {**lobby, "post_id": posts[2].id}
    assert messages(await s.api("GetPostsBefore", **here, page=0, per_page=1)) == ["1"]
    assert messages(await s.api("GetPostsBefore", **here, page=1, per_page=1)) == ["0"]
    assert messages(await s.api("GetPostsAfter", **here, page=0, per_page=2)) == ["4", "3"]
    assert messages(await s.api("GetPostsAfter", **here, page=1, per_page=2)) == ["reply"]
    since = posts[3].update_at
    await s.api("DeletePost", post_id=posts[1].id)
    changed = await s.api("GetPostsSince", **lobby, time=since)
    assert set(messages(changed)) == {"0", "1", "4", "reply"}
    assert changed.post_list.posts[posts[1].id].delete_at > 0
    assert changed.post_list.posts[reply.id].root_id == posts[0].id
    await s.api.error("GetPostsBefore", 404, **lobby, post_id=NOBODY)
    await s.api.error("GetPostsAfter", 400, channel_id=NOBODY, post_id=posts[2].id)


@covers("SearchPostsInTeam", "SearchPostsInTeamForUser")
async def searches(s: Site) -> None:
    for message in ("the quick fox", "quick turtles", "100% slow_fox", "a lazy dog"):
        await write(s, message)

    async def found(terms: str, **fields: Any) -> list[str]:
        params = [SearchParams(terms=terms, **fields)]
        answer = await s.api("SearchPostsInTeam", team_id=s.team.id, params_list=params)
        return [post.message for post in answer.posts]

    assert await found("quick") == ["quick turtles", "the quick fox"]
    assert await found("QUICK fox") == ["the quick fox"]
    assert await found("turtles dog", is_or_search=True) == ["a lazy dog", "quick turtles"]
    assert await found('"lazy dog"') == ["a lazy dog"]
    assert await found("100%") == ["100% slow_fox"]
    assert await found("w_f") == ["100% slow_fox"]
    assert await found("'; DROP TABLE posts; --") == []
    assert await found("quick", from_users=["bob"]) == []
    assert await found("quick", in_channels=["town-square"]) == []
    for user, count in ((s.ada, 2), (s.bob, 0)):
        answer = await s.api(
            "SearchPostsInTeamForUser",
            team_id=s.team.id,
            user_id=user.id,
            search_params=SearchParameter(terms="quick"),
        )
        assert len(answer.results.order) == len(answer.results.posts) == count
    await s.api.error("SearchPostsInTeam", 404, team_id=NOBODY)
    await s.host.act.configure("ServiceSettings", EnablePostSearch=False)
    await s.api.error("SearchPostsInTeam", 501, team_id=s.team.id)


@covers("SendEphemeralPost", "UpdateEphemeralPost", "DeleteEphemeralPost")
async def ephemeral_posts(s: Site) -> None:
    given = Post(channel_id=s.lobby.id, message="psst")
    shown = (await s.api("SendEphemeralPost", user_id=s.bob.id, post=given)).post
    assert (shown.type, len(shown.id)) == ("system_ephemeral", 26)
    (event,) = (e for e in s.host.events.history(WebSocketEvent) if e.name == "ephemeral_message")
    assert event.broadcast.user_id == s.bob.id
    assert "psst" in str(event.data["post"])
    shown.message = "hush"
    assert (await s.api("UpdateEphemeralPost", user_id=s.bob.id, post=shown)).post.message == "hush"
    await s.api("DeleteEphemeralPost", user_id=s.bob.id, post_id=shown.id)
    await s.api.error("GetPost", 404, post_id=shown.id)


@covers("AddReaction", "GetReactions", "RemoveReaction")
async def reactions(s: Site) -> None:
    post = await write(s, "vote")
    given = Reaction(user_id=s.bob.id, post_id=post.id, emoji_name="+1")
    added = (await s.api("AddReaction", reaction=given)).reaction
    assert added.channel_id == s.lobby.id
    assert (await s.api("AddReaction", reaction=given)).reaction == added
    assert list((await s.api("GetReactions", post_id=post.id)).reactions) == [added]
    stored = (await s.api("GetPost", post_id=post.id)).post
    assert stored.has_reactions
    assert list(stored.metadata.reactions) == [added]
    await s.api("RemoveReaction", reaction=given)
    assert not (await s.api("GetReactions", post_id=post.id)).reactions
    assert not (await s.api("GetPost", post_id=post.id)).post.has_reactions
    for status, bad in ((404, {"post_id": NOBODY}), (404, {"user_id": NOBODY}), (400, {"emoji_name": "no emoji"})):
        fields = {"user_id": s.bob.id, "post_id": post.id, "emoji_name": "x"}
        await s.api.error("AddReaction", status, reaction=made(Reaction, fields, bad))
    await s.api.error("RemoveReaction", 404, reaction=Reaction(post_id=NOBODY))


@covers("GetEmoji", "GetEmojiByName", "GetEmojiList", "GetEmojiImage")
async def emoji(s: Site) -> None:
    added = s.host.act.add_emoji(s.ada.id, "party-parrot", PNG)
    assert (await s.api("GetEmoji", emoji_id=added.id)).emoji == added
    assert (await s.api("GetEmojiByName", name="party-parrot")).emoji == added
    assert list((await s.api("GetEmojiList", sort_by="name", page=0, per_page=60)).emojis) == [added]
    image = await s.api("GetEmojiImage", emoji_id=added.id)
    assert (image.image, image.content_type) == (PNG, "png")
    await s.api.error("GetEmoji", 404, emoji_id=NOBODY)
    await s.api.error("GetEmojiByName", 404, name="smile")
    await s.host.act.configure("ServiceSettings", EnableCustomEmoji=False)
    await s.api.error("GetEmojiImage", 404, "disabled", emoji_id=added.id)


@covers("UploadFile", "GetFile", "GetFileInfo", "GetFileInfos", "GetFileLink", "ReadFile", "CopyFileInfos")
async def files(s: Site) -> None:
    content = bytes(range(256)) * 40
    info = (await s.api("UploadFile", data=content, channel_id=s.lobby.id, filename="../Ärger.TXT")).file_info
    assert (info.name, info.extension, info.mime_type, info.size) == ("Ärger.TXT", "txt", "text/plain", 10_240)
    assert (await s.api("GetFileInfo", file_id=info.id)).file_info == info
    assert (await s.api("GetFile", file_id=info.id)).data == content
    assert (await s.api("ReadFile", path=info.path)).data == content
    await s.api.error("GetFileLink", 400, "no_post", file_id=info.id)
    post = await write(s, "look", file_ids=[info.id])
    assert post.metadata.files[0].post_id == post.id
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
    await s.api.error("UploadFile", 404, data=b"", channel_id=NOBODY, filename="x")
    await s.api.error("UploadFile", 400, data=b"", channel_id=s.lobby.id, filename="/")
    await s.api.error("ReadFile", 404, path="nowhere")
    await s.api.error("CopyFileInfos", 404, user_id=s.bob.id, file_ids=[copy_id, NOBODY])
    await s.host.act.configure("FileSettings", MaxFileSize=3, EnablePublicLink=False)
    await s.api.error("UploadFile", 413, data=b"1234", channel_id=s.lobby.id, filename="x")
    await s.api.error("GetFileLink", 501, file_id=copy_id)


@covers("CreateUploadSession", "GetUploadSession", "UploadData", "SetFileSearchableContent")
async def uploads_in_pieces(s: Site) -> None:
    upload_id = "upload" + "0" * 20
    given = UploadSession(
        id=upload_id,
        type="attachment",
        user_id=s.bob.id,
        channel_id=s.lobby.id,
        filename="big.bin",
        file_size=6 * MIB,
    )
    session = (await s.api("CreateUploadSession", upload_session=given)).upload_session
    await s.api.error("UploadData", 400, "first_part", upload_session=session, data=b"x" * MIB)
    answer = await s.api("UploadData", upload_session=session, data=b"x" * 5 * MIB)
    assert not answer.HasField("file_info")
    await s.api.error("UploadData", 400, "concurrent", upload_session=session, data=b"y" * MIB)
    session = (await s.api("GetUploadSession", upload_id=upload_id)).upload_session
    assert session.file_offset == 5 * MIB
    await s.api.error("UploadData", 400, "large", upload_session=session, data=b"y" * 2 * MIB)
    info = (await s.api("UploadData", upload_session=session, data=b"y" * MIB)).file_info
    assert (info.size, info.creator_id) == (6 * MIB, s.bob.id)
    assert (await s.api("GetFile", file_id=info.id)).data == b"x" * 5 * MIB + b"y" * MIB
    await s.api.error("GetUploadSession", 404, upload_id=upload_id)
    await s.api("SetFileSearchableContent", file_id=info.id, content="words")
    assert (await s.api("GetFileInfo", file_id=info.id)).file_info.content == "words"
    for bad in ({"id": "short"}, {"type": "x"}, {"filename": ""}, {"file_size": 0}):
        broken = UploadSession()
        broken.CopyFrom(given)
        for field, value in bad.items():
            setattr(broken, field, value)
        await s.api.error("CreateUploadSession", 400, "upload_session", upload_session=broken)
