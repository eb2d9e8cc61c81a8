"""People, as a test lets them act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from google.protobuf.json_format import Parse

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.app.posts import create_post
from mattermost_plugin.devhost.app.users import set_active
from mattermost_plugin.devhost.errors import forbidden
from mattermost_plugin.devhost.events import MailSent, PushSent, WebSocketEvent
from mattermost_plugin.testing._connection import TestConnection
from mattermost_plugin.testing._core import ServerCore
from mattermost_plugin.testing._http import Answer, Form, Headers, answer_of, question
from mattermost_plugin.testing._places import ChannelRef, TestChannel, id_of_channel
from mattermost_pluginapi.v1.command_pb2 import CommandResponse
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post, Reaction
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["PostRef", "TestUser"]

__tracebackhide__ = True  # pytest shows the line of the test

PostRef = Post | str
"""A post, or its id."""

_SHOWN = 40


class TestUser:
    """A user. What it does goes the server's whole way, and returns when everything that it causes has ended.

    Every method raises `RequestRefused` where the server answers with an error: `RejectedByPlugin` if it was a plugin
    that did not allow it.

    Attributes:
        id: the user's id.
        username: the user's name.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    def __init__(self, core: ServerCore, user: User) -> None:
        self._core = core
        self.id = user.id
        self.username = user.username

    def __repr__(self) -> str:
        return f"<user {self.username} {self.id}>"

    @property
    def model(self) -> User:
        """The user as the server has it now."""
        user = self._core._read(f"{self.username}.model", lambda host: host.store.users.get(self.id))
        return user if user is not None else User(id=self.id)

    # Posts

    def post(self, channel: ChannelRef, message: str | Post, *, files: Sequence[FileInfo] = ()) -> Post:
        """Write a post.

        Args:
            channel: where; the user must be a member.
            message: the text; or a post for more than text, such as props. Its author and channel are filled in.
            files: uploaded files to go with it.

        Returns:
            The post as it is stored, with what plugins have made of it.

        Raises:
            PostDismissed: a plugin drops it silently.
            RejectedByPlugin: a plugin refuses it.
        """
        return self._write(id_of_channel(channel), message, files, "")

    def reply(self, post: Post, message: str | Post, *, files: Sequence[FileInfo] = ()) -> Post:
        """Reply to a post, in its thread.

        Args:
            post: the post.
            message: the text; or a post for more than text.
            files: uploaded files to go with it.
        """
        return self._write(post.channel_id, message, files, post.root_id or post.id)

    def _write(self, channel_id: str, message: str | Post, files: Sequence[FileInfo], root_id: str) -> Post:
        given = Post(message=message) if isinstance(message, str) else Post()
        if isinstance(message, Post):
            given.CopyFrom(message)
        given.user_id, given.channel_id = self.id, channel_id
        given.root_id = root_id or given.root_id
        given.file_ids.extend(file.id for file in files)

        async def write(host: DevHost) -> Post:
            self._check_member(host, channel_id)
            return await create_post(host.world, host.world.hooks.new_context(ip_address="127.0.0.1"), given)

        return self._core._act(f"{self.username}.post({_short(given.message)})", write)

    def _check_member(self, host: DevHost, channel_id: str) -> None:
        known = host.store.channels.get(channel_id)
        if known is not None and host.store.channel_members.get(channel_id, self.id) is None:
            detail = f"{self.username} is no member of {known.name}: channel.add({self.username})"
            raise forbidden("api.context.permissions.app_error", detail)

    def edit(self, post: PostRef, message: str) -> Post:
        """Change the text of a post. Returns it as it is stored."""
        return self._core._act(
            f"{self.username}.edit({_short(message)})", lambda host: host.act.edit(_id(post), message)
        )

    def delete(self, post: PostRef) -> None:
        """Delete a post, and the replies to it."""
        self._core._call(f"{self.username}.delete(...)", lambda host: host.act.delete(_id(post)))

    def react(self, post: PostRef, emoji_name: str) -> Reaction:
        """React to a post with an emoji, by its name without colons."""
        return self._core._call(
            f"{self.username}.react({emoji_name})", lambda host: host.act.react(self.id, _id(post), emoji_name)
        )

    def unreact(self, post: PostRef, emoji_name: str) -> None:
        """Take a reaction back."""
        self._core._call(
            f"{self.username}.unreact({emoji_name})", lambda host: host.act.unreact(self.id, _id(post), emoji_name)
        )

    def read(self, channel: ChannelRef) -> list[Post]:
        """The posts of a channel as a client gets them, oldest first: plugins may have changed them on the way."""
        channel_id = id_of_channel(channel)

        async def read(host: DevHost) -> list[Post]:
            self._check_member(host, channel_id)
            return await host.act.read(host.store.posts.of_channel(channel_id)[::-1])

        return self._core._act(f"{self.username}.read(...)", read)

    # Commands and files

    def command(self, text: str, channel: ChannelRef, *, root: PostRef = "") -> CommandResponse:
        """Enter a slash command. Its answer is posted too: to all, or to this user alone (`ephemeral_posts`).

        Args:
            text: the command, with its slash.
            channel: where.
            root: the thread in which it is entered; "" for none.

        Raises:
            RequestRefused: there is no such command, or the plugin answered with an error: its `message` is what the
                user reads.
        """
        return self._core._act(
            f"{self.username}.command({_short(text)})",
            lambda host: host.act.run_command(self.id, id_of_channel(channel), text, _id(root)),
        )

    def upload(self, channel: ChannelRef, filename: str, content: bytes | str) -> FileInfo:
        """Upload a file, to be posted in a channel. Text goes as UTF-8.

        Raises:
            RejectedByPlugin: a plugin refuses it.
        """
        data = content.encode() if isinstance(content, str) else content
        return self._core._act(
            f"{self.username}.upload({filename})",
            lambda host: host.act.upload(self.id, id_of_channel(channel), filename, data),
        )

    def download(self, file: FileInfo | str) -> bytes:
        """Download a file.

        Raises:
            RejectedByPlugin: a plugin does not allow it.
        """
        file_id = file if isinstance(file, str) else file.id
        return self._core._act(f"{self.username}.download(...)", lambda host: host.act.download(self.id, file_id))

    # HTTP

    def get(self, path: str, *, headers: Headers = ()) -> Answer:
        """Send a GET request to a plugin, logged in as this user.

        Args:
            path: "/plugins/<id>/..." with the query; or what comes after that, if one plugin is loaded.
            headers: more header fields.
        """
        return self.request("GET", path, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: bytes | str = b"",
        json: object = None,
        form: Form | None = None,
    ) -> Answer:
        """Send a request to a plugin, logged in as this user.

        Args:
            method: its method.
            path: "/plugins/<id>/..." with the query; or what comes after that, if one plugin is loaded.
            headers: more header fields.
            body: its body.
            json: a body to be sent as JSON.
            form: a body to be sent as a form's fields.
        """
        return send_request(self._core, self.id, method, path, headers=headers, body=body, json=json, form=form)

    # Sessions

    def log_in(self) -> Session:
        """Log in.

        Raises:
            RejectedByPlugin: a plugin keeps the user out.
        """
        return self._core._act(f"{self.username}.log_in()", lambda host: host.act.log_in(self.id))

    def connect(self) -> TestConnection:
        """Open a websocket connection, as a client that starts does."""
        connection_id = self._core._call(f"{self.username}.connect()", lambda host: host.act.connect(self.id))
        return TestConnection(self._core, connection_id, self.id)

    def deactivate(self) -> None:
        """Have an administrator deactivate the account."""
        self._core._call(
            f"{self.username}.deactivate()",
            lambda host: set_active(host.world, host.world.hooks.new_context(), self.id, active=False),
        )

    def activate(self) -> None:
        """Have an administrator activate the account again."""
        self._core._call(
            f"{self.username}.activate()",
            lambda host: set_active(host.world, host.world.hooks.new_context(), self.id, active=True),
        )

    # What reaches the user

    @property
    def ephemeral_posts(self) -> list[Post]:
        """The posts that this user alone was shown and that have not been taken away, oldest first."""
        shown: dict[str, Post] = {}
        for event in self._core._history(WebSocketEvent):
            if event.broadcast.user_id != self.id or "post" not in event.data:
                continue
            post = Parse(str(event.data["post"]), Post())
            if event.name == "ephemeral_message" or (event.name == "post_edited" and post.id in shown):
                shown[post.id] = post
            elif event.name == "post_deleted":
                shown.pop(post.id, None)
        return list(shown.values())

    @property
    def ephemeral_messages(self) -> list[str]:
        """The texts of `ephemeral_posts`."""
        return [post.message for post in self.ephemeral_posts]

    @property
    def dialogs(self) -> list[dict[str, object]]:
        """The interactive dialogs that this user was shown, oldest first, as JSON objects."""
        events = self._core._history(WebSocketEvent)
        mine = [event for event in events if event.name == "open_dialog" and event.broadcast.user_id == self.id]
        return [json.loads(str(event.data["dialog"])) for event in mine]

    @property
    def mails(self) -> list[MailSent]:
        """The mails to this user's address."""
        address = self.model.email
        mails = self._core._history(MailSent)
        return [mail for mail in mails if mail.to == address]

    @property
    def pushes(self) -> list[PushSent]:
        """The push notifications to this user."""
        pushes = self._core._history(PushSent)
        return [push for push in pushes if push.user_id == self.id]

    def direct(self, other: TestUser) -> TestChannel:
        """The channel of the direct messages with somebody, a bot for example."""
        channel = self._core._act(
            f"{self.username}.direct({other.username})", lambda host: host.act.direct_channel(self.id, other.id)
        )
        return TestChannel(self._core, channel)


def send_request(
    core: ServerCore,
    user_id: str,
    method: str,
    path: str,
    *,
    headers: Headers = (),
    body: bytes | str = b"",
    json: object = None,
    form: Form | None = None,
) -> Answer:
    """Send a request to a plugin, "" as the user for somebody who is not logged in."""
    only = "" if path.startswith("/plugins/") else core._only_plugin(f"{method} {path}")
    plugin_id, asked = question(
        method, path, user_id=user_id, headers=headers, body=body, json_body=json, form=form, default_plugin=only
    )
    return answer_of(core._act(f"{method} {path}", lambda host: host.act.request(plugin_id, asked)))


def _id(post: PostRef) -> str:
    return post if isinstance(post, str) else post.id


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
