"""Streams made by hand, malformed ones too."""

from mattermost_plugin._gob.messages import message
from mattermost_plugin._gob.primitives import int_bytes, uint_bytes

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def stream(*bodies: bytes) -> bytes:
    return b"".join(map(message, bodies))


def name_bytes(text: str) -> bytes:
    return uint_bytes(len(text.encode())) + text.encode()


def common(name: str = "") -> bytes:
    """A CommonType as the first field of another struct."""
    return b"\x01" + (b"\x01" + name_bytes(name) if name else b"") + b"\0"


def define(type_id: int, kind: int, content: bytes) -> bytes:
    """A message's body; `kind` is the number of a field of wireType."""
    return int_bytes(-type_id) + uint_bytes(kind + 1) + content + b"\0\0"


def define_array(type_id: int, elem: int, length: int) -> bytes:
    return define(type_id, 0, common() + b"\x01" + int_bytes(elem) + b"\x01" + int_bytes(length))


def define_slice(type_id: int, elem: int) -> bytes:
    return define(type_id, 1, common() + b"\x01" + int_bytes(elem))


def define_map(type_id: int, key: int, elem: int) -> bytes:
    return define(type_id, 3, common() + b"\x01" + int_bytes(key) + b"\x01" + int_bytes(elem))


def define_struct(type_id: int, name: str, **fields: int) -> bytes:
    """Fields by name, with the ids of their types."""
    parts = [common(name), b"\x01", uint_bytes(len(fields))]
    parts += [b"\x01" + name_bytes(field) + b"\x01" + int_bytes(elem) + b"\0" for field, elem in fields.items()]
    return define(type_id, 2, b"".join(parts) if fields else common(name))


def value(type_id: int, content: bytes) -> bytes:
    """A message's body."""
    return int_bytes(type_id) + content


def plain(type_id: int, content: bytes) -> bytes:
    """The same for a value that is no struct."""
    return int_bytes(type_id) + b"\0" + content


def held(name: str, type_id: int, content: bytes) -> bytes:
    """What an interface holds."""
    return name_bytes(name) + int_bytes(type_id) + uint_bytes(len(content)) + content
