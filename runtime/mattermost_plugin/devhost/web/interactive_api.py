"""Buttons and menus in attachments, and dialogs: what a click or a form sends to a plugin."""

from __future__ import annotations

from collections import OrderedDict
from http import HTTPStatus
from typing import Final

from aiohttp import web
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.devhost.app.ephemeral import send_ephemeral, update_ephemeral
from mattermost_plugin.devhost.app.posts import update_post
from mattermost_plugin.devhost.errors import not_found
from mattermost_plugin.devhost.web.json_body import read_fields
from mattermost_plugin.devhost.web.logins import Login
from mattermost_plugin.devhost.web.message_json import Json, struct_fields
from mattermost_plugin.devhost.web.parts import FrontParts
from mattermost_plugin.devhost.web.plugin_calls import call_plugin
from mattermost_plugin.devhost.web.problems import RequestError
from mattermost_plugin.devhost.web.views import EPHEMERAL_TYPE, attachments_of
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["InteractiveApi"]

MOST_EPHEMERAL: Final = 200
"""How many posts that nobody stores are remembered, so that their buttons work."""

_KEPT_PROPS: Final = ("from_webhook", "override_username", "override_icon_url", "from_plugin", "from_bot")
"""What the answer to a click does not change, as on a server."""


class InteractiveApi:
    """Requests of buttons, menus and dialogs.

    Args:
        parts: what the front shares.
    """

    def __init__(self, parts: FrontParts) -> None:
        self._parts = parts
        self._ephemeral: OrderedDict[str, tuple[str, Post]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        return [
            web.post(r"/posts/{post_id}/actions/{attachment:\d{1,4}}/{action:\d{1,4}}", self._act),
            web.post("/dialogs", self._submit),
        ]

    def remember(self, user_id: str, post: Post) -> None:
        """Keep a post that only one user sees."""
        self._ephemeral[post.id] = (user_id, post)
        self._ephemeral.move_to_end(post.id)
        if len(self._ephemeral) > MOST_EPHEMERAL:
            self._ephemeral.popitem(last=False)

    async def _act(self, request: web.Request) -> web.Response:
        login = self._parts.logins.of_request(request)
        selected = (await read_fields(request)).text("selected")
        post = self._post(login, request.match_info["post_id"])
        action = _action(post, int(request.match_info["attachment"]), int(request.match_info["action"]))
        integration = action.get("integration")
        called = integration if isinstance(integration, dict) else {}
        payload = self._place(login, post.channel_id) | {
            "post_id": post.id,
            "trigger_id": self._parts.world.triggers.issue(login.user.id),
            "type": action.get("type", ""),
            "data_source": action.get("data_source", ""),
            "context": _context(called.get("context"), selected),
        }
        answer = await call_plugin(self._parts.world, login, str(called.get("url", "")), payload)
        fields = answer if isinstance(answer, dict) else {}
        if isinstance(fields.get("update"), dict):
            await self._update(login, post, fields["update"])
        text = fields.get("ephemeral_text")
        if isinstance(text, str) and text:
            shown = Post(channel_id=post.channel_id, root_id=post.root_id, user_id=post.user_id, message=text)
            send_ephemeral(self._parts.world, login.user.id, shown)
        return web.json_response({"goto": str(fields.get("goto_location", "") or "")})

    def _post(self, login: Login, post_id: str) -> Post:
        user_id, ephemeral = self._ephemeral.get(post_id, ("", None))
        if ephemeral is not None and user_id == login.user.id:
            return ephemeral
        return self._parts.post(login, post_id)

    def _place(self, login: Login, channel_id: str) -> dict[str, Json]:
        channel = self._parts.channel(login, channel_id)
        team = self._parts.world.store.teams.get(channel.team_id)
        return {
            "user_id": login.user.id,
            "user_name": login.user.username,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "team_id": channel.team_id,
            "team_domain": team.name if team else "",
        }

    async def _update(self, login: Login, post: Post, update: Json) -> None:
        changed = Post()
        changed.CopyFrom(post)
        fields = update if isinstance(update, dict) else {}
        changed.message = str(fields.get("message", "") or "")
        kept = {name: value for name, value in struct_fields(post.props).items() if name in _KEPT_PROPS}
        props = fields.get("props")
        try:
            changed.props.CopyFrom(ParseDict((props if isinstance(props, dict) else {}) | kept, Struct()))
        except ParseError as error:
            raise RequestError(HTTPStatus.BAD_GATEWAY, "the plugin's update has no usable props") from error
        if post.type == EPHEMERAL_TYPE:
            update_ephemeral(self._parts.world, login.user.id, changed)
        else:
            context = self._parts.world.hooks.new_context(session_id=login.session.id)
            await update_post(self._parts.world, context, changed)

    async def _submit(self, request: web.Request) -> web.Response:
        login, fields = self._parts.logins.of_request(request), await read_fields(request)
        place = self._place(login, fields.text("channel_id"))
        submission: dict[str, Json] = {**fields.scalars("submission")}
        payload: dict[str, Json] = {
            "type": "dialog_submission",
            "callback_id": fields.text("callback_id"),
            "state": fields.text("state"),
            "submission": submission,
            "cancelled": fields.flag("cancelled"),
            "user_id": place["user_id"],
            "channel_id": place["channel_id"],
            "team_id": place["team_id"],
        }
        answer = await call_plugin(self._parts.world, login, fields.text("url"), payload)
        given = answer if isinstance(answer, dict) else {}
        errors = given.get("errors")
        return web.json_response(
            {
                "error": str(given.get("error", "") or ""),
                "errors": {str(name): str(text) for name, text in errors.items()} if isinstance(errors, dict) else {},
            }
        )


def _action(post: Post, attachment: int, action: int) -> dict[str, Json]:
    attachments = attachments_of(post)
    actions = attachments[attachment].get("actions") if attachment < len(attachments) else None
    found = actions[action] if isinstance(actions, list) and action < len(actions) else None
    if not isinstance(found, dict):
        raise not_found("api.post.do_action.action_id.app_error", f"post_id={post.id}")
    return found


def _context(given: Json, selected: str) -> Json:
    """What goes back to the plugin with a click, and the choice of a menu."""
    context = dict(given) if isinstance(given, dict) else {}
    return context | ({"selected_option": selected} if selected else {})
