"""Random messages of every mapped type, as they are after a Go struct has become them.

That is: no zero where a message could have it and gob cannot, texts of enums that Go has, numbers that Go has room for,
and so on. Structs that are JSON in a message are left out; the vectors have them.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import strategies as st

from mattermost_plugin._stock.go_types import message_class
from mattermost_plugin._stock.value_bytes import struct_bytes, value_bytes
from mattermost_pluginapi.stock.structs import ENUMS, STRUCTS
from tests.stock.go_json import TYPES, field_types

Draw = Callable[[st.SearchStrategy[Any]], Any]

MAX_LEVELS = 3
FIRST_TIME_MS = -62_135_596_800_000

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
filled_texts = texts.filter(bool)
keys = st.sampled_from(["a", "b", "c"]) | texts

json_values = st.recursive(
    # No -0.0: whole numbers are written as integers, which have one zero.
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
json_objects: st.SearchStrategy[Any] = st.dictionaries(keys, json_values, max_size=3)

structs = json_objects.map(lambda value: Struct.FromString(struct_bytes(value)))
values = json_values.map(lambda value: Value.FromString(value_bytes(value)))
set_values = values.filter(lambda value: not value.HasField("null_value"))

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_BITS = {"uint8": 8, "uint32": 32, "uint": 64}


@st.composite
def messages(draw: Draw, name: str, levels: int = MAX_LEVELS) -> Any:
    """A message of a struct map, with messages in it so many levels deep."""
    message = message_class(STRUCTS[name][1])()
    fill(draw, message, name, levels)
    return message


def fill(draw: Draw, message: Any, name: str, levels: int) -> None:
    """Set fields of a message."""
    go, _, fields = STRUCTS[name]
    types = field_types(go)
    by_go: dict[str, list[tuple[str, str, str]]] = {}
    for go_name, *rest in fields:
        by_go.setdefault(go_name, []).append((rest[0], rest[1], rest[2]))
    for go_name, places in by_go.items():
        # One of `newer` in unmapped.toml is a text.
        type_name = types.get(go_name, "string")
        is_always_there = TYPES[type_name]["kind"] == "struct"
        if not is_always_there and not draw(st.booleans()):
            continue
        field, conversion, detail = draw(st.sampled_from(places)) if places[0][1] == "variant" else places[0]
        if len(places) > 1 and conversion != "variant":
            _fill_several(draw, message, places)
        elif conversion == "flat":
            fill(draw, message, detail, levels)
        else:
            _fill_field(draw, message, field, conversion, detail, type_name, levels)


def _fill_several(draw: Draw, message: Any, places: list[tuple[str, str, str]]) -> None:
    """One field of the struct is two fields of the message, of which the second has all of it."""
    (first, conversion, _), (second, *_) = places
    if conversion == "not_zero":
        number = draw(st.integers(-(2**63), 2**63 - 1))
        setattr(message, first, bool(number))
        setattr(message, second, number)
        return
    assert conversion == "only"
    found = draw(st.lists(filled_texts, max_size=3))
    setattr(message, first, found[0] if len(found) == 1 else "")
    getattr(message, second).extend(found)


def _fill_field(
    draw: Draw, message: Any, field: str, conversion: str, detail: str, type_name: str, levels: int
) -> None:
    descriptor = message.DESCRIPTOR.fields_by_name[field]
    place = getattr(message, field)
    match conversion:
        case "message" | "variant":
            inner = detail.partition(" ")[2] if conversion == "variant" else detail
            place.SetInParent()
            if levels:
                fill(draw, place, inner, levels - 1)
        case "messages":
            place.extend(draw(st.lists(messages(detail, levels - 1), max_size=2)) if levels else [])
        case "message_map":
            if levels:
                for key, value in draw(st.dictionaries(keys, messages(detail, levels - 1), max_size=2)).items():
                    place[key].CopyFrom(value)
        case "list":
            place.extend(draw(st.lists(_scalars(descriptor, type_name), max_size=3)))
        case "map":
            place.update(draw(st.dictionaries(keys, texts, max_size=3)))
        case "list_map":
            for key, value in draw(st.dictionaries(keys, st.lists(texts, max_size=2), max_size=2)).items():
                place[key].values.extend(value)
        case "object":
            place.CopyFrom(draw(structs))
        case "objects":
            place.extend(draw(st.lists(structs, max_size=2)))
        case "value":
            place.CopyFrom(draw(set_values))
        case "json_value":
            place.CopyFrom(draw(values))
        case "wrapped":
            place.value = draw(st.integers(1, 2**31 - 1))
        case "error":
            place.message = draw(filled_texts)
            place.status_code = 500
        case "first":
            place.append(draw(filled_texts))
        case "keys":
            place.extend(sorted(draw(st.sets(keys, max_size=3))))
        case "json" | "json_message" | "pairs":
            pass
        case _:
            setattr(message, field, draw(_plain(descriptor, conversion, detail, type_name)))


def _plain(descriptor: FieldDescriptor, conversion: str, detail: str, type_name: str) -> st.SearchStrategy[Any]:
    match conversion:
        case "scalar":
            found = _scalars(descriptor, type_name)
            return found.filter(bool) if descriptor.has_presence else found
        case "enum":
            return st.sampled_from([0, *dict(ENUMS[detail]).values()])
        case "index":
            return st.integers(0, len(detail.split(",")) - 1)
        case "milliseconds":
            return st.integers(-(10**15), 10**15).filter(lambda number: number not in (0, FIRST_TIME_MS))
        case "decimal":
            return st.integers(-(2**63), 2**63 - 1).map(lambda number: str(number) if number else "")
        case "true_text":
            return st.sampled_from(["", "true"])
        case "descending":
            return st.sampled_from(["", "desc"])
        case "joined":
            parts = filled_texts.filter(lambda text: "," not in text)
            return st.lists(parts, max_size=3).map(",".join)
        case "id":
            return texts
        case "level":
            return st.sampled_from(["audit-api", "audit-content", "audit-permissions", "audit-cli"])
    raise AssertionError(f"no rule for {conversion}")


def _scalars(descriptor: FieldDescriptor, type_name: str) -> st.SearchStrategy[Any]:
    if descriptor.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.binary(max_size=8) if descriptor.type == FieldDescriptor.TYPE_BYTES else texts
    low, high = _INTEGERS[descriptor.cpp_type]
    kind = TYPES[type_name]["kind"]
    while kind in ("ptr", "slice"):
        type_name = TYPES[type_name]["elem"]
        kind = TYPES[type_name]["kind"]
    if kind in _BITS:
        return st.integers(max(low, 0), min(high, 2 ** _BITS[kind] - 1))
    return st.integers(max(low, -(2**63)), min(high, 2**63 - 1))
