"""Taking in what has changed in a shared channel at a remote."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager

from mattermost_plugin.devhost.app.channel_members import add_to_channel, remove_from_channel
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.posts import create_post, delete_post, live_post, update_post
from mattermost_plugin.devhost.app.reactions import add_reaction, remove_reaction
from mattermost_plugin.devhost.app.remote_users import take_in_user, user_of_remote
from mattermost_plugin.devhost.app.statuses import save_status
from mattermost_plugin.devhost.app.sync_bundle import Bundle, MembershipChange
from mattermost_plugin.devhost.app.teams import add_team_member
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, forbidden
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.post_pb2 import Post, PostAcknowledgement, PostMetadata, Reaction
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster, SyncResponse
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["check_shared_with", "take_in"]


def check_shared_with(world: World, channel_id: str, remote: RemoteCluster) -> Channel:
    """The channel of an id, which is shared with a remote.

    Raises:
        ApiError: there is none, or the remote is not invited to it.
    """
    channel = existing_channel(world, channel_id)
    if not world.store.invitations.has(channel_id, remote.remote_id):
        raise forbidden("app.shared_channel.not_shared.app_error", f"channel_id={channel_id} is not shared with it")
    return channel


async def take_in(world: World, context: PluginContext, remote: RemoteCluster, bundle: Bundle) -> SyncResponse:
    """Take in a bundle of changes. One that fails stops no other: the answer and the log tell of it.

    Users come first, so that posts have their authors. Posts go through the hooks of the plugins, that of the plugin
    that brings them included.

    Args:
        world: the host's parts.
        context: context of the hooks.
        remote: where the changes come from.
        bundle: the changes.

    Raises:
        ApiError: the channel is not there or not shared with the remote, or there is none for what is not a user.
    """
    if bundle.channel_id:
        channel = check_shared_with(world, bundle.channel_id, remote)
        return await _Intake(world, context, remote, bundle).of_channel(channel)
    if bundle.posts or bundle.reactions or bundle.statuses:
        raise bad_request("app.shared_channel.sync_msg.app_error", "only users are without a channel")
    return await _Intake(world, context, remote, bundle).of_users(None)


class _Intake:
    def __init__(self, world: World, context: PluginContext, remote: RemoteCluster, bundle: Bundle) -> None:
        self._world = world
        self._context = context
        self._remote = remote
        self._bundle = bundle
        self._response = SyncResponse()

    @contextmanager
    def _noting(self, errors: MutableSequence[str], what: str, whose: str) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            errors.append(whose)
            self._world.log("error", f"a {what} of the remote {self._remote.name} was not taken in: {error}")

    async def of_channel(self, channel: Channel) -> SyncResponse:
        bundle, response = self._bundle, self._response
        await self.of_users(channel)
        for post in bundle.posts:
            with self._noting(response.post_errors, "post", post.id):
                changed_at = await self._post(channel, post)
                response.posts_last_update_at = max(response.posts_last_update_at, changed_at)
        for reaction in bundle.reactions:
            with self._noting(response.reaction_errors, "reaction", reaction.post_id):
                self._reaction(channel, reaction)
                response.reactions_last_update_at = max(response.reactions_last_update_at, reaction.update_at)
        for each in bundle.acknowledgements:
            with self._noting(response.acknowledgement_errors, "acknowledgement", each.post_id):
                self._acknowledgement(channel, each)
                response.acknowledgements_last_update_at = max(
                    response.acknowledgements_last_update_at, each.acknowledged_at
                )
        for status in bundle.statuses:
            with self._noting(response.status_errors, "status", status.user_id):
                existing_user(self._world, status.user_id)
                save_status(self._world, status)
        for change in bundle.membership_changes:
            with self._noting(response.membership_errors, "membership", change.user_id):
                await self._membership(channel, change)
        return response

    async def of_users(self, channel: Channel | None) -> SyncResponse:
        response = self._response
        for user in self._bundle.users:
            with self._noting(response.user_errors, "user", user.id):
                await self._user(channel, user)
                response.users_syncd.append(user.id)
                response.users_last_update_at = max(response.users_last_update_at, user.update_at)
        return response

    async def _user(self, channel: Channel | None, given: User) -> None:
        user = take_in_user(self._world, self._remote, given)
        if channel is not None:
            await self._enrol(channel, user.id)

    async def _enrol(self, channel: Channel, user_id: str) -> None:
        await add_team_member(self._world, self._context, channel.team_id, user_id)
        await add_to_channel(self._world, self._context, channel, user_id)

    async def _membership(self, channel: Channel, change: MembershipChange) -> None:
        _check_channel(channel, change.channel_id)
        user_of_remote(self._world, self._remote, change.user_id)
        if change.is_add:
            await self._enrol(channel, change.user_id)
        elif self._world.store.channel_members.get(channel.id, change.user_id) is not None:
            remove_from_channel(self._world, self._context, channel, change.user_id)

    async def _post(self, channel: Channel, given: Post) -> int:
        _check_channel(channel, given.channel_id)
        old = self._world.store.posts.get(given.id)
        if old is not None:
            _check_channel(channel, old.channel_id)
        post = Post()
        post.CopyFrom(given)
        post.remote_id = self._remote.remote_id
        self._name_mentioned(post)
        if old is None:
            user_of_remote(self._world, self._remote, post.user_id)
            return (await create_post(self._world, self._context, post)).update_at
        # Not only its author changes a post: there are administrators at the remote too.
        if post.delete_at:
            delete_post(self._world, self._context, post.id, post.user_id)
        elif post.edit_at > old.edit_at or post.message != old.message or post.update_at > old.update_at:
            return (await update_post(self._world, self._context, post)).update_at
        return old.update_at

    def _name_mentioned(self, post: Post) -> None:
        """Mention users by the names that they have here."""
        for name, user_id in self._bundle.mentions.items():
            user = self._world.store.users.get(user_id)
            if user is None:
                here = name if ":" in name else f"{name}:{self._remote.name}"
            else:
                here = name if ":" not in name and not user.remote_id else user.username
            post.message = post.message.replace(f"@{name}", f"@{here}")

    def _reaction(self, channel: Channel, given: Reaction) -> None:
        _check_channel(channel, live_post(self._world, given.post_id).channel_id)
        reaction = Reaction()
        reaction.CopyFrom(given)
        reaction.remote_id = self._remote.remote_id
        if given.delete_at:
            remove_reaction(self._world, self._context, reaction)
        else:
            user_of_remote(self._world, self._remote, given.user_id)
            add_reaction(self._world, self._context, reaction)

    def _acknowledgement(self, channel: Channel, given: PostAcknowledgement) -> None:
        post = live_post(self._world, given.post_id)
        _check_channel(channel, post.channel_id)
        user_of_remote(self._world, self._remote, given.user_id)
        others = [each for each in post.metadata.acknowledgements if each.user_id != given.user_id]
        mine = [
            PostAcknowledgement(
                user_id=given.user_id,
                post_id=post.id,
                acknowledged_at=given.acknowledged_at,
                channel_id=channel.id,
                remote_id=self._remote.remote_id,
            )
        ]
        metadata = PostMetadata()
        metadata.CopyFrom(post.metadata)
        metadata.ClearField("acknowledgements")
        metadata.acknowledgements.extend(others + (mine if given.acknowledged_at else []))
        post.metadata.CopyFrom(metadata)
        post.update_at = self._world.now_ms()
        self._world.store.posts.put(post)


def _check_channel(channel: Channel, channel_id: str) -> None:
    if channel_id != channel.id:
        raise bad_request("app.shared_channel.channel_mismatch.app_error", f"channel_id={channel_id}")
