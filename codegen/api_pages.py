"""Which methods of the plugin API list something page by page, and how an iterator goes through their pages.

A method has pages if its request says which one to give, in one of three ways, and its response has the items:

- integers `page` and `per_page`;
- a text `after` or `cursor_id`, which is the id of the page's last item, and an integer `limit`;
- a message with `page` and `per_page`, and perhaps a `cursor` that names the last item of the page before.

The items are the one repeated field of the response, or that of the one message in it, or the values of the first map
in that message in the order that its field `order` says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from codegen.api_fields import FieldRuleError, map_entry
from codegen.api_model import ApiIterator, ApiParameter
from codegen.descriptors import Descriptors, Message
from codegen.model import Import, PythonType
from codegen.python_types import CONTRACT_PACKAGE, MODELS_MODULE, element_type

_INTEGERS = {Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_UINT32, Field.TYPE_UINT64}
_LAST_IDS = ("after", "cursor_id")
_NUMBERS = {"page": "walk.number", "per_page": "walk.size"}

# What the body of an iterator names.
_RESERVED = frozenset(
    {"answer", "in_order", "page_size", "paged", "read_page", "walk", "walk_pages", "walk_pages_async"}
)


@dataclass(frozen=True, slots=True)
class _Items:
    """The items of an answer."""

    type: PythonType
    rows: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Turns:
    """What changes from call to call."""

    arguments: dict[str, str]
    dropped: frozenset[str]
    """Parameters that the iterator does not have."""
    has_numbers: bool
    imports: list[Import] = field(default_factory=list)
    options: tuple[tuple[str, str], ...] = ()


def iterator_name(method: str) -> str:
    """`get_users` -> `iter_users`, `search_users` -> `iter_search_users`."""
    return f"iter_{method.removeprefix('get_')}"


def api_iterator(
    descriptors: Descriptors,
    method: str,
    request: Message,
    response: Message,
    parameters: Sequence[ApiParameter],
    *,
    is_reversed: bool,
) -> ApiIterator | None:
    """The iterator of a method; None if it has no pages.

    Args:
        descriptors: every message.
        method: the method's name in Python.
        request: its request.
        response: its response.
        parameters: the method's parameters.
        is_reversed: whether the items of a page stand in the order opposite to that of the pages.

    Raises:
        FieldRuleError: it has pages, and there is no rule for going through them.
    """
    items = _items(descriptors, response)
    turns = _turns(descriptors, request, items) if items is not None else None
    if items is None or turns is None:
        if is_reversed:
            raise FieldRuleError("reversed_pages belongs on a method that lists page by page")
        return None
    kept = tuple(parameter for parameter in parameters if parameter.name not in turns.dropped)
    for parameter in kept:
        if parameter.name in _RESERVED:
            raise FieldRuleError(f"its iterator cannot have a parameter `{parameter.name}`; choose another name")
    types = [items.type, *(parameter.type for parameter in kept)]
    return ApiIterator(
        method=iterator_name(method),
        item=items.type,
        parameters=kept,
        arguments=tuple(
            (parameter.name, turns.arguments.get(parameter.name, parameter.name)) for parameter in parameters
        ),
        rows=f"{items.rows}[::-1]" if is_reversed else items.rows,
        imports=(*(wanted for type_ in types for wanted in type_.imports), *turns.imports),
        has_numbers=turns.has_numbers,
        options=turns.options,
        has_more=items.has_more,
        is_reversed=is_reversed,
    )


# Items


def _items(descriptors: Descriptors, response: Message) -> _Items | None:
    fields = [each for each in response.descriptor.field if each.name != "error"]
    if len(fields) != 1:
        return None
    if fields[0].label == Field.LABEL_REPEATED:
        return _of_list(response, fields[0], "answer")
    message = _message(descriptors, fields[0])
    return _of_message(message) if message is not None else None


def _of_list(message: Message, repeated: Field, rows: str, *, has_more: bool = False) -> _Items | None:
    element = element_type(repeated) if map_entry(message, repeated) is None else None
    return _Items(element, rows, has_more) if element is not None else None


def _of_message(message: Message) -> _Items | None:
    fields = [each for each in message.descriptor.field if each.label == Field.LABEL_REPEATED]
    if len(fields) == 1:
        return _of_list(message, fields[0], f"list(answer.{fields[0].name})", has_more=True)
    order = [each for each in fields if each.name == "order" and each.type == Field.TYPE_STRING]
    maps = [(each.name, entry) for each in fields if (entry := map_entry(message, each)) is not None]
    if not order or not maps or len(fields) > len(order) + len(maps):
        return None
    name, (_, value) = maps[0]
    element = element_type(value)
    return _Items(element, f"in_order(answer.order, answer.{name})", has_more=True) if element is not None else None


# What changes from call to call


def _turns(descriptors: Descriptors, request: Message, items: _Items) -> _Turns | None:
    fields = {each.name: each for each in request.descriptor.field}
    if _has_numbers(request):
        return _Turns(dict(_NUMBERS), frozenset(_NUMBERS), has_numbers=True)
    for name in _LAST_IDS:
        if name in fields and fields[name].type == Field.TYPE_STRING and _is_integer(fields.get("limit")):
            _check_has(descriptors, items, "id")
            last = '"" if walk.last is None else walk.last.id'
            return _Turns({name: last, "limit": "walk.size"}, frozenset({name, "limit"}), has_numbers=False)
    for each in request.descriptor.field:
        options = _message(descriptors, each) if each.label != Field.LABEL_REPEATED else None
        if options is not None and _has_numbers(options):
            return _in_options(descriptors, each.name, options, items)
    return None


def _in_options(descriptors: Descriptors, parameter: str, options: Message, items: _Items) -> _Turns:
    name = options.descriptor.name
    set_here, imports = dict(_NUMBERS), [Import(MODELS_MODULE, name)]
    cursor = next((each for each in options.descriptor.field if each.name == "cursor"), None)
    cursor_message = _message(descriptors, cursor) if cursor is not None else None
    if cursor_message is not None:
        imports.append(Import(MODELS_MODULE, cursor_message.descriptor.name))
        # A host that heeds both would count pages from the cursor on.
        set_here |= {"page": "0", "cursor": _cursor(descriptors, cursor_message, items)}
    arguments = ", ".join(f"{field_name}={expression}" for field_name, expression in set_here.items())
    expression = f"paged({name}, {parameter}, {arguments})"
    return _Turns(
        {parameter: expression},
        frozenset(),
        has_numbers="cursor" not in set_here,
        imports=imports,
        options=((parameter, _words(set_here)),),
    )


def _cursor(descriptors: Descriptors, cursor: Message, items: _Items) -> str:
    """A cursor's fields have the names of the item's; one that ends in _id is the item's id."""
    values = []
    for each in cursor.descriptor.field:
        source = "id" if each.name.endswith("_id") else each.name
        _check_has(descriptors, items, source)
        values.append(f"{each.name}=walk.last.{source}")
    return f"None if walk.last is None else {cursor.descriptor.name}({', '.join(values)})"


def _check_has(descriptors: Descriptors, items: _Items, name: str) -> None:
    message = descriptors.messages.get(f"{CONTRACT_PACKAGE}.{items.type.expression}")
    if message is None or all(each.name != name for each in message.descriptor.field):
        raise FieldRuleError(f"the cursor of its pages needs the field `{name}` of an item, which has none")


# Shapes


def _has_numbers(message: Message) -> bool:
    fields = {each.name: each for each in message.descriptor.field}
    return all(_is_integer(fields.get(name)) for name in _NUMBERS)


def _is_integer(declared: Field | None) -> bool:
    return declared is not None and declared.type in _INTEGERS and declared.label != Field.LABEL_REPEATED


def _message(descriptors: Descriptors, declared: Field) -> Message | None:
    return descriptors.messages.get(declared.type_name.removeprefix("."))


def _words(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}"
