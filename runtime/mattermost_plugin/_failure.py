"""What a failed handler becomes: lines in the log, and an error for the reply."""

import logging
from typing import Any

from google.protobuf.struct_pb2 import Struct

from mattermost_plugin._redaction import exception_text
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin.errors import HandlerTimeout, HookError, PluginError
from mattermost_pluginapi.models import AppError

_log = logging.getLogger(__name__)

REFUSAL_TEXT = "This was refused because a plugin that must check it is failing. Please ask your administrator."
"""What users read when a failure means refusal. It tells nothing of the failure itself, which is in the log."""

_NO_TEXT = "The plugin refused this without giving a reason."
"""For an error without text: the server reads an empty refusal as consent."""

_STATUS = 500
_STATUSES = range(100, 1000)


def report_failure(spec: HandlerSpec, error: BaseException) -> AppError:
    """Log a handler's failure and put it into words for the reply.

    Returns:
        The error for the reply. Its text goes to the server; for hooks that refuse, it is a fixed one.
    """
    if isinstance(error, HookError):
        # The author's own answer, not a fault: no traceback.
        _log.info("%s answered with an error: %s", spec.label, error.message)
        return _chosen(spec, error)
    what = "timed out" if isinstance(error, HandlerTimeout) else "failed"
    _log.error("%s handler %s %s", spec.hook, spec.label, what, exc_info=error, extra={"on_error": spec.on_error})
    if spec.on_error == "reject":
        return AppError(message=REFUSAL_TEXT)
    text = f"{spec.label} {what}: {exception_text(error)}"
    return AppError(
        id=f"plugin.{spec.hook}.failed",
        message=text,
        # The gRPC host replaces `message` by the id and keeps this one.
        detailed_error=text,
        where=spec.label,
        status_code=_STATUS,
        # Without it a stock server shows the translation of `id`, which has none, instead of `message`.
        skip_translation=True,
    )


def report_not_run(spec: HandlerSpec, error: PluginError) -> AppError:
    """Log that a handler was not called, and put it into words for the reply."""
    _log.info("%s was not run: %s", spec.hook, error)
    if spec.on_error == "reject":
        return AppError(message=REFUSAL_TEXT)
    text = str(error)
    return AppError(
        id="plugin.not_active",
        message=text,
        detailed_error=text,
        where=spec.label,
        status_code=503,
        skip_translation=True,
    )


def _chosen(spec: HandlerSpec, error: HookError) -> AppError:
    message = _sendable(error.message) or _NO_TEXT
    return AppError(
        id=_sendable(error.id) or f"plugin.{spec.hook}.error",
        message=message,
        detailed_error=_sendable(error.detailed_error) or message,
        where=_sendable(error.where) or spec.label,
        status_code=_status(error.status_code),
        params=_params(error) if error.params else None,
        skip_translation=not error.id,
    )


def _sendable(value: object) -> str:
    """A text that protobuf takes, whatever an author gave as one: a reply must not fail over the words of a failure."""
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - an author's __str__ may raise anything
        return f"<{type(value).__name__} without text: {type(error).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def _status(value: object) -> int:
    return value if isinstance(value, int) and value in _STATUSES else _STATUS


def _params(error: HookError) -> Struct | None:
    params = Struct()
    # Any: what the author put in is checked by protobuf, one value at a time.
    given: dict[str, Any] = error.params
    try:
        params.update(given)
    except (TypeError, ValueError) as fault:
        _log.warning("The params of a HookError were left out: %s", fault)
        return None
    return params
