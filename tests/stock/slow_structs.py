"""What comes back of a Go struct that has become a message and a struct again, worked out slowly.

What the message cannot keep is exactly what these functions change:

- fields that unmapped.toml lists are gone, and in JSON those with the tag "-"
- numbers in interfaces are float64, bytes there base64, structs and typed lists there JSON; errors carry their texts
- texts that an enum or a list of texts does not have are gone
- times behind "milliseconds" lose what is finer, and their zone
- JSON behind json.RawMessage is written anew
- of a permission the id is left, and it is never nil; pairs of a log record are sent as texts and never received
- a struct whose fields belong to the message itself is never nil
"""

import base64
import json
from typing import Any

from mattermost_plugin._gob import GoTime
from mattermost_pluginapi.stock.structs import ENUMS, STRUCTS
from tests.stock.go_json import TYPES, any_json
from tests.stock.slow_messages import error_fields, milliseconds


def came_back(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """What comes back of a struct.

    Args:
        name: of its struct map.
        value: in the form of `json_form`.
    """
    go, _, fields = STRUCTS[name]
    conversions = {field[0]: field[2:] for field in fields}
    made: dict[str, Any] = {}
    for field, type_name, _ in TYPES[go]["fields"]:
        plain_name = field.removeprefix("(embedded) ")
        conversion, detail = conversions.get(plain_name, ("", ""))
        found = _field(conversion, detail, type_name, value.get(plain_name))
        if found is None and TYPES[type_name]["kind"] == "struct" and "codec" not in TYPES[type_name]:
            found = {}
        if found is not None:
            made[plain_name] = found
    return made


def _field(conversion: str, detail: str, type_name: str, held: Any) -> Any:
    if conversion == "flat":
        return came_back(detail, held or {})
    if conversion == "id":
        return {"Id": held["Id"]} if held and "Id" in held else {}
    if held is None or conversion in ("", "pairs"):
        return None
    match conversion:
        case "message":
            return came_back(detail, held)
        case "messages":
            return [came_back(detail, item) for item in held]
        case "message_map":
            return {key: came_back(detail, item) for key, item in held.items()}
        case "json" | "json_message":
            return json_came_back(type_name, held)
        case "json_value":
            return _raw(held)
        case "object" | "value" if "$type" in held:
            return as_any(any_json(held))
        case "object":
            return {key: as_any(any_json(item)) for key, item in held.items()}
        case "objects":
            return [{key: as_any(any_json(item)) for key, item in each.items()} for each in held]
        case "error":
            fields = error_fields(held["$type"], held["value"])
            texts = [fields.get("message"), fields.get("detailed_error")]
            text = ", ".join(dict.fromkeys(filter(None, texts))) or fields.get("id") or "unknown error"
            return {"$type": "*plugin.ErrorString", "value": {"Err": text}}
        case "variant":
            return {"$type": held["$type"], "value": came_back(detail.split(" ")[1], held["value"])}
        case "enum":
            return held if held in dict(ENUMS[detail]) else None
        case "index":
            return held if held in detail.split(",") else None
        case "milliseconds":
            return GoTime(*divmod(milliseconds(held) * 1_000_000, 10**9)).isoformat()
        case "keys":
            return {key: True for key, is_set in held.items() if is_set} or None
        case "joined":
            return [text for text in ",".join(held).split(",") if text] or None
    return held


def as_any(value: Any) -> Any:
    """What an interface holds that JSON made."""
    match value:
        case None:
            return None
        case bool():
            return {"$type": "bool", "value": value}
        case str():
            return {"$type": "string", "value": value}
        case int() | float():
            return {"$type": "float64", "value": value}
        case list():
            return {"$type": "[]interface {}", "value": [as_any(item) for item in value] or None}
    return {"$type": "map[string]interface {}", "value": {key: as_any(item) for key, item in value.items()}}


def json_came_back(type_name: str, value: Any) -> Any:
    """What comes back of a value that has become JSON."""
    entry = TYPES[type_name]
    if type_name == "json.RawMessage":
        return _raw(value)
    match entry["kind"]:
        case "ptr":
            return json_came_back(entry["elem"], value)
        case "interface":
            return as_any(any_json(value))
        case "slice" if isinstance(value, list):
            return [json_came_back(entry["elem"], item) for item in value]
        case "map":
            return {key: json_came_back(entry["elem"], item) for key, item in value.items()}
        case "struct" if "codec" not in entry:
            fields = {field.removeprefix("(embedded) "): rest for field, *rest in entry["fields"]}
            return {
                field: json_came_back(fields[field][0], item)
                for field, item in value.items()
                if fields[field][1] != "-"
            }
    return value


def _raw(held: dict[str, str]) -> dict[str, str]:
    text = json.dumps(json.loads(base64.b64decode(held["$bytes"])), sort_keys=True)
    return {"$bytes": base64.b64encode(text.encode()).decode()}
