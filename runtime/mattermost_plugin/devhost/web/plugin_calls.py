"""What the server itself asks plugins over HTTP: for the values of an argument, and when a button is pressed."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.errors import ApiError, bad_request
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.http_exchange import HttpQuestion
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.web.logins import Login
from mattermost_plugin.devhost.web.message_json import Json
from mattermost_plugin.devhost.world import World

__all__ = ["call_plugin", "plugin_at"]

LARGEST_ANSWER: Final = 1024 * 1024
"""In bytes; the server has the same limit for the answers of integrations."""


def plugin_at(world: World, url: str) -> tuple[InstalledPlugin, str]:
    """The plugin that a URL leads to, and the path in it.

    Raises:
        ApiError: it leads elsewhere, where this host does not go, or to a plugin that does not run.
    """
    plugin_id, slash, path = url.lstrip("/").removeprefix("plugins/").partition("/")
    plugin = world.plugins.get(plugin_id) if url.lstrip("/").startswith("plugins/") else None
    if plugin is None or plugin.link is None or "ServeHTTP" not in plugin.hooks:
        detail = f"{url.partition('?')[0]} leads to no plugin that runs here; this host calls no other addresses"
        raise bad_request("api.post.do_action.action_integration.app_error", detail)
    return plugin, f"{slash}{path}"


async def call_plugin(world: World, login: Login, url: str, payload: dict[str, Json] | None = None) -> Json:
    """Call a plugin's route as a user.

    Args:
        world: the host's parts.
        login: as whom.
        url: where, from "/plugins/" on.
        payload: what to post as JSON; None for a GET.

    Raises:
        ApiError: the URL leads nowhere, or the plugin answers no JSON with status 200.
    """
    plugin, path = plugin_at(world, url)
    question = HttpQuestion(
        method="GET" if payload is None else "POST",
        path=path,
        headers=[("Content-Type", "application/json"), ("Accept", "application/json")],
        body=b"" if payload is None else json.dumps(payload).encode(),
        user_id=login.user.id,
    )
    context = world.hooks.new_context(session_id=login.session.id)
    body = bytearray()
    try:
        async with world.hooks.open_http(plugin, question, context) as reply:
            async for piece in reply.pieces:
                body += piece.data
                if len(body) > LARGEST_ANSWER:
                    raise _failed(f"the answer has more than {LARGEST_ANSWER} bytes")
    except HookFailedError as error:
        raise _failed(str(error)) from error
    if reply.status != HTTPStatus.OK:
        raise _failed(f"status={reply.status}")
    try:
        answer: Json = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _failed("the answer is no JSON") from error
    return answer


def _failed(detail: str) -> ApiError:
    return ApiError("api.post.do_action.action_integration.app_error", HTTPStatus.BAD_REQUEST, detail)
