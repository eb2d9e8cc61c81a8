"""Go errors as they travel in interfaces, and AppErrors."""

from __future__ import annotations

from typing import Final

from mattermost_plugin._gob import GENERIC, Interface
from mattermost_plugin._gob.targets import AnyTarget
from mattermost_pluginapi.v1.common_pb2 import AppError

__all__ = ["ERROR_TARGET", "error_interface", "fill_error"]

ERROR_TARGET: Final[AnyTarget] = GENERIC
"""What a field of type `error` becomes before `fill_error`."""

_NOT_FOUND, _FAILED = 404, 500
_NO_ROWS: Final = 2
"""Code of sql.ErrNoRows in an ErrorString."""


def fill_error(error: AppError, value: object) -> None:
    """Fill an AppError from what an `error` holds.

    Raises:
        TypeError: it is none of the errors that servers send.
    """
    if not isinstance(value, Interface) or not isinstance(value.value, dict):
        raise TypeError("an error of an unknown kind")
    name, fields = value.name, value.value
    error.SetInParent()
    if name == "*model.AppError":
        error.id, error.message = fields.get("Id", ""), fields.get("Message", "")
        error.detailed_error, error.where = fields.get("DetailedError", ""), fields.get("Where", "")
        error.request_id, error.status_code = fields.get("RequestId", ""), fields.get("StatusCode", 0)
        error.skip_translation = fields.get("SkipTranslation", False)
    elif name == "*plugin.ErrorString":
        error.message = fields.get("Err", "")
        error.status_code = _NOT_FOUND if fields.get("Code", 0) == _NO_ROWS else _FAILED
    elif name == "*pq.Error":
        error.message, error.detailed_error = fields.get("Message", ""), fields.get("Detail", "")
        error.status_code = _FAILED
    else:
        raise TypeError("an error of an unknown kind")


def error_interface(error: AppError) -> Interface:
    """What an `error` holds so that a server shows the text, as it does with a Go plugin's."""
    text = error.message or error.detailed_error or error.id or "unknown error"
    return Interface("*plugin.ErrorString", {"Err": text})
