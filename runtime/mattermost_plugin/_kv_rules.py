"""What keys, times and numbers of attempts the key-value store takes. Checked before the server is asked."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Final

from mattermost_plugin._cluster_keys import RESERVED_PREFIX

LONGEST_KEY: Final = 150
"""Characters; the server's limit."""

_RESERVED: Final = {"mmi_": "the server's own", RESERVED_PREFIX: "of a mutex or a job"}
"""How the keys begin that have another owner among a plugin's: the server keeps the id of the plugin's bot there."""

_LONGEST_S: Final = timedelta.max.total_seconds()
"""The server counts milliseconds in 64 bits, which hold this."""

_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.5
_MAX_DOUBLINGS: Final = 10
"""Of a pause; by then it is at its longest."""


def checked_key(key: str) -> str:
    """The key, if a server takes it.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, too long, or has another owner.
    """
    if not isinstance(key, str):
        raise TypeError(f"a key must be str, not {type(key).__name__}")
    if not key:
        raise ValueError("a key must not be empty")
    if len(key) > LONGEST_KEY:
        raise ValueError(f"the key {key[:20]!r}... has {len(key)} characters; servers take {LONGEST_KEY} at most")
    for prefix, owner in _RESERVED.items():
        if key.startswith(prefix):
            raise ValueError(f"the key {key!r} is {owner}: choose one that does not begin with {prefix!r}")
    if "\0" in key:
        # PostgreSQL keeps none in text.
        raise ValueError(f"the key {key!r} has a NUL character, which servers cannot store")
    return key


def checked_prefix(prefix: str) -> str:
    """What keys may begin with: any text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix must be str, not {type(prefix).__name__}")
    return prefix


def is_reserved(key: str) -> bool:
    """Whether that key belongs to the server, or to a mutex or job."""
    return key.startswith(tuple(_RESERVED))


def whole_seconds(expires_in: timedelta | float | None) -> int:
    """After how many seconds a value vanishes; 0 for never. Servers count whole seconds: a part of one counts as one.

    Raises:
        TypeError: it is no time.
        ValueError: it is not above 0, or longer than a timedelta can be.
    """
    if expires_in is None:
        return 0
    seconds = expires_in.total_seconds() if isinstance(expires_in, timedelta) else expires_in
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"expires_in must be a timedelta or a number of seconds, not {type(expires_in).__name__}")
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError("expires_in must be above 0 and no longer than a timedelta can be; None stands for never")
    return math.ceil(seconds)


def checked_attempts(attempts: int) -> int:
    """The number, if it is one of attempts.

    Raises:
        ValueError: it is no whole number from 1 on.
    """
    if type(attempts) is not int or attempts < 1:
        raise ValueError("attempts must be a whole number from 1 on")
    return attempts


def pause_s(attempts: int) -> float:
    """Seconds before the next attempt, longer each time and spread, so that those who write the same key part."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempts - 1, _MAX_DOUBLINGS))
    return random.uniform(0, longest)  # noqa: S311 - no secret
