"""Every fault that an API method can have: found, named by file, line and symbol, and the only thing that is said."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codegen.__main__ import build_models
from codegen.descriptors import Descriptors
from codegen.errors import CodegenError, Fault
from codegen.protoc import descriptor_set
from tests.golden.faulty import HEAD, HOOKS_FILE, hooks_file, line_of, rpc
from tests.golden.fragment import lay_out

API_FILE = "mattermost_pluginapi/v1/api.proto"
OPTION = "(mattermost.pluginapi.options.field)"
ERROR = "// Why.\nAppError error = 1;"
CUP = "message Cup {}"
SIZE = "enum Size { SIZE_UNSPECIFIED = 0; }"
OTHER_PACKAGE = {"goplugin/kettle.proto": 'syntax = "proto3";\npackage plugin;\nmessage Kettle {}\n'}
IMPORT_OTHER_PACKAGE = 'import "mattermost_pluginapi/goplugin/kettle.proto";'

NEEDS_OPTION = "needs option (mattermost.pluginapi.options.api) with minimum_server_version"
NEEDS_COMMENT = "needs a comment: it becomes the docstring that authors see"
NEEDS_ERROR = "the response needs a field `error`, which is an AppError"
NO_RULE = "its type has no rule for API methods"
NOT_NULLABLE = "nullable is for single strings, bytes and messages without `optional`"


def api_options(version: str = "5.2", go_name: str = "", more: str = "") -> str:
    options = f'minimum_server_version: "{version}" go_name: "{go_name}" {more}'
    return f"option (mattermost.pluginapi.options.api) = {{ {options} }};"


def api_rpc(
    name: str = "BrewTea",
    types: str = "(BrewTeaRequest) returns (BrewTeaResponse)",
    *,
    comment: str = "// Brews tea.",
    options: str | None = None,
) -> str:
    return f"{comment}\nrpc {name}{types} {{\n{api_options() if options is None else options}\n}}\n"


def api_file(rpcs: str = "", request: str = "", response: str = ERROR, more: str = "") -> str:
    return (
        f'{HEAD}import "google/protobuf/struct.proto";\n\nservice PluginAPI {{\n{rpcs or api_rpc()}}}\n\n'
        f"message BrewTeaRequest {{\n{request}\n}}\n\nmessage BrewTeaResponse {{\n{response}\n}}\n\n{more}\n"
    )


def faults(text: str, files: dict[str, str], scratch: Path) -> list[Fault]:
    for name, content in {"v1/hooks.proto": hooks_file(), **files, "v1/api.proto": text}.items():
        path = scratch / "fragment" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    protos = lay_out(scratch / "fragment", scratch / "protos")
    try:
        build_models(Descriptors(descriptor_set(protos, scratch)))
    except CodegenError as error:
        return list(error.faults)
    return []


@dataclass(frozen=True)
class Case:
    text: str
    at: str
    symbol: str
    message: str
    files: dict[str, str] = field(default_factory=dict)


def of_rpc(text: str, message: str, name: str = "BrewTea", files: dict[str, str] | None = None) -> Case:
    return Case(text, f"rpc {name}(", f"rpc {name}", message, files or {})


def of_field(
    declaration: str, message: str, *, more: str = "", before: str = "", files: dict[str, str] | None = None
) -> Case:
    """A fault of a request's field, which has a comment."""
    name = declaration.partition(" = ")[0].rpartition(" ")[2]
    text = api_file(request=f"{before}\n// A comment.\n{declaration}", more=more)
    return Case(text, declaration, f"BrewTeaRequest.{name}", message, files or {})


def of_default(declaration: str, default: str, wanted: str, more: str = "") -> Case:
    quoted = default.replace('"', '\\"')
    message = f"default_value must be {wanted}, not {default}"
    return of_field(f'{declaration} = 1 [{OPTION}.default_value = "{quoted}"];', message, more=more)


def of_result(declaration: str, message: str, more: str = "") -> Case:
    """A fault of a response's field, which has a comment."""
    name = declaration.partition(" = ")[0].rpartition(" ")[2]
    text = api_file(response=f"{ERROR}\n// A comment.\n{declaration}", more=more)
    return Case(text, declaration, f"BrewTeaResponse.{name}", message)


METHODS = {
    "no option": of_rpc(api_file(api_rpc(options="")), NEEDS_OPTION),
    "no version": of_rpc(api_file(api_rpc(options=api_options(version=""))), NEEDS_OPTION),
    "version in words": of_rpc(
        api_file(api_rpc(options=api_options(version="soon"))),
        'minimum_server_version must look like "10.5" or "10.5.2", not \'soon\'',
    ),
    "no comment": of_rpc(api_file(api_rpc(comment="")), NEEDS_COMMENT),
    "stream": of_rpc(
        api_file(api_rpc(types="(stream BrewTeaRequest) returns (BrewTeaResponse)")),
        "an API method must not be a stream",
    ),
    "nested message": of_rpc(
        api_file(api_rpc(types="(BrewTeaRequest.Inner) returns (BrewTeaResponse)"), "message Inner {}"),
        "mattermost.pluginapi.v1.BrewTeaRequest.Inner must not be nested in another message",
    ),
    "name in lower case": of_rpc(
        api_file(api_rpc("brewTea")), "'brewTea' cannot name a method; use a name like GetUser", "brewTea"
    ),
    "reserved name": of_rpc(
        api_file(api_rpc(options=api_options(go_name="Aio"))), "its Python name `aio` is reserved; give it a go_name"
    ),
    "same name": of_rpc(
        api_file(api_rpc() + api_rpc("PourTea", options=api_options(go_name="BrewTEA"))),
        "its Python name `brew_tea` is that of rpc BrewTea too; give one of them a go_name",
        "PourTea",
    ),
}

PAGED = "// Page.\nint32 page = 1;\n// Size.\nint32 per_page = 2;"
CUPS = f"{ERROR}\n// Cups.\nrepeated Cup cups = 2;"
AFTER = "// Last.\nstring after = 1;\n// Size.\nint32 limit = 2;"
NO_ID = "the cursor of its pages needs the field `id` of an item, which has none"
CURSOR = """
message CupCursor { int64 create_at = 1; }
message CupOpts { int32 page = 1; int32 per_page = 2; CupCursor cursor = 3; }
"""

PAGES = {
    "reversed, without pages": of_rpc(
        api_file(api_rpc(options=api_options(more="reversed_pages: true")), response=CUPS, more=CUP),
        "reversed_pages belongs on a method that lists page by page",
    ),
    "reversed, without items": of_rpc(
        api_file(api_rpc(options=api_options(more="reversed_pages: true")), request=PAGED),
        "reversed_pages belongs on a method that lists page by page",
    ),
    "name of the iterator": of_rpc(
        api_file(
            api_rpc() + api_rpc("IterBrewTea", "(PourTeaRequest) returns (PourTeaResponse)"),
            PAGED,
            CUPS,
            f"{CUP}\nmessage PourTeaRequest {{}}\nmessage PourTeaResponse {{ {ERROR} }}",
        ),
        "its Python name `iter_brew_tea` is that of the iterator of BrewTea; give it a go_name",
        "IterBrewTea",
    ),
    "parameter of the iterator": of_rpc(
        api_file(request=f"// A walk.\nstring walk = 3;\n{PAGED}", response=CUPS, more=CUP),
        "its iterator cannot have a parameter `walk`; choose another name",
    ),
    "last id without id": of_rpc(api_file(request=AFTER, response=CUPS, more=CUP), NO_ID),
    "last id of texts": of_rpc(api_file(request=AFTER, response=f"{ERROR}\n// Ids.\nrepeated string ids = 2;"), NO_ID),
    "cursor without its field": of_rpc(
        api_file(request="// Options.\nCupOpts opts = 1;", response=CUPS, more=CUP + CURSOR),
        NO_ID.replace("`id`", "`create_at`"),
    ),
}

PARAMETERS = {
    "no comment": Case(
        api_file(request="string cup = 1;"),
        "string cup",
        "BrewTeaRequest.cup",
        "needs a comment: it documents the method's parameter",
    ),
    "keyword": of_field("string from = 1;", "`from` cannot name a Python parameter; choose another name"),
    "timeout": of_field("int32 timeout = 1;", "`timeout` cannot name a Python parameter; choose another name"),
    "foreign type": of_field("plugin.Kettle kettle = 1;", NO_RULE, more=IMPORT_OTHER_PACKAGE, files=OTHER_PACKAGE),
    "nullable": of_field(f"bytes tea = 1 [{OPTION}.nullable = true];", "nullable belongs on a field of a response"),
    "default before": of_field(
        "string cup = 2;",
        "needs a default_value, for `sugar` before it has one",
        before=f'// Sweet.\nint32 sugar = 1 [{OPTION}.default_value = "0"];',
    ),
}

DEFAULTS = {
    "word for a number": of_default("int32 n", "many", "a number"),
    "bool for a number": of_default("int64 n", "true", "a number"),
    "fraction for a number": of_default("int64 n", "1.5", "a number"),
    "below zero": of_default("uint32 n", "-1", "a number"),
    "word for a fraction": of_default("double n", "half", "a number"),
    "number for a bool": of_default("bool b", "1", "true or false"),
    "capital bool": of_default("bool b", "True", "true or false"),
    "bare text": of_default("string s", "name", "a text in quotes"),
    "single quotes": of_default("string s", "'name'", "a text in quotes"),
    "bare bytes": of_default("bytes s", "0", "a text in quotes"),
    "number for a list": of_default("repeated string s", "0", "[]"),
    "list with elements": of_default("repeated int32 s", "[1]", "[]"),
    "brackets for a map": of_default("map<string, string> m", "[]", "{}"),
    "null for a message": of_default("Cup cup", "null", "unset", CUP),
    "number for an optional": of_default("optional int32 n", "0", "unset"),
    "number for an enum": of_default("Size size", "0", "left out: its type has no rule for defaults", SIZE),
}

RESULTS = {
    "no error": Case(api_file(response=""), "message BrewTeaResponse {", "rpc BrewTea", NEEDS_ERROR),
    "other error": Case(
        api_file(response="string error = 1;"), "message BrewTeaResponse {", "rpc BrewTea", NEEDS_ERROR
    ),
    "errors": Case(
        api_file(response="repeated AppError error = 1;"), "message BrewTeaResponse {", "rpc BrewTea", NEEDS_ERROR
    ),
    "no comment": Case(
        api_file(response=f"{ERROR}\nstring cup = 2;"),
        "string cup",
        "BrewTeaResponse.cup",
        "needs a comment: it documents the method's result",
    ),
    "default": of_result(
        f'string cup = 2 [{OPTION}.default_value = "\\"\\""];', "default_value belongs on a field of a request"
    ),
    "nullable number": of_result(f"int32 n = 2 [{OPTION}.nullable = true];", NOT_NULLABLE),
    "nullable list": of_result(f"repeated Cup cups = 2 [{OPTION}.nullable = true];", NOT_NULLABLE, CUP),
    "nullable optional": of_result(f"optional string s = 2 [{OPTION}.nullable = true];", NOT_NULLABLE),
    # One result alone has no name in Python.
    "name of a tuple's method": Case(
        api_file(response=f"{ERROR}\n// Cups.\nint32 count = 2;\n// Tea.\nstring tea = 3;"),
        "int32 count",
        "BrewTeaResponse.count",
        "`count` cannot name one of several results; choose another name",
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("method", METHODS),
        ("pages", PAGES),
        ("parameter", PARAMETERS),
        ("default", DEFAULTS),
        ("result", RESULTS),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_fault(case: Case, tmp_path: Path) -> None:
    found = faults(case.text, case.files, tmp_path)
    assert found == [Fault(API_FILE, line_of(case.text, case.at), case.symbol, case.message)]


@pytest.mark.parametrize(
    "text",
    [
        api_file(),
        api_file(response=f"{ERROR}\n// Cups.\nint32 count = 2;"),
        api_file(api_rpc() + api_rpc("PourTea", options=api_options(go_name="PourTEA"))),
        api_file(request=f'// A text.\nstring s = 1 [{OPTION}.default_value = "\\"a\\""];'),
        api_file(request=f'// A cup.\noptional string s = 1 [{OPTION}.default_value = "unset"];'),
        api_file(api_rpc(options=api_options(more="reversed_pages: true")), PAGED, CUPS, CUP),
        api_file(request="// A walk.\nstring walk = 1;"),
    ],
    ids=["plain", "count", "names", "default", "optional", "pages", "walk"],
)
def test_what_the_cases_start_from_is_sound(text: str, tmp_path: Path) -> None:
    assert faults(text, {}, tmp_path) == []


def test_the_faults_of_hooks_and_methods_are_in_one_error(tmp_path: Path) -> None:
    hooks = hooks_file(rpc(comment=""))
    found = faults(api_file(api_rpc(comment="")), {"v1/hooks.proto": hooks}, tmp_path)
    assert [(fault.file, fault.message) for fault in found] == [(API_FILE, NEEDS_COMMENT), (HOOKS_FILE, NEEDS_COMMENT)]
