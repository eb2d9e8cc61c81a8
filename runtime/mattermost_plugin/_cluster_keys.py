"""The keys that mutexes and jobs have in the plugin's part of the server's key-value store."""

from __future__ import annotations

import re
from typing import Final, Literal

__all__ = [
    "RESERVED_PREFIX",
    "checked_handler_name",
    "checked_name",
    "checked_once_key",
    "job_key",
    "lock_key",
    "once_key",
    "parse_once_key",
]

RESERVED_PREFIX: Final = "pysdk:"
"""Every key that begins so belongs to this package. The server keeps "mmi_" for itself."""

_LONGEST_NAME: Final = 100
"""With the longest prefix a key then stays within the server's 150 characters."""

_LONGEST_HANDLER: Final = 40
"""Of a one-shot job's handler: its jobs' keys need room, too."""

_LONGEST_ONCE_KEY: Final = 80

_NAME: Final = re.compile(r"[A-Za-z0-9._/@+=,-]+", re.ASCII)
"""No ":", which separates the parts of a key."""

_ONCE: Final = f"{RESERVED_PREFIX}once:"


def checked_name(what: str, name: object, longest: int = _LONGEST_NAME) -> str:
    """The name, if it is one.

    Args:
        what: what an error calls it.
        name: the name.
        longest: how many characters it may have.

    Raises:
        ValueError: it is empty, too long or has other characters than names may have.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > longest:
        raise ValueError(f"{what} must be 1 to {longest} ASCII letters, digits and . _ / @ + = , -, not {name!r:.120}")
    return name


def checked_handler_name(name: object) -> str:
    """The name of a one-shot job's handler, if it is one.

    Raises:
        ValueError: see `checked_name`.
    """
    return checked_name("the name of a one-shot job", name, _LONGEST_HANDLER)


def checked_once_key(key: object) -> str:
    """The key of a one-shot job, if it is one.

    Raises:
        ValueError: see `checked_name`.
    """
    return checked_name("the key of a one-shot job", key, _LONGEST_ONCE_KEY)


def lock_key(kind: Literal["mutex", "job", "once"], name: str) -> str:
    """Where the lock of a mutex, of a recurring job or of a one-shot job is."""
    return f"{RESERVED_PREFIX}lock:{kind}:{name}"


def job_key(name: str) -> str:
    """Where a recurring job's state is."""
    return f"{RESERVED_PREFIX}job:{name}"


def once_key(name: str, key: str) -> str:
    """Where a one-shot job is.

    Args:
        name: its handler's name.
        key: its own key.
    """
    return f"{_ONCE}{name}:{key}"


def parse_once_key(stored: str) -> tuple[str, str] | None:
    """The handler's name and the job's key; None if this is no key of a one-shot job."""
    if not stored.startswith(_ONCE):
        return None
    name, separator, key = stored[len(_ONCE) :].partition(":")
    return (name, key) if separator else None
