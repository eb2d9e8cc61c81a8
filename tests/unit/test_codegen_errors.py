"""What stops the generator as a whole, and that one run reports everything."""

from importlib import metadata
from pathlib import Path

import pytest

from codegen.build import build_service
from codegen.descriptors import Descriptors
from codegen.errors import CodegenError, Fault
from codegen.protoc import TOOL_VERSIONS, check_tool_versions, descriptor_set
from tests.golden.faulty import HEAD, HOOKS_FILE, IMPLEMENTED, build, faults, hook_options, hooks_file, line_of, rpc

TWO_HOOKS = hooks_file(
    rpc() + rpc("Heat", types="(BoilRequest) returns (HeatResponse)"), more="message HeatResponse {}"
)


def test_all_faults_of_a_hook_are_reported(tmp_path: Path) -> None:
    text = hooks_file(
        rpc("Logger", comment="", options=hook_options("REJECT", version="x")),
        request="string from = 1;\nfixed32 weight = 2;",
        response="int32 count = 1;",
    )
    found = faults({"v1/hooks.proto": text}, tmp_path)
    assert [(fault.symbol, fault.message.partition(" ")[0]) for fault in found] == [
        ("rpc Logger", "its"),
        ("rpc Logger", "minimum_server_version"),
        ("rpc Logger", "needs"),
        ("rpc Logger", "on_error"),
        ("BoilRequest.from", "`from`"),
        ("BoilRequest.from", "needs"),
        ("BoilRequest.weight", "its"),
        ("BoilRequest.weight", "needs"),
        ("BoilResponse.count", "needs"),
    ]


def test_faults_of_all_files_are_reported_in_their_order(tmp_path: Path) -> None:
    heat = 'syntax = "proto3";\npackage mattermost.pluginapi.v1;\nmessage HeatRequest {\nstring self = 1;\n}\n'
    text = hooks_file(
        rpc(comment="") + rpc("Heat", types="(HeatRequest) returns (BoilResponse)"),
        response="repeated string names = 1;",
        more='import "mattermost_pluginapi/v1/heat.proto";',
    )
    found = faults({"v1/hooks.proto": text, "v1/heat.proto": heat}, tmp_path)
    message = line_of(text, "message BoilResponse")
    assert [(fault.file, fault.line, fault.symbol) for fault in found] == [
        ("mattermost_pluginapi/v1/heat.proto", 4, "HeatRequest.self"),
        ("mattermost_pluginapi/v1/heat.proto", 4, "HeatRequest.self"),
        (HOOKS_FILE, line_of(text, "rpc Boil("), "rpc Boil"),
        (HOOKS_FILE, message, "rpc Boil"),
        (HOOKS_FILE, message, "rpc Heat"),
    ]


def test_a_fault_of_a_shared_message_is_reported_once(tmp_path: Path) -> None:
    text = TWO_HOOKS.replace("message BoilRequest {", "message BoilRequest {\nstring cup = 1;")
    assert [fault.symbol for fault in faults({"v1/hooks.proto": text}, tmp_path)] == ["BoilRequest.cup"]


def test_the_text_of_the_error_has_every_fault() -> None:
    late, early = Fault("b.proto", 1, "rpc B", "is late"), Fault("a.proto", 12, "A.field", "is early")
    error = CodegenError("The proto files have faults:", [late, early, late])
    assert error.faults == (early, late)
    assert str(error) == ("The proto files have faults:\n  a.proto:12: A.field: is early\n  b.proto:1: rpc B: is late")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "The proto files declare no service mattermost.pluginapi.v1.PluginHooks"),
        (
            hooks_file().replace(IMPLEMENTED, ""),
            "mattermost.pluginapi.v1.PluginHooks has no rpc Implemented, which hosts ask first",
        ),
    ],
    ids=["no service", "no Implemented"],
)
def test_what_must_be_there(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CodegenError) as caught:
        build({"v1/hooks.proto": text}, tmp_path)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["AppError", "PluginContext"])
def test_messages_that_templates_name_must_be_there(name: str, tmp_path: Path) -> None:
    common = (Path(__file__).parents[1] / "golden/base/v1/common.proto").read_text(encoding="utf-8")
    files = {"v1/hooks.proto": hooks_file(), "v1/common.proto": common.replace(f"message {name} ", "message Other ")}
    with pytest.raises(CodegenError, match=rf"declare no message mattermost\.pluginapi\.v1\.{name}$"):
        build(files, tmp_path)


def test_options_that_no_file_imports_are_missing(tmp_path: Path) -> None:
    text = hooks_file(rpc(options="")).replace('import "mattermost_pluginapi/options.proto";', "")
    protos = tmp_path / "protos/mattermost_pluginapi/v1"
    protos.mkdir(parents=True)
    (protos / "hooks.proto").write_text(text, encoding="utf-8")
    base = Path(__file__).parents[1] / "golden/base/v1/common.proto"
    (protos / "common.proto").write_bytes(base.read_bytes())
    with pytest.raises(CodegenError, match="rpc Boil: needs option"):
        build_service(Descriptors(descriptor_set(tmp_path / "protos", tmp_path)))


def test_a_message_without_package_is_found(tmp_path: Path) -> None:
    bare = 'syntax = "proto3";\nmessage Nothing {}\n'
    text = hooks_file(rpc(types="(.Nothing) returns (BoilResponse)"), more='import "mattermost_pluginapi/bare.proto";')
    service = build({"v1/hooks.proto": text, "bare.proto": bare}, tmp_path)
    assert service.hooks[0].request.module == "mattermost_pluginapi.bare_pb2"


def test_empty_lines_around_a_comment_do_not_count(tmp_path: Path) -> None:
    comment = "//  \n//\n// Called to boil.\n//\n// Take care.\n//  "
    hook = build({"v1/hooks.proto": hooks_file(rpc(comment=comment))}, tmp_path).hooks[0]
    assert (hook.summary, hook.doc) == ("Called to boil.", "Take care.")


def test_a_comment_behind_a_declaration_counts(tmp_path: Path) -> None:
    text = hooks_file(request="string cup = 1; // The cup.")
    assert build({"v1/hooks.proto": text}, tmp_path).hooks[0].parameters[0].doc == "The cup."


def test_protoc_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=r"(?s)protoc refused the proto files:.*v1/hooks\.proto:\d+:\d+: "):
        build({"v1/hooks.proto": hooks_file(request="string cup 1;")}, tmp_path)


def test_a_folder_without_proto_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=r"No proto file below .*nowhere"):
        descriptor_set(tmp_path / "nowhere", tmp_path)


def test_other_tools_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_tool_versions()

    def version(tool: str) -> str:
        if tool == "libcst":
            raise metadata.PackageNotFoundError(tool)
        return "0.1" if tool == "ruff" else TOOL_VERSIONS[tool]

    monkeypatch.setattr(metadata, "version", version)
    expected = rf"libcst is missing, not {TOOL_VERSIONS['libcst']}; ruff is 0\.1, not {TOOL_VERSIONS['ruff']}$"
    with pytest.raises(CodegenError, match=expected):
        check_tool_versions()


def test_the_tools_are_those_of_the_dependency_group() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    missing = [tool for tool, version in TOOL_VERSIONS.items() if f'"{tool}=={version}"' not in project]
    assert missing == []
