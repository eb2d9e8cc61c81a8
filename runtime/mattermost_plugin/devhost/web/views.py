"""What the page is told about users, places, posts and plugins: what it shows, and no more."""

from __future__ import annotations

from typing import Final

from mattermost_plugin.devhost.host import DevHost
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.web.message_json import Json, struct_fields
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["EPHEMERAL_TYPE", "attachments_of", "channel_view", "plugin_view", "post_view", "user_view"]

EPHEMERAL_TYPE: Final = "system_ephemeral"

_KINDS: Final = {
    ChannelType.CHANNEL_TYPE_OPEN: "public",
    ChannelType.CHANNEL_TYPE_PRIVATE: "private",
    ChannelType.CHANNEL_TYPE_DIRECT: "direct",
    ChannelType.CHANNEL_TYPE_GROUP: "group",
}


def user_view(user: User) -> dict[str, Json]:
    """A user."""
    return {
        "id": user.id,
        "username": user.username,
        "name": " ".join(filter(None, (user.first_name, user.last_name))),
        "bot": user.is_bot,
        "active": user.delete_at == 0,
        "admin": "system_admin" in user.roles.split(),
    }


def channel_view(world: World, channel: Channel, user_id: str) -> dict[str, Json]:
    """A channel, as one user sees it."""
    title = channel.display_name or channel.name
    if channel.type == ChannelType.CHANNEL_TYPE_DIRECT:
        others = [each for each in channel.name.split("__") if each != user_id]
        other = world.store.users.get(others[0] if others else user_id)
        title = other.username if other else title
    return {
        "id": channel.id,
        "team_id": channel.team_id,
        "name": channel.name,
        "title": title,
        "kind": _KINDS.get(channel.type, "public"),
        "about": channel.header or channel.purpose,
        "last_post": channel.last_post_at,
        "member": world.store.channel_members.get(channel.id, user_id) is not None,
    }


def post_view(world: World, post: Post) -> dict[str, Json]:
    """A post with its author, reactions and files."""
    author = world.store.users.get(post.user_id)
    props = struct_fields(post.props)
    name = props.get("override_username") or (author.username if author else "somebody")
    return {
        "id": post.id,
        "channel_id": post.channel_id,
        "root_id": post.root_id,
        "user_id": post.user_id,
        "author": str(name),
        "bot": author is not None and author.is_bot,
        "message": post.message,
        "created": post.create_at,
        "updated": post.update_at,
        "edited": post.edit_at,
        "replies": world.store.posts.count("root_id = ? AND delete_at = 0", [post.id]),
        "pinned": post.is_pinned,
        "type": post.type,
        "ephemeral": post.type == EPHEMERAL_TYPE,
        "attachments": [_attachment_view(each) for each in attachments_of(post)],
        "props": {key: value for key, value in props.items() if key != "attachments"},
        "reactions": _reactions(world, post.id),
        "files": [_file_view(info) for info in world.store.files.of_post(post.id)],
    }


def attachments_of(post: Post) -> list[dict[str, Json]]:
    """The attachments among a post's props, with what they call."""
    found = struct_fields(post.props).get("attachments")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _attachment_view(attachment: dict[str, Json]) -> dict[str, Json]:
    actions = attachment.get("actions")
    listed = actions if isinstance(actions, list) else []
    # As a server's clients, the page never learns what an action calls.
    hidden = ("integration", "cookie")
    shown: list[Json] = [
        {key: value for key, value in action.items() if key not in hidden} if isinstance(action, dict) else {}
        for action in listed
    ]
    return attachment | {"actions": shown}


def _reactions(world: World, post_id: str) -> list[Json]:
    by_name: dict[str, list[Json]] = {}
    for reaction in world.store.reactions.of_post(post_id):
        by_name.setdefault(reaction.emoji_name, []).append(reaction.user_id)
    return [{"emoji": name, "users": users} for name, users in by_name.items()]


def _file_view(info: FileInfo) -> dict[str, Json]:
    return {"id": info.id, "name": info.name, "size": info.size}


def plugin_view(host: DevHost, plugin: InstalledPlugin) -> dict[str, Json]:
    """A plugin and how it is."""
    return {
        "id": plugin.plugin_id,
        "name": plugin.manifest.name or plugin.plugin_id,
        "version": plugin.manifest.version,
        "description": plugin.manifest.description,
        "state": plugin.state.name,
        "error": plugin.error,
        "pid": host.pid(plugin.plugin_id),
        "hooks": sorted(plugin.hooks),
        "commands": sorted({command.trigger for command in plugin.commands.values()}),
        "serves_http": "ServeHTTP" in plugin.hooks,
    }
