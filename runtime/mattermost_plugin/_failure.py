"""What a failed handler becomes: lines in the log, and an error for the reply."""

import logging
from typing import Any

from google.protobuf.struct_pb2 import Struct

from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin.errors import HandlerTimeout, HookError
from mattermost_pluginapi.models import AppError

_log = logging.getLogger(__name__)

REFUSAL_TEXT = "This was refused because a plugin that must check it is failing. Please ask your administrator."
"""What users read when a failure means refusal. It tells nothing of the failure itself, which is in the log."""

_STATUS = 500


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
    text = f"{spec.label} {what}: {type(error).__name__}: {error}"
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


def _chosen(spec: HandlerSpec, error: HookError) -> AppError:
    return AppError(
        id=error.id or f"plugin.{spec.hook}.error",
        message=error.message,
        detailed_error=error.detailed_error or error.message,
        where=error.where or spec.label,
        status_code=error.status_code,
        params=_params(error) if error.params else None,
        skip_translation=not error.id,
    )


def _params(error: HookError) -> Struct:
    params = Struct()
    # Any: what the author put in is checked by protobuf, one value at a time.
    given: dict[str, Any] = error.params
    try:
        params.update(given)
    except (TypeError, ValueError) as fault:
        _log.warning("The params of a HookError were left out: %s", fault)
    return params
