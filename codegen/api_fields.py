"""From the fields of an API method's messages to parameters and results."""

import ast
from typing import Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.api_model import ApiParameter, ApiResult
from codegen.descriptors import Message
from codegen.model import Import, PythonType
from codegen.python_types import element_type

_STRUCT = ".google.protobuf.Struct"
_VALUES_MODULE = "mattermost_pluginapi.api.values"

UNSET: Final = "unset"
_INTEGERS = {Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_UINT32, Field.TYPE_UINT64}
_UNSIGNED = {Field.TYPE_UINT32, Field.TYPE_UINT64}
_FLOATS = {Field.TYPE_DOUBLE, Field.TYPE_FLOAT}
_MAY_BE_NULL = {Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_MESSAGE}


class FieldRuleError(Exception):
    """The field, or its option, has no rule; the text says why."""


def api_parameter(message: Message, field: Field, default_value: str, doc: str) -> ApiParameter:
    """The parameter that a field of a request becomes.

    Raises:
        FieldRuleError: there is no rule for its type, or the default does not fit it.
    """
    entry = map_entry(message, field)
    default = _default(field, default_value, is_map=entry is not None)
    is_list = field.label == Field.LABEL_REPEATED and entry is None
    is_nullable = field.proto3_optional or default == "None"
    expression = field.name
    if entry is not None:
        type_ = _map_type(entry, "Mapping")
    elif field.type_name == _STRUCT and not is_list:
        type_ = PythonType("Mapping[str, object]", (Import(_VALUES_MODULE, "to_struct"),))
        expression = f'to_struct("{field.name}", {field.name})'
        if is_nullable:
            expression = f"None if {field.name} is None else {expression}"
    else:
        element = _element(field)
        type_ = PythonType(f"Sequence[{element.expression}]", element.imports) if is_list else element
    if is_nullable:
        type_ = PythonType(f"{type_.expression} | None", type_.imports)
    return ApiParameter(field.name, type_, default, expression, is_list, is_nullable, doc)


def api_result(message: Message, field: Field, *, nullable: bool, doc: str) -> ApiResult:
    """The result that a field of a response becomes.

    Raises:
        FieldRuleError: there is no rule for its type, or it cannot be None.
    """
    entry, value = map_entry(message, field), f"response.{field.name}"
    is_repeated = field.label == Field.LABEL_REPEATED
    if nullable and (is_repeated or field.proto3_optional or field.type not in _MAY_BE_NULL):
        raise FieldRuleError("nullable is for single strings, bytes and messages without `optional`")
    if entry is not None:
        return ApiResult(field.name, _map_type(entry, "dict"), f"dict({value})", doc)
    if is_repeated:
        element = _element(field)
        return ApiResult(field.name, PythonType(f"list[{element.expression}]", element.imports), f"list({value})", doc)
    if field.type_name == _STRUCT:
        type_, expression = PythonType("dict[str, object]", (Import(_VALUES_MODULE, "to_dict"),)), f"to_dict({value})"
    else:
        type_, expression = _element(field), value
    if field.proto3_optional or (nullable and field.type == Field.TYPE_MESSAGE):
        expression = f'{expression} if response.HasField("{field.name}") else None'
    elif nullable:
        expression = f"{expression} or None"
    if field.proto3_optional or nullable:
        type_ = PythonType(f"{type_.expression} | None", type_.imports)
    return ApiResult(field.name, type_, expression, doc)


def _element(field: Field) -> PythonType:
    element = element_type(field)
    if element is None:
        raise FieldRuleError("its type has no rule for API methods")
    return element


def map_entry(message: Message, field: Field) -> tuple[Field, Field] | None:
    """Key and value of a map field; None if the field is no map."""
    for nested in message.descriptor.nested_type:
        if nested.options.map_entry and field.type_name == f".{message.full_name}.{nested.name}":
            return nested.field[0], nested.field[1]
    return None


def _map_type(entry: tuple[Field, Field], container: str) -> PythonType:
    key, value = (_element(part) for part in entry)
    return PythonType(f"{container}[{key.expression}, {value.expression}]", (*key.imports, *value.imports))


def _default(field: Field, text: str, *, is_map: bool) -> str:
    """The default as Python prints it; "" if there is none."""
    if not text:
        return ""
    if is_map or field.label == Field.LABEL_REPEATED:
        wanted, default = ("{}", "None") if is_map else ("[]", "()")
    elif field.proto3_optional or field.type == Field.TYPE_MESSAGE:
        wanted, default = UNSET, "None"
    elif field.type == Field.TYPE_BOOL:
        wanted, default = ("true" if text == "true" else "false"), text.capitalize()
    else:
        return _plain_default(field, text)
    if text != wanted:
        raise FieldRuleError(f"default_value must be {_words(field, is_map=is_map)}, not {text}")
    return default


def _plain_default(field: Field, text: str) -> str:
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    if field.type in (Field.TYPE_STRING, Field.TYPE_BYTES) and isinstance(value, str) and text.startswith('"'):
        return repr(value.encode()) if field.type == Field.TYPE_BYTES else repr(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and field.type in _INTEGERS and isinstance(value, int) and (value >= 0 or field.type not in _UNSIGNED):
        return repr(value)
    if is_number and field.type in _FLOATS:
        return repr(value)
    raise FieldRuleError(f"default_value must be {_words(field, is_map=False)}, not {text}")


def _words(field: Field, *, is_map: bool) -> str:
    if is_map:
        return "{}"
    if field.label == Field.LABEL_REPEATED:
        return "[]"
    if field.proto3_optional or field.type == Field.TYPE_MESSAGE:
        return UNSET
    if field.type == Field.TYPE_BOOL:
        return "true or false"
    if field.type in (Field.TYPE_STRING, Field.TYPE_BYTES):
        return "a text in quotes"
    return "a number" if field.type in _FLOATS | _INTEGERS else "left out: its type has no rule for defaults"
