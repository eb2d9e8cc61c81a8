"""How a Go server decodes a reply into an object of its own, worked out slowly.

Values are what the decoder's `GENERIC` gives: structs are dicts of the fields that are not zero.
"""

from typing import Any

from tests.stock.go_json import TYPES, field_types

NEWER = "NewerThanTheMessages"
"""A field of every struct of the server that the messages do not have."""


def with_newer_fields(type_name: str, value: Any) -> Any:
    """The value of a server whose structs have one more field."""
    entry = TYPES[type_name]
    match entry["kind"]:
        case "ptr":
            return with_newer_fields(entry["elem"], value)
        case "struct" if isinstance(value, dict):
            types = field_types(type_name)
            found = {field: with_newer_fields(types.get(field, "string"), item) for field, item in value.items()}
            return {**found, NEWER: type_name}
        case "slice" if isinstance(value, list):
            return [with_newer_fields(entry["elem"], item) for item in value]
    # The entries of a map are replaced, so nothing is kept in them.
    return value


def without_newer_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_newer_fields(item) for key, item in value.items() if key != NEWER}
    return [without_newer_fields(item) for item in value] if isinstance(value, list) else value


def merge(type_name: str, old: Any, sent: Any, *, has_room: bool) -> Any:
    """What the server has after it has read a value into one.

    Args:
        type_name: of both.
        old: what it has; None for nothing.
        sent: what comes.
        has_room: whether its lists have room for more elements. A list without is a new one when it becomes longer.
    """
    entry = TYPES[type_name]
    match entry["kind"]:
        case "ptr":
            return merge(entry["elem"], old, sent, has_room=has_room)
        case "struct" if isinstance(sent, dict):
            types = field_types(type_name)
            merged = dict(old or {})
            for field, item in sent.items():
                merged[field] = merge(types.get(field, "string"), merged.get(field), item, has_room=has_room)
            return merged
        case "map":
            fresh = {key: merge(entry["elem"], None, item, has_room=has_room) for key, item in sent.items()}
            return {**(old or {}), **fresh}
        case "slice" if isinstance(sent, list):
            kept = old or []
            if len(sent) > len(kept) and not has_room:
                kept = []
            pairs = [(kept[index] if index < len(kept) else None, item) for index, item in enumerate(sent)]
            return [merge(entry["elem"], before, item, has_room=has_room) for before, item in pairs]
    return sent
