"""What Go's interfaces hold, read from gob straight into the bytes of protobuf's Value and Struct.

Most of it is what JSON made: texts, floats, booleans, lists and maps. Values of other types become Python's own first,
by the rules of their JSON. A hook must not fail over what users have put into a post: what is nested deeper than a
Struct can carry becomes null, and is passed over without a Python call for each level.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.struct_pb2 import Struct, Value

from mattermost_plugin._gob import Kind, Shape
from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.held import hold, read_head
from mattermost_plugin._gob.primitives import (
    SMALL_FLOATS,
    cut_short,
    long_float,
    long_size,
    long_uint,
    read_int,
    read_uint,
)
from mattermost_plugin._gob.readers import READERS
from mattermost_plugin._gob.state import ReadState, too_deep, too_many
from mattermost_plugin._stock.json_structs import FREE
from mattermost_plugin._stock.json_text import plain_json
from mattermost_plugin._stock.value_bytes import (
    FALSE,
    MAX_LEVELS,
    NULL,
    TRUE,
    entry,
    item,
    list_value,
    number,
    repaired,
    struct_value,
    text_value,
    value_bytes,
    with_size,
)
from mattermost_pluginapi.api.values import plain_value, to_dict

__all__ = ["is_object", "read_any", "read_object", "read_plain_any", "read_plain_object"]

_STRING: Final = 6
"""Id of texts on every stream."""


def is_object(shape: Shape) -> bool:
    """Whether it is a map of texts to anything."""
    return shape.kind is Kind.MAP and shape.key.kind is Kind.STRING and shape.elem.kind is Kind.INTERFACE


def _is_list(shape: Shape) -> bool:
    return shape.kind is Kind.SLICE and shape.elem.kind is Kind.INTERFACE


def read_any(buf: bytes, pos: int, st: ReadState, level: int = 0) -> tuple[bytes, int]:
    """Read an interface.

    Args:
        buf: the buffer of the whole value.
        pos: where the interface begins.
        st: types and budgets.
        level: how many lists and maps it stands in.

    Returns:
        A Value, and where the interface ends.
    """
    if not buf[pos]:
        return NULL, pos + 1
    name, type_id, pos = read_head(buf, pos, st)
    size = buf[pos]
    pos += 1
    if size > 127:
        size, pos = long_uint(buf, pos, size)
    end = pos + size
    # Protobuf would be given a text that ends too early before anything else notices.
    if type_id == _STRING and end <= len(buf) and not buf[pos] and buf[pos + 1] == end - pos - 2:
        # Most are short, and written as protobuf writes them.
        sized = buf[pos + 1 : end]
        if sized.isascii():
            return b"\x1a" + sized, end
    cuts = st.cuts
    basic = _BASIC.get(type_id)
    if basic is not None:
        _check_zero(buf, pos)
        value, pos = basic(buf, pos + 1, st)
    else:
        value, pos = _read_composed(buf, pos, st, level, name, type_id)
    if pos > len(buf):
        raise cut_short(buf)
    if pos != end and st.cuts == cuts:
        raise Fault(pos, "a value of another size than announced")
    return value, pos


def read_object(buf: bytes, pos: int, st: ReadState, level: int = 0) -> tuple[bytes, int]:
    """Read a map of texts to interfaces; see `read_any`.

    Returns:
        A Struct, and where the map ends.
    """
    count, pos = _count(buf, pos, st, is_map=True)
    parts: list[bytes] = []
    for _ in range(count):
        b = buf[pos]
        key_end = pos + 1 + b
        key = buf[pos:key_end]
        if b < 128 and key.isascii():
            pos = key_end
        else:
            key, pos = _text(buf, pos, st)
        value, pos = read_any(buf, pos, st, level + 1)
        parts.append(entry(key, value))
    return b"".join(parts), pos


def read_plain_any(buf: bytes, pos: int, st: ReadState) -> tuple[object, int]:
    """Read an interface; see `read_any`.

    Returns:
        A JSON value, and where the interface ends.
    """
    value, pos = read_any(buf, pos, st)
    return plain_value(Value.FromString(value)), pos


def read_plain_object(buf: bytes, pos: int, st: ReadState) -> tuple[object, int]:
    """Read a map of texts to interfaces; see `read_any`.

    Returns:
        A JSON object, and where the map ends.
    """
    fields, pos = read_object(buf, pos, st)
    return to_dict(Struct.FromString(fields)), pos


def _read_list(buf: bytes, pos: int, st: ReadState, level: int) -> tuple[bytes, int]:
    count, pos = _count(buf, pos, st, is_map=False)
    parts: list[bytes] = []
    for _ in range(count):
        value, pos = read_any(buf, pos, st, level + 1)
        parts.append(item(value))
    return b"".join(parts), pos


def _read_composed(buf: bytes, pos: int, st: ReadState, level: int, name: bytes, type_id: int) -> tuple[bytes, int]:
    shape = st.types.shape(type_id, pos)
    is_map = is_object(shape)
    if not is_map and not _is_list(shape):
        found, pos = _read_other(buf, pos, st, name, type_id, shape)
        return value_bytes(plain_json(found), level), pos
    _check_zero(buf, pos)
    if level >= MAX_LEVELS:
        return NULL, READERS.skipper.pass_over(buf, pos + 1, st, shape)
    if is_map:
        body, pos = read_object(buf, pos + 1, st, level)
        return struct_value(body), pos
    body, pos = _read_list(buf, pos + 1, st, level)
    return list_value(body), pos


def _read_other(buf: bytes, pos: int, st: ReadState, name: bytes, type_id: int, shape: Shape) -> tuple[object, int]:
    """Values of types that JSON does not make, such as the attachments that a plugin has put into a post's props."""
    target = FREE.held(name.decode("utf-8", "surrogateescape"))
    held = hold(type_id, shape, target, None, READERS)
    st.depth -= held.depth
    if st.depth < 0:
        raise too_deep(pos)
    st.room -= held.room
    if st.room < 0:
        raise too_many(pos)
    if held.make is None:
        _check_zero(buf, pos)
        found, pos = held.read(buf, pos + 1, st)
    else:
        found = held.make()
        pos = held.read(buf, pos, found, st)
    st.depth += held.depth
    return found, pos


def _count(buf: bytes, pos: int, st: ReadState, *, is_map: bool) -> tuple[int, int]:
    """The number of elements, which takes the room for them."""
    count, pos = read_uint(buf, pos)
    st.room -= count * 2 if is_map else count
    if st.room < 0:
        raise too_many(pos)
    return count, pos


def _check_zero(buf: bytes, pos: int) -> None:
    if buf[pos]:
        raise Fault(pos, "no zero in front of a value that is no struct")


def _text(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int]:
    """A text with its size as protobuf writes it, and where it ends."""
    b = buf[pos]
    if b < 128:
        # Both write short sizes alike.
        end = pos + 1 + b
        sized = buf[pos:end]
        return (sized if sized.isascii() else with_size(repaired(sized[1:]))), end
    b, pos = long_size(buf, pos + 1, b, st)
    text = buf[pos : pos + b]
    return with_size(text if text.isascii() else repaired(text)), pos + b


def _string(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int]:
    sized, pos = _text(buf, pos, st)
    return text_value(sized), pos


def _bool(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int]:
    u, pos = read_uint(buf, pos)
    return TRUE if u else FALSE, pos


def _int(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int]:
    i, pos = read_int(buf, pos)
    return number(i), pos


def _float(buf: bytes, pos: int, st: ReadState) -> tuple[bytes, int]:
    b = buf[pos]
    if b < 128:
        return number(SMALL_FLOATS[b]), pos + 1
    value, pos = long_float(buf, pos + 1, b)
    return number(value), pos


_BASIC: Final = {1: _bool, 2: _int, 4: _float, _STRING: _string}
"""Readers of the basic types that JSON has, by the ids that they have on every stream."""
