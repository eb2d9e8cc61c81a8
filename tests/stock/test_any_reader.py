"""What interfaces hold becomes Struct and Value, whatever it is and however deep."""

import base64
import math
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings

from mattermost_plugin._gob import Decoder, GobDataError, GobLimitError, GobMismatchError, Interface, Limits
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._gob.primitives import uint_bytes
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_plugin._stock.value_bytes import MAX_LEVELS
from mattermost_pluginapi.api.values import to_dict
from mattermost_pluginapi.v1.post_pb2 import Post
from tests.gob import craft
from tests.gob.streams import read, stock_encoder, stock_table
from tests.stock.go_json import any_json
from tests.stock.slow_messages import shown
from tests.stock.slow_structs import as_any
from tests.stock.strategies import json_objects
from tests.stock.struct_vectors import read_message

POST = "model.Post"
MAP, LIST = "map[string]interface {}", "[]interface {}"
POST_ID, MAP_ID, LIST_ID = 65, 66, 67
TYPES = (
    craft.define_struct(POST_ID, "Post", Id=craft.STRING, Props=MAP_ID),
    craft.define_map(MAP_ID, craft.STRING, craft.INTERFACE),
    craft.define_slice(LIST_ID, craft.INTERFACE),
)
NIL = b"\0"


def props_of(value: dict[str, Any]) -> Any:
    """The props of a post, from what Python has for what interfaces hold."""
    data = stock_encoder().encode({"Id": "p", "Props": value}, stock_table().struct(POST))
    return read_message(POST, data).props


def one(held: object) -> Any:
    """What becomes of one value."""
    return shown(props_of({"a": held}))["fields"]["a"]


def text(held: bytes) -> bytes:
    return craft.held("string", craft.STRING, b"\0" + uint_bytes(len(held)) + held)


def a_list(*items: bytes) -> bytes:
    return craft.held(LIST, LIST_ID, b"\0" + uint_bytes(len(items)) + b"".join(items))


def a_map(key: bytes, item: bytes) -> bytes:
    return craft.held(MAP, MAP_ID, b"\0\1" + uint_bytes(len(key)) + key + item)


def post(held: bytes, key: bytes = b"k") -> bytes:
    """A message's body: a post with one property."""
    return craft.value(POST_ID, b"\1\1p\1\1" + uint_bytes(len(key)) + key + held + b"\0")


def post_of(held: bytes, key: bytes = b"k") -> Any:
    return read_message(POST, craft.stream(*TYPES, post(held, key)))


@settings(deadline=None)
@given(json_objects)
def test_json_is_the_same(value: dict[str, Any]) -> None:
    props = props_of(value)
    assert MessageToDict(props) == value
    assert {key: any_json(as_any(item)) for key, item in value.items()} == value


@pytest.mark.parametrize(
    ("held", "becomes"),
    [
        (3, 3.0),
        (-(2**63), -(2.0**63)),
        (Interface("uint8", 200), 200.0),
        (Interface("float32", 0.5), 0.5),
        (b"\xff\0", base64.b64encode(b"\xff\0").decode()),
        (Interface("[]string", ["a", "b"]), ["a", "b"]),
        (Interface("[]int", [1, -1]), [1.0, -1.0]),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (-0.0, 0.0),
        ("x" * 127, "x" * 127),
        ("x" * 128, "x" * 128),
        ("é" * 20_000, "é" * 20_000),
        ([], []),
        ({}, {}),
        (None, None),
        (Interface("*model.AppError", {"Id": "i", "Where": "w"}), {"id": "i", "message": "", "detailed_error": ""}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_other_values(held: object, becomes: object) -> None:
    assert one(held) == becomes


def test_attachments_are_as_in_json() -> None:
    action = {"Id": "a", "Integration": {"URL": "/u", "Context": {"n": 1, "deep": {"x": [True]}}}}
    attachments = [{"Fallback": "f", "Actions": [action], "Fields": [{"Value": 7, "Short": True}]}, {}]
    first, second = one(Interface("[]*model.SlackAttachment", attachments))
    assert first["fallback"] == "f"
    assert first["fields"] == [{"title": "", "value": 7, "short": True}]
    assert first["actions"][0]["integration"] == {"url": "/u", "context": {"n": 1, "deep": {"x": [True]}}}
    assert second["fallback"] == ""
    assert second["fields"] is None


@pytest.mark.parametrize(
    "held",
    [
        Interface("[]*model.SlackAttachment", [{"Fallback": "é"}]),
        Interface("*model.PreviewPost", {"PostID": "p", "Post": {"Id": "p", "Props": {"a": [1, {"b": None}]}}}),
        Interface("*model.AutocompleteStaticListArg", {"PossibleArguments": [{"Item": "i", "HelpText": "h"}]}),
        Interface("*pq.Error", {"Message": "m", "Code": "23505"}),
        Interface("*plugin.ErrorString", {"Code": 2, "Err": "none"}),
    ],
)
def test_structs_of_registered_names_are_as_in_json(held: Interface) -> None:
    data = stock_encoder().encode({"Id": "p", "Props": {"a": held}}, stock_table().struct(POST))
    ((_, form),) = vars_of(data)
    assert one(held) == any_json(form)


def vars_of(data: bytes) -> list[tuple[str, Any]]:
    """The properties of the post in a stream, as JSON."""
    (value,) = read(data)
    form: Any = json_form(value)
    return list(form["Props"].items())


def test_texts_that_are_no_utf8_are_repaired() -> None:
    assert to_dict(post_of(text(b"a\xffb"), b"k\xfe").props) == {"k\ufffd": "a\ufffdb"}
    long = b"\xc3\xa9" * 100 + b"\xc3"
    assert to_dict(post_of(text(long)).props) == {"k": "é" * 100 + "\ufffd"}


@pytest.mark.parametrize("levels", [1, MAX_LEVELS, MAX_LEVELS + 1, 2000])
@pytest.mark.parametrize("wrap", [a_list, lambda inner: a_map(b"k", inner)], ids=["list", "map"])
def test_what_is_too_deep_is_null(wrap: Any, levels: int) -> None:
    held = text(b"end")
    for _ in range(levels):
        held = wrap(held)
    decoder = Decoder()
    decoder.feed(craft.stream(*TYPES, post(held), post(text(b"next"))))
    deep: Any = decoder.next_value(struct_target(POST))
    (found,) = to_dict(deep.props).values()
    count = 0
    while isinstance(found, list | dict):
        (found,) = found.values() if isinstance(found, dict) else found
        count += 1
    assert (count, found) == (min(levels, MAX_LEVELS - 1), "end" if levels < MAX_LEVELS else None)
    # What there is of it can be copied and read back.
    assert Post.FromString(deep.SerializeToString()) == deep
    # The stream goes on.
    following: Any = decoder.next_value(struct_target(POST))
    assert to_dict(following.props) == {"k": "next"}


def test_what_is_too_deep_inside_an_attachment_is_null() -> None:
    held = text(b"end")
    for _ in range(2000):
        held = a_list(held)
    attachment = craft.define_struct(68, "Attachment", Fallback=craft.STRING, Timestamp=craft.INTERFACE)
    attachments = craft.define_slice(69, 68)
    whole = craft.held("[]*model.SlackAttachment", 69, b"\0\1\1\1f\1" + held + b"\0")
    message = read_message(POST, craft.stream(*TYPES, attachment, attachments, post(whole)))
    found: Any = to_dict(message.props)["k"]
    assert found[0]["fallback"] == "f"
    assert isinstance(found[0]["ts"], list)


def test_passed_over_values_of_all_kinds_leave_the_rest_as_it_is() -> None:
    mixed = a_list(
        text(b"t"),
        NIL,
        craft.held("bool", craft.BOOL, b"\0\1"),
        craft.held("float64", craft.FLOAT, b"\0\xfe\x31\x40"),
        craft.held("[]uint8", craft.BYTES, b"\0\2ab"),
        a_map(b"k", a_list()),
    )
    for _ in range(MAX_LEVELS + 3):
        mixed = a_list(mixed, text(b"beside"))
    props = to_dict(post_of(mixed).props)
    assert repr(props).count("'beside'") == MAX_LEVELS - 1


@pytest.mark.parametrize(
    ("held", "error", "reason"),
    [
        (craft.held("string", craft.STRING, b"\1\1a"), GobDataError, "no zero in front"),
        (b"\6string\x0c\4\0\1a", GobDataError, "another size than announced"),
        (craft.held(LIST, LIST_ID, b"\0\2" + NIL), GobDataError, "another size than announced"),
        (craft.held("string", craft.STRING, b"\0\x7fab"), GobDataError, "ends inside a value"),
        (craft.held("string", craft.STRING, b"\0\xfe\xff\xffab"), GobDataError, "a text of 65535 bytes"),
        (craft.held("x", 99, b"\0\1"), GobDataError, "type id 99 is not defined"),
        (craft.held("x" * 1025, craft.STRING, b"\0\1a"), GobLimitError, "a registered name of 1025 bytes"),
        (craft.held(LIST, LIST_ID, b"\0\xfc\x7f\xff\xff\xff"), GobLimitError, "too many elements"),
        (craft.held("complex128", craft.COMPLEX, b"\0\1\1"), GobMismatchError, "refused with TypeError"),
    ],
)
def test_what_is_no_value_ends_in_an_error_of_gob(held: bytes, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        post_of(held)


def test_elements_take_room_wherever_they_are() -> None:
    ten = a_list(*[NIL] * 10)
    for held in (a_list(*[ten] * 10), a_map(b"k", a_list(*[ten] * 10))):
        decoder = Decoder(Limits(max_elements=90))
        decoder.feed(craft.stream(*TYPES, post(held)))
        with pytest.raises(GobLimitError, match="max_elements"):
            decoder.next_value(struct_target(POST))


@pytest.mark.parametrize("elem", [craft.STRING, craft.BOOL, LIST_ID])
def test_a_map_of_another_type_is_refused(elem: int) -> None:
    types = (TYPES[0], craft.define_map(MAP_ID, craft.STRING, elem), TYPES[2])
    with pytest.raises(GobMismatchError, match="where a map of texts to interfaces is expected"):
        read_message(POST, craft.stream(*types, craft.value(POST_ID, b"\1\1p\0")))
