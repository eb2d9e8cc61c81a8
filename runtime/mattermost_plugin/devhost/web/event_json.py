"""Events of the host as JSON: one line for the list, and everything for whoever looks closer."""

from __future__ import annotations

import json
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin.devhost.events import (
    ApiCalled,
    Event,
    HookCalled,
    LogWritten,
    MailSent,
    PluginChanged,
    PushSent,
    WebSocketEvent,
)
from mattermost_plugin.devhost.web.message_json import Json, plain, shown
from mattermost_pluginapi.v1.common_pb2 import AppError
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["details_of", "summary_of"]

LONGEST_LINE: Final = 300
"""Of a text in the list, in characters; the details have more of it."""


def summary_of(event: Event) -> dict[str, Json]:
    """One line about an event: its kind, whose it is, its name, how it ended."""
    match event:
        case HookCalled():
            return _called("hook", event.plugin_id, _hook_name(event), event.duration_ms, _hook_outcome(event))
        case ApiCalled():
            return _called("api", event.plugin_id, event.method, event.duration_ms, _error_of(event.response))
        case WebSocketEvent():
            return {"kind": "event", "plugin": "", "name": event.name, "note": _reach(event.broadcast)}
        case LogWritten():
            text = event.message[:LONGEST_LINE]
            return {"kind": "log", "plugin": event.plugin_id, "name": text, "level": event.level}
        case PluginChanged():
            reason = event.reason.partition("\n")[0][:LONGEST_LINE]
            return {"kind": "plugin", "plugin": event.plugin_id, "name": event.state, "failed": reason}
        case MailSent():
            return {"kind": "mail", "plugin": "", "name": event.subject[:LONGEST_LINE], "note": event.to}
        case PushSent():
            return {"kind": "push", "plugin": "", "name": event.notification.message[:LONGEST_LINE]}
    return {"kind": "other", "plugin": "", "name": type(event).__name__}


def details_of(event: Event) -> dict[str, Json]:
    """What else is known about an event."""
    match event:
        case HookCalled():
            answer = None if event.response is None else shown(event.response)
            return {"arguments": shown(event.request), "result": answer, "failure": event.failure}
        case ApiCalled():
            return {"arguments": shown(event.request), "result": shown(event.response)}
        case WebSocketEvent():
            return {"data": _data(event), "reaches": shown(event.broadcast)}
        case LogWritten():
            return {"message": plain(event.message), "values": plain(event.pairs)}
        case PluginChanged():
            return {"reason": plain(event.reason)}
        case MailSent():
            return {"to": event.to, "subject": event.subject, "body": plain(event.html_body)}
        case PushSent():
            return {"to": event.user_id, "notification": shown(event.notification)}
    return {}


def _called(kind: str, plugin_id: str, name: str, duration_ms: float, failed: str) -> dict[str, Json]:
    line: dict[str, Json] = {"kind": kind, "plugin": plugin_id, "name": name, "ms": round(duration_ms, 1)}
    return line | ({"failed": failed[:LONGEST_LINE]} if failed else {})


def _hook_name(event: HookCalled) -> str:
    if isinstance(event.request, ServeHTTPRequest):
        # The query may hold a secret.
        head = event.request.init
        return f"{event.hook} {head.method} {head.url.partition('?')[0]}"
    return event.hook


def _hook_outcome(event: HookCalled) -> str:
    if event.failure or event.response is None:
        return event.failure or "no answer"
    if isinstance(event.response, ServeHTTPResponse):
        return ""
    reason = getattr(event.response, "rejection_reason", "")
    return f"rejected: {reason}" if reason else _error_of(event.response)


def _error_of(response: Message) -> str:
    error = getattr(response, "error", None)
    if not isinstance(error, AppError) or not response.HasField("error"):
        return ""
    return f"{error.status_code} {error.message or error.id}"


def _reach(broadcast: WebsocketBroadcast) -> str:
    places = ("connection_id", "user_id", "channel_id", "team_id")
    return next((f"to one {place.removesuffix('_id')}" for place in places if getattr(broadcast, place)), "to all")


def _data(event: WebSocketEvent) -> Json:
    return plain({key: _read(value) for key, value in event.data.items()})


def _read(value: object) -> object:
    """What an event carries: posts and the like are in it as text."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
