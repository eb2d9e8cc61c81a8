"""The proto files as protoc understands them: their API, options and comments."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
    SourceCodeInfo,
)
from grpc_tools import protoc

from mattermost_pluginapi import options_pb2
from tests.contract.tables import Api, Field, Rpc

PROTOS = Path(__file__).parents[2] / "protos"
PACKAGE = "mattermost.pluginapi.v1"

SCALARS = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_INT32: "int32",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_UINT32: "uint32",
}


@dataclass(frozen=True)
class Commented:
    """Something that must have a comment."""

    name: str
    comment: str


class Compiled:
    """The compiled proto files of this project."""

    def __init__(self, compiled: FileDescriptorSet) -> None:
        self.files = [file for file in compiled.file if file.name.startswith("mattermost_pluginapi/")]

    def api(self, service: str = "PluginHooks") -> Api:
        """A service of the contract's package, with every message and enum that is not there for another service
        alone."""
        own = [file for file in self.files if file.package == PACKAGE]
        messages = {m.name: tuple(_fields(m)) for file in own for m in file.message_type}
        enums = {e.name: tuple(Field(v.name, v.number) for v in e.value) for file in own for e in file.enum_type}
        services = {s.name: {rpc.name: rpc for rpc in _rpcs(s)} for file in own for s in file.service}
        needed = {name: Api(messages, enums, rpcs).reached() for name, rpcs in services.items()}
        others = [reached for name, reached in needed.items() if name != service]
        foreign = {name for reached in others for name in (*reached.messages, *reached.enums)}
        foreign -= {*needed[service].messages, *needed[service].enums}
        return Api(
            {name: fields for name, fields in messages.items() if name not in foreign},
            {name: values for name, values in enums.items() if name not in foreign},
            services[service],
        )

    def hook_options(self) -> dict[str, options_pb2.HookOptions]:
        """The hook option of each rpc that has one."""
        return {
            method.name: method.options.Extensions[options_pb2.hook]
            for file in self.files
            for service in file.service
            for method in service.method
            if method.options.HasExtension(options_pb2.hook)
        }

    def api_options(self) -> dict[str, options_pb2.ApiOptions]:
        """The API option of each rpc that has one."""
        return {
            method.name: method.options.Extensions[options_pb2.api]
            for file in self.files
            for service in file.service
            for method in service.method
            if method.options.HasExtension(options_pb2.api)
        }

    def field_options(self, service: str = "PluginHooks") -> dict[str, options_pb2.FieldOptions]:
        """The option of each field that has one, among the messages of a service, by "Message.field"."""
        messages = self.api(service).messages
        return {
            f"{message.name}.{field.name}": field.options.Extensions[options_pb2.field]
            for file in self.files
            for message in file.message_type
            if message.name in messages
            for field in message.field
            if field.options.HasExtension(options_pb2.field)
        }


def compile_protos(output: Path) -> Compiled:
    """Compile all proto files of the project, with their comments."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={resources.files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={output}",
            "--include_imports",
            "--include_source_info",
            *sources,
        ]
    )
    if status != 0:
        raise AssertionError("protoc refused the proto files")
    return Compiled(FileDescriptorSet.FromString(output.read_bytes()))


def commented(file: FileDescriptorProto) -> Iterator[Commented]:
    """Everything in a file that must have a comment."""
    comments = {tuple(location.path): _comment(location) for location in file.source_code_info.location}

    def message(path: tuple[int, ...], item: DescriptorProto, prefix: str) -> Iterator[Commented]:
        if item.options.map_entry:
            return
        name = f"{prefix}{item.name}"
        yield Commented(name, comments.get(path, ""))
        for i, field in enumerate(item.field):
            yield Commented(f"{name}.{field.name}", comments.get((*path, 2, i), ""))
        for i, nested in enumerate(item.nested_type):
            yield from message((*path, 3, i), nested, f"{name}.")
        for i, nested_enum in enumerate(item.enum_type):
            yield from enum((*path, 4, i), nested_enum, f"{name}.")

    def enum(path: tuple[int, ...], item: EnumDescriptorProto, prefix: str) -> Iterator[Commented]:
        yield Commented(f"{prefix}{item.name}", comments.get(path, ""))
        for i, value in enumerate(item.value):
            yield Commented(f"{prefix}{item.name}.{value.name}", comments.get((*path, 2, i), ""))

    for i, item in enumerate(file.message_type):
        yield from message((4, i), item, "")
    for i, enum_item in enumerate(file.enum_type):
        yield from enum((5, i), enum_item, "")
    for i, service in enumerate(file.service):
        yield Commented(service.name, comments.get((6, i), ""))
        for j, method in enumerate(service.method):
            yield Commented(f"{service.name}.{method.name}", comments.get((6, i, 2, j), ""))


def _comment(location: SourceCodeInfo.Location) -> str:
    lines = (location.leading_comments or location.trailing_comments).strip("\n").split("\n")
    return "\n".join(line.strip() for line in lines)


def _type(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    maps = {f".{PACKAGE}.{message.name}.{n.name}": n for n in message.nested_type if n.options.map_entry}
    entry = maps.get(field.type_name)
    if entry is not None:
        return f"map map<{_bare_type(entry.field[0])},{_bare_type(entry.field[1])}>"
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {_bare_type(field)}"
    return f"{'optional' if field.proto3_optional else 'single'} {_bare_type(field)}"


def _bare_type(field: FieldDescriptorProto) -> str:
    scalar = SCALARS.get(field.type)
    return scalar if scalar is not None else field.type_name.removeprefix(f".{PACKAGE}.").removeprefix(".")


def _fields(message: DescriptorProto) -> Iterator[Field]:
    for field in message.field:
        yield Field(field.name, field.number, _type(message, field))


def _rpcs(service: ServiceDescriptorProto) -> Iterator[Rpc]:
    for method in service.method:
        request, response = (t.removeprefix(f".{PACKAGE}.") for t in (method.input_type, method.output_type))
        yield Rpc(
            method.name,
            f"stream {request}" if method.client_streaming else request,
            f"stream {response}" if method.server_streaming else response,
        )
