"""What users and administrators do on a server, with the hooks that it causes."""

from __future__ import annotations

from collections.abc import Sequence

from mattermost_plugin.devhost.app.channel_members import add_to_channel, leave_channel, remove_from_channel
from mattermost_plugin.devhost.app.channels import (
    create_channel,
    create_channel_as_user,
    direct_channel,
    existing_channel,
    group_channel,
)
from mattermost_plugin.devhost.app.commands import execute_command_as_user
from mattermost_plugin.devhost.app.config import change_section
from mattermost_plugin.devhost.app.directory import set_entry
from mattermost_plugin.devhost.app.files import live_file, read_content, upload_file_as_user
from mattermost_plugin.devhost.app.posts import create_post_as_user, delete_post, live_post, update_post
from mattermost_plugin.devhost.app.reactions import add_reaction, remove_reaction
from mattermost_plugin.devhost.app.statuses import set_offline, set_online
from mattermost_plugin.devhost.app.teams import add_team_member, create_team
from mattermost_plugin.devhost.app.users import create_user, log_in
from mattermost_plugin.devhost.errors import bad_request, forbidden, not_found
from mattermost_plugin.devhost.http_exchange import HttpAnswer, HttpQuestion
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelMember, ChannelType
from mattermost_pluginapi.v1.command_pb2 import CommandArgs, CommandResponse
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.emoji_pb2 import Emoji
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeDownloadedRequest
from mattermost_pluginapi.v1.hooks_message_pb2 import (
    MessagesWillBeConsumedRequest,
    MessagesWillBeConsumedWithContextRequest,
)
from mattermost_pluginapi.v1.hooks_websocket_pb2 import (
    OnWebSocketConnectRequest,
    OnWebSocketDisconnectRequest,
    WebSocketMessageHasBeenPostedRequest,
)
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.team_pb2 import Team, TeamMember, TeamType
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebSocketRequest

__all__ = ["Actions"]


class Actions:
    """Acts as users do. Everything raises ApiError where a server would answer with one.

    Args:
        world: the host's parts.
        session_id: the login in which it is done, of which hooks are told; "" for none.
    """

    def __init__(self, world: World, session_id: str = "") -> None:
        self._world = world
        self._session_id = session_id

    def _context(self) -> PluginContext:
        return self._world.hooks.new_context(
            session_id=self._session_id, ip_address="127.0.0.1", user_agent="devhost", accept_language="en"
        )

    async def create_user(self, username: str, **fields: str) -> User:
        """Create a user. `email` and `password` have defaults."""
        values = {"email": f"{username}@example.com", "password": "password", **fields}
        user = User(username=username)
        for name, value in values.items():
            setattr(user, name, value)
        return create_user(self._world, self._context(), user)

    async def create_team(self, name: str, display_name: str = "") -> Team:
        """Create an open team with its default channels."""
        team = Team(name=name, display_name=display_name or name, type=TeamType.TEAM_TYPE_OPEN)
        return create_team(self._world, team)

    async def create_channel(self, team_id: str, name: str, *, private: bool = False, creator_id: str = "") -> Channel:
        """Create a channel; its creator is its first member and administrator. Without one it has no members."""
        kind = ChannelType.CHANNEL_TYPE_PRIVATE if private else ChannelType.CHANNEL_TYPE_OPEN
        given = Channel(team_id=team_id, name=name, display_name=name, type=kind, creator_id=creator_id)
        create = create_channel_as_user if creator_id else create_channel
        return create(self._world, self._context(), given)

    async def direct_channel(self, user_id: str, other_id: str) -> Channel:
        """The channel of the direct messages between two users."""
        return direct_channel(self._world, self._context(), user_id, other_id)

    async def group_channel(self, user_ids: Sequence[str]) -> Channel:
        """Open the channel of the messages among three to eight users."""
        return group_channel(self._world, self._context(), user_ids)

    async def join_team(self, team_id: str, user_id: str, actor_id: str = "") -> TeamMember:
        """Enter a team, or be brought in by somebody."""
        return await add_team_member(self._world, self._context(), team_id, user_id, actor_id)

    async def join_channel(self, channel_id: str, user_id: str, actor_id: str = "") -> ChannelMember:
        """Enter a channel, or be brought in by somebody."""
        channel = existing_channel(self._world, channel_id)
        return await add_to_channel(self._world, self._context(), channel, user_id, actor_id)

    def leave_channel(self, channel_id: str, user_id: str, actor_id: str = "") -> None:
        """Leave a channel, or be taken out by somebody."""
        channel = existing_channel(self._world, channel_id)
        if actor_id in ("", user_id):
            leave_channel(self._world, self._context(), channel, user_id)
        else:
            remove_from_channel(self._world, self._context(), channel, user_id, actor_id)

    async def log_in(self, user_id: str) -> Session:
        """Log in."""
        return await log_in(self._world, self._context(), user_id)

    async def post(
        self, user_id: str, channel_id: str, message: str, root_id: str = "", file_ids: Sequence[str] = ()
    ) -> Post:
        """Write a post."""
        post = Post(user_id=user_id, channel_id=channel_id, message=message, root_id=root_id, file_ids=file_ids)
        return await create_post_as_user(self._world, self._context(), post)

    async def edit(self, post_id: str, message: str) -> Post:
        """Change the text of a post."""
        post = live_post(self._world, post_id)
        post.message = message
        return await update_post(self._world, self._context(), post)

    def delete(self, post_id: str) -> None:
        """Delete a post, as its author."""
        author = live_post(self._world, post_id).user_id
        delete_post(self._world, self._context(), post_id, author)

    def react(self, user_id: str, post_id: str, emoji_name: str) -> Reaction:
        """React to a post."""
        reaction = Reaction(user_id=user_id, post_id=post_id, emoji_name=emoji_name)
        return add_reaction(self._world, self._context(), reaction)

    def unreact(self, user_id: str, post_id: str, emoji_name: str) -> None:
        """Take a reaction back."""
        remove_reaction(self._world, self._context(), Reaction(user_id=user_id, post_id=post_id, emoji_name=emoji_name))

    async def read(self, posts: Sequence[Post]) -> list[Post]:
        """What a client gets of posts: plugins may change them on the way, but neither hide nor add any."""
        found = {post.id: post for post in posts}
        for plugin in self._world.hooks.plugins_with(MessagesWillBeConsumedRequest):
            given = MessagesWillBeConsumedRequest(posts=found.values())
            response = await self._world.hooks.try_ask(plugin, given)
            found.update({post.id: post for post in (response.posts if response else ()) if post.id in found})
        for plugin in self._world.hooks.plugins_with(MessagesWillBeConsumedWithContextRequest):
            with_context = MessagesWillBeConsumedWithContextRequest(
                plugin_context=self._context(), posts=found.values()
            )
            response = await self._world.hooks.try_ask(plugin, with_context)
            found.update({post.id: post for post in (response.posts if response else ()) if post.id in found})
        return list(found.values())

    async def upload(self, user_id: str, channel_id: str, filename: str, content: bytes) -> FileInfo:
        """Upload a file."""
        return await upload_file_as_user(self._world, self._context(), channel_id, filename, content, user_id)

    async def download(self, user_id: str, file_id: str, download_type: str = "file") -> bytes:
        """Download a file, if all plugins allow it."""
        info = live_file(self._world, file_id)
        request = FileWillBeDownloadedRequest(
            plugin_context=self._context(), file_info=info, user_id=user_id, download_type=download_type
        )
        reason = await self._world.hooks.refusal(request)
        if reason:
            raise forbidden("api.file.get_file.rejected_by_plugin.app_error", reason)
        return read_content(self._world, info.path)

    async def run_command(self, user_id: str, channel_id: str, command: str, root_id: str = "") -> CommandResponse:
        """Enter a slash command. Its answer is posted."""
        args = CommandArgs(user_id=user_id, channel_id=channel_id, command=command, root_id=root_id)
        return await execute_command_as_user(self._world, self._context(), args)

    async def request(self, plugin_id: str, question: HttpQuestion) -> HttpAnswer:
        """Send a request to /plugins/<plugin_id>/."""
        plugin = self._world.plugins.get(plugin_id)
        if plugin is None:
            raise not_found("app.plugin.not_installed.app_error", f"plugin_id={plugin_id}")
        return await self._world.hooks.serve_http(plugin, question)

    async def configure(self, section_name: str, **settings: object) -> None:
        """Change settings of the server."""
        await change_section(self._world, section_name, settings)

    def add_emoji(self, creator_id: str, name: str, image: bytes) -> Emoji:
        """Add a custom emoji."""
        now = self._world.now_ms()
        emoji = Emoji(id=new_id(), name=name, creator_id=creator_id, create_at=now, update_at=now)
        try:
            with self._world.store.transaction():
                self._world.store.emoji.insert(emoji)
                self._world.store.blobs.write(f"emoji/{emoji.id}/image", image)
        except DuplicateError as error:
            raise bad_request("api.emoji.create.duplicate.app_error", f"name={name}") from error
        return emoji

    def add_directory_entry(self, auth_data: str, **attributes: str) -> None:
        """Put a person into the LDAP directory, which is there if LdapSettings has Enable.

        Args:
            auth_data: the field `auth_data` of the user whose auth_service is "ldap".
            attributes: what the directory says about the person.
        """
        set_entry(self._world, auth_data, attributes)

    def connect(self, user_id: str) -> str:
        """Open a websocket connection: the user is online. Returns its id."""
        connection_id = new_id()
        self._world.connections.setdefault(user_id, set()).add(connection_id)
        set_online(self._world, user_id)
        self._world.hooks.notify(OnWebSocketConnectRequest(web_conn_id=connection_id, user_id=user_id))
        return connection_id

    def disconnect(self, connection_id: str, user_id: str) -> None:
        """Close a websocket connection: with the last one, the user is offline."""
        open_ones = self._world.connections.get(user_id, set())
        open_ones.discard(connection_id)
        if not open_ones:
            self._world.connections.pop(user_id, None)
            set_offline(self._world, user_id)
        self._world.hooks.notify(OnWebSocketDisconnectRequest(web_conn_id=connection_id, user_id=user_id))

    def send(self, connection_id: str, user_id: str, request: WebSocketRequest) -> None:
        """Send a message over a websocket connection."""
        message = WebSocketMessageHasBeenPostedRequest(web_conn_id=connection_id, user_id=user_id, request=request)
        self._world.hooks.notify(message)
