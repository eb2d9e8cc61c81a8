"""The JSON object that a request of the page carries."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Final

from aiohttp import web

from mattermost_plugin.devhost.web.problems import RequestError

__all__ = ["Fields", "read_body", "read_fields"]

LARGEST_BODY: Final = 256 * 1024
"""In bytes. The longest post has 16,383 characters; a dialog with all that it may have stays below this too."""

MOST_ITEMS: Final = 100
_HALF_CHARACTER: Final = re.compile(r"[\ud800-\udfff]")

LONGEST_TEXT: Final = 64 * 1024
"""In characters. The rules for posts and names, which are stricter, are the host's."""


class Fields:
    """A JSON object, read field by field. Every reader raises RequestError for a value of another type.

    Args:
        values: the object.
    """

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A text, "" if it is not there."""
        value = self._values.get(name, "")
        # JSON can spell halves of characters, which nothing behind this can hold.
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or _HALF_CHARACTER.search(value):
            raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is no text of at most {LONGEST_TEXT} characters")
        return value

    def flag(self, name: str) -> bool:
        """True or false, false if it is not there."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is neither true nor false")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts, empty if it is not there."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is no list of at most {MOST_ITEMS} items")
        return [Fields({name: item}).text(name) for item in value]

    def scalars(self, name: str) -> dict[str, str | bool | float | None]:
        """An object whose values are texts, numbers, true, false or null; empty if it is not there."""
        value = self._values.get(name, {})
        if not isinstance(value, dict) or len(value) > MOST_ITEMS:
            raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is no object of at most {MOST_ITEMS} fields")
        found: dict[str, str | bool | float | None] = {}
        for key, item in value.items():
            if item is not None and not isinstance(item, str | bool | int | float):
                raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} has a field that is no plain value")
            found[str(key)] = item
        return found


async def read_fields(request: web.Request) -> Fields:
    """Read the object.

    Raises:
        RequestError: there is none, or it is too large.
    """
    # A form of another site can send no JSON without asking first.
    if request.content_type != "application/json":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json")
    try:
        values = json.loads(await read_body(request, LARGEST_BODY))
    except (ValueError, RecursionError) as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body is no JSON") from error
    if not isinstance(values, dict):
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
    return Fields(values)


async def read_body(request: web.Request, most_bytes: int) -> bytes:
    """Read a whole body.

    Raises:
        RequestError: it is longer than `most_bytes`, of which no more is read.
    """
    too_large = RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {most_bytes} bytes")
    if (request.content_length or 0) > most_bytes:
        raise too_large
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > most_bytes:
            raise too_large
    return bytes(body)
