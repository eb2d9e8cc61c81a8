"""Structs, as the gob decoder gives them, in the JSON that Go hosts in tests read and write."""

import base64
from typing import Any

from mattermost_plugin._gob import GoTime, Interface

# Any: structs as JSON by Go's names.


def go_json(value: Any) -> Any:
    """A struct as Go's encoding/json reads it."""
    match value:
        case Interface():
            return go_json(value.value)
        case GoTime():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: go_json(item) for name, item in value.items()}
        case list():
            return [go_json(item) for item in value]
    return value


def without_zeros(value: Any) -> Any:
    """The JSON without what gob leaves out."""
    match value:
        case dict():
            kept = {name: without_zeros(item) for name, item in value.items()}
            return {name: item for name, item in kept.items() if item not in (None, "", 0, False, {}, [])}
        case list():
            return [without_zeros(item) for item in value]
    return value
