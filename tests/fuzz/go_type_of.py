"""The declared type that has the shape of a peer's definition."""

from __future__ import annotations

from mattermost_plugin._gob import GoTime, Kind, Shape
from mattermost_plugin._gob import go_types as go

__all__ = ["GoTypes"]

_BASIC: dict[Kind, go.GoType] = {
    Kind.BOOL: go.BOOL,
    Kind.INT: go.INT64,
    Kind.UINT: go.UINT64,
    Kind.FLOAT: go.FLOAT64,
    Kind.BYTES: go.BYTES,
    Kind.STRING: go.STRING,
    Kind.COMPLEX: go.COMPLEX128,
    Kind.INTERFACE: go.ANY,
}


class GoTypes:
    """Makes types, one for each shape."""

    def __init__(self) -> None:
        self._made: dict[Shape, go.GoType] = {}

    def of(self, shape: Shape) -> go.GoType:
        made = self._made.get(shape)
        return self._make(shape) if made is None else made

    def _make(self, shape: Shape) -> go.GoType:
        # A type is known before its parts are, which may contain it.
        made: go.GoType
        match shape.kind:
            case Kind.STRUCT:
                made = self._made[shape] = struct = go.GoStruct(shape.name)
                struct.fields = tuple([go.GoField(name, self.of(part)) for name, part in shape.fields])
            case Kind.SLICE:
                made = self._made[shape] = a_slice = go.GoSlice(go.ANY, shape.name)
                a_slice.elem = self.of(shape.elem)
            case Kind.ARRAY:
                made = self._made[shape] = array = go.GoArray(go.ANY, shape.length, shape.name)
                array.elem = self.of(shape.elem)
            case Kind.MAP:
                made = self._made[shape] = a_map = go.GoMap(go.ANY, go.ANY, shape.name)
                a_map.key, a_map.elem = self.of(shape.key), self.of(shape.elem)
            case Kind.GOB_ENCODER | Kind.BINARY_MARSHALER | Kind.TEXT_MARSHALER:
                made = self._made[shape] = go.GoMarshaler(shape.kind, shape.name, _marshal)
            case _:
                made = _BASIC[shape.kind]
        return made


def _marshal(value: object) -> bytes:
    return value.to_bytes() if isinstance(value, GoTime) else bytes(value)  # type: ignore[call-overload]  # bytes
