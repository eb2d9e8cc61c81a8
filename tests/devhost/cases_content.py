"""What the API must do about posts, reactions and emoji."""

import json
from typing import Any

import pytest

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.post_list_pb2 import SearchParameter, SearchParams
from mattermost_pluginapi.v1.post_pb2 import Post, PostMetadata, PostPriority, Reaction
from tests.devhost.site import NOBODY, PNG, TESTER, Site, covers, made


async def write(s: Site, message: str, **fields: Any) -> Post:
    given = made(Post, {"user_id": s.ada.id, "channel_id": s.lobby.id, "message": message}, fields)
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
    assert root.pending_post_id == "p1"
    root.pending_post_id = ""
    assert (await s.api("GetPost", post_id=root.id)).post == root
    reply = await write(s, "first", root_id=root.id)
    assert reply.reply_count == 1
    second = await write(s, "second", root_id=root.id)
    thread = (await s.api("GetPostThread", post_id=reply.id)).post_list
    assert [thread.posts[post_id].message for post_id in thread.order] == ["first", "Grüße 👋", "second"]
    stored = (await s.api("GetPost", post_id=root.id)).post
    assert (stored.reply_count, stored.update_at) == (2, second.create_at)
    channel = (await s.api("GetChannel", channel_id=s.lobby.id)).channel
    assert (channel.total_msg_count, channel.total_msg_count_root) == (3, 1)
    reply.message, reply.user_id = "changed", s.bob.id
    changed = (await s.api("UpdatePost", post=reply)).post
    assert (changed.message, changed.user_id) == ("changed", s.ada.id)
    assert changed.edit_at > changed.create_at
    await s.api("DeletePost", post_id=root.id)
    for post_id in (root.id, reply.id, NOBODY, "nope"):
        for method, status in (("GetPost", 404), ("DeletePost", 400), ("GetPostThread", 404)):
            await s.api.error(method, status, "app.post.get", post_id=post_id)
    await s.api.error("GetPost", 404, "app.post.get", post_id="")
    await s.api.error("GetPostThread", 400, "app.post.get", post_id="")
    await s.api.error("UpdatePost", 404, post=root)
    await s.api.error("UpdatePost", 400, post=Post(message="x"))
    kept = s.host.store.posts.get(reply.id)
    assert kept is not None
    assert kept.delete_at > 0
    assert kept.props["deleteBy"] == TESTER


@covers("CreatePost")
async def what_the_server_makes_of_a_post(s: Site) -> None:
    bot = (await s.api("CreateBot", bot=Bot(username="robo"))).bot.user_id
    assert (await write(s, "beep", user_id=bot)).props["from_bot"] == "true"
    tagged = await write(s, "(#one), ##two! #3 # #a #Ümläut-x_ no#four")
    assert tagged.hashtags == "#one #two #Ümläut-x"
    given = Post(message="x", metadata=PostMetadata(priority=PostPriority(priority="urgent")))
    given.props["add_channel_member"] = "no"
    post = await write(s, "x", props=given.props, metadata=given.metadata, edit_at=5, delete_at=5)
    assert not post.HasField("metadata")
    assert "add_channel_member" not in post.props
    assert (post.edit_at, post.delete_at) == (0, 0)
    stored = s.host.store.posts.get(post.id)
    assert stored is not None
    assert stored.metadata.priority.priority == "urgent"
    posted = [json.loads(str(e.data["post"])) for e in s.host.events.history(WebSocketEvent) if e.name == "posted"]
    assert posted[-1]["create_at"] == post.create_at
    assert posted[-1]["metadata"] == {"priority": {"priority": "urgent"}}


@covers("UpdatePost", "GetPostsSince")
async def edits(s: Site) -> None:
    post = await write(s, "one")
    before = s.clock.now_ms()
    post.props["note"] = "x"
    noted = (await s.api("UpdatePost", post=post)).post
    assert (noted.edit_at, noted.props["note"]) == (0, "x")
    post.props["attachments"] = [{"text": "a"}]
    assert (await s.api("UpdatePost", post=post)).post.edit_at > 0
    post.message = "#two"
    edited = (await s.api("UpdatePost", post=post)).post
    assert (edited.message, edited.hashtags) == ("#two", "#two")
    assert s.host.store.channels.get(s.lobby.id).last_post_at >= edited.update_at  # type: ignore[union-attr]  # is there
    changed = (await s.api("GetPostsSince", channel_id=s.lobby.id, time=before)).post_list.posts
    history = [each for each in changed.values() if each.original_id]
    assert {each.message for each in history} == {"one"}
    assert all(each.original_id == post.id and each.delete_at for each in history)
    assert len(history) == 3
    reply = await write(s, "re", root_id=post.id)
    reply.message = "Re"
    await s.api("UpdatePost", post=reply)
    root = (await s.api("GetPost", post_id=post.id)).post
    assert root.update_at > reply.create_at
    await s.api("DeletePost", post_id=reply.id)
    after = (await s.api("GetPost", post_id=post.id)).post
    assert (after.reply_count, after.update_at > root.update_at) == (0, True)


@covers("CreatePost")
async def posts_in_archived_channels(s: Site) -> None:
    post = await write(s, "x")
    joined = await write(s, "ada joined", type="system_join_channel")
    assert s.host.store.channels.get(s.lobby.id).total_msg_count == 1  # type: ignore[union-attr]  # is there
    await s.api.error("UpdatePost", 400, "system_message", post=joined)
    await s.api("DeleteChannel", channel_id=s.lobby.id)
    reaction = Reaction(user_id=s.ada.id, post_id=post.id, emoji_name="x")
    await s.api.error("UpdatePost", 400, "can_not_update_post_in_deleted", post=post)
    await s.api.error("DeletePost", 400, "can_not_delete_post_in_deleted", post_id=post.id)
    await s.api.error("AddReaction", 403, "archived", reaction=reaction)
    await s.api.error("RemoveReaction", 403, "archived", reaction=reaction)
    # Plugins may write there, users may not.
    assert (await write(s, "late")).id
    with pytest.raises(ApiError, match="can_not_post_to_deleted"):
        await s.host.act.post(s.ada.id, s.lobby.id, "late")


@covers("CreatePost", "UpdatePost", "UploadFile")
async def files_of_posts(s: Site) -> None:
    async def upload(user_id: str = "") -> str:
        if user_id:
            return (await s.host.act.upload(user_id, s.lobby.id, "a", b"x")).id
        return str((await s.api("UploadFile", data=b"x", channel_id=s.lobby.id, filename="a")).file_info.id)

    plugins, own, others = await upload(), await upload(s.ada.id), await upload(s.bob.id)
    post = await write(s, "look", file_ids=[plugins, own, others, NOBODY, own])
    assert list(post.file_ids) == [plugins, own]
    again = await write(s, "again", file_ids=[own])
    assert list(again.file_ids) == []
    assert s.host.store.posts.get(again.id).file_ids == []  # type: ignore[union-attr]  # is there
    new = await upload()
    post.file_ids[:] = [own, new, others]
    edited = (await s.api("UpdatePost", post=post)).post
    assert (list(edited.file_ids), edited.edit_at > 0) == ([own, new], True)
    assert [info.id for info in s.host.store.files.of_post(post.id)] == [own, new]


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
        (500, "channel_root_id", {"root_id": post.id, "channel_id": square.id}),
        (400, "file_ids", {"file_ids": [f"{number:026}" for number in range(11)]}),
        (400, "post.save.existing", {"id": NOBODY}),
        (400, "post.is_valid.type", {"type": "mine"}),
    ):
        await s.api.error("CreatePost", status, error_id, post=made(Post, valid, bad))
    assert (await s.api("CreatePost", post=made(Post, valid, {"type": "custom_mine"}))).post.type == "custom_mine"
    with pytest.raises(ApiError) as caught:
        await s.host.act.post(s.ada.id, square.id, "x", post.id)
    assert caught.value.status_code == 400


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
    assert messages(await s.api("GetPostsBefore", **lobby, post_id=NOBODY, page=0, per_page=9)) == []
    assert messages(await s.api("GetPostsAfter", channel_id=NOBODY, post_id=posts[2].id, page=0, per_page=9)) == []
    for method in ("GetPostsBefore", "GetPostsAfter"):
        await s.api.error(method, 400, "get_posts_around", **lobby, post_id=posts[2].id, page=-1, per_page=1)
        await s.api.error(method, 400, "get_posts_around", **lobby, post_id=posts[2].id, page=0, per_page=-1)
    await s.api.error("GetPostsForChannel", 400, "get_posts", **lobby, page=0, per_page=1001)


@covers("GetPostsForChannel", "GetPostsBefore", "GetPostsAfter")
async def lists_have_whole_threads(s: Site) -> None:
    root, other = await write(s, "root"), await write(s, "other")
    first, second = [await write(s, text, root_id=root.id) for text in ("first", "second")]
    lobby = {"channel_id": s.lobby.id}
    page = (await s.api("GetPostsForChannel", **lobby, page=0, per_page=1)).post_list
    assert list(page.order) == [second.id]
    assert set(page.posts) == {root.id, first.id, second.id}
    assert {post.reply_count for post in page.posts.values()} == {0}
    page = (await s.api("GetPostsBefore", **lobby, post_id=other.id, page=0, per_page=9)).post_list
    assert list(page.order) == [root.id]
    assert {post.id: post.reply_count for post in page.posts.values()} == dict.fromkeys(
        (root.id, first.id, second.id), 2
    )
    assert not any(post.HasField("metadata") or post.last_reply_at for post in page.posts.values())
    page = (await s.api("GetPostsAfter", **lobby, post_id=other.id, page=0, per_page=1)).post_list
    assert (list(page.order), set(page.posts)) == ([first.id], {root.id, first.id, second.id})


@covers("SearchPostsInTeam", "SearchPostsInTeamForUser")
async def searches(s: Site) -> None:
    for message in ("the quick #fox", "quick turtles", "100% slow_fox", "a lazy dog"):
        await write(s, message)
    await write(s, "quick as the system", type="system_generic")
    direct = await s.host.act.direct_channel(s.ada.id, s.bob.id)
    await s.host.act.post(s.bob.id, direct.id, "quick secret")

    async def found(terms: str, **fields: Any) -> list[str]:
        params = [SearchParams(terms=terms, **fields)]
        answer = await s.api("SearchPostsInTeam", team_id=s.team.id, params_list=params)
        return [post.message for post in answer.posts]

    assert await found("quick") == ["quick secret", "quick turtles", "the quick #fox"]
    assert await found("QUICK fox") == ["the quick #fox"]
    assert await found("turtles dog", is_or_search=True) == ["a lazy dog", "quick turtles"]
    assert await found('"lazy dog"') == ["a lazy dog"]
    assert await found('"dog lazy"') == []
    assert await found("100%") == ["100% slow_fox"]
    assert await found("turt") == []
    assert await found("turt*") == ["quick turtles"]
    assert await found("quick", excluded_terms="turtles secret") == ["the quick #fox"]
    assert await found("#fox", is_hashtag=True) == ["the quick #fox"]
    assert await found("'; DROP TABLE posts; --") == []
    assert await found("*") == await found("") == []
    assert await found("", from_users=["bob"]) == ["quick secret"]
    assert await found("quick", from_users=["carl"]) == []
    assert await found("quick", excluded_users=["bob"]) == ["quick turtles", "the quick #fox"]
    assert await found("quick", in_channels=["town-square"]) == []
    assert await found("quick", excluded_channels=["lobby"]) == ["quick secret"]
    assert await found("quick", in_channels=["lobby"], on_date="2023-11-14") == ["quick turtles", "the quick #fox"]
    assert await found("quick", before_date="2023-11-14") == []
    assert await found("quick", after_date="2023-11-14") == []
    assert len(await found("quick", after_date="2023-11-13", excluded_dates=["2023-11-15"])) == 3
    assert await found("x " * 5000) == []
    assert not (await s.api("SearchPostsInTeam", team_id=NOBODY, params_list=[SearchParams(terms="turtles")])).posts
    for user, terms, expected in (
        (s.ada, "quick", 3),
        (s.bob, "quick", 1),
        (s.ada, "quick -turtles from:@ada in:lobby", 1),
        (s.ada, "#fox", 1),
        (s.ada, "dog #fox", 2),
        (s.ada, 'from:ada on:2023-11-14 "the quick"', 1),
        (s.ada, "from:bob", 1),
        (s.ada, "after:2023-11-14 quick", 0),
        (s.ada, "", 0),
    ):
        params = SearchParameter(terms=terms)
        answer = await s.api("SearchPostsInTeamForUser", team_id=s.team.id, user_id=user.id, search_params=params)
        assert len(answer.results.order) == len(answer.results.posts) == expected, terms
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
    again = (await s.api("AddReaction", reaction=given)).reaction
    assert again.update_at > added.update_at
    (stored,) = (await s.api("GetReactions", post_id=post.id)).reactions
    assert (stored.create_at, stored.update_at) == (added.create_at, again.update_at)
    assert (await s.api("GetPost", post_id=post.id)).post.has_reactions
    await s.api("RemoveReaction", reaction=given)
    assert not (await s.api("GetReactions", post_id=post.id)).reactions
    assert not (await s.api("GetPost", post_id=post.id)).post.has_reactions
    for status, bad in ((404, {"post_id": NOBODY}), (404, {"user_id": NOBODY}), (400, {"emoji_name": "no emoji"})):
        fields = {"user_id": s.bob.id, "post_id": post.id, "emoji_name": "x"}
        await s.api.error("AddReaction", status, reaction=made(Reaction, fields, bad))
    await s.api.error("RemoveReaction", 404, reaction=Reaction(post_id=NOBODY))
    await s.api("RemoveReaction", reaction=given)
    await s.host.act.configure("ServiceSettings", UniqueEmojiReactionLimitPerPost=2)
    for name in ("a", "b"):
        s.host.act.react(s.ada.id, post.id, name)
    await s.api.error("AddReaction", 400, "too_many", reaction=made(Reaction, fields, {"emoji_name": "c"}))
    assert (
        await s.api("AddReaction", reaction=made(Reaction, fields, {"emoji_name": "b"}))
    ).reaction.user_id == s.bob.id


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
