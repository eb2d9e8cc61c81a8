"""Fields of structs that were decoded to dicts. gob leaves zeros out, and nothing vouches for the types."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["mapping_of", "number_of", "text_of"]


def mapping_of(value: object) -> Mapping[str, object]:
    """The value if it is a struct or a map with texts for keys, else an empty one."""
    return value if isinstance(value, dict) else {}


def number_of(fields: Mapping[str, object], name: str) -> int:
    """A whole number; 0 if there is none."""
    value = fields.get(name)
    return value if type(value) is int else 0


def text_of(fields: Mapping[str, object], name: str) -> str:
    """A text; "" if there is none."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""
