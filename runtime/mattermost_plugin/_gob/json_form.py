"""Decoded values as JSON, for people and for comparison with other programs.

A struct is an object by Go's field names with the fields that were sent. What JSON has no word for is an object with
one key that begins with a dollar: {"$bytes": base64}, {"$type": name, "value": ...} for what an interface holds,
{"$float": "NaN"}, {"$complex": [real, imaginary]}, {"$map": [[key, value], ...]} for keys that are no texts or
numbers, {"$time": [seconds, nanoseconds, offset]} for times that RFC 3339 cannot have. Other times are its texts, a
value that marshals itself its text if it is one. An empty slice is null: it is what Go reads back, for it has no other
way to write nil.
"""

from __future__ import annotations

import base64
import math
from typing import TypeAlias

from mattermost_plugin._gob.values import GoTime, Interface, Marshaled, Pairs

__all__ = ["JSON", "json_form"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


def json_form(value: object) -> JSON:
    """A value that `GENERIC` has made, as what `json.dumps` takes.

    Raises:
        TypeError: it is of another type.
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case float():
            return value if math.isfinite(value) else {"$float": str(value)}
        case complex():
            return {"$complex": [json_form(value.real), json_form(value.imag)]}
        case Interface():
            return {"$type": _text(value.name), "value": json_form(value.value)}
        case GoTime():
            return _time(value)
        case Marshaled():
            return _marshaled(value)
        case bytes():
            return _bytes(value)
        case dict():
            return {_key(key): json_form(item) for key, item in value.items()}
        case Pairs():
            return {"$map": [[json_form(key), json_form(item)] for key, item in value]}
        case list():
            return [json_form(item) for item in value] or None
        case tuple():
            return [json_form(item) for item in value]
        case _:
            raise TypeError(f"a {type(value).__name__} is nothing that gob is decoded to")


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return _text(key) if isinstance(key, str) else str(key)


def _text(value: str) -> str:
    # Bytes that are no UTF-8 are kept as surrogates, which JSON cannot have.
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _time(value: GoTime) -> JSON:
    try:
        return value.isoformat()
    except (OverflowError, ValueError):
        # Not in the years that a text can have, or of a zone that it cannot have.
        return {"$time": list(value)}


def _marshaled(value: bytes) -> JSON:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _bytes(value)


def _bytes(value: bytes) -> JSON:
    return {"$bytes": base64.b64encode(value).decode("ascii")}
