"""Values of the key-value store between Python and the bytes that are stored: JSON in UTF-8.

An empty value is no value to the server, and None stands for it in Python. JSON's null, which other programs may have
stored, reads as None, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NoReturn, Protocol, Self, TypeAlias, TypeVar, get_origin

from mattermost_plugin._kv_errors import KVValueError

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""What JSON holds."""

JsonArray: TypeAlias = list["JsonValue"]
"""A list in JSON, also for `as_type`."""

JsonObject: TypeAlias = dict[str, "JsonValue"]
"""An object in JSON, also for `as_type`."""


class JsonModel(Protocol):
    """A class that reads and writes itself as JSON, such as a pydantic model."""

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, /) -> Self:
        """Make an object from JSON, or raise ValueError if it does not fit."""
        ...

    def model_dump_json(self) -> str:
        """The object as JSON that `model_validate_json` takes."""
        ...


class JsonFloat(Protocol):
    """What float is. A TypeVar's bound that names float itself makes pyright lose the types of lambdas' parameters."""

    def is_integer(self) -> bool: ...
    @classmethod
    def fromhex(cls, string: str, /) -> Self: ...


class Deletion(Enum):
    """The type of DELETE."""

    DELETE = "DELETE"


DELETE: Final = Deletion.DELETE
"""In the place of a new value: the key is deleted."""

Storable: TypeAlias = str | int | float | bool | Sequence[object] | Mapping[str, object] | JsonModel
"""What can be stored: JSON values and models, and models inside of lists and mappings."""

ValueT = TypeVar("ValueT", bound="str | int | JsonFloat | bool | JsonArray | JsonObject | JsonModel")
NewT = TypeVar("NewT", bound="Storable | Deletion")
DefaultT = TypeVar("DefaultT")

_PLAIN: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
"""What JSON itself holds, with what errors call it."""

_MOST_FAULTS: Final = 5
"""Of a value that does not fit its model; an error names no more."""


class _NotJsonError(Exception):
    """Something is neither JSON nor a model; carries the name of its type."""


def checked_type(as_type: type | None) -> type | None:
    """The class that values are read as, without type arguments; None for any JSON.

    Raises:
        TypeError: values cannot be read as that.
    """
    kind: object = get_origin(as_type) or as_type
    if kind is None or (isinstance(kind, type) and (kind in _PLAIN or _is_model(kind))):
        return kind
    name = getattr(kind, "__name__", type(kind).__name__)
    raise TypeError(
        f"as_type must be str, int, float, bool, list, dict or a class with model_validate_json, such as a pydantic "
        f"model, not {name}"
    )


def encode(key: str, value: object) -> bytes:
    """A value as it is stored.

    Args:
        key: what an error names.
        value: the value.

    Raises:
        TypeError: it is neither JSON nor a model, or None.
        ValueError: JSON cannot hold it.
    """
    kind: type[Exception] = ValueError
    try:
        data = _text(value).encode()
    except _NotJsonError as error:
        kind, fault = TypeError, f"must be JSON or a model and has {error} in it"
        if str(error) in ("bytes", "bytearray", "memoryview"):
            fault += "; raw bytes go through self.api.kv_set"
    except RecursionError:
        fault = "is nested too deep"
    except UnicodeEncodeError:
        fault = "has text that UTF-8 cannot hold, such as a lone surrogate"
    except (TypeError, ValueError) as error:
        kind = type(error) if type(error) in (TypeError, ValueError) else ValueError
        fault = "cannot be JSON: keys must be str, numbers finite, and nothing may hold itself"
    else:
        if data != b"null":
            return data
        kind, fault = TypeError, "must not be None, which stands for no value; delete the key instead"
    # Not chained: the texts of others may quote the value, which may be a secret.
    raise kind(f"the value for the key {key!r} {fault}")


def decode(key: str, data: bytes | None, kind: type | None) -> object:
    """A stored value; None if there is none.

    Args:
        key: what an error names.
        data: what is stored.
        kind: what to read it as, from `checked_type`.

    Raises:
        KVValueError: it is no JSON, or does not fit.
    """
    if not data or data.strip() == b"null":
        return None
    if kind is not None and kind not in _PLAIN:
        return _model(key, data, kind)
    value = _parsed(key, data)
    if kind is float and type(value) is int:
        value = _as_float(value)
    if kind is None or type(value) is kind:
        return value
    raise KVValueError(key, f"is {_PLAIN[type(value)]}, not {kind.__name__}")


def is_same_json(data: bytes, other: bytes) -> bool:
    """Whether two values are the same, however they are written. What is no JSON is the same as nothing."""
    try:
        return _is_same(json.loads(data), json.loads(other))
    except (ValueError, RecursionError):
        return False


def _text(value: object) -> str:
    if _is_model(type(value)):
        return _model_text(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    """What json does not know, as something that it knows."""
    if _is_model(type(value)):
        return json.loads(_model_text(value))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise _NotJsonError(type(value).__name__)


def _is_model(kind: type) -> bool:
    return callable(getattr(kind, "model_validate_json", None)) and callable(getattr(kind, "model_dump_json", None))


# Any: that it is a model was found out by its methods.
def _model_text(value: Any) -> str:
    text: str = value.model_dump_json()
    return text


def _model(key: str, data: bytes, kind: Any) -> object:
    try:
        return kind.model_validate_json(data)
    except ValueError as error:
        faults = _faults(kind, error)
    raise KVValueError(key, f"does not fit {kind.__name__}{faults}")


def _faults(kind: object, error: Any) -> str:
    """What pydantic has against a value, without anything of the value itself."""
    if type(error).__module__.partition(".")[0] not in ("pydantic", "pydantic_core"):
        return ""
    faults = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        # Only a field's name is known to be none of the value's own keys.
        place = fault["loc"][:1]
        is_field = place and place[0] in getattr(kind, "model_fields", ())
        faults.append(f"{place[0]}: {fault['type']}" if is_field else str(fault["type"]))
    more = ["..."] if len(faults) > _MOST_FAULTS else []
    return f" ({', '.join(faults[:_MOST_FAULTS] + more)})"


def _parsed(key: str, data: bytes) -> object:
    try:
        value: object = json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        pass
    else:
        return value
    raise KVValueError(key, "is no JSON")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _as_float(number: int) -> float | int:
    try:
        return float(number)
    except OverflowError:
        return number


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return one == other
