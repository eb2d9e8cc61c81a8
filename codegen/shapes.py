"""From a response's fields to what a hook can answer."""

import keyword
from collections.abc import Collection, Mapping, Sequence

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.model import Kind, ResponseShape, ResultField
from codegen.python_types import CONTRACT_PACKAGE, element_type

_APP_ERROR = f".{CONTRACT_PACKAGE}.AppError"
_REPLACEMENT_PREFIX = "modified_"


class UnknownShapeError(Exception):
    """The response has a shape that no rule covers."""


def response_shape(fields: Sequence[Field], written: Collection[str], docs: Mapping[str, str]) -> ResponseShape:
    """Infer what a hook can answer.

    Args:
        fields: the response's fields.
        written: names of the fields that a writer parameter fills, which are no result of the handler.
        docs: the fields' comments by name.

    Raises:
        UnknownShapeError: the fields fit no kind of hook; the text says why.
    """
    error = next((field for field in fields if field.name == "error"), None)
    rejection = next((field for field in fields if field.name == "rejection_reason"), None)
    if error is not None and (error.type_name != _APP_ERROR or error.label == Field.LABEL_REPEATED):
        raise UnknownShapeError("the response's `error` must be an AppError")
    if rejection is not None and (rejection.type != Field.TYPE_STRING or rejection.label == Field.LABEL_REPEATED):
        raise UnknownShapeError("the response's `rejection_reason` must be a string")
    if error is not None and rejection is not None:
        raise UnknownShapeError("the response has both `error` and `rejection_reason`; a refusal must have one form")
    results = [field for field in fields if field not in (error, rejection) and field.name not in written]
    replacements = [field for field in results if field.name.startswith(_REPLACEMENT_PREFIX)]
    if len(results) > 1:
        names = ", ".join(field.name for field in results)
        raise UnknownShapeError(f"the response has several results ({names}); a handler returns one")
    if rejection is not None or replacements:
        if results != replacements:
            raise UnknownShapeError(
                f"the response has `rejection_reason` beside `{results[0].name}`; "
                f"what replaces the original must be called {_REPLACEMENT_PREFIX}..."
            )
        if rejection is None and error is None:
            raise UnknownShapeError("the response has a replacement but neither `rejection_reason` nor `error`")
        value = _result(replacements[0], docs, may_be_none=True) if replacements else None
        return ResponseShape(Kind.FILTER, error is not None, rejection is not None, value)
    if results:
        value = _result(results[0], docs, may_be_none=False)
        return ResponseShape(Kind.VALUE, has_error=error is not None, value=value)
    return ResponseShape(Kind.ACTION if error is not None else Kind.NOTIFY, has_error=error is not None)


def _result(field: Field, docs: Mapping[str, str], *, may_be_none: bool) -> ResultField:
    if keyword.iskeyword(field.name):
        raise UnknownShapeError(f"the response's `{field.name}` is a Python keyword; choose another field name")
    type_ = element_type(field)
    if type_ is None or field.type == Field.TYPE_ENUM:
        raise UnknownShapeError(f"the response's `{field.name}` has a type that no handler can return")
    repeated = field.label == Field.LABEL_REPEATED
    is_message = field.type == Field.TYPE_MESSAGE
    if repeated and not is_message:
        raise UnknownShapeError(f"the response's `{field.name}` is a list of plain values; only messages are handled")
    # A response that leaves a message or a list out says "nothing", which a handler says with None.
    optional = may_be_none or repeated or is_message
    return ResultField(field.name, type_, repeated, is_message, optional, docs[field.name])
