"""Messages with every field set that the stock wire carries, each text different, as `tests.peer.filled` does for gRPC.

Where Go has less than the contract, values are such that Go has them: texts of an enum, one text where it is no list,
and so on. JSON is what Go's structs make of it.
"""

import itertools
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from mattermost_plugin._stock.go_types import message_class
from mattermost_pluginapi.stock.structs import ENUMS, STRUCTS
from tests.stock.go_json import TYPES, field_types
from tests.stock.struct_vectors import StructVector, read_message, struct_vectors

# Any: messages by the names of their fields.

_MAX_DEPTH = 5
"""Levels of messages that are filled."""

_BOUNDS = {"uint8": 2**8, "int": 2**31, "uint": 2**31, "uint32": 2**32}
_KEYS = ("first", "sécond")


def stock_filled(name: str, word: str) -> Any:
    """The message of a struct map with every field set.

    Args:
        name: of the struct map, such as "plugin.Z_MessageWillBePostedArgs".
        word: what each of its texts begins with.
    """
    message = message_class(STRUCTS[name][1])()
    _Filler(name, word).fill(message, name, "", ())
    return message


@cache
def _vectors() -> dict[str, StructVector]:
    return {vector.name: vector for vector in struct_vectors() if vector.case == "filled"}


class _Filler:
    def __init__(self, name: str, word: str) -> None:
        self._name = name
        self._word = word
        self._numbers = itertools.count(1)

    def fill(self, message: Any, name: str, path: str, above: tuple[str, ...]) -> None:
        if name in above or len(above) >= _MAX_DEPTH:
            return
        go, _, fields = STRUCTS[name]
        types = field_types(go)
        variants: set[str] = set()
        for go_name, field, conversion, detail in fields:
            # One of `newer` in unmapped.toml is a text.
            type_name = types.get(go_name, "string")
            if conversion == "variant" and go_name in variants:
                continue
            variants.add(go_name)
            if conversion == "flat":
                self.fill(message, detail, path, above)
            else:
                self._fill_field(message, field, conversion, detail, type_name, f"{path}.{field}", (*above, name))

    def _fill_field(
        self,
        message: Any,
        field: str,
        conversion: str,
        detail: str,
        type_name: str,
        path: str,
        above: tuple[str, ...],
    ) -> None:
        place = getattr(message, field)
        descriptor = message.DESCRIPTOR.fields_by_name[field]
        match conversion:
            case "message" | "variant":
                place.SetInParent()
                self.fill(place, detail.partition(" ")[2] if conversion == "variant" else detail, path, above)
            case "messages":
                if detail not in above:
                    for index in range(2):
                        self.fill(place.add(), detail, f"{path}[{index}]", above)
            case "message_map":
                for key in _KEYS:
                    self.fill(place[key], detail, f"{path}.{key}", above)
            case "json" | "json_message":
                found = getattr(read_message(self._name, _vectors()[self._name].data), field)
                setattr(message, field, found) if conversion == "json" else place.CopyFrom(found)
            case "list":
                place.extend(self._scalar(descriptor, type_name, f"{path}[{index}]") for index in range(2))
            case "map":
                place.update({key: self._text(f"{path}.{key}") for key in _KEYS})
            case "list_map":
                for key in _KEYS:
                    place[key].values.extend([self._text(path), key])
            case "object":
                place.update(self._object(path))
            case "objects":
                place.add().update(self._object(path))
            case "value" | "json_value":
                place.string_value = self._text(path)
            case "pairs":
                place.add(key=self._text(f"{path}.key")).value.string_value = self._text(path)
            case "wrapped":
                place.value = next(self._numbers)
            case "error":
                self.fill(place, "model.AppError", path, above)
                place.status_code = 500
            case "first" | "keys":
                place.append(self._text(path))
            case _:
                setattr(message, field, self._plain(descriptor, conversion, detail, type_name, path))

    def _plain(self, descriptor: Any, conversion: str, detail: str, type_name: str, path: str) -> Any:
        match conversion:
            case "scalar":
                return self._scalar(descriptor, type_name, path)
            case "enum":
                return max(dict(ENUMS[detail]).values())
            case "index":
                return len(detail.split(",")) - 1
            case "milliseconds":
                return next(self._numbers) + 1_700_000_000_000
            case "decimal":
                return str(2**60 + next(self._numbers))
            case "true_text":
                return "true"
            case "descending":
                return "desc"
            case "joined":
                return "one,two"
            case "only":
                # The list beside it has two texts, so that there is no only one.
                return ""
            case "not_zero":
                return True
            case "id":
                return self._text(path)
            case "level":
                return "audit-content"
        raise AssertionError(f"no rule for {conversion}")

    def _scalar(self, descriptor: Any, type_name: str, path: str) -> Any:
        if descriptor.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if descriptor.type == FieldDescriptor.TYPE_BYTES:
            return self._text(path).encode() + bytes(range(256))
        if descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._text(path)
        kind = TYPES[type_name]["kind"]
        while kind in ("ptr", "slice"):
            type_name = TYPES[type_name]["elem"]
            kind = TYPES[type_name]["kind"]
        wide = descriptor.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
        bound = _BOUNDS.get(kind, 2**63) if not wide else (2**8 if kind == "uint8" else 2**62)
        # Too large for a float of that width, where there is room.
        return (next(self._numbers) + (2**60 if bound > 2**60 else 2**24)) % bound or 1

    def _object(self, path: str) -> dict[str, Any]:
        return {"text": self._text(path), "list": [1.5, True, None], "map": {"né": path}}

    def _text(self, path: str) -> str:
        return f"{self._word} {path.lstrip('.')} é✓\n\U0001f600"
