"""JSON values as the bytes of protobuf's Value and Struct."""

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._stock.value_bytes import MAX_LEVELS, repaired, struct_bytes, value_bytes, with_size
from mattermost_pluginapi.api.values import to_struct
from tests.stock.strategies import json_objects, json_values


@given(json_values)
def test_the_bytes_are_those_that_protobuf_reads(value: Any) -> None:
    assert MessageToDict(Value.FromString(value_bytes(value))) == value


@given(json_objects)
def test_a_struct_is_the_one_that_fields_set_one_by_one_give(value: dict[str, Any]) -> None:
    assert Struct.FromString(struct_bytes(value)) == to_struct("value", value)


@given(st.integers(0, 300) | st.sampled_from([16_383, 16_384, 2_097_151, 2_097_152]))
def test_sizes_of_any_length(size: int) -> None:
    value = "x" * size
    assert Value.FromString(value_bytes(value)).string_value == value
    assert Struct.FromString(struct_bytes({value: [value]}))[value] == [value]
    assert len(with_size(bytes(size))) > size


def test_what_json_has_no_word_for() -> None:
    value = {"a": float("nan"), "b": -float("inf"), "c": 10**400, "d": -(10**400), "e": "\ud800"}
    assert MessageToDict(Struct.FromString(struct_bytes(value))) == {
        "a": "NaN",
        "b": "-Infinity",
        "c": "Infinity",
        "d": "-Infinity",
        "e": "?",
    }
    assert repaired(b"a\xff") == "a\ufffd".encode()


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"k": inner}], ids=["list", "map"])
def test_what_is_too_deep_is_null(wrap: Any) -> None:
    value: Any = "end"
    for _ in range(MAX_LEVELS):
        value = wrap(value)
    assert "end" in str(Value.FromString(value_bytes(value)))
    assert "end" not in str(Value.FromString(value_bytes(wrap(value))))
    assert "null_value" in str(Value.FromString(value_bytes(wrap(value))))


@pytest.mark.parametrize("value", [b"x", object(), {1: 2}, [{None: 1}]])
def test_what_is_no_json_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="JSON"):
        value_bytes(value)
