"""What a Go struct must become as a message, worked out slowly: one field after the other, as the map says it.

Expected messages are dicts by field name with the fields that are set, as `shown` makes them of messages.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from mattermost_plugin._stock.go_types import message_class, only_field
from mattermost_pluginapi.stock.structs import ENUMS, STRUCTS
from tests.stock.go_json import TYPES, any_json, field_types, go_json


def shown(message: Message) -> dict[str, Any]:
    """The fields of a message that are set."""
    return {field.name: _shown(field.name, value) for field, value in message.ListFields()}


def _shown(name: str, value: Any) -> Any:
    match value:
        case Value():
            return _json_value(value)
        case Struct():
            return {key: _json_value(item) for key, item in value.fields.items()}
        case Message():
            return shown(value)
        case str() | bool() | int() | float():
            return value
        case bytes():
            return json.loads(value) if name.endswith("_json") and value[:1] == b"{" else value
    if hasattr(value, "items"):
        return {key: _shown(name, value[key]) for key in value}
    return [_shown(name, item) for item in value]


def _json_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _json_value(item) for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_json_value(item) for item in value.list_value.values]
    return None if kind is None or kind == "null_value" else getattr(value, kind)


def expected(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """What `shown` must give for the message of a struct.

    Args:
        name: of the struct map.
        value: the struct in the form of `json_form`.
    """
    go, message, fields = STRUCTS[name]
    types = field_types(go)
    descriptor = message_class(message).DESCRIPTOR
    made: dict[str, Any] = {}
    for go_name, field, conversion, detail in fields:
        if go_name not in types:
            # One of `newer` in unmapped.toml.
            continue
        held = value.get(go_name)
        is_sent_always = TYPES[types[go_name]]["kind"] == "struct" and "codec" not in TYPES[types[go_name]]
        if held is None and not is_sent_always:
            continue
        if conversion == "flat":
            made |= expected(detail, held or {})
            continue
        if conversion == "json_message":
            found = {only_field(message_class(message), field): go_json(detail, held)}
        else:
            found = _field(conversion, detail, types[go_name], held)
        has_presence = descriptor.fields_by_name[field].has_presence
        if found is None and not (conversion == "value" and held is not None):
            continue
        if has_presence or found not in ("", 0, False, b"", [], {}):
            made[field] = found
    return made


def _field(conversion: str, detail: str, type_name: str, held: Any) -> Any:
    """What becomes of a field that was sent; None: nothing."""
    match conversion:
        case "scalar":
            return base64.b64decode(held["$bytes"]) if isinstance(held, dict) else held
        case "list" | "map":
            return held
        case "message":
            return expected(detail, held or {})
        case "messages":
            return [expected(detail, item or {}) for item in held]
        case "message_map":
            return {key: expected(detail, item or {}) for key, item in held.items()}
        case "list_map":
            return {key: {"values": texts} if texts else {} for key, texts in held.items()}
        case "wrapped":
            return {"value": held}
        case "object":
            found = any_json(held) if "$type" in held else {key: any_json(item) for key, item in held.items()}
            return found if isinstance(found, dict) else None
        case "objects":
            return [{key: any_json(item) for key, item in each.items()} for each in held]
        case "value":
            return any_json(held)
        case "json_value":
            return json.loads(base64.b64decode(held["$bytes"]))
        case "json":
            return go_json(detail, held)
        case "milliseconds":
            return milliseconds(held)
        case "error":
            return error_fields(held["$type"], held["value"])
        case "variant":
            registered, name = detail.split(" ")
            return expected(name, held["value"]) if held["$type"] == registered else None
        case _:
            return _converted(conversion, detail, held)


def _converted(conversion: str, detail: str, held: Any) -> Any:
    """By the words of options.proto."""
    match conversion:
        case "decimal":
            return str(held)
        case "true_text":
            return "true"
        case "descending":
            return "desc"
        case "first":
            return [held]
        case "only":
            return held[0] if len(held) == 1 else None
        case "joined":
            return ",".join(held)
        case "keys":
            return sorted(key for key, is_set in held.items() if is_set)
        case "id":
            return (held or {}).get("Id", "")
        case "level":
            return (held or {}).get("Name", "")
        case "not_zero":
            return True
        case "index":
            return detail.split(",").index(held) if held in detail.split(",") else 0
        case "enum":
            return dict(ENUMS[detail]).get(held, 0)
        case "pairs":
            return None
    raise AssertionError(f"no rule for {conversion}")


def milliseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def error_fields(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    if name == "*model.AppError":
        return expected("model.AppError", fields)
    if name == "*pq.Error":
        made = {"message": f"pq: {fields.get('Message', '')}", "detailed_error": fields.get("Detail", "")}
    else:
        made = {"message": fields.get("Err", "")}
    made["status_code"] = 404 if name == "*plugin.ErrorString" and fields.get("Code") == 2 else 500
    return {key: item for key, item in made.items() if item}
