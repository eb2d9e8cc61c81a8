"""Reactions to posts."""

import re
from typing import Final

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.posts import live_post
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, forbidden
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_message_pb2 import ReactionHasBeenAddedRequest, ReactionHasBeenRemovedRequest
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["add_reaction", "remove_reaction"]

_EMOJI_NAME: Final = re.compile(r"[a-zA-Z0-9_+-]{1,64}")


def add_reaction(world: World, context: PluginContext, reaction: Reaction) -> Reaction:
    """Add a user's emoji to a post. The same one again changes only its time, but is told like a new one.

    Any name of the right shape counts as a built-in emoji: the host has no list of them.

    Raises:
        ApiError: user or post are not there, the channel is archived, the name is none, or the post has as many
            different emoji as it may have.
    """
    post = live_post(world, reaction.post_id)
    existing_user(world, reaction.user_id)
    if not _EMOJI_NAME.fullmatch(reaction.emoji_name):
        raise bad_request("model.reaction.is_valid.emoji_name.app_error", f"emoji_name={reaction.emoji_name}")
    _check_number(world, post.id, reaction.emoji_name)
    if existing_channel(world, post.channel_id).delete_at:
        raise forbidden("api.reaction.save.archived_channel.app_error", f"post_id={post.id}")
    added = Reaction(user_id=reaction.user_id, post_id=post.id, emoji_name=reaction.emoji_name)
    if reaction.remote_id:
        added.remote_id = reaction.remote_id
    added.channel_id = post.channel_id
    added.create_at = reaction.create_at or world.now_ms()
    added.update_at = world.now_ms()
    old = world.store.reactions.get(post.id, reaction.user_id, reaction.emoji_name)
    stored = Reaction()
    stored.CopyFrom(added)
    stored.create_at = added.create_at if old is None else old.create_at
    with world.store.transaction():
        world.store.reactions.put(stored)
        _note(world, post)
    world.hooks.notify(ReactionHasBeenAddedRequest(plugin_context=context, reaction=added))
    _broadcast(world, "reaction_added", added, post.channel_id)
    return added


def _check_number(world: World, post_id: str, emoji_name: str) -> None:
    names = {each.emoji_name for each in world.store.reactions.of_post(post_id)}
    most = section(load_config(world), "ServiceSettings").get("UniqueEmojiReactionLimitPerPost")
    if emoji_name not in names and isinstance(most, int) and len(names) >= most:
        raise bad_request("app.reaction.save.save.too_many_reactions", f"post_id={post_id}")


def remove_reaction(world: World, context: PluginContext, reaction: Reaction) -> None:
    """Remove a user's emoji from a post. One that is not there is told as removed all the same.

    Raises:
        ApiError: the post is not there, or its channel is archived.
    """
    post = live_post(world, reaction.post_id)
    if existing_channel(world, post.channel_id).delete_at:
        raise forbidden("api.reaction.delete.archived_channel.app_error", f"post_id={post.id}")
    removed = Reaction()
    removed.CopyFrom(reaction)
    removed.update_at = world.now_ms()
    with world.store.transaction():
        world.store.reactions.delete(post.id, reaction.user_id, reaction.emoji_name)
        _note(world, post)
    world.hooks.notify(ReactionHasBeenRemovedRequest(plugin_context=context, reaction=removed))
    _broadcast(world, "reaction_removed", removed, post.channel_id)


def _note(world: World, post: Post) -> None:
    """Note in a post whether it has reactions."""
    post.has_reactions, post.update_at = bool(world.store.reactions.of_post(post.id)), world.now_ms()
    world.store.posts.put(post)


def _broadcast(world: World, name: str, reaction: Reaction, channel_id: str) -> None:
    data = {"reaction": json_text(reaction)}
    world.broadcast(name, data, WebsocketBroadcast(channel_id=channel_id))
