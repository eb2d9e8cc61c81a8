"""Declared types out of the table of stock types."""

import pytest

from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_table import GoTable
from mattermost_plugin._gob.go_types import (
    BasicKind,
    GoArray,
    GoBasic,
    GoMap,
    GoMarshaler,
    GoPointer,
    GoSlice,
    GoStruct,
)
from mattermost_plugin._gob.shapes import Kind
from tests.gob.go_source import stock_types
from tests.gob.streams import stock_table


def test_every_stock_type_is_understood() -> None:
    types = stock_types()
    assert len(types) == 1091
    for name, entry in types.items():
        if entry["kind"] != "opaque" and entry.get("elem") != "opaque":
            stock_table().type(name)


def test_a_struct() -> None:
    post = stock_table().struct("model.Post")
    assert post.name == "Post"
    assert [field.name for field in post.fields][:3] == ["Id", "CreateAt", "UpdateAt"]
    props = next(field.type for field in post.fields if field.name == "Props")
    assert isinstance(props, GoMap)
    assert props.name == "StringInterface"
    assert stock_table().struct("model.Post") is post


def test_types_that_contain_themselves() -> None:
    data = stock_table().struct("model.AutocompleteData")
    kids = next(field.type for field in data.fields if field.name == "SubCommands")
    assert isinstance(kids, GoSlice)
    assert isinstance(kids.elem, GoPointer)
    assert kids.elem.elem is data


def test_embedded_structs_are_fields_named_after_their_type() -> None:
    settings = stock_table().struct("model.ContentFlaggingSettings")
    assert [field.name for field in settings.fields] == ["ContentFlaggingSettingsBase", "ReviewerSettings"]


def test_types_that_marshal_themselves() -> None:
    assert stock_table().type("time.Time") is go.TIME
    assert stock_table().type("url.URL") is go.URL
    other = GoTable({"p.X": {"kind": "struct", "codec": "TextMarshaler"}}).type("p.X")
    assert isinstance(other, GoMarshaler)
    assert (other.kind, other.name) == (Kind.TEXT_MARSHALER, "X")


def test_names_without_the_package() -> None:
    generic = "model.PropertyOptions[*github.com/x/model.Option]"
    table = GoTable(
        {
            generic: {"kind": "slice", "elem": "int"},
            "[]int": {"kind": "slice", "elem": "int"},
            "[3]int": {"kind": "array", "elem": "int", "len": 3},
            "map[string]model.X": {"kind": "map", "key": "string", "elem": "int"},
            "int": {"kind": "int"},
            "string": {"kind": "string"},
        }
    )
    found = {name: getattr(table.type(name), "name") for name in (generic, "[]int", "[3]int", "map[string]model.X")}  # noqa: B009
    assert found == {
        generic: "PropertyOptions[*github.com/x/model.Option]",
        "[]int": "",
        "[3]int": "",
        "map[string]model.X": "",
    }
    array = table.type("[3]int")
    assert isinstance(array, GoArray)
    assert array.length == 3


def test_what_the_table_lacks_or_says_wrong() -> None:
    table = GoTable({"*p.X": {"kind": "ptr", "elem": "p.X"}, "p.K": {"kind": "chan"}, "int": {"kind": "int"}})
    with pytest.raises(KeyError, match=r"p\.X"):
        table.type("*p.X")
    with pytest.raises(ValueError, match="'chan' is no basic type"):
        table.type("p.K")
    with pytest.raises(ValueError, match="int is no struct"):
        table.struct("int")


def test_basic_kinds() -> None:
    assert BasicKind.INT8.range == (-128, 127)
    assert BasicKind.UINT64.range == (0, 2**64 - 1)
    kind = stock_table().type("model.Bitmask")
    assert isinstance(kind, GoBasic)
    assert kind.kind is BasicKind.UINT32
    assert isinstance(stock_table().type("plugin.Z_OnActivateArgs"), GoStruct)
