"""Messages with every field set, each text different, so that nothing can be lost or mixed up unnoticed."""

import itertools
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

MessageT = TypeVar("MessageT", bound=Message)

_MAX_DEPTH = 5
"""Levels of messages that are filled; CommandResponse contains itself."""

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}


def filled(message_type: type[MessageT], word: str) -> MessageT:
    """A message with every field set.

    Args:
        message_type: Its class.
        word: What each of its texts begins with.
    """
    message = message_type()
    _Filler(word).fill(message, "", ())
    return message


class _Filler:
    # Any: descriptors have two classes each, one of them private; and what a field holds has no common type.

    def __init__(self, word: str) -> None:
        self._word = word
        self._numbers = itertools.count(1)

    def fill(self, message: Message, path: str, above: tuple[Any, ...]) -> None:
        if isinstance(message, Struct):
            message.update({"text": self._text(path), "list": [1.5, True, None], "map": {"né": path}})
            return
        if isinstance(message, Value):
            message.string_value = self._text(path)
            return
        descriptor = message.DESCRIPTOR
        for field in descriptor.fields:
            self._fill_field(message, field, f"{path}.{field.name}".lstrip("."), (*above, descriptor))

    def _fill_field(self, message: Message, field: Any, path: str, above: tuple[Any, ...]) -> None:
        target = getattr(message, field.name)
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            for key in ("first", "sécond"):
                if kind.fields_by_name["value"].message_type is None:
                    target[key] = self._scalar(kind.fields_by_name["value"], f"{path}.{key}")
                else:
                    self.fill(target[key], f"{path}.{key}", above)
        elif kind is not None:
            if kind in above or len(above) >= _MAX_DEPTH:
                return
            if field.is_repeated:
                for index in range(2):
                    self.fill(target.add(), f"{path}[{index}]", above)
            else:
                self.fill(target, path, above)
        elif field.is_repeated:
            target.extend(self._scalar(field, f"{path}[{index}]") for index in range(2))
        else:
            setattr(message, field.name, self._scalar(field, path))

    def _scalar(self, field: Any, path: str) -> str | bytes | bool | int:
        if field.enum_type is not None:
            return int(field.enum_type.values[-1].number)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return True
        if field.cpp_type in _INTEGERS:
            wide = field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
            # Too large for a float of that width, so that one on the way would be noticed.
            return next(self._numbers) + (2**60 if wide else 2**24)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._text(path).encode() + bytes(range(256))
        assert field.cpp_type == FieldDescriptor.CPPTYPE_STRING, f"no filling for {path}"
        return self._text(path)

    def _text(self, path: str) -> str:
        return f"{self._word} {path} é✓\n\U0001f600"
