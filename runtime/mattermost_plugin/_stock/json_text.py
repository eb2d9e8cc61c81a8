"""JSON as Go's encoding/json writes and reads it, between texts and the values that gob gives."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from mattermost_plugin._gob import GoTime

__all__ = ["RawJSON", "go_bytes", "go_time", "plain_json", "raw_json", "read_json", "write_json"]

_MARK: Final = "\udc00"
"""Begins a text that stands for raw JSON while the rest is written. No text of a peer has it: it is no character."""
_MARKED: Final = re.compile(f'"{_MARK}([0-9]+)"')

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANO_DIGITS: Final = 9


class RawJSON(bytes):
    """A json.RawMessage: JSON that stands in other JSON as it is."""

    __slots__ = ()


def write_json(value: object) -> bytes:
    """The JSON of a value that gob gave.

    Raises:
        ValueError: a number in it is not finite, or raw JSON in it is none.
        TypeError: a complex number is in it.
    """
    raw: list[str] = []

    def mark(data: RawJSON) -> str:
        # Only to see that it is JSON.
        read_json(data)
        raw.append(data.decode())
        return f"{_MARK}{len(raw) - 1}"

    text = json.dumps(_plain(value, mark), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if raw:
        text = _MARKED.sub(lambda match: raw[int(match[1])], text)
    return text.encode()


def raw_json(value: object) -> bytes:
    """A json.RawMessage of a JSON value. The keys are in order, as Go has those of maps.

    Raises:
        ValueError: a number in it is not finite.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()


def plain_json(value: object) -> object:
    """A value that gob gave, of the types that JSON has; raises as `write_json` does."""
    return _plain(value, read_json)


def read_json(data: bytes) -> object:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: it is none. The text is not in the error: it may hold secrets.
    """
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except RecursionError:
        problem = "JSON that is nested too deep"
    except ValueError:
        problem = "no JSON"
    raise ValueError(problem)


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _plain(value: object, raw: Callable[[RawJSON], object]) -> object:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _key(key): _plain(item, raw) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, raw) for item in value]
    if isinstance(value, RawJSON):
        return raw(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, complex):
        raise TypeError("a complex number, which JSON cannot hold")
    return value


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def go_bytes(value: object) -> bytes | None:
    """A []byte from its JSON.

    Raises:
        TypeError: it is no text.
        ValueError: it is no base64.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("bytes that are no text")
    return base64.b64decode(value, validate=True)


def go_time(value: object) -> GoTime | None:
    """A time.Time from its JSON, to the nanosecond.

    Raises:
        TypeError: it is no text.
        ValueError: it is no time of RFC 3339.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("a time that is no text")
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError("a time that is not as RFC 3339 has it")
    date, time, fraction, sign, hours, minutes = match.groups()
    offset = None if sign is None else int(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)
    try:
        since = datetime.fromisoformat(f"{date}T{time}+00:00") - _EPOCH
    except ValueError:
        since = None
    if since is None:
        raise ValueError("a time that is in no calendar")
    nanoseconds = int((fraction or "")[:_NANO_DIGITS].ljust(_NANO_DIGITS, "0"))
    return GoTime(since // timedelta(seconds=1) - (offset or 0), nanoseconds, offset or None)
