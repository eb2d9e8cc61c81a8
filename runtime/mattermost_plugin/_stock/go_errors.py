"""Go errors as they travel in interfaces, and AppErrors."""

from __future__ import annotations

from typing import Any, Final

from mattermost_plugin._gob import GENERIC, Interface
from mattermost_plugin._gob.targets import AnyTarget
from mattermost_pluginapi.v1.common_pb2 import AppError

__all__ = ["ERROR_TARGET", "error_interface", "fill_error"]

ERROR_TARGET: Final[AnyTarget] = GENERIC
"""What a field of type `error` becomes before `fill_error`."""

_NOT_FOUND, _FAILED = 404, 500
_NO_ROWS: Final = 2
"""Code of sql.ErrNoRows in a *plugin.ErrorString."""

_MAX_NAME: Final = 80


def fill_error(out: Any, name: str, held: object) -> None:
    """Put what an `error` holds into the AppError of a message.

    Args:
        out: the message.
        name: its field.
        held: an Interface, or None for no error.

    Raises:
        TypeError: a field of the error has another type than Go's.
    """
    if held is None:
        return
    if not isinstance(held, Interface):
        raise TypeError("an error that is no interface")
    error: AppError = getattr(out, name)
    error.SetInParent()
    fields = held.value if isinstance(held.value, dict) else {}
    match held.name:
        case "*model.AppError":
            _fill_app_error(error, fields)
        case "*plugin.ErrorString":
            error.message = _text(fields.get("Err", ""))
            error.status_code = _NOT_FOUND if fields.get("Code") == _NO_ROWS else _FAILED
        case "*pq.Error":
            error.message = f"pq: {_text(fields.get('Message', ''))}"
            error.detailed_error = _text(fields.get("Detail", ""))
            error.status_code = _FAILED
        case other:
            # Of a newer server. The call failed, and that is what must be known.
            error.message = f"the server answered with an error of type {ascii(other)[1:-1][:_MAX_NAME]}"
            error.status_code = _FAILED


def _fill_app_error(error: AppError, fields: dict[str, Any]) -> None:
    error.id = _text(fields.get("Id", ""))
    error.message = _text(fields.get("Message", ""))
    error.detailed_error = _text(fields.get("DetailedError", ""))
    error.request_id = _text(fields.get("RequestId", ""))
    error.where = _text(fields.get("Where", ""))
    error.status_code = fields.get("StatusCode", 0)
    error.skip_translation = fields.get("SkipTranslation", False)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a field of an error that is no text")
    # GENERIC keeps bytes that are no UTF-8, which protobuf does not take.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def error_interface(error: AppError) -> Interface:
    """What an `error` holds so that a server shows the text, as it does with a Go plugin's.

    A server reads nothing of a hook's error but its text.
    """
    texts = [error.message, error.detailed_error if error.detailed_error != error.message else ""]
    text = ", ".join(filter(None, texts)) or error.id or "unknown error"
    return Interface("*plugin.ErrorString", {"Err": text})
