"""Values that become records, by maps as a generated layer will have them; protobuf messages for instance."""

import linecache
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin._gob import (
    DICTS,
    GENERIC,
    NEED_DATA,
    PLAIN,
    SKIP,
    Decoder,
    GobDataError,
    GobEncodeError,
    GobMismatchError,
    GoTime,
    Interface,
    RecordSource,
    RecordTarget,
)
from mattermost_plugin._gob.go_types import INT, STRING, TIME, GoField, GoStruct
from mattermost_plugin._gob.puts import AddEach, Call, Extend, Fill, FillEach, Put, SetAttr, SetItem, Unmarshal, Update
from mattermost_plugin._gob.sources import Attr, Computed, Present
from mattermost_pluginapi.v1.autocomplete_pb2 import AutocompleteData
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest
from mattermost_pluginapi.v1.post_pb2 import Post, PostImage
from tests.gob.craft import INT as INT_ID
from tests.gob.craft import (
    INTERFACE,
    common,
    define,
    define_slice,
    define_struct,
    held,
    name_bytes,
    plain,
    raw,
    stream,
    value,
)
from tests.gob.craft import STRING as STRING_ID
from tests.gob.post_records import IMAGE_TEXTS, MESSAGE_WILL_BE_POSTED, POST, POST_SOURCE
from tests.gob.streams import read, stock_encoder, stock_table, values, vector

PROPS: dict[str, Any] = {"text": "x", "flag": True, "number": 1.5, "list": ["a", None, {"deep": []}], "nothing": None}


def sample_post() -> Post:
    post = Post(
        id="post",
        create_at=1_700_000_000_000,
        edit_at=-1,
        is_pinned=True,
        message="hé ✓",
        file_ids=["a", "b"],
        remote_id="remote",
        is_following=True,
        filenames=["f"],
    )
    post.props.update(PROPS)
    post.participants.add(id="u1", props={"k": "v"}, mfa_used_timestamps=["1"])
    post.participants.add(failed_attempts=3)
    post.metadata.images["https://x"].width = 100
    post.metadata.images["https://y"].format = "png"
    post.metadata.reactions.add(emoji_name="smile", channel_id="c")
    post.metadata.recipients.append("r")
    return post


def test_a_post_is_the_same_after_both_ways() -> None:
    post_type = stock_table().struct("model.Post")
    for post in (sample_post(), Post(), Post(id="only")):
        decoder = Decoder()
        decoder.feed(stock_encoder().encode(post, post_type, POST_SOURCE))
        assert decoder.next_value(POST) == post


def test_an_empty_part_that_is_present_stays_so() -> None:
    post = Post(id="p")
    post.metadata.SetInParent()
    decoder = Decoder()
    decoder.feed(stock_encoder().encode(post, stock_table().struct("model.Post"), POST_SOURCE))
    found = decoder.next_value(POST)
    assert found is not NEED_DATA
    assert found.HasField("metadata")


def test_what_go_wrote_becomes_a_message() -> None:
    case = vector("Z_MessageWillBePostedArgs")
    (generic,) = read(case.data)
    (request,) = read(case.data, MESSAGE_WILL_BE_POSTED)
    assert isinstance(generic, dict)
    assert isinstance(request, MessageWillBePostedRequest)
    post = request.post
    assert post.message == generic["B"]["Message"]
    assert post.create_at == generic["B"]["CreateAt"]
    assert request.plugin_context.session_id == generic["A"]["SessionId"]
    assert list(post.file_ids) == generic["B"]["FileIds"]
    assert len(post.participants) == len(generic["B"].get("Participants", []))
    expected = Struct()
    expected.update(read(case.data, PLAIN)[0]["B"]["Props"])  # type: ignore[index]
    assert post.props == expected


def test_a_text_that_is_no_utf8_is_mended_for_a_record() -> None:
    (post,) = read(stream(define_struct(64, "Post", Id=STRING_ID), value(64, raw("01 02 61ff 00"))), POST)
    assert post == Post(id="a�")


class Thing(SimpleNamespace):
    """Takes any attribute."""


def things(fields: dict[str, Put]) -> RecordTarget[Thing]:
    return RecordTarget(Thing, fields)


def test_fields_without_an_entry_are_skipped_and_entries_without_a_field_left_alone() -> None:
    data = stream(define_struct(64, "S", A=INT_ID, B=STRING_ID, C=INT_ID), value(64, raw("01 02 01 01 62 01 06 00")))
    assert read(data, things({"C": SetAttr("c"), "X": SetAttr("x")})) == [Thing(c=3)]


def test_a_struct_of_other_fields_only_is_refused_as_go_does() -> None:
    decoder = Decoder()
    decoder.feed(stream(define_struct(64, "S", A=INT_ID), value(64, raw("01 02 00")), plain(INT_ID, b"\x08")))
    with pytest.raises(GobMismatchError, match="no field of struct S") as caught:
        decoder.next_value(things({"X": SetAttr("x")}))
    assert caught.value.offset is not None
    assert decoder.next_value(GENERIC) == 4
    # An empty struct stands for any.
    assert read(stream(define_struct(64, "S"), value(64, b"\0")), things({"X": SetAttr("x")})) == [Thing()]


WRONG = {
    "struct for a basic value": (SetAttr("x"), 65),
    "list for a basic value": (SetAttr("x"), 66),
    "basic value for a list": (Extend("x"), STRING_ID),
    "list of structs for one of basic values": (Extend("x"), 67),
    "list for a map": (Update("x"), 66),
    "list for a struct": (Fill("x"), 66),
    "struct for a list of structs": (AddEach("x"), 65),
    "list of basic values for one of structs": (AddEach("x"), 66),
    "list for a map to structs": (FillEach("x"), 66),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_field_of_another_type_is_refused_and_the_stream_goes_on(name: str) -> None:
    put, type_id = WRONG[name]
    decoder = Decoder()
    decoder.feed(
        stream(
            define_struct(64, "S", A=INT_ID, F=type_id),
            define_struct(65, "Inner", Y=INT_ID),
            define_slice(66, STRING_ID),
            define_slice(67, 65),
            # Go, too, refuses the type when it is first used, with the field or without.
            value(64, raw("01 02 00")),
            plain(INT_ID, b"\x08"),
        )
    )
    with pytest.raises(GobMismatchError, match="is expected"):
        decoder.next_value(things({"A": SetAttr("a"), "F": put}))
    assert list(values(decoder, GENERIC)) == [4]
    decoder.close()


def test_a_value_that_is_no_struct_is_refused() -> None:
    decoder = Decoder()
    decoder.feed(stream(plain(INT_ID, b"\x08"), plain(INT_ID, b"\x0a")))
    with pytest.raises(GobMismatchError, match="int where a struct"):
        decoder.next_value(POST)
    assert decoder.next_value(GENERIC) == 5


def test_a_refusal_by_a_function_of_the_record_skips_the_value() -> None:
    def refuse(_: Thing, number: int) -> None:
        raise ValueError(f"secret {number}")

    target = things({"A": SetAttr("a"), "B": Call(refuse, PLAIN)})
    decoder = Decoder()
    decoder.feed(
        stream(
            define_struct(64, "S", A=INT_ID, B=INT_ID),
            value(64, raw("01 02 01 04 00")),
            value(64, raw("01 06 00")),
        )
    )
    with pytest.raises(GobMismatchError, match="refused with ValueError") as caught:
        decoder.next_value(target)
    assert caught.value.path == "S.B"
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)
    assert list(values(decoder, target)) == [Thing(a=3)]


def test_a_number_that_a_message_cannot_hold_is_refused() -> None:
    data = stream(define_struct(64, "Image", Width=INT_ID), value(64, raw("01") + raw("fb 0200000000") + b"\0"))
    target = RecordTarget(PostImage, {name: SetAttr(attribute) for name, attribute in IMAGE_TEXTS.items()})
    with pytest.raises(GobMismatchError, match="refused with ValueError"):
        read(data, target)


def test_a_bug_in_a_function_of_the_record_is_not_taken_for_bad_data() -> None:
    def bug(_: Thing, __: object) -> None:
        _nothing: list[int] = []
        _nothing[0] += 1

    decoder = Decoder()
    decoder.feed(stream(define_struct(64, "S", A=INT_ID), value(64, raw("01 02 00"))))
    with pytest.raises(IndexError) as caught:
        decoder.next_value(things({"A": Call(bug, PLAIN)}))
    # The compiled line is in the traceback.
    linecache.checkcache()
    assert "(out, ~(b >> 1) if b & 1 else b >> 1)" in "".join(traceback.format_exception(caught.value))
    # The value is still there.
    assert list(values(decoder, GENERIC)) == [{"A": 1}]


def test_a_refused_value_whose_rest_is_to_come_is_skipped_when_it_has_come() -> None:
    cut = value(64, b"\x01\x02\x01" + name_bytes("x") + define_slice(65, INT_ID))
    rest = stream(raw("ff82 03 00 01 02 00"), plain(INT_ID, b"\x08"))
    decoder = Decoder()
    decoder.feed(stream(define_struct(64, "S", A=INT_ID, B=INTERFACE), cut))
    target = things({"A": Extend("a"), "B": SetAttr("b")})
    assert decoder.next_value(target) is NEED_DATA
    assert decoder.next_value(target) is NEED_DATA
    decoder.feed(rest)
    with pytest.raises(GobMismatchError, match="a list of basic values"):
        decoder.next_value(target)
    assert list(values(decoder, GENERIC)) == [4]


def test_types_defined_in_a_refused_value_are_kept() -> None:
    def refuse(*_: object) -> None:
        raise ValueError

    types = define_struct(64, "S", A=INTERFACE, B=INT_ID)
    first = value(64, b"\x01" + name_bytes("x") + define_slice(65, INT_ID))
    decoder = Decoder()
    decoder.feed(stream(types, first, raw("ff82 03 00 01 02 01 04 00"), plain(65, b"\x01\x06")))
    with pytest.raises(GobMismatchError):
        decoder.next_value(things({"A": SetAttr("a"), "B": Call(refuse, PLAIN)}))
    assert list(values(decoder, GENERIC)) == [[3]]


def test_records_held_by_interfaces() -> None:
    error = things({"Id": SetAttr("id")})
    target = RecordTarget(Thing, {"V": SetAttr("v")}, held={"*model.AppError": error})
    types = (define_struct(64, "S", V=INTERFACE), define_struct(65, "AppError", Id=STRING_ID))
    data = stream(
        *types,
        value(64, b"\x01" + held("*model.AppError", 65, raw("01 01 78 00")) + b"\0"),
        value(64, b"\x01" + held("int", INT_ID, raw("00 04")) + b"\0"),
        value(64, b"\0"),
    )
    assert read(data, target) == [Thing(v=Thing(id="x")), Thing(v=2), Thing()]
    wrong = stream(*types, value(64, b"\x01" + held("*model.AppError", INT_ID, raw("00 04")) + b"\0"))
    with pytest.raises(GobMismatchError, match="int where a struct"):
        read(wrong, target)


def test_types_that_marshal_themselves() -> None:
    def set_time(thing: Thing, data: bytes) -> None:
        thing.at = GoTime.from_bytes(data)

    target = things({"At": Unmarshal(set_time), "N": SetAttr("n")})
    kind = GoStruct("S", (GoField("At", TIME), GoField("N", INT)))
    encoder = stock_encoder()
    time = GoTime(5, 6, 3625)
    assert read(encoder.encode({"At": time, "N": 1}, kind), target) == [Thing(at=time, n=1)]
    data = stream(define_struct(64, "S", At=65, N=INT_ID), define(65, 4, common("Time")), value(64, raw("01 01 09 00")))
    with pytest.raises(GobMismatchError, match="refused with ValueError"):
        read(data, target)
    with pytest.raises(GobMismatchError, match="a int where a value that marshals itself"):
        read(stream(define_struct(64, "S", At=INT_ID), value(64, b"\0")), target)


def test_recursive_records() -> None:
    class Node:
        def __init__(self) -> None:
            self.name = ""
            self.kids: list[Node] = []

    def add(node: Node, kids: list[Node]) -> None:
        node.kids += kids

    target: RecordTarget[Node] = RecordTarget(Node, lambda: {"Name": SetAttr("name"), "Kids": Call(add, target)})
    types = (define_struct(64, "Node", Name=STRING_ID, Kids=65), define_slice(65, 64))
    (root,) = read(stream(*types, value(64, raw("01 01 61 01 02 01 01 62 00 00 00"))), target)
    assert isinstance(root, Node)
    assert (root.name, [kid.name for kid in root.kids]) == ("a", ["b", ""])


def test_a_value_can_be_looked_at_before_it_is_taken() -> None:
    decoder = Decoder()
    assert decoder.next_shape() is NEED_DATA
    decoder.feed(stream(define_struct(64, "Request", Seq=INT_ID), value(64, raw("01 02 00"))))
    shape = decoder.next_shape()
    assert shape is not NEED_DATA
    assert (shape.name, [name for name, _ in shape.fields]) == ("Request", ["Seq"])
    assert decoder.next_shape() is shape
    assert decoder.next_value(SKIP) is None
    assert decoder.next_shape() is NEED_DATA
    decoder.feed(stream(value(99, b"\0")))
    with pytest.raises(GobDataError, match="type id 99 is not defined"):
        decoder.next_shape()


def test_names_of_a_peer_cannot_become_code() -> None:
    name = "x'] = __import__('os').abort() #\\\"\"\"\n{}"
    data = stream(define_struct(64, name, **{name: INT_ID}), value(64, raw("01 02 00")))
    assert read(data) == [{name: 1}]
    assert read(data, SKIP) == [None]
    with pytest.raises(ValueError, match="is no name of an attribute"):
        SetAttr(name)
    with pytest.raises(ValueError, match="is no name of an attribute"):
        Attr(name)
    items: RecordTarget[dict[str, object]] = RecordTarget(dict, {name: SetItem(name, GENERIC)})
    assert read(data, items) == [{name: 1}]


def test_equal_types_of_two_streams_share_their_code() -> None:
    def shape_of(first: int) -> object:
        decoder = Decoder()
        kids, node = first, first + 1
        decoder.feed(
            stream(
                define_slice(kids, node),
                define_struct(node, "Node", Kids=kids, Other=first + 2),
                define_struct(first + 2, "Other", A=INT_ID),
                value(node, b"\0"),
            )
        )
        return decoder.next_shape()

    assert shape_of(64) is shape_of(500)


def test_a_source_for_a_field_that_the_type_has_not_is_refused() -> None:
    struct = GoStruct("S", (GoField("A", INT),))
    with pytest.raises(GobEncodeError, match="struct S has no field B"):
        stock_encoder().encode(Thing(), struct, RecordSource({"B": Attr("b")}))


def test_a_source_of_attributes() -> None:
    inner = GoStruct("Inner", (GoField("B", STRING),))
    struct = GoStruct("S", (GoField("A", INT), GoField("Inner", inner), GoField("Never", INT)))
    source = RecordSource({"A": Attr("a"), "Inner": Attr("inner", RecordSource({"B": Attr("b")}))})
    data = stock_encoder().encode(Thing(a=5, inner=Thing(b="x")), struct, source)
    assert read(data) == [{"A": 5, "Inner": {"B": "x"}}]
    data = stock_encoder().encode(Thing(a=0, inner=None), struct, source)
    assert read(data) == [{"Inner": {}}]


def test_a_fault_of_the_source_names_the_field_and_leaves_the_stream_as_it_was() -> None:
    struct = GoStruct("S", (GoField("A", INT), GoField("B", STRING)))
    source = RecordSource({"A": Attr("a"), "B": Present("b")})
    encoder = stock_encoder()
    with pytest.raises(GobEncodeError) as caught:
        encoder.encode(Thing(a=1), struct, source)
    assert caught.value.path == "S.B"
    assert read(encoder.encode({"A": 1}, struct, DICTS)) == [{"A": 1}]


def test_what_a_function_of_the_source_says_is_not_passed_on() -> None:
    def refuse(_: object) -> object:
        raise ValueError("secret")

    struct = GoStruct("S", (GoField("A", INT),))
    with pytest.raises(GobEncodeError, match=r"^gob: a value was refused with ValueError in S\.A$"):
        stock_encoder().encode(Thing(), struct, RecordSource({"A": Computed(refuse)}))


def test_a_record_that_contains_records_of_its_own_kind() -> None:
    target = RecordTarget(AutocompleteData, {"Trigger": SetAttr("trigger"), "SubCommands": AddEach("sub_commands")})
    source = RecordSource({"Trigger": Attr("trigger"), "SubCommands": Attr("sub_commands")})
    data = AutocompleteData(trigger="a")
    data.sub_commands.add(trigger="b").sub_commands.add(trigger="c")
    kind = stock_table().struct("model.AutocompleteData")
    assert read(stock_encoder().encode(data, kind, source), target) == [data]


def test_values_in_interfaces_of_dicts_are_named() -> None:
    (value_of,) = read(stream(define_slice(64, INTERFACE), plain(64, b"\x01" + held("int", INT_ID, raw("00 04")))))
    assert value_of == [Interface("int", 2)]
