"""How Go structs and messages are matched, and every fault that this can have."""

import re
from pathlib import Path

import pytest

from codegen.errors import CodegenError
from codegen.stock_model import StockWire
from tests.golden.stock_wire import Wire, pointer, struct

GO = "(mattermost.pluginapi.options.field).go"
STRUCT = 'import "google/protobuf/struct.proto";'
WRAPPERS = 'import "google/protobuf/wrappers.proto";'

CUP = {"model.Cup": struct(("Id", "string"), ("CreateAt", "int64")), "*model.Cup": pointer("model.Cup")}
CUP_MESSAGE = "message Cup { string id = 1; int64 create_at = 2; }"


def fields_of(wire: StockWire, name: str) -> list[tuple[str, str, str, str]]:
    (found,) = [each for each in wire.structs if each.name == name]
    return [(each.go, each.field, each.conversion, each.detail) for each in found.fields]


def said(wire: Wire, scratch: Path) -> list[tuple[str, str]]:
    """The symbols and texts of the faults, which are all of one file."""
    faults = wire.faults(scratch)
    assert {(fault.file, fault.line) for fault in faults} <= {("stock/unmapped.toml", 0)}
    return [(fault.symbol, fault.message) for fault in faults]


def test_arguments_and_results_go_by_their_order_and_structs_by_the_names_of_their_fields(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*plugin.Context"), ("B", "*model.Cup"), ("C", "[]*model.Cup"), ("D", "bool")],
        request="PluginContext plugin_context = 1; Cup first = 2; repeated Cup others = 3; bool hot = 4;",
        returns=[("A", "*model.Cup"), ("B", "error")],
        response="AppError error = 1; Cup cup = 2;",
        types={
            **CUP,
            "[]*model.Cup": {"kind": "slice", "elem": "*model.Cup"},
            "plugin.Context": struct(),
            "*plugin.Context": pointer("plugin.Context"),
        },
        more=CUP_MESSAGE,
    ).build(tmp_path)
    assert fields_of(wire, "plugin.Z_BoilArgs") == [
        ("A", "plugin_context", "message", "plugin.Context as PluginContext"),
        ("B", "first", "message", "model.Cup"),
        ("C", "others", "messages", "model.Cup"),
        ("D", "hot", "scalar", ""),
    ]
    assert fields_of(wire, "plugin.Z_BoilReturns") == [
        ("A", "cup", "message", "model.Cup"),
        ("B", "error", "error", ""),
    ]
    assert fields_of(wire, "model.Cup") == [("Id", "id", "scalar", ""), ("CreateAt", "create_at", "scalar", "")]
    assert [(each.name, each.arguments, each.returns) for each in wire.hooks] == [
        ("Boil", "plugin.Z_BoilArgs", "plugin.Z_BoilReturns")
    ]
    assert [(each.name, each.arguments, each.returns) for each in wire.api] == [("BrewTea", "", "")]


CONVERSIONS = [
    ("string", "string F = N", "scalar", ""),
    ("*string", "optional string F = N", "scalar", ""),
    ("uint32", "int64 F = N", "scalar", ""),
    ("[]uint8", "bytes F = N", "scalar", ""),
    ("[]int", "repeated int32 F = N", "list", ""),
    ("map[string]string", "map<string, string> F = N", "map", ""),
    ("map[string][]string", "map<string, StringList> F = N", "list_map", ""),
    ("map[string]*model.Cup", "map<string, Cup> F = N", "message_map", "model.Cup"),
    ("time.Time", "int64 F = N", "milliseconds", ""),
    ("*time.Time", "int64 F = N", "milliseconds", ""),
    ("model.Size", "Size F = N", "enum", "Size"),
    ("*model.Cup", "bytes F = N", "json", "model.Cup"),
    ("*model.Cup", "CupText F = N", "json_message", "model.Cup"),
    ("*bool", "google.protobuf.BoolValue F = N", "wrapped", ""),
    ("map[string]interface {}", "google.protobuf.Struct F = N", "object", ""),
    ("interface {}", "google.protobuf.Struct F = N", "object", ""),
    ("interface {}", "google.protobuf.Value F = N", "value", ""),
    ("[]uint8", "google.protobuf.Value F = N", "json_value", ""),
    ("[]map[string]interface {}", "repeated google.protobuf.Struct F = N", "objects", ""),
    ("interface {}", f'Cup F = N [{GO}.type = "*model.Cup"]', "variant", "*model.Cup model.Cup"),
    ("int64", f"string F = N [{GO}.conversion = GO_CONVERSION_DECIMAL]", "decimal", ""),
    ("bool", f"string F = N [{GO}.conversion = GO_CONVERSION_TRUE_TEXT]", "true_text", ""),
    ("bool", f"string F = N [{GO}.conversion = GO_CONVERSION_DESCENDING]", "descending", ""),
    ("string", f"repeated string F = N [{GO}.conversion = GO_CONVERSION_FIRST]", "first", ""),
    ("[]string", f"string F = N [{GO}.conversion = GO_CONVERSION_JOINED]", "joined", ""),
    ("[]string", f"string F = N [{GO}.conversion = GO_CONVERSION_ONLY]", "only", ""),
    ("map[string]bool", f"repeated string F = N [{GO}.conversion = GO_CONVERSION_KEYS]", "keys", ""),
    ("*model.Cup", f"string F = N [{GO}.conversion = GO_CONVERSION_ID]", "id", ""),
    ("model.Level", f"string F = N [{GO}.conversion = GO_CONVERSION_LEVEL]", "level", ""),
    ("[]interface {}", f"repeated Cup F = N [{GO}.conversion = GO_CONVERSION_PAIRS]", "pairs", ""),
    ("int", f"bool F = N [{GO}.conversion = GO_CONVERSION_NOT_ZERO]", "not_zero", ""),
    (
        "model.Size",
        f'int32 F = N [{GO} = {{ conversion: GO_CONVERSION_INDEX texts: ["", "s"] }}]',
        "index",
        ",s",
    ),
]

TYPES = {
    **CUP,
    "*string": pointer("string"),
    "*bool": pointer("bool"),
    "*time.Time": {**pointer("time.Time"), "codec": "GobEncoder"},
    "[]interface {}": {"kind": "slice", "elem": "interface {}"},
    "map[string]*model.Cup": {"kind": "map", "key": "string", "elem": "*model.Cup"},
    "model.Size": {"kind": "string"},
    "model.Level": struct(("Name", "string")),
}
DECLARATIONS = f"""
{STRUCT}
{WRAPPERS}
{CUP_MESSAGE}
message CupText {{ bytes cup_json = 1; }}
message StringList {{ repeated string values = 1; }}
enum Size {{ SIZE_UNSPECIFIED = 0; SIZE_SMALL = 1 [(mattermost.pluginapi.options.enum_value).go_value = "s"]; }}
"""
REGISTERED = {"*model.Cup": "*model.Cup"}


def test_every_conversion_follows_from_the_two_types_or_from_an_option(tmp_path: Path) -> None:
    numbered = list(enumerate(CONVERSIONS, start=1))
    declared = [re.sub(r"\bF = N\b", f"f{number} = {number}", row[1]) for number, row in numbered]
    wire = Wire(
        arguments=[("A", "*model.All"), ("B", "bool")],
        request="All all = 1; bool other = 2;",
        more=f"{DECLARATIONS}\nmessage All {{ {' '.join(f'{each};' for each in declared)} }}",
        types={
            **TYPES,
            "model.All": struct(*[(f"F{number}", row[0]) for number, row in numbered]),
            "*model.All": pointer("model.All"),
        },
        registered=REGISTERED,
    ).build(tmp_path)
    assert fields_of(wire, "model.All") == [
        (f"F{number}", f"f{number}", conversion, detail) for number, (_, _, conversion, detail) in numbered
    ]
    assert wire.enums == (("Size", (("s", 1),)),)


MISMATCHES = [
    ("string", "int64 F = N"),
    ("int64", "string F = N"),
    ("bool", "int32 F = N"),
    ("string", "bytes F = N"),
    ("[]string", "string F = N"),
    ("string", "repeated string F = N"),
    ("[]string", "repeated int32 F = N"),
    ("float64", "int64 F = N"),
    ("map[int]string", "map<string, string> F = N"),
    ("map[string]string", "map<string, int32> F = N"),
    ("*model.Cup", "repeated Cup F = N"),
    ("string", "Cup F = N"),
    ("interface {}", "Cup F = N"),
    ("time.Time", "string F = N"),
    ("*bool", "google.protobuf.Int64Value F = N"),
    ("map[string]string", "google.protobuf.Struct F = N"),
    ("string", "google.protobuf.Value F = N"),
    ("map[string]interface {}", "repeated google.protobuf.Struct F = N"),
    ("error", "string F = N"),
    ("int64", "Size F = N"),
    ("string", f"string F = N [{GO}.conversion = GO_CONVERSION_DECIMAL]"),
    ("int64", f"int64 F = N [{GO}.conversion = GO_CONVERSION_DECIMAL]"),
    ("string", f"string F = N [{GO}.conversion = GO_CONVERSION_TRUE_TEXT]"),
    ("[]string", f"repeated string F = N [{GO}.conversion = GO_CONVERSION_FIRST]"),
    ("string", f"string F = N [{GO}.conversion = GO_CONVERSION_JOINED]"),
    ("map[string]string", f"repeated string F = N [{GO}.conversion = GO_CONVERSION_KEYS]"),
    ("model.Level", f"string F = N [{GO}.conversion = GO_CONVERSION_ID]"),
    ("*model.Cup", f"string F = N [{GO}.conversion = GO_CONVERSION_LEVEL]"),
    ("[]string", f"repeated Cup F = N [{GO}.conversion = GO_CONVERSION_PAIRS]"),
    ("bool", f"bool F = N [{GO}.conversion = GO_CONVERSION_NOT_ZERO]"),
    ("int", f"int32 F = N [{GO}.conversion = GO_CONVERSION_INDEX]"),
]


def test_types_that_do_not_fit_are_faults_with_their_names(tmp_path: Path) -> None:
    numbered = list(enumerate(MISMATCHES, start=1))
    declared = [re.sub(r"\bF = N\b", f"f{number} = {number}", row[1]) for number, row in numbered]
    wire = Wire(
        arguments=[("A", "*model.All"), ("B", "bool")],
        request="All all = 1; bool other = 2;",
        more=f"{DECLARATIONS}\nmessage All {{ {' '.join(f'{each};' for each in declared)} }}",
        types={
            **TYPES,
            "model.All": struct(*[(f"F{number}", row[0]) for number, row in numbered]),
            "*model.All": pointer("model.All"),
        },
        registered=REGISTERED,
    )
    assert sorted(said(wire, tmp_path)) == sorted(
        (f"model.All.F{number}", f"no rule says how {row[0]} and All.f{number} become each other")
        for number, row in numbered
    )


def test_a_go_field_without_counterpart_is_a_fault_unless_it_is_listed(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup"), ("B", "int")],
        request="Cup cup = 1;",
        types={**CUP, "model.Cup": struct(("Id", "string"), ("CreateAt", "int64"), ("Handle", "bool"))},
        more=CUP_MESSAGE,
    )
    assert said(wire, tmp_path / "faulty") == [
        ("model.Cup.Handle", "Cup has no field for it"),
        ("plugin.Z_BoilArgs.B", "BoilRequest has no field for it"),
    ]
    wire.unmapped = '[go."model.Cup"]\nHandle = "Not for us."\n[go."plugin.Z_BoilArgs"]\nB = "Nor this."\n'
    assert fields_of(wire.build(tmp_path / "sound"), "model.Cup")[-1] == ("CreateAt", "create_at", "scalar", "")


def test_a_field_of_a_message_without_counterpart_is_a_fault_unless_it_is_listed(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup")],
        request="Cup cup = 1; string note = 2;",
        types=CUP,
        more="message Cup { string id = 1; int64 create_at = 2; bool handle = 3; }",
    )
    assert said(wire, tmp_path / "faulty") == [
        ("BoilRequest.note", "the Go struct has no field for it"),
        ("Cup.handle", "the Go struct has no field for it"),
    ]
    wire.unmapped = '[proto.Cup]\nhandle = "Newer."\n[proto.BoilRequest]\nnote = "For others."\n'
    assert len(fields_of(wire.build(tmp_path / "sound"), "plugin.Z_BoilArgs")) == 1


def test_an_entry_without_a_reason_counts_for_nothing(tmp_path: Path) -> None:
    wire = Wire(arguments=[("A", "int")], unmapped='[go."plugin.Z_BoilArgs"]\nA = ""\n')
    assert said(wire, tmp_path) == [
        ("go.plugin.Z_BoilArgs.A", "is listed as without counterpart, but has one or does not exist"),
        ("plugin.Z_BoilArgs.A", "BoilRequest has no field for it"),
    ]


def test_an_entry_that_is_not_needed_is_a_fault(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup")],
        request="Cup cup = 1;",
        types=CUP,
        more=CUP_MESSAGE,
        unmapped="""
            [go."model.Cup"]
            Id = "It is mapped."
            Handle = "There is no such field."
            [proto.Pot]
            lid = "There is no such message."
        """,
    )
    idle = "is listed as without counterpart, but has one or does not exist"
    assert said(wire, tmp_path) == [
        ("go.model.Cup.Handle", idle),
        ("go.model.Cup.Id", idle),
        ("proto.Pot.lid", idle),
    ]


def test_fields_are_found_by_options_json_keys_and_paths(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup")],
        request="Cup cup = 1;",
        types={
            "model.Cup": struct(
                ("ID", "string"), ("Rim", "string", "edge,omitempty"), ("Other", "int"), ("Inner", "model.Inner")
            ),
            "model.Inner": struct(("Depth", "int")),
            "*model.Cup": pointer("model.Cup"),
        },
        more=(
            f'message Cup {{ string id = 1; string edge = 2; int64 count = 3 [{GO}.name = "Other"];'
            f' int64 depth = 4 [{GO}.name = "Inner.Depth"]; }}'
        ),
    ).build(tmp_path)
    assert fields_of(wire, "model.Cup") == [
        ("ID", "id", "scalar", ""),
        ("Rim", "edge", "scalar", ""),
        ("Other", "count", "scalar", ""),
        ("Inner", "", "flat", "model.Inner as Cup"),
    ]
    assert fields_of(wire, "model.Inner as Cup") == [("Depth", "depth", "scalar", "")]


def test_the_fields_of_an_embedded_struct_stand_in_the_message_itself(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Mug")],
        request="Mug mug = 1;",
        types={
            **CUP,
            "model.Mug": struct(("(embedded) Cup", "model.Cup"), ("Handle", "bool")),
            "*model.Mug": pointer("model.Mug"),
        },
        more="message Mug { string id = 1; int64 create_at = 2; bool handle = 3; }",
    ).build(tmp_path)
    assert fields_of(wire, "model.Mug") == [("Cup", "", "flat", "model.Cup as Mug"), ("Handle", "handle", "scalar", "")]


def test_a_struct_of_options_may_be_spread_over_the_request(tmp_path: Path) -> None:
    wire = Wire(arguments=[("A", "*model.Cup")], request="string id = 1; int64 create_at = 2;", types=CUP).build(
        tmp_path
    )
    assert fields_of(wire, "plugin.Z_BoilArgs") == [("A", "", "flat", "model.Cup as BoilRequest")]


def test_a_field_of_newer_servers_is_one_of_the_struct(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup")],
        request="Cup cup = 1;",
        types=CUP,
        more="message Cup { string id = 1; int64 create_at = 2; bool handle = 3; }",
        unmapped='[newer."model.Cup"]\nHandle = "bool"\n',
    )
    assert fields_of(wire.build(tmp_path / "sound"), "model.Cup")[-1] == ("Handle", "handle", "scalar", "")
    wire.unmapped = '[newer."model.Pot"]\nLid = "bool"\n'
    with pytest.raises(CodegenError, match=r"rpc\.json cannot be read: KeyError\('model\.Pot'\)"):
        wire.build(tmp_path / "faulty")


def test_a_method_without_rpc_is_a_fault_unless_it_is_listed(tmp_path: Path) -> None:
    wire = Wire(hooks=["Boil", "Freeze"])
    assert said(wire, tmp_path / "faulty") == [("PluginHooks.Freeze", "the proto files have no such rpc")]
    wire.unmapped = '[go.PluginHooks]\nFreeze = "By hand."\n'
    assert [method.name for method in wire.build(tmp_path / "sound").hooks] == ["Boil"]


def test_a_value_of_an_enum_without_its_text_is_a_fault(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "string")],
        request="Size size = 1;",
        more="enum Size { SIZE_UNSPECIFIED = 0; SIZE_SMALL = 1; }",
    )
    assert said(wire, tmp_path) == [("Size.SIZE_SMALL", "needs a go_value")]


def test_types_that_become_json_have_their_keys(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup")],
        request="bytes cup_json = 1;",
        types={
            "*model.Cup": pointer("model.Cup"),
            "*bool": pointer("bool"),
            "*time.Time": {**pointer("time.Time"), "codec": "GobEncoder"},
            "model.Inner": struct(("Depth", "*bool", "depth,omitempty")),
            "model.Cup": struct(
                ("Id", "string", "id"),
                ("Rim", "string", ",omitempty"),
                ("Secret", "string", "-"),
                ("Hot", "*bool"),
                ("At", "*time.Time"),
                ("(embedded) Inner", "model.Inner"),
            ),
        },
        unmapped='[always_set]\n"model.Cup" = "All of them."\n',
    )
    by_name = {each.name: each for each in wire.build(tmp_path / "set").json_types}
    cup = by_name["model.Cup"]
    # What is in a struct that is always set is, too.
    assert [each.mode for each in by_name["model.Inner"].fields] == ["set"]
    assert [(each.name, each.key, each.mode) for each in cup.fields] == [
        ("Id", "id", ""),
        ("Rim", "Rim", "omitempty"),
        ("Secret", "", "-"),
        ("Hot", "Hot", "set"),
        ("At", "At", ""),
        ("Inner", "", "embedded"),
    ]
    wire.unmapped = ""
    built = wire.build(tmp_path / "not_set")
    kinds = {each.name: each.kind for each in built.json_types}
    assert (kinds["time.Time"], kinds["*time.Time"]) == ("GobEncoder", "ptr")
    (inner,) = [each for each in built.json_types if each.name == "model.Inner"]
    assert [each.mode for each in inner.fields] == ["omitempty"]
    assert "model.Cup" not in {each.name for each in built.types}
    wire.unmapped = '[always_set]\n"model.Pot" = "There is none."\n'
    assert said(wire, tmp_path / "faulty") == [("always_set.model.Pot", "is no struct that becomes JSON")]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    wire = Wire(
        arguments=[("A", "*model.Cup"), ("B", "string")],
        request="Cup cup = 1; int64 size = 2;",
        types={**CUP, "model.Cup": struct(("Id", "string"), ("Handle", "bool"))},
        more=CUP_MESSAGE,
        unmapped='[proto.Pot]\nlid = "x"\n',
        hooks=["Boil", "Freeze"],
    )
    assert len(said(wire, tmp_path)) == 5


@pytest.mark.parametrize(
    ("unmapped", "reason"),
    [("[go", "unmapped.toml cannot be read"), ('go = "x"', "unmapped.toml cannot be read")],
)
def test_a_list_that_cannot_be_read_is_said_to_be_so(unmapped: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=reason):
        Wire(unmapped=unmapped).build(tmp_path)


def test_types_that_cannot_be_read_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=r"rpc\.json cannot be read: KeyError\('kind'\)"):
        Wire(types={"model.Cup": {}}).build(tmp_path)
