"""Values of the key-value store: models, types, and errors that never quote a value."""

import json
import math
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, RootModel, field_validator

from mattermost_plugin._kv_values import checked_type, decode, encode, is_same_json
from mattermost_plugin.kv import JsonArray, JsonObject, KVValueError
from mattermost_plugin.models import User

SECRET = "hunter2"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé"\\\0 '),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("ab", max_size=2), children, max_size=3),
    max_leaves=10,
)


class Poll(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    votes: dict[str, int] = {}

    @field_validator("question")
    @classmethod
    def ask(cls, question: str) -> str:
        if not question.endswith("?"):
            raise ValueError(f"{question} is no question")
        return question


class Polls(RootModel[list[Poll]]):
    pass


class Plain:
    """A model without pydantic."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, /) -> Self:
        value = json.loads(json_data)
        if not isinstance(value, str):
            raise ValueError(f"{value} is no text")  # noqa: TRY004 - what models raise
        return cls(value)

    def model_dump_json(self) -> str:
        return json.dumps(self.text)


@given(JSON.filter(lambda value: value is not None))
def test_json_comes_back(value: object) -> None:
    data = encode("k", value)
    assert decode("k", data, None) == value
    assert json.dumps(decode("k", data, None)) == json.dumps(value)
    assert is_same_json(data, json.dumps(value, indent=1, sort_keys=True).encode())


@given(JSON, JSON)
def test_different_values_are_not_the_same(one: object, other: object) -> None:
    # In JSON itself 1 and 1.0 are the same number, and 1 and true are not.
    def strict(value: object) -> object:
        if isinstance(value, dict):
            return {key: strict(each) for key, each in value.items()}
        if isinstance(value, list):
            return [strict(each) for each in value]
        return ("bool", value) if isinstance(value, bool) else value

    same = strict(one) == strict(other)
    assert is_same_json(json.dumps(one).encode(), json.dumps(other).encode()) == same


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for kind in (None, int, dict, Poll, Plain):
        with suppress(KVValueError):
            decode("k", data, kind)


def test_models_come_back() -> None:
    poll = Poll(question="Tea?", votes={"yes": 1})
    assert decode("k", encode("k", poll), Poll) == poll
    polls = Polls([poll])
    assert decode("k", encode("k", polls), Polls) == polls
    plain = decode("k", encode("k", Plain("a")), Plain)
    assert isinstance(plain, Plain)
    assert plain.text == "a"


def test_models_may_be_inside_of_json() -> None:
    data = encode("k", {"polls": [Poll(question="Tea?")], "plain": (Plain("a"),)})
    assert decode("k", data, None) == {"polls": [{"question": "Tea?", "votes": {}}], "plain": ["a"]}


def test_mappings_and_sequences_are_objects_and_lists() -> None:
    class Lines(Sequence[Any]):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: Any) -> Any:
            return ["a", "b"][index]

    assert encode("k", MappingProxyType({"a": range(2), "b": Lines()})) == b'{"a":[0,1],"b":["a","b"]}'


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"hunter2", None, "is no JSON"),
        (b'"hunter2\xff"', None, "is no JSON"),
        (b"NaN", None, "is no JSON"),
        (b"[" * 100_000, None, "is no JSON"),
        (b"1" * 10_000, None, "is no JSON"),
        (b'"hunter2"', int, "is text, not int"),
        (b"true", int, "is true or false, not int"),
        (b"1.0", int, "is a number, not int"),
        (b"1", bool, "is a whole number, not bool"),
        (b'["hunter2"]', dict, "is a list, not dict"),
        (b'{"hunter2":1}', list, "is an object, not list"),
        (b"1" + b"0" * 400, float, "is a whole number, not float"),
        (b'{"votes":{"hunter2":"hunter2"},"hunter2":1}', Poll, r"does not fit Poll \(question: missing, votes: "),
        (b'{"question":"hunter2"}', Poll, r"does not fit Poll \(question: value_error\)"),
        (b"hunter2", Poll, r"does not fit Poll \(json_invalid\)"),
        (b'[{"question":"hunter2"}]', Polls, r"does not fit Polls \(value_error\)"),
        (b'["hunter2"]', Plain, "does not fit Plain$"),
    ],
)
def test_what_does_not_fit_is_named_and_not_quoted(data: bytes, kind: Any, text: str) -> None:
    with pytest.raises(KVValueError, match=f"the value of the key 'my-key' {text}") as caught:
        decode("my-key", data, kind)
    assert text.partition(" (")[0].partition(r" \(")[0].rstrip("$") in caught.value.reason
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace("match=", "")
    assert caught.value.__context__ is None


def test_an_error_names_few_faults() -> None:
    class Wide(BaseModel):
        a: int
        b: int
        c: int
        d: int
        e: int
        f: int

    with pytest.raises(KVValueError) as caught:
        decode("k", b"{}", Wide)
    assert caught.value.reason == (
        "does not fit Wide (a: missing, b: missing, c: missing, d: missing, e: missing, ...)"
    )


def test_numbers() -> None:
    assert decode("k", b"1", float) == 1.0
    assert type(decode("k", b"1", float)) is float
    assert decode("k", b"1e2", float) == 100


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (None, TypeError, "must not be None, which stands for no value; delete the key instead"),
        (b"hunter2", TypeError, "has bytes in it; raw bytes go through self.api.kv_set"),
        ({"a": [b"hunter2"]}, TypeError, "has bytes in it"),
        ({"hunter2"}, TypeError, "has set in it"),
        ([Decimal(1)], TypeError, "has Decimal in it"),
        (User(username="hunter2"), TypeError, "has User in it"),
        (Poll, TypeError, "has ModelMetaclass in it"),
        ({("hunter2",): 1}, TypeError, "cannot be JSON: keys must be str"),
        ([math.nan], ValueError, "cannot be JSON: keys must be str, numbers finite"),
        (CIRCLE, ValueError, "nothing may hold itself"),
        (DEEP, ValueError, "is nested too deep"),
        ("hunter2\ud800", ValueError, "has text that UTF-8 cannot hold"),
    ],
)
def test_what_cannot_be_stored_is_named_and_not_quoted(value: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^the value for the key 'my-key' .*{text}") as caught:
        encode("my-key", value)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_model_that_is_null_is_no_value() -> None:
    class Maybe(RootModel[int | None]):
        pass

    with pytest.raises(TypeError, match="must not be None"):
        encode("k", Maybe(None))
    assert decode("k", b"null", Maybe) is None


@pytest.mark.parametrize("kind", [bytes, set, object, User, Decimal, Mapping, "int", Poll(question="?")])
def test_other_types_cannot_be_read(kind: Any) -> None:
    with pytest.raises(TypeError, match="as_type must be str, int, float, bool, list, dict or a class with"):
        checked_type(kind)


@pytest.mark.parametrize(
    ("kind", "bare"), [(None, None), (int, int), (JsonArray, list), (JsonObject, dict), (Poll, Poll), (Polls, Polls)]
)
def test_types_that_can_be_read(kind: Any, bare: Any) -> None:
    assert checked_type(kind) is bare
