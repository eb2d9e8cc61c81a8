"""The record of what `mattermost-plugin pack` put into a bundle.

It is there so that `mattermost-plugin check` knows a bundle's hooks without running a stranger's code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

__all__ = ["RECORD_LIMIT", "BundleRecord", "read_record", "write_record"]

RECORD_LIMIT: Final = 64 * 1024
"""Bytes; 51 names of hooks take 2 KiB."""


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """What is in a bundle."""

    sdk: str
    """The version of this package."""

    kind: str
    """"system" or "self-contained"."""

    hooks: Sequence[str]
    """The hooks that the plugin's class handles."""

    platforms: Sequence[str]
    """Where it starts."""

    python: str
    """The versions of Python that it needs, for people."""


def write_record(record: BundleRecord) -> bytes:
    """The text of the record."""
    return (json.dumps(asdict(record), indent=4) + "\n").encode()


def read_record(text: bytes) -> BundleRecord | None:
    """The record in a text; None if there is none, as when somebody else made the file."""
    try:
        fields = json.loads(text[: RECORD_LIMIT + 1])
        texts = {name: fields[name] for name in ("sdk", "kind", "python")}
        lists = {name: fields[name] for name in ("hooks", "platforms")}
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not all(isinstance(text, str) for text in texts.values()) or not all(map(_is_text_list, lists.values())):
        return None
    return BundleRecord(**texts, **lists)


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
