"""Reactions to posts."""

import re
from typing import Final

from google.protobuf.json_format import MessageToJson

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.posts import live_post
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_message_pb2 import ReactionHasBeenAddedRequest, ReactionHasBeenRemovedRequest
from mattermost_pluginapi.v1.post_pb2 import Reaction
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["add_reaction", "remove_reaction"]

_EMOJI_NAME: Final = re.compile(r"[a-zA-Z0-9_+-]{1,64}")


def add_reaction(world: World, context: PluginContext, reaction: Reaction) -> Reaction:
    """Add a user's emoji to a post; the same one again changes nothing.

    Any name of the right shape counts as a built-in emoji: the host has no list of them.

    Raises:
        ApiError: user or post are not there, the channel is archived, or the name is none.
    """
    post = live_post(world, reaction.post_id)
    existing_user(world, reaction.user_id)
    if existing_channel(world, post.channel_id).delete_at:
        raise bad_request("api.reaction.save.archived_channel.app_error", f"post_id={post.id}")
    if not _EMOJI_NAME.fullmatch(reaction.emoji_name):
        raise bad_request("model.reaction.is_valid.emoji_name.app_error", f"emoji_name={reaction.emoji_name}")
    old = world.store.reactions.get(post.id, reaction.user_id, reaction.emoji_name)
    if old is not None:
        return old
    added = Reaction(user_id=reaction.user_id, post_id=post.id, emoji_name=reaction.emoji_name)
    added.create_at = added.update_at = world.now_ms()
    added.channel_id = post.channel_id
    with world.store.transaction():
        world.store.reactions.insert(added)
        post.has_reactions, post.update_at = True, added.create_at
        world.store.posts.put(post)
    world.hooks.notify(ReactionHasBeenAddedRequest(plugin_context=context, reaction=added))
    _broadcast(world, "reaction_added", added)
    return added


def remove_reaction(world: World, context: PluginContext, reaction: Reaction) -> None:
    """Remove a user's emoji from a post.

    Raises:
        ApiError: the post is not there.
    """
    post = live_post(world, reaction.post_id)
    old = world.store.reactions.get(post.id, reaction.user_id, reaction.emoji_name)
    if old is None:
        return
    with world.store.transaction():
        world.store.reactions.delete(post.id, reaction.user_id, reaction.emoji_name)
        post.has_reactions, post.update_at = bool(world.store.reactions.of_post(post.id)), world.now_ms()
        world.store.posts.put(post)
    world.hooks.notify(ReactionHasBeenRemovedRequest(plugin_context=context, reaction=old))
    _broadcast(world, "reaction_removed", old)


def _broadcast(world: World, name: str, reaction: Reaction) -> None:
    data = {"reaction": MessageToJson(reaction, preserving_proto_field_name=True, indent=None)}
    world.broadcast(name, data, WebsocketBroadcast(channel_id=reaction.channel_id))
