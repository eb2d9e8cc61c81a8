"""Python types of proto fields, as a handler's parameters and results have them."""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.model import Import, PythonType

# Messages and enums at the top of this package's files are what hooks carry.
CONTRACT_PACKAGE = "mattermost.pluginapi.v1"

MODELS_MODULE = "mattermost_pluginapi.models"

_SCALARS = {
    Field.TYPE_BOOL: "bool",
    Field.TYPE_BYTES: "bytes",
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_INT32: "int",
    Field.TYPE_INT64: "int",
    Field.TYPE_STRING: "str",
    Field.TYPE_UINT32: "int",
    Field.TYPE_UINT64: "int",
}

# Messages that protobuf itself brings, by the module that defines them.
_WELL_KNOWN = {
    "google.protobuf.Struct": "google.protobuf.struct_pb2",
    "google.protobuf.Value": "google.protobuf.struct_pb2",
}


def element_type(field: Field) -> PythonType | None:
    """The type of the field's value, or of one element if it is repeated; None if there is no rule for it."""
    if field.type in _SCALARS:
        return PythonType(_SCALARS[field.type])
    full_name = field.type_name.removeprefix(".")
    # A nested declaration, such as the entry of a map, has the outer message's name in the place of the package.
    package, _, short_name = full_name.rpartition(".")
    if field.type == Field.TYPE_MESSAGE and full_name in _WELL_KNOWN:
        return PythonType(short_name, (Import(_WELL_KNOWN[full_name], short_name),))
    if package != CONTRACT_PACKAGE:
        return None
    if field.type == Field.TYPE_ENUM:
        return PythonType(f"{short_name}.ValueType", (Import(MODELS_MODULE, short_name),))
    if field.type == Field.TYPE_MESSAGE:
        return PythonType(short_name, (Import(MODELS_MODULE, short_name),))
    return None


def parameter_type(field: Field) -> PythonType | None:
    """The type of the field as a handler's parameter; None if there is no rule for it."""
    element = element_type(field)
    if element is None:
        return None
    if field.label == Field.LABEL_REPEATED:
        return PythonType(f"Sequence[{element.expression}]", element.imports)
    if field.proto3_optional:
        return PythonType(f"{element.expression} | None", element.imports)
    return element


def message_module(file: str) -> str:
    """The Python module that protoc makes of a proto file. The proto's path is the import path."""
    return file.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"
