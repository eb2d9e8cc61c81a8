"""Version numbers of plugins and servers."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["ServerVersion", "is_semantic_version", "read_server_version"]

_NUMBER: Final = r"(?:0|[1-9][0-9]*)"
_PRE: Final = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_SHORT: Final = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:[-+].*)?")


class ServerVersion(NamedTuple):
    """A version of the server, to be compared."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def is_semantic_version(text: str) -> bool:
    """Whether a text is a version as semver.org has it: x.y.z, and no "v" before it."""
    return _SEMANTIC.fullmatch(text) is not None


def read_server_version(text: str) -> ServerVersion:
    """Read x.y or x.y.z; what stands behind it does not count.

    Raises:
        ValueError: it is no such version.
    """
    found = _SHORT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no version such as 10.11.0")
    return ServerVersion(int(found[1]), int(found[2]), int(found[3] or 0))
