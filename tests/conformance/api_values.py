"""Requests and responses of the plugin API as its callers give and get them."""

import json
from typing import Any

from mattermost_pluginapi.api.values import to_dict

# Any: requests and responses have no common type with fields.


def argument(message: Any, field: Any) -> Any:
    """A field as a caller gives it."""
    value = getattr(message, field.name)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return list(value)
    return to_dict(value) if kind is not None and kind.full_name == "google.protobuf.Struct" else value


def call_arguments(request: Any) -> dict[str, Any]:
    return {field.name: argument(request, field) for field in request.DESCRIPTOR.fields}


def result(response: Any) -> Any:
    """What a call gives for a response."""
    values = [argument(response, field) for field in response.DESCRIPTOR.fields if field.name != "error"]
    if len(values) < 2:
        return values[0] if values else None
    return tuple(values)


def comparable(value: Any) -> Any:
    """A result, with JSON as what it says: the order of a map's keys is anybody's."""
    return json.loads(value) if isinstance(value, bytes) and value[:1] == b"{" else value
