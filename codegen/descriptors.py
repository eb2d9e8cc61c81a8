"""Compiled proto files with what the plain descriptors lack: comments, positions and our own options."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

# Field numbers of descriptor.proto that make up source paths.
_FILE_MESSAGES, _FILE_ENUMS, _FILE_SERVICES = 4, 5, 6
_MESSAGE_FIELDS, _SERVICE_METHODS = 2, 2

_OPTIONS_PACKAGE = "mattermost.pluginapi.options"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a declaration stands, for error messages."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message declared at the top of a file."""

    descriptor: DescriptorProto
    full_name: str
    file: str
    position: Position
    doc: str
    field_docs: tuple[str, ...]
    field_positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum declared at the top of a file."""

    descriptor: EnumDescriptorProto
    full_name: str
    file: str
    position: Position


@dataclass(frozen=True, slots=True)
class Rpc:
    """A method of a service."""

    descriptor: MethodDescriptorProto
    service: str
    position: Position
    doc: str


class Descriptors:
    """A compiled set of proto files, indexed by full name."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._files = files
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        self.services: dict[str, tuple[Rpc, ...]] = {}
        self._has_options = any(file.package == _OPTIONS_PACKAGE for file in files.file)
        for file in files.file:
            self._index(file, _Locations(file))

    def _index(self, file: FileDescriptorProto, locations: "_Locations") -> None:
        for number, message in enumerate(file.message_type):
            path = (_FILE_MESSAGES, number)
            fields = [(*path, _MESSAGE_FIELDS, index) for index in range(len(message.field))]
            full_name = _full_name(file, message)
            self.messages[full_name] = Message(
                descriptor=message,
                full_name=full_name,
                file=file.name,
                position=locations.position(path),
                doc=locations.comment(path),
                field_docs=tuple(map(locations.comment, fields)),
                field_positions=tuple(map(locations.position, fields)),
            )
        for number, enum in enumerate(file.enum_type):
            full_name = _full_name(file, enum)
            self.enums[full_name] = Enum(enum, full_name, file.name, locations.position((_FILE_ENUMS, number)))
        for number, service in enumerate(file.service):
            full_name = _full_name(file, service)
            self.services[full_name] = tuple(self._rpcs(full_name, service, number, locations))

    @staticmethod
    def _rpcs(full_name: str, service: ServiceDescriptorProto, number: int, locations: "_Locations") -> Iterator[Rpc]:
        for index, method in enumerate(service.method):
            path = (_FILE_SERVICES, number, _SERVICE_METHODS, index)
            yield Rpc(method, full_name, locations.position(path), locations.comment(path))

    @cached_property
    def _pool(self) -> descriptor_pool.DescriptorPool:
        pool = descriptor_pool.DescriptorPool()
        for file in self._files.file:
            pool.AddSerializedFile(file.SerializeToString())
        return pool

    def hook_options(self, method: MethodDescriptorProto) -> Any | None:
        """The method's HookOptions message, None if it has none."""
        return self._custom_options(method, "google.protobuf.MethodOptions", f"{_OPTIONS_PACKAGE}.hook")

    def api_options(self, method: MethodDescriptorProto) -> Any | None:
        """The method's ApiOptions message, None if it has none."""
        return self._custom_options(method, "google.protobuf.MethodOptions", f"{_OPTIONS_PACKAGE}.api")

    def field_options(self, field: FieldDescriptorProto) -> Any | None:
        """The field's FieldOptions message, None if it has none."""
        return self._custom_options(field, "google.protobuf.FieldOptions", f"{_OPTIONS_PACKAGE}.field")

    def enum_value_options(self, value: EnumValueDescriptorProto) -> Any | None:
        """The value's EnumValueOptions message, None if it has none."""
        return self._custom_options(value, "google.protobuf.EnumValueOptions", f"{_OPTIONS_PACKAGE}.enum_value")

    def _custom_options(
        self,
        owner: MethodDescriptorProto | FieldDescriptorProto | EnumValueDescriptorProto,
        options_type: str,
        extension: str,
    ) -> Any | None:
        if not self._has_options:
            return None
        # Our options are not compiled into this process (the generator imports nothing that it generates), so they
        # arrive as unknown fields: read the bytes again with the types of the files at hand.
        options_class = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(options_type))
        options = options_class.FromString(owner.options.SerializeToString())
        # Any: the stubs know handles of generated extensions only, and this one is made at run time.
        handle: Any = self._pool.FindExtensionByName(extension)
        return options.Extensions[handle] if options.HasExtension(handle) else None


def _full_name(
    file: FileDescriptorProto, declared: DescriptorProto | EnumDescriptorProto | ServiceDescriptorProto
) -> str:
    return f"{file.package}.{declared.name}".removeprefix(".")


class _Locations:
    """Comments and positions of one file, by source path."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._file = file.name
        self._by_path = {tuple(location.path): location for location in file.source_code_info.location}

    def position(self, path: tuple[int, ...]) -> Position:
        location = self._by_path.get(path)
        return Position(self._file, location.span[0] + 1 if location else 0)

    def comment(self, path: tuple[int, ...]) -> str:
        location = self._by_path.get(path)
        if location is None:
            return ""
        text = location.leading_comments or location.trailing_comments
        return "\n".join(line.removeprefix(" ").rstrip() for line in text.splitlines()).strip("\n")
