"""What the API must do about remotes: channels that are shared with them, and what comes from them."""

import asyncio
import json
from typing import Any

from mattermost_plugin.devhost.events import LogWritten
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post, PostMetadata
from mattermost_pluginapi.v1.remote_cluster_pb2 import SyncMsgJson, SyncResponse
from mattermost_pluginapi.v1.shared_channel_pb2 import GetPostsSinceForSyncCursor, RegisterPluginOpts, SharedChannel
from tests.devhost.site import NOBODY, PNG, Api, Site, covers, made

BRIDGE = RegisterPluginOpts(display_name="Bridge")
EVE = "e" * 26
POST = "p" * 26


@covers(
    "RegisterPluginForSharedChannels",
    "UnregisterPluginForSharedChannels",
    "UnregisterPluginRemoteForSharedChannels",
    "ShareChannel",
    "UpdateSharedChannel",
    "UnshareChannel",
    "InviteRemoteToChannel",
    "UninviteRemoteFromChannel",
    "SyncSharedChannel",
    "UpdateSharedChannelCursor",
)
async def shared_channels(s: Site) -> None:
    await s.api.error("RegisterPluginForSharedChannels", 400, "name", opts=RegisterPluginOpts(display_name="A B"))
    remote = {"remote_id": (await s.api("RegisterPluginForSharedChannels", opts=BRIDGE)).remote_id}
    assert (await s.api("RegisterPluginForSharedChannels", opts=BRIDGE)).remote_id == remote["remote_id"]
    lobby = {"channel_id": s.lobby.id}
    invitation = {**lobby, **remote, "user_id": s.ada.id}
    await s.api.error("InviteRemoteToChannel", 400, "not_shared", **invitation)
    given = made(SharedChannel, lobby)
    await s.api.error("ShareChannel", 400, "is_valid.id", shared_channel=given)
    given.home = "true"
    shared = (await s.api("ShareChannel", shared_channel=given)).shared_channel
    assert (shared.share_name, shared.team_id, shared.creator_id) == ("lobby", s.team.id, s.ada.id)
    assert (await s.api("GetChannel", **lobby)).channel.shared
    shared.share_purpose = "talk"
    assert (await s.api("UpdateSharedChannel", shared_channel=shared)).shared_channel.share_purpose == "talk"
    assert (await s.api("ShareChannel", shared_channel=given)).shared_channel.share_purpose == "talk"
    shared.share_name = "No name"
    await s.api.error("UpdateSharedChannel", 400, "1_or_more", shared_channel=shared)
    direct = (await s.api("GetDirectChannel", user_id_1=s.ada.id, user_id_2=s.bob.id)).channel
    shared_direct = made(SharedChannel, {"channel_id": direct.id, "home": "true"})
    await s.api.error("ShareChannel", 400, "direct", shared_channel=shared_direct)
    await s.api.error("InviteRemoteToChannel", 500, "remote_id", **lobby, remote_id=NOBODY)
    await s.api("InviteRemoteToChannel", **invitation)
    await s.api("InviteRemoteToChannel", **invitation)
    cursor = GetPostsSinceForSyncCursor(last_post_update_at=7)
    await s.api("UpdateSharedChannelCursor", **lobby, **remote, cursor=cursor)
    assert s.host.store.invitations.cursor(s.lobby.id, remote["remote_id"]) == cursor
    await s.api("SyncSharedChannel", **lobby)
    await s.api("UninviteRemoteFromChannel", **lobby, **remote)
    await s.api.error("UninviteRemoteFromChannel", 500, "not_exists", **lobby, **remote)
    # With its last remote it is shared no longer.
    assert not (await s.api("GetChannel", **lobby)).channel.shared
    assert not (await s.api("UnshareChannel", **lobby)).unshared
    await s.api.error("SyncSharedChannel", 404, **lobby)
    await s.api("InviteRemoteToChannel", **invitation, share_if_not_shared=True)
    assert (await s.api("UnshareChannel", **lobby)).unshared
    assert not s.host.store.invitations.of_channel(s.lobby.id)
    await s.api("InviteRemoteToChannel", **invitation, share_if_not_shared=True)
    await s.api("UnregisterPluginRemoteForSharedChannels", **remote)
    assert not s.host.store.invitations.of_channel(s.lobby.id)
    await s.api.error("UnregisterPluginRemoteForSharedChannels", 404, **remote)
    await s.api("UnregisterPluginForSharedChannels", plugin_id="")
    await s.api.error("UnregisterPluginForSharedChannels", 404, plugin_id="nobody")
    assert (await s.api("RegisterPluginForSharedChannels", opts=BRIDGE)).remote_id == remote["remote_id"]


class Remote:
    """The tester's plugin as remote of the lobby."""

    def __init__(self, s: Site, remote_id: str) -> None:
        self.s = s
        self.fields = {"remote_id": remote_id}

    async def sync(self, **changes: object) -> SyncResponse:
        bundle = {"channel_id": self.s.lobby.id, **changes}
        msg = SyncMsgJson(sync_msg_json=json.dumps(bundle).encode())
        response: SyncResponse = (await self.s.api("ReceiveSharedChannelSyncMsg", **self.fields, msg=msg)).response
        return response

    async def error(self, status: int, error_id: str, text: bytes) -> None:
        msg = SyncMsgJson(sync_msg_json=text)
        await self.s.api.error("ReceiveSharedChannelSyncMsg", status, error_id, **self.fields, msg=msg)

    def post(self, **fields: Any) -> dict[str, Any]:
        return {"id": POST, "channel_id": self.s.lobby.id, "user_id": EVE, "message": "hi", "create_at": 7, **fields}


def eve(**fields: object) -> dict[str, object]:
    return {EVE: {"id": EVE, "username": "Eve", "email": "eve@far", "update_at": 5, **fields}}


async def bridged(s: Site) -> Remote:
    remote = Remote(s, (await s.api("RegisterPluginForSharedChannels", opts=BRIDGE)).remote_id)
    await s.api(
        "InviteRemoteToChannel",
        channel_id=s.lobby.id,
        user_id=s.ada.id,
        share_if_not_shared=True,
        **remote.fields,
    )
    return remote


@covers("ReceiveSharedChannelSyncMsg")
async def users_from_a_remote(s: Site) -> None:
    remote = await bridged(s)
    response = await remote.sync(users=eve(nickname="E", roles="system_admin", props=None, timezone={"manual": "CET"}))
    assert (list(response.users_syncd), response.users_last_update_at) == ([EVE], 5)
    user = (await s.api("GetUser", user_id=EVE)).user
    assert (user.username, user.nickname, user.roles) == ("eve:bridge", "E", "system_user")
    assert (user.remote_id, user.props["RemoteUsername"]) == (remote.fields["remote_id"], "Eve")
    assert "@" not in user.email
    assert (await s.api("GetChannelMember", channel_id=s.lobby.id, user_id=EVE)).channel_member.user_id == EVE
    await remote.sync(users=eve(username="eva", nickname="F"))
    user = (await s.api("GetUser", user_id=EVE)).user
    assert (user.username, user.nickname, user.props["RemoteUsername"]) == ("eva:bridge", "F", "eva")
    twin = "t" * 26
    await remote.sync(users={twin: {"id": twin, "username": "eva"}})
    assert (await s.api("GetUser", user_id=twin)).user.username == "eva-2:bridge"
    bad = {"a": {"id": s.ada.id, "username": "x"}, "b": {"id": "b", "username": "x"}, "c": eve(username="ä ö")[EVE]}
    response = await remote.sync(users=bad)
    assert list(response.user_errors) == [s.ada.id, "b", EVE]
    assert (await s.api("GetUser", user_id=s.ada.id)).user.username == "ada"
    assert len([log for log in s.host.events.history(LogWritten) if "not taken in" in log.message]) == 3
    # Without a channel there are users only.
    far = "f" * 26
    await remote.sync(channel_id="", users={far: {"id": far, "username": "far"}})
    await s.api.error("GetChannelMember", 404, channel_id=s.lobby.id, user_id=far)
    change = {"channel_id": s.lobby.id, "user_id": far, "is_add": True}
    assert not (await remote.sync(membership_changes=[change])).membership_errors
    assert (await s.api("GetChannelMember", channel_id=s.lobby.id, user_id=far)).channel_member.user_id == far
    for _ in range(2):
        assert not (await remote.sync(membership_changes=[{**change, "is_add": False}])).membership_errors
    await s.api.error("GetChannelMember", 404, channel_id=s.lobby.id, user_id=far)
    response = await remote.sync(membership_changes=[{**change, "user_id": s.bob.id}, {**change, "channel_id": "x"}])
    assert list(response.membership_errors) == [s.bob.id, far]
    await remote.sync(statuses=[{"user_id": far, "status": "away"}, {"user_id": NOBODY, "status": "away"}])
    assert (await s.api("GetUserStatus", user_id=far)).status.status == "away"


@covers("ReceiveSharedChannelSyncMsg")
async def posts_from_a_remote(s: Site) -> None:
    remote = await bridged(s)
    mentions = {"ada": s.ada.id, "eve": EVE, "who": NOBODY, "x:y": NOBODY}
    post = remote.post(message="@ada @eve @who @x:y", props=None, metadata={"priority": {"priority": "urgent"}})
    response = await remote.sync(users=eve(), posts=[post], mention_transforms=mentions)
    assert not response.post_errors
    stored = (await s.api("GetPost", post_id=POST)).post
    assert (stored.message, stored.create_at) == ("@ada @eve:bridge @who:bridge @x:y", 7)
    assert (stored.remote_id, metadata(s, POST).priority.priority) == (remote.fields["remote_id"], "urgent")
    assert response.posts_last_update_at == stored.update_at
    await remote.sync(posts=[remote.post(message="new", edit_at=9)])
    assert (await s.api("GetPost", post_id=POST)).post.message == "new"
    ours = (await s.api("CreatePost", post=Post(channel_id=s.lobby.id, user_id=s.ada.id, message="ours"))).post
    other = (await s.api("GetChannelByName", team_id=s.team.id, name="off-topic")).channel
    response = await remote.sync(
        posts=[remote.post(id="a" * 26, user_id=s.ada.id), remote.post(id="b" * 26, channel_id=other.id)]
    )
    assert list(response.post_errors) == ["a" * 26, "b" * 26]
    reaction = {"post_id": ours.id, "user_id": EVE, "emoji_name": "smile", "update_at": 4}
    response = await remote.sync(reactions=[reaction, {**reaction, "user_id": s.bob.id}])
    assert (response.reactions_last_update_at, list(response.reaction_errors)) == (4, [ours.id])
    (seen,) = (await s.api("GetReactions", post_id=ours.id)).reactions
    assert (seen.user_id, seen.remote_id) == (EVE, remote.fields["remote_id"])
    await remote.sync(reactions=[{**reaction, "delete_at": 6}])
    assert not (await s.api("GetReactions", post_id=ours.id)).reactions
    acknowledgement = {"post_id": ours.id, "user_id": EVE, "acknowledged_at": 8}
    for _ in range(2):
        response = await remote.sync(acknowledgements=[acknowledgement, {**acknowledgement, "user_id": s.bob.id}])
        assert (response.acknowledgements_last_update_at, list(response.acknowledgement_errors)) == (8, [ours.id])
        (seen,) = metadata(s, ours.id).acknowledgements
        assert (seen.user_id, seen.acknowledged_at) == (EVE, 8)
    await remote.sync(acknowledgements=[{**acknowledgement, "acknowledged_at": 0}])
    assert not metadata(s, ours.id).acknowledgements
    await remote.sync(posts=[remote.post(delete_at=11)])
    await s.api.error("GetPost", 404, post_id=POST)
    twice = [remote.sync(posts=[remote.post(id="c" * 26)]) for _ in range(3)]
    assert sum(len(answer.post_errors) for answer in await asyncio.gather(*twice)) <= 2
    assert (await s.api("GetPost", post_id="c" * 26)).post.message == "hi"
    await s.api.error("CreatePost", 500, "app.post.save", post=Post(**remote.post(id="c" * 26), remote_id="x" * 26))
    await bad_bundles(s, remote, other.id)


def metadata(s: Site, post_id: str) -> PostMetadata:
    """What plugins do not get of a post."""
    post = s.host.store.posts.get(post_id)
    assert post is not None
    return post.metadata


async def bad_bundles(s: Site, remote: Remote, other_channel_id: str) -> None:
    for text in (
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"users": []}',
        b'{"posts": [1]}',
        b'{"posts": {"a": 1}}',
    ):
        await remote.error(400, "sync_msg", text)
    for text in (b'{"posts": [{"id": 3}]}', b'{"channel_id": 3}', b'{"posts": [{}]}'):
        await remote.error(400, "sync_msg", text)
    await remote.error(404, "channel", json.dumps({"channel_id": NOBODY}).encode())
    await remote.error(403, "not_shared", json.dumps({"channel_id": other_channel_id}).encode())
    other = Api(await s.host.open_api("com.example.other"))
    try:
        await other.error("ReceiveSharedChannelSyncMsg", 403, "not_own", **remote.fields)
        await other.error("ReceiveSharedChannelSyncMsg", 404, "remote", remote_id=NOBODY)
    finally:
        await other.channel.close()


@covers("ReceiveSharedChannelAttachmentSyncMsg", "ReceiveSharedChannelProfileImageSyncMsg")
async def files_from_a_remote(s: Site) -> None:
    remote = await bridged(s)
    await remote.sync(users=eve())
    fields: dict[str, Any] = {"id": "f" * 26, "creator_id": EVE, "name": "../a.txt", "size": 3}
    where = {**remote.fields, "channel_id": s.lobby.id}

    async def receive(data: bytes = b"abcd", **changes: Any) -> FileInfo:
        info = made(FileInfo, fields, changes)
        answer = await s.api("ReceiveSharedChannelAttachmentSyncMsg", **where, file_info=info, data=data)
        stored: FileInfo = answer.file_info
        return stored

    stored = await receive()
    assert (stored.id, stored.name, stored.size, stored.channel_id) == ("f" * 26, "a.txt", 3, s.lobby.id)
    assert (await s.api("GetFile", file_id=stored.id)).data == b"abc"
    assert await receive(b"xyz") == stored
    assert (await receive(id="")).id not in ("", stored.id)
    await remote.sync(posts=[remote.post(file_ids=[stored.id])])
    assert list((await s.api("GetPost", post_id=POST)).post.file_ids) == [stored.id]
    fields["id"] = "g" * 26
    await s.host.act.configure("FileSettings", MaxFileSize=10)
    for status, error_id, changes in (
        (400, "creator_id", {"creator_id": ""}),
        (400, "filename", {"name": ""}),
        (400, "data", {"size": 5}),
        (400, "data", {"size": 0}),
        (400, "id", {"id": "short"}),
        (400, "mismatch", {"id": "f" * 26, "creator_id": await another(remote)}),
        (403, "remote_mismatch", {"creator_id": s.bob.id}),
        (404, "missing_account", {"creator_id": NOBODY}),
        (413, "too_large", {"size": 11}),
    ):
        info = made(FileInfo, fields, changes)
        fault = {**where, "file_info": info, "data": b"abcd"}
        await s.api.error("ReceiveSharedChannelAttachmentSyncMsg", status, error_id, **fault)
    picture = {**remote.fields, "user_id": EVE}
    await s.api.error("ReceiveSharedChannelProfileImageSyncMsg", 413, "too_large", **picture, image=PNG)
    await s.host.act.configure("FileSettings", MaxFileSize=1000, EnableFileAttachments=False)
    fault = {**where, "file_info": made(FileInfo, fields), "data": b"abcd"}
    await s.api.error("ReceiveSharedChannelAttachmentSyncMsg", 501, "disabled", **fault)
    await s.api("ReceiveSharedChannelProfileImageSyncMsg", **picture, image=PNG)
    assert (await s.api("GetProfileImage", user_id=EVE)).image == PNG
    await s.api.error("ReceiveSharedChannelProfileImageSyncMsg", 400, "decode", **picture, image=b"text")
    picture["user_id"] = s.bob.id
    await s.api.error("ReceiveSharedChannelProfileImageSyncMsg", 403, "remote_mismatch", **picture, image=PNG)


async def another(remote: Remote) -> str:
    """Another user of the remote."""
    user_id = "h" * 26
    await remote.sync(users={user_id: {"id": user_id, "username": "hal"}})
    return user_id
