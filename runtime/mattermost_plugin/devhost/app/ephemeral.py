"""Posts that one user sees and nobody stores."""

from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.post_views import without_metadata
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["delete_ephemeral", "send_ephemeral", "update_ephemeral"]


def send_ephemeral(world: World, user_id: str, post: Post) -> Post:
    """Show a post to a user. Returns it with its id."""
    shown = without_metadata(post)
    shown.id = post.id or new_id()
    shown.create_at = post.create_at or world.now_ms()
    shown.type = "system_ephemeral"
    _broadcast(world, "ephemeral_message", user_id, shown)
    return shown


def update_ephemeral(world: World, user_id: str, post: Post) -> Post:
    """Change a post that a user was shown."""
    shown = without_metadata(post)
    shown.update_at = world.now_ms()
    shown.type = "system_ephemeral"
    _broadcast(world, "post_edited", user_id, shown)
    return shown


def delete_ephemeral(world: World, user_id: str, post_id: str) -> None:
    """Take away a post that a user was shown."""
    now = world.now_ms()
    post = Post(id=post_id, user_id=user_id, type="system_ephemeral", delete_at=now, update_at=now)
    _broadcast(world, "post_deleted", user_id, post)


def _broadcast(world: World, name: str, user_id: str, post: Post) -> None:
    world.broadcast(name, {"post": json_text(post)}, WebsocketBroadcast(user_id=user_id, channel_id=post.channel_id))
