"""What a server's error means to the user who caused it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.app.posts import DISMISS
from mattermost_plugin.devhost.events import Event, HookCalled
from mattermost_plugin.testing.errors import PostDismissed, RejectedByPlugin, RequestRefused

__all__ = ["refusal_of"]

__tracebackhide__ = True  # pytest shows the line of the test

_SAVE_REFUSED: Final = "app.save_config.plugin_hook_error"
_MARKS: Final = ("rejected by plugin", "rejected_by_plugin", _SAVE_REFUSED, DISMISS)
"""How the server's errors say that it was a plugin that did not allow something."""


def refusal_of(error: ApiError, action: str, events: Sequence[Event]) -> RequestRefused:
    """The exception for a server's error.

    Args:
        error: the error.
        action: what the user did.
        events: what has happened since.
    """
    arguments = (action, error.status_code, error.error_id, error.message, error.detail)
    if not any(mark in error.error_id.lower() for mark in _MARKS):
        return RequestRefused(*arguments)
    refusal = PostDismissed(*arguments) if error.error_id == DISMISS else RejectedByPlugin(*arguments)
    refusal.reason = error.detail or error.message
    for event in reversed(events):
        if isinstance(event, HookCalled) and event.response is not None:
            reason = _reason(event.response)
            if reason and (reason in error.error_id or reason in error.detail):
                refusal.reason, refusal.plugin_id, refusal.hook = reason, event.plugin_id, event.hook
                break
    return refusal


def _reason(response: Message) -> str:
    fields = response.DESCRIPTOR.fields_by_name
    if "rejection_reason" in fields:
        return str(getattr(response, "rejection_reason", ""))
    error = getattr(response, "error", None) if "error" in fields else None
    return str(getattr(error, "detailed_error", "") or getattr(error, "message", "")) if error is not None else ""
