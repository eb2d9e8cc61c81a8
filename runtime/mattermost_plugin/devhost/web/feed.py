"""The websocket over which a tab learns at once what happens.

A tab is a websocket connection of its user: plugins hear of it, and events reach it as they would on a server. What a
tab is too slow for is dropped and counted; the tab then reads anew what it shows.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web
from google.protobuf.json_format import Parse, ParseError

from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_plugin.devhost.web.guard import FEED
from mattermost_plugin.devhost.web.journal import Entry
from mattermost_plugin.devhost.web.logins import Login
from mattermost_plugin.devhost.web.message_json import Json
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.views import EPHEMERAL_TYPE, post_view
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["Feed", "reaches"]

WRONG_KEY: Final = 4401
NOT_LOGGED_IN: Final = 4403
"""Codes with which a connection is closed; the page tells them apart."""

MOST_CONNECTIONS: Final = 50
MOST_WAITING: Final = 500
"""How many events wait for a slow tab, and how many old ones a new tab is told."""

HELLO_S: Final = 10.0
"""How long a new connection may stay silent."""

LARGEST_MESSAGE: Final = 4096
HEARTBEAT_S: Final = 30.0

_log = logging.getLogger(__name__)

_ABOUT_CHANNELS: Final = {f"channel_{what}" for what in ("created", "deleted", "restored", "updated")}
_ABOUT_TEAMS: Final = {"added_to_team", "delete_team", "leave_team", "update_team"}
_ABOUT_PEOPLE: Final = {"direct_added", "group_added", "new_user", "user_added", "user_removed", "user_updated"}
_ABOUT_PLACES: Final = frozenset(_ABOUT_CHANNELS | _ABOUT_TEAMS | _ABOUT_PEOPLE)
_ABOUT_POSTS: Final = frozenset({"posted", "post_edited", "post_deleted", "ephemeral_message"})


class Feed:
    """Serves the websocket.

    Args:
        parts: what the front shares.
        on_ephemeral: told the posts that only one user sees.
    """

    def __init__(self, parts: FrontParts, on_ephemeral: Callable[[str, Post], None]) -> None:
        self._parts = parts
        self._on_ephemeral = on_ephemeral
        self._connections: set[web.WebSocketResponse] = set()
        self._stop_listening = parts.journal.listen(self._hear)

    def routes(self) -> list[web.RouteDef]:
        """Its route."""
        return [web.get("/feed", self._serve, name=FEED)]

    async def close(self) -> None:
        """Close all connections."""
        self._stop_listening()
        for connection in tuple(self._connections):
            await connection.close(code=WSCloseCode.GOING_AWAY)

    def _hear(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, WebSocketEvent) and event.broadcast.user_id:
            post = _post_of(event)
            if post is not None and post.type == EPHEMERAL_TYPE and not post.delete_at:
                self._on_ephemeral(event.broadcast.user_id, post)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        connection = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_MESSAGE, compress=False)
        await connection.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await connection.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return connection
        self._connections.add(connection)
        try:
            hello = await _hello(connection)
            if not self._parts.keys.accept(str(hello.get("key", ""))):
                await connection.close(code=WRONG_KEY)
                return connection
            user_id = str(hello.get("user_id", ""))
            try:
                login = self._parts.logins.of(user_id) if user_id else None
            except ApiError:
                await connection.close(code=NOT_LOGGED_IN)
                return connection
            after = hello.get("after") if hello.get("run") == self._parts.journal.run else 0
            await self._tell(connection, login, after if isinstance(after, int) else 0)
        finally:
            self._connections.discard(connection)
        return connection

    async def _tell(self, connection: web.WebSocketResponse, login: Login | None, after: int) -> None:
        user_id = login.user.id if login else ""  # "" where there are no users yet
        connection_id = login.act.connect(user_id) if login else ""
        tab = _Tab(self._parts.world, user_id, connection_id)
        for entry in self._parts.journal.after(after, MOST_WAITING):
            tab.add(entry, old=True)
        stop_listening = self._parts.journal.listen(tab.add)
        sender = asyncio.create_task(self._send(connection, tab))
        try:
            # The page says nothing more; what is received is the end.
            while (await connection.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                pass
        finally:
            stop_listening()
            if login:
                login.act.disconnect(connection_id, user_id)
            sender.cancel()
            # Last: when the connection breaks, this task is cancelled here.
            await asyncio.wait([sender])

    async def _send(self, connection: web.WebSocketResponse, tab: _Tab) -> None:
        try:
            await connection.send_str(json.dumps({"hello": {"run": self._parts.journal.run}}))
            while not connection.closed:
                # Waits until the connection takes more, and the tab's list fills up meanwhile.
                await connection.send_str(json.dumps(await tab.next()))
        except ConnectionError:
            return  # the other side of the connection notices by itself
        except Exception:  # noqa: BLE001 - a tab that hears nothing more must not look alive
            _log.exception("a tab cannot be told what happens")
            await connection.close(code=WSCloseCode.INTERNAL_ERROR)


class _Tab:
    """What waits to be sent to one tab."""

    def __init__(self, world: World, user_id: str, connection_id: str) -> None:
        self._world = world
        self._user_id = user_id
        self._connection_id = connection_id
        self._waiting: deque[dict[str, Json]] = deque()
        self._missed = 0
        self._more = asyncio.Event()

    def add(self, entry: Entry, *, old: bool = False) -> None:
        """Let an event wait, the oldest one that waits makes room.

        Args:
            entry: the event.
            old: it only belongs into the list.
        """
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._missed += 1
        self._waiting.append(entry.summary if old else {**entry.summary, **self._effect(entry)})
        self._more.set()

    async def next(self) -> dict[str, Json]:
        """All that waits, once there is something."""
        await self._more.wait()
        self._more.clear()
        message: dict[str, Json] = {"events": [*self._waiting], "missed": self._missed}
        self._waiting.clear()
        self._missed = 0
        return message

    def _effect(self, entry: Entry) -> dict[str, Json]:
        """What an event changes on the page, if it reaches the tab."""
        event = entry.event
        if not isinstance(event, WebSocketEvent):
            return {}
        if event.name in _ABOUT_PLACES:
            return {"effect": {"places": True}}  # what has changed is looked up, as what the user may see
        if not reaches(self._world, event.broadcast, self._user_id, self._connection_id):
            return {}
        return {"effect": effect_of(self._world, event)}


def reaches(world: World, broadcast: WebsocketBroadcast, user_id: str, connection_id: str) -> bool:
    """Whether an event reaches a user's connection."""
    own = bool(connection_id) and connection_id == broadcast.connection_id
    omitted = bool(connection_id) and connection_id == broadcast.omitted_connection_id
    if omitted or (broadcast.omit_connection_id and own):
        return False
    if broadcast.connection_id and not broadcast.omit_connection_id:
        return own
    if user_id in broadcast.omit_users:
        return False
    if broadcast.user_id:
        return broadcast.user_id == user_id
    if broadcast.channel_id:
        return world.store.channel_members.get(broadcast.channel_id, user_id) is not None
    if broadcast.team_id:
        member = world.store.team_members.get(broadcast.team_id, user_id)
        return member is not None and not member.delete_at
    return True


def effect_of(world: World, event: WebSocketEvent) -> dict[str, Json]:
    """What an event that reaches a tab means for what it shows.

    Posts are named and not told, as plugins may change what a user reads of them. Only those that nobody stores are in
    the event as a whole.
    """
    post = _post_of(event)
    if post is not None:
        effect: dict[str, Json] = {"post_id": post.id, "channel_id": post.channel_id, "root_id": post.root_id}
        if post.type == EPHEMERAL_TYPE:
            effect["post"] = None if post.delete_at else post_view(world, post)
        return effect | {"by": post.user_id, "deleted": bool(post.delete_at) or event.name == "post_deleted"}
    if event.name in ("reaction_added", "reaction_removed"):
        reaction = _object(event.data.get("reaction"))
        return {"post_id": str(reaction.get("post_id", "")), "channel_id": event.broadcast.channel_id}
    if event.name == "open_dialog":
        dialog = _object(event.data.get("dialog"))
        return {"dialog": {key: value for key, value in dialog.items() if key != "trigger_id"}}
    if event.name == "show_toast":
        return {"toast": str(event.data.get("message", ""))}
    return {}


def _post_of(event: WebSocketEvent) -> Post | None:
    text = event.data.get("post")
    if event.name not in _ABOUT_POSTS or not isinstance(text, str):
        return None
    try:
        return Parse(text, Post(), ignore_unknown_fields=True)
    except ParseError:
        return None


def _object(text: object) -> dict[str, Json]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _hello(connection: web.WebSocketResponse) -> dict[str, Json]:
    """The first message: the key, the user, and what the tab knows already."""
    try:
        async with asyncio.timeout(HELLO_S):
            message = await connection.receive()
    except TimeoutError:
        return {}
    return _object(message.data if message.type is WSMsgType.TEXT else None)
