"""Which messages and enums authors meet: those that hooks carry, at whatever depth."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto

from codegen.descriptors import Descriptors, Rpc
from codegen.model import Import
from codegen.python_types import CONTRACT_PACKAGE, message_module

_PREFIX = f".{CONTRACT_PACKAGE}."

# What the templates name whether or not a hook carries it.
ALWAYS_NEEDED = (f"{_PREFIX}AppError", f"{_PREFIX}PluginContext")


def reached_models(descriptors: Descriptors, rpcs: Iterable[Rpc]) -> tuple[Import, ...]:
    """What hooks carry, without the envelopes: messages and enums reached from unary requests and responses."""
    types = [(rpc.descriptor.input_type, rpc.descriptor.output_type, rpc.descriptor.client_streaming) for rpc in rpcs]
    envelopes = {name for request, response, _ in types for name in (request, response)}
    found: set[str] = {*ALWAYS_NEEDED}
    waiting = [name for request, response, is_streaming in types if not is_streaming for name in (request, response)]
    waiting.extend(ALWAYS_NEEDED)
    while waiting:
        message = descriptors.messages.get(waiting.pop().removeprefix("."))
        if message is None:
            continue  # an enum, which names no other type
        for name in _types_named(message.descriptor):
            outermost = _outermost(name)
            if outermost not in found and _is_declared(descriptors, outermost):
                found.add(outermost)
                waiting.append(outermost)
    return tuple(sorted((message_import(descriptors, name) for name in found - envelopes), key=lambda i: i.name))


def message_import(descriptors: Descriptors, type_name: str) -> Import:
    """Where protoc puts the class of a message or enum that stands at the top of its file."""
    full_name = type_name.removeprefix(".")
    declared = descriptors.messages.get(full_name) or descriptors.enums[full_name]
    return Import(message_module(declared.file), full_name.rpartition(".")[2])


def _types_named(message: DescriptorProto) -> Iterator[str]:
    yield from (field.type_name for field in message.field if field.type_name.startswith(_PREFIX))
    for nested in message.nested_type:
        yield from _types_named(nested)


def _outermost(type_name: str) -> str:
    """The declaration at the top of the file: a nested one is reached through it."""
    return _PREFIX + type_name.removeprefix(_PREFIX).partition(".")[0]


def _is_declared(descriptors: Descriptors, type_name: str) -> bool:
    full_name = type_name.removeprefix(".")
    return full_name in descriptors.messages or full_name in descriptors.enums
