"""Every fault that a hook can have: found, named by file, line and symbol, and the only thing that is said."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codegen.errors import Fault
from tests.golden.faulty import HOOKS_FILE, faults, hook_options, hooks_file, line_of, rpc

OTHER_PACKAGE = {"goplugin/kettle.proto": 'syntax = "proto3";\npackage plugin;\nmessage Kettle {}\n'}
IMPORT_OTHER_PACKAGE = 'import "mattermost_pluginapi/goplugin/kettle.proto";'
IMPORT_ANY = 'import "google/protobuf/any.proto";'
NESTED = "message Shelf { message Cup {} }"
CUP = "message Cup {}"
SIZE = "enum Size { SIZE_UNSPECIFIED = 0; }"
READER = '[(mattermost.pluginapi.options.field).reader = "file"]'
WRITER = '[(mattermost.pluginapi.options.field).writer = "output"]'

STREAM_MESSAGES = "message ServeHTTPRequest {}\nmessage ServeHTTPResponse {}"

RESPONSE = "message BoilResponse {"
NO_RULE = "its type has no rule for handler parameters"
NEEDS_ANSWER = "a hook with a content reader must answer `rejection_reason` and one modified_... message"
NEEDS_STREAM = "a streaming hook must be (stream ServeHTTPRequest) returns (stream ServeHTTPResponse)"
NEEDS_OPTION = "needs option (mattermost.pluginapi.options.hook) with minimum_server_version"
NEEDS_BOTH = "a hook with a content reader needs exactly one, and exactly one writer in its response"


def on_error_must_be(choices: str) -> str:
    return f"on_error must be {choices}: its response can say nothing else about a failed handler"


def cannot_name(name: str) -> str:
    return f"`{name}` cannot name a Python parameter; choose another name"


def cannot_return(name: str) -> str:
    return f"the response's `{name}` has a type that no handler can return"


@dataclass(frozen=True)
class Case:
    text: str
    at: str
    symbol: str
    message: str
    files: dict[str, str] = field(default_factory=dict)


def of_rpc(text: str, message: str, name: str = "Boil") -> Case:
    return Case(text, f"rpc {name}(", f"rpc {name}", message)


def of_response(response: str, message: str, more: str = "", files: dict[str, str] | None = None) -> Case:
    return Case(hooks_file(response=response, more=more), RESPONSE, "rpc Boil", message, files or {})


def of_parameter(declaration: str, message: str, more: str = "", files: dict[str, str] | None = None) -> Case:
    name = declaration.partition(" = ")[0].rpartition(" ")[2]
    text = hooks_file(request=f"// A comment.\n{declaration}", more=more)
    return Case(text, declaration, f"BoilRequest.{name}", message, files or {})


OPTIONS = {
    "no option": of_rpc(hooks_file(rpc(options="")), NEEDS_OPTION),
    "no version": of_rpc(hooks_file(rpc(options=hook_options(version=""))), NEEDS_OPTION),
    "version in words": of_rpc(
        hooks_file(rpc(options=hook_options(version="soon"))),
        'minimum_server_version must look like "10.5" or "10.5.2", not \'soon\'',
    ),
    "no comment": of_rpc(hooks_file(rpc(comment="")), "needs a comment: it becomes the docstring that authors see"),
    "empty comment": of_rpc(
        hooks_file(rpc(comment="//  \n//")), "needs a comment: it becomes the docstring that authors see"
    ),
    "on_error unspecified": of_rpc(
        hooks_file(rpc(options=hook_options("UNSPECIFIED"))), on_error_must_be("ON_ERROR_ALLOW")
    ),
    "on_error of a notification": of_rpc(
        hooks_file(rpc(options=hook_options("REJECT"))), on_error_must_be("ON_ERROR_ALLOW")
    ),
    "on_error of an action": of_rpc(
        hooks_file(rpc(options=hook_options("REJECT")), response="AppError error = 1;"),
        on_error_must_be("ON_ERROR_ALLOW or ON_ERROR_ERROR"),
    ),
    "on_error of a filter": of_rpc(
        hooks_file(rpc(options=hook_options("ERROR")), response="string rejection_reason = 1;"),
        on_error_must_be("ON_ERROR_ALLOW or ON_ERROR_REJECT"),
    ),
    "on_error of a stream": of_rpc(
        hooks_file(rpc(types="(stream ServeHTTPRequest) returns (stream ServeHTTPResponse)"), more=STREAM_MESSAGES),
        on_error_must_be("ON_ERROR_ERROR"),
    ),
}

SHAPES = {
    "error is no AppError": of_response("string error = 1;", "the response's `error` must be an AppError"),
    "errors": of_response("repeated AppError error = 1;", "the response's `error` must be an AppError"),
    "rejection is no string": of_response(
        "bool rejection_reason = 1;", "the response's `rejection_reason` must be a string"
    ),
    "rejections": of_response(
        "repeated string rejection_reason = 1;", "the response's `rejection_reason` must be a string"
    ),
    "two forms of refusal": of_response(
        "AppError error = 1; string rejection_reason = 2;",
        "the response has both `error` and `rejection_reason`; a refusal must have one form",
    ),
    "two results": of_response(
        "Cup cup = 1; int32 count = 2;",
        "the response has several results (cup, count); a handler returns one",
        CUP,
    ),
    "result beside a refusal": of_response(
        "Cup cup = 1; string rejection_reason = 2;",
        "the response has `rejection_reason` beside `cup`; what replaces the original must be called modified_...",
        CUP,
    ),
    "replacement without refusal": of_response(
        "Cup modified_cup = 1;", "the response has a replacement but neither `rejection_reason` nor `error`", CUP
    ),
    "enum": of_response("Size size = 1;", cannot_return("size"), SIZE),
    "map": of_response("map<string, string> labels = 1;", cannot_return("labels")),
    "nested message": of_response("Shelf.Cup cup = 1;", cannot_return("cup"), NESTED),
    "any": of_response("google.protobuf.Any thing = 1;", cannot_return("thing"), IMPORT_ANY),
    "fixed32": of_response("fixed32 weight = 1;", cannot_return("weight")),
    "message of another package": of_response(
        "plugin.Kettle kettle = 1;", cannot_return("kettle"), IMPORT_OTHER_PACKAGE, OTHER_PACKAGE
    ),
    "plain values": of_response(
        "repeated string names = 1;",
        "the response's `names` is a list of plain values; only messages are handled",
    ),
    "keyword": of_response("string from = 1;", "the response's `from` is a Python keyword; choose another field name"),
}

NAMES = {
    "one Python name": Case(
        hooks_file(rpc("OnHTTPCall") + rpc("OnHttpCall")),
        "rpc OnHttpCall",
        "rpc OnHttpCall",
        "its Python name `on_http_call` is that of rpc OnHTTPCall too; give one of them a go_name",
    ),
    "one go_name": Case(
        hooks_file(rpc() + rpc("Heat", options=hook_options(go_name="Boil"))),
        "rpc Heat",
        "rpc Heat",
        "its Python name `boil` is that of rpc Boil too; give one of them a go_name",
    ),
    "attribute of Plugin": of_rpc(
        hooks_file(rpc("Logger")), "its Python name `logger` is reserved; give it a go_name", "Logger"
    ),
    "keyword": of_rpc(hooks_file(rpc("Import")), "its Python name `import` is reserved; give it a go_name", "Import"),
    "type of a parameter": of_rpc(
        hooks_file(rpc("Str")), "its Python name `str` is reserved; give it a go_name", "Str"
    ),
    "not exported": of_rpc(hooks_file(rpc("boil")), "'boil' cannot name a hook; use a name like OnActivate", "boil"),
    "no name at all": of_rpc(
        hooks_file(rpc(options=hook_options(go_name="On Boil"))),
        "'On Boil' cannot name a hook; use a name like OnActivate",
    ),
    "constant": of_rpc(
        hooks_file(rpc(options=hook_options(go_name="None"))),
        "'None' cannot name a hook; use a name like OnActivate",
    ),
    "Implemented": of_rpc(
        hooks_file(rpc(options=hook_options(go_name="Implemented"))),
        "'Implemented' cannot name a hook; use a name like OnActivate",
    ),
}

PARAMETERS = {
    "keyword": of_parameter("string from = 1;", cannot_name("from")),
    "self": of_parameter("string self = 1;", cannot_name("self")),
    "no comment": Case(
        hooks_file(request="string cup = 1;"),
        "string cup",
        "BoilRequest.cup",
        "needs a comment: it documents the handler's parameter",
    ),
    "context of another type": of_parameter(
        "string context = 1;", "`context` is kept for a RequestContext; choose another field name"
    ),
    "map": of_parameter("map<string, string> labels = 1;", NO_RULE),
    "any": of_parameter("google.protobuf.Any thing = 1;", NO_RULE, IMPORT_ANY),
    "nested message": of_parameter("Shelf.Cup cup = 1;", NO_RULE, NESTED),
    "message of another package": of_parameter(
        "plugin.Kettle kettle = 1;", NO_RULE, IMPORT_OTHER_PACKAGE, OTHER_PACKAGE
    ),
    "fixed32": of_parameter("fixed32 weight = 1;", NO_RULE),
}


RESULTS = {
    "value": Case(
        hooks_file(response="int32 count = 1;"),
        "int32 count",
        "BoilResponse.count",
        "needs a comment: it documents the handler's result",
    ),
    "replacement": Case(
        hooks_file(response="// Why not.\nAppError error = 1;\n//\nCup modified_cup = 2;", more=CUP),
        "Cup modified_cup",
        "BoilResponse.modified_cup",
        "needs a comment: it documents the handler's result",
    ),
}


def of_content(request: str, response: str, at: str, symbol: str, message: str) -> Case:
    return Case(hooks_file(request=f"// Tea.\n{request}", response=response, more=CUP), at, symbol, message)


TEA = f"bytes tea = 1 {READER};"
REPLACEMENT = "// The cup in its place.\nCup modified_cup = 1; "
ANSWER = f"{REPLACEMENT}string rejection_reason = 2; bytes modified_tea = 3 {WRITER};"

CONTENT = {
    "reader without writer": of_content(
        TEA,
        f"{REPLACEMENT}string rejection_reason = 2;",
        "message BoilRequest",
        "BoilRequest",
        NEEDS_BOTH,
    ),
    "writer without reader": of_content("bytes tea = 1;", ANSWER, "message BoilRequest", "BoilRequest", NEEDS_BOTH),
    "two readers": of_content(
        f"{TEA}\n// Milk.\nbytes milk = 2 {READER};", ANSWER, "message BoilRequest", "BoilRequest", NEEDS_BOTH
    ),
    "reader of a string": of_content(
        f"string tea = 1 {READER};", ANSWER, "string tea", "BoilRequest.tea", "only bytes can have a reader"
    ),
    "reader of a list": of_content(
        f"repeated bytes tea = 1 {READER};", ANSWER, "bytes tea", "BoilRequest.tea", "only bytes can have a reader"
    ),
    "writer of a string": of_content(
        TEA,
        ANSWER.replace("bytes", "string"),
        "string modified_tea",
        "BoilResponse.modified_tea",
        "only bytes can have a writer",
    ),
    "reader called like a keyword": of_content(
        TEA.replace('"file"', '"class"'), ANSWER, "bytes tea", "BoilRequest.tea", cannot_name("class")
    ),
    "writer with no name at all": of_content(
        TEA,
        ANSWER.replace('"output"', '"a pot"'),
        "modified_tea",
        "BoilResponse.modified_tea",
        cannot_name("a pot"),
    ),
    "reader of a field called like a keyword": of_content(
        TEA.replace("tea", "from"), ANSWER, "bytes from", "BoilRequest.from", cannot_name("from")
    ),
    "reader called like another parameter": of_content(
        f"{TEA}\n// Who.\nPluginContext plugin_context = 2;".replace('"file"', '"context"'),
        ANSWER,
        "message BoilRequest",
        "BoilRequest",
        "gives the handler two parameters called `context`",
    ),
    "no comment": Case(
        hooks_file(request=TEA, response=ANSWER, more=CUP),
        "bytes tea",
        "BoilRequest.tea",
        "needs a comment: it documents the handler's parameter",
    ),
    "writer in a request": of_content(
        f"bytes tea = 1 {WRITER};", "", "bytes tea", "BoilRequest.tea", "a writer belongs on a field of a response"
    ),
    "reader in a response": of_content(
        "bytes tea = 1;",
        f"bytes modified_tea = 1 {READER};",
        "modified_tea",
        "BoilResponse.modified_tea",
        "a reader belongs on a field of a request",
    ),
    "no refusal": of_content(TEA, f"bytes modified_tea = 1 {WRITER};", RESPONSE, "rpc Boil", NEEDS_ANSWER),
    "no replacement": of_content(TEA, ANSWER.removeprefix(REPLACEMENT), RESPONSE, "rpc Boil", NEEDS_ANSWER),
    "replacements": of_content(
        TEA, ANSWER.replace("Cup modified", "repeated Cup modified"), RESPONSE, "rpc Boil", NEEDS_ANSWER
    ),
    "plain replacement": of_content(
        TEA, ANSWER.replace("Cup modified", "string modified"), RESPONSE, "rpc Boil", NEEDS_ANSWER
    ),
    "refusal as an error": of_content(
        TEA,
        ANSWER.replace("string rejection_reason", "AppError error"),
        RESPONSE,
        "rpc Boil",
        NEEDS_ANSWER,
    ),
}

TYPES = {
    "stream of other messages": of_rpc(
        hooks_file(rpc(types="(stream BoilRequest) returns (stream BoilResponse)")), NEEDS_STREAM
    ),
    "stream one way": of_rpc(
        hooks_file(rpc(types="(ServeHTTPRequest) returns (stream ServeHTTPResponse)"), more=STREAM_MESSAGES),
        NEEDS_STREAM,
    ),
    "nested request": of_rpc(
        hooks_file(rpc(types="(Shelf.Cup) returns (BoilResponse)"), more=NESTED),
        "mattermost.pluginapi.v1.Shelf.Cup must not be nested in another message",
    ),
    "nested answer of Implemented": Case(
        hooks_file(more=NESTED).replace("ImplementedResponse", "Shelf.Cup"),
        "rpc Implemented",
        "rpc Implemented",
        "mattermost.pluginapi.v1.Shelf.Cup must not be nested in another message",
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("options", OPTIONS),
        ("shape", SHAPES),
        ("name", NAMES),
        ("parameter", PARAMETERS),
        ("result", RESULTS),
        ("content", CONTENT),
        ("types", TYPES),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_fault(case: Case, tmp_path: Path) -> None:
    found = faults({"v1/hooks.proto": case.text, **case.files}, tmp_path)
    assert found == [Fault(HOOKS_FILE, line_of(case.text, case.at), case.symbol, case.message)]


@pytest.mark.parametrize(
    "text",
    [
        hooks_file(),
        hooks_file(request=f"// Tea.\n{TEA}", response=ANSWER, more=CUP),
        hooks_file(rpc("Heat") + rpc("Boil", options=hook_options(go_name="Bubble"))),
    ],
    ids=["plain", "content", "names"],
)
def test_what_the_cases_start_from_is_sound(text: str, tmp_path: Path) -> None:
    assert faults({"v1/hooks.proto": text}, tmp_path) == []
