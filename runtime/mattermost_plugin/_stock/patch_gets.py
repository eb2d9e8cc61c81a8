"""Ways to get the fields of a patch: each is compared, and got only if it is not as it was.

The record is a tuple: the message as the server has it, the message as it shall be, a list for the paths of what
cannot be changed, and what those begin with. Compiled code calls them `old`, `new`, `lost` and `path`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin._gob.go_types import GoInterface, GoMap, GoPointer, GoStruct, pointed_to
from mattermost_plugin._gob.sources import Get
from mattermost_plugin._stock.go_values import go_object, go_value

if TYPE_CHECKING:
    from mattermost_plugin._gob import Source
    from mattermost_plugin._gob.encode_writer import EncodeWriter
    from mattermost_plugin._gob.go_types import GoType

__all__ = [
    "ChangedComputed",
    "ChangedEntries",
    "ChangedList",
    "ChangedMessage",
    "ChangedObject",
    "ChangedPlain",
    "First",
    "Record",
]

Record: TypeAlias = tuple[Message, Message, list[str], str]

_MAX_KEY: Final = 60
"""Characters of a key in a path."""


class First(Get):
    """The first field of a struct, before which the record is taken apart.

    Args:
        get: how to get it.
        names: what compiled code calls the parts of the record.
    """

    __slots__ = ("_get", "_names")

    def __init__(self, get: Get, names: str) -> None:
        super().__init__(get.source)
        self._get = get
        self._names = names

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        code.line(f"{self._names} = v")
        return self._get.expression(code, go_type)


class _Changed(Get):
    """A field.

    Args:
        name: its name in the messages.
        source: how to get the fields of structs in it.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str, source: Source | None = None) -> None:
        super().__init__(source)
        self._name = name

    def _write(self, code: EncodeWriter, *lines: str) -> str:
        name = self._name
        for line in lines:
            code.line(line.replace("$name", repr(name)).replace("$new", f"new.{name}").replace("$old", f"old.{name}"))
        return "x"


class ChangedPlain(_Changed):
    """A basic value, or a list of such: the server replaces it, but what is zero or empty cannot be sent.

    Args:
        name: the field.
        has_presence: whether the messages tell nothing from zero.
    """

    __slots__ = ("_has_presence",)

    def __init__(self, name: str, *, has_presence: bool) -> None:
        super().__init__(name)
        self._has_presence = has_presence

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        is_same = "x == $old"
        if self._has_presence and isinstance(go_type, GoPointer):
            # A pointer to zero is another value than nil, and cannot be sent either.
            is_same += " and (x or old.HasField($name) == new.HasField($name))"
        return self._write(code, "x = $new", f"if {is_same}: x = None", "elif not x: lost.append(path + $name)")


class ChangedComputed(_Changed):
    """What a function makes of the message; the server replaces it.

    Args:
        name: the field.
        function: gets the message.
        source: how to get the fields of structs in it.
    """

    __slots__ = ("_function",)

    def __init__(self, name: str, function: Callable[[Any], object], source: Source) -> None:
        super().__init__(name, source)
        self._function = function

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        get = code.bind(self._function)
        # gob leaves out an empty list, but sends an empty map, and an interface that holds zero.
        base = pointed_to(go_type)
        is_lost = "x is None" if isinstance(base, GoInterface | GoMap | GoStruct) else "not x"
        if isinstance(base, GoMap):
            # The server adds to its map.
            is_lost += " or was and not was.keys() <= x.keys()"
        return self._write(
            code,
            f"x, was = {get}(new), {get}(old)",
            "if x == was: x = None",
            f"elif {is_lost}: lost.append(path + $name)",
        )


class ChangedMessage(_Changed):
    """A struct, which the server fills with what is sent.

    Args:
        name: the field.
        source: how to get the fields of a patch.
    """

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        record = "$old, $new, lost, path + $name + '.'"
        if not isinstance(go_type, GoPointer):
            # It is always there.
            return self._write(code, f"x = ({record}) if $new != $old else None")
        return self._write(
            code,
            "x = None",
            "if new.HasField($name):",
            f" if $new != $old or not old.HasField($name): x = {record}",
            "elif old.HasField($name): lost.append(path + $name)",
        )


class ChangedList(_Changed):
    """A list of structs, which the server fills one by one.

    Args:
        name: the field.
        source: how to get the fields of a patch.
    """

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        return self._write(
            code,
            "x = $new",
            "if x == $old: x = None",
            "elif not x: lost.append(path + $name)",
            f"else: x = {code.bind(_elements)}($old, x, lost, path + $name)",
        )


def _elements(old: Sequence[Message], new: Sequence[Message], lost: list[str], path: str) -> list[Record]:
    if len(new) <= len(old):
        return [(old[index], element, lost, f"{path}[{index}].") for index, element in enumerate(new)]
    # The server takes a new list if its own has no room, and then nothing is left of the old elements. If it has room,
    # they are filled, and keep what is not sent.
    lost.extend([f"{path}[{index}]" for index, element in enumerate(old) if _loses(element, new[index])])
    return [(type(element)(), element, [], "") for element in new]


def _loses(old: Message, new: Message) -> bool:
    """Whether something is set in the one that is not in the other."""
    kept = {field.name: value for field, value in new.ListFields()}
    for field, value in old.ListFields():
        if field.name not in kept:
            return True
        other = kept[field.name]
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if any(key not in other for key in value):
                return True
        elif any(map(_loses, value, other)) if field.is_repeated else _loses(value, other):
            return True
    return False


class ChangedEntries(_Changed):
    """A map, whose entries the server adds and replaces.

    Args:
        name: the field.
        source: how to get the fields of structs in it; each is sent whole.
    """

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        entries = code.bind(_entries)
        return self._write(code, f"x = {entries}($old, $new, lost, path + $name) if $new != $old else None")


def _entries(old: Any, new: Any, lost: list[str], path: str) -> dict[str, Any] | None:
    changed, kept = {}, 0
    for key in new:
        value = new[key]
        if key in old:
            kept += 1
            if old[key] == value:
                continue
        changed[key] = value
    if kept != len(old):
        lost.extend([_entry_path(path, key) for key in old if key not in new])
    return changed or None


class ChangedObject(_Changed):
    """A Struct that is a map of texts to interfaces: the server adds and replaces its entries; what an interface holds
    it replaces as a whole."""

    __slots__ = ()

    def expression(self, code: EncodeWriter, go_type: GoType) -> str:
        whole = isinstance(pointed_to(go_type), GoInterface)
        value = "$fill($new)" if whole else "$fill($old, $new, lost, path + $name)"
        value = value.replace("$fill", code.bind(go_object if whole else _object_entries))
        return self._write(
            code,
            "x = None",
            "if new.HasField($name):",
            f" if $new != $old or not old.HasField($name): x = {value}",
            "elif old.HasField($name): lost.append(path + $name)",
        )


def _object_entries(old: Struct, new: Struct, lost: list[str], path: str) -> dict[str, object] | None:
    changed = _entries(old.fields, new.fields, lost, path)
    if changed is None:
        # A map that was nil can become one without entries.
        return None if old.fields else {}
    return {key: go_value(value) for key, value in changed.items()}


def _entry_path(path: str, key: object) -> str:
    text = repr(key)
    return f"{path}[{text if len(text) <= _MAX_KEY else text[:_MAX_KEY] + '...'}]"
